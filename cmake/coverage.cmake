# Counts the lines that the tests reach, for gcov.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(giq_flags "-O0 --coverage -fprofile-update=atomic")
set(CMAKE_C_FLAGS "${giq_flags}" CACHE STRING "")
set(CMAKE_CXX_FLAGS "${giq_flags}" CACHE STRING "")
