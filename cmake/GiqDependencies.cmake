# The libraries of the driver, found once for every target.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(GDAL 3.6 REQUIRED)
# 7.85 has CURLOPT_PROTOCOLS_STR, 3.10 has GEOSMakeValidWithParams.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(GEOS REQUIRED IMPORTED_TARGET geos>=3.10)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=1.1.1)
