# Optimised, as it is shipped: cmake -C cmake/release.cmake -S . -B build-release
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
