# The second compiler, with its own set of warnings.
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
# valgrind 3.19 does not read the debug information that clang writes by itself.
set(CMAKE_C_FLAGS "-gdwarf-4" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-gdwarf-4" CACHE STRING "")
