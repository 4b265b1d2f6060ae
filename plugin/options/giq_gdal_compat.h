/*
 * Differences between the versions of GDAL that the driver is built for, 3.6 and later.
 */
#ifndef GIQ_GDAL_COMPAT_H
#define GIQ_GDAL_COMPAT_H

#include <cpl_conv.h>
#include <cpl_error.h>
#include <gdal.h>
#include <stdbool.h>

/* In debug mode GDAL 3.11 and later warn of options that are not declared. */
#if GDAL_VERSION_NUM < GDAL_COMPUTE_VERSION(3, 11, 0)
#define GIQ_GDAL_DECLARE_OPTION(name) ((void)(name))
#else
#define GIQ_GDAL_DECLARE_OPTION(name) CPLDeclareKnownConfigOption(name, NULL)
#endif

/* The name of the driver for vector data in memory. */
#if GDAL_VERSION_NUM < GDAL_COMPUTE_VERSION(3, 11, 0)
#define GIQ_GDAL_MEMORY_VECTOR "Memory"
#else
#define GIQ_GDAL_MEMORY_VECTOR "MEM"
#endif

/* Whether errors of this thread are hidden, as the program gdal does since 3.11. */
#if GDAL_VERSION_NUM < GDAL_COMPUTE_VERSION(3, 11, 0)
#define GIQ_GDAL_ERRORS_ARE_HIDDEN false
#else
#define GIQ_GDAL_ERRORS_ARE_HIDDEN (CPLGetErrorHandler(NULL) == CPLQuietErrorHandler)
#endif

/* Flags of GDALOpenEx() that older versions do not define. */
#ifndef GDAL_OF_FROM_GDALOPEN
#define GDAL_OF_FROM_GDALOPEN 0x400
#endif
#ifndef GDAL_OF_THREAD_SAFE
#define GDAL_OF_THREAD_SAFE 0x800
#endif

#endif
