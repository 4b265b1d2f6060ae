# Address, leak and undefined-behaviour sanitizers; the first finding ends the program.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(giq_flags "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS "${giq_flags}" CACHE STRING "")
set(CMAKE_CXX_FLAGS "${giq_flags}" CACHE STRING "")
