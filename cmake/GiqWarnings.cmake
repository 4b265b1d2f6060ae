# The warnings of this project, as one interface target.
# A user's compiler may know more of them than those that the tests are run with.
option(GIQ_WERROR "Treat warnings as errors" ${GIQ_TESTS})
add_library(giq_warnings INTERFACE)
target_compile_options(giq_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  $<$<BOOL:${GIQ_WERROR}>:-Werror>)
