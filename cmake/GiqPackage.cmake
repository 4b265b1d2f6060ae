# What is installed beside the plugin; the package for Debian, one for each GDAL that it
# is built for; and the tarball of the sources. In the build folder: cpack, and cpack
# --config CPackSourceConfig.cmake.
include(GNUInstallDirs)
set(CPACK_PACKAGE_NAME libgdal-plugin-giq)
set(giq_doc ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_PACKAGE_NAME})
install(FILES LICENSE DESTINATION ${giq_doc} RENAME copyright)
install(FILES plugin/GIQ.md plugin/COMMANDS.md DESTINATION ${giq_doc})
install(PROGRAMS data/slurm.sh DESTINATION ${giq_doc}/examples)

set(GIQ_PACKAGE_CONTACT "The GIQ driver authors <maintainers@giq.invalid>" CACHE STRING
    "Maintainer of the package: name and address")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT ${GIQ_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
    "A model, a file and an area of interest are named as a dataset, and every
program that uses GDAL reads what the model computed: the driver submits the
job, waits for it, downloads the result and opens it. A request is one paid
job, however often it is opened.")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# A plugin works with the GDAL that it was built for: the version says which, and that of
# a later one is higher. Which libgdal that is follows from the libraries.
set(CPACK_DEBIAN_PACKAGE_VERSION
    "${PROJECT_VERSION}+gdal${GDAL_VERSION_MAJOR}.${GDAL_VERSION_MINOR}")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What is loaded later is not among those: the package that owns libarchive, which may
# know it by its path without /usr.
find_program(GIQ_DPKG_QUERY dpkg-query)
if(GIQ_DPKG_QUERY)
  file(REAL_PATH "${GIQ_LIBARCHIVE_DIR}" folder)
  string(REGEX REPLACE "^/usr/" "/" folder "${folder}")
  execute_process(
    COMMAND ${GIQ_DPKG_QUERY} -S "/usr${folder}/${GIQ_LIBARCHIVE_SONAME}"
            "${folder}/${GIQ_LIBARCHIVE_SONAME}"
    OUTPUT_VARIABLE owners ERROR_QUIET)
  if(owners MATCHES "(^|\n)([a-z0-9][a-z0-9.+-]+)(:[a-z0-9-]+)?: /")
    set(CPACK_DEBIAN_PACKAGE_DEPENDS ${CMAKE_MATCH_2})
  endif()
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gdal-bin)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/GiqChangelog.cmake)

set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME giq-${PROJECT_VERSION})
string(REGEX REPLACE "([][+.*()^$?|\\\\])" "\\\\\\1" giq_root "${PROJECT_SOURCE_DIR}")
set(CPACK_SOURCE_IGNORE_FILES "^${giq_root}/build" "/\\\\.git$" "/\\\\.git/" "/__pycache__/")
include(CPack)
