# Thread sanitizer.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(giq_flags "-O1 -fsanitize=thread -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS "${giq_flags}" CACHE STRING "")
set(CMAKE_CXX_FLAGS "${giq_flags}" CACHE STRING "")
