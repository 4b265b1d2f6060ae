# libFuzzer of clang, with the address and undefined-behaviour sanitizers: the fuzz
# targets and what they are made of, nothing else.
set(GIQ_FUZZ ON CACHE BOOL "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
set(giq_flags "-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS "${giq_flags}" CACHE STRING "")
set(CMAKE_CXX_FLAGS "${giq_flags}" CACHE STRING "")
