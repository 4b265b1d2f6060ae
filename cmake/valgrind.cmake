# Unit tests under valgrind; a leak or a bad access fails them.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_C_FLAGS "-O1" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-O1" CACHE STRING "")
set(GIQ_TEST_LAUNCHER
  "valgrind;--quiet;--leak-check=full;--errors-for-leak-kinds=definite;--error-exitcode=9"
  CACHE STRING "")
