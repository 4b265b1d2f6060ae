# The libraries of the driver, found once for every target.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
# A GDAL says of itself that it is compatible with its own minor version only.
find_package(GDAL CONFIG REQUIRED)
if(GDAL_VERSION VERSION_LESS 3.6)
  message(FATAL_ERROR "GDAL ${GDAL_VERSION} is too old, the driver needs 3.6")
endif()
# 7.85 has CURLOPT_PROTOCOLS_STR, 3.10 has GEOSMakeValidWithParams.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(GEOS REQUIRED IMPORTED_TARGET geos>=3.10)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=1.1.1)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

# libarchive is loaded by its SONAME (src/result/giq_libarchive.h); tests are linked with it.
set(library ${ARCHIVE_LINK_LIBRARIES})
list(FILTER library INCLUDE REGEX "/libarchive\\.[^/]*$")
execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${library}
  OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
if(NOT headers MATCHES "SONAME +([^ \n]+)")
  message(FATAL_ERROR "No SONAME in libarchive: ${library}")
endif()
set(GIQ_LIBARCHIVE_SONAME ${CMAKE_MATCH_1})
get_filename_component(GIQ_LIBARCHIVE_DIR "${library}" DIRECTORY)
