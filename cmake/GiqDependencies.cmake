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
