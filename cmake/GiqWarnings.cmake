# The warnings of this project, as one interface target.
option(GIQ_WERROR "Treat warnings as errors" ON)
add_library(giq_warnings INTERFACE)
target_compile_options(giq_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  $<$<BOOL:${GIQ_WERROR}>:-Werror>)
