/*
 * What only C++ can ask of GDAL's drivers. Thread-safe.
 */
#ifndef GIQ_DRIVER_H
#define GIQ_DRIVER_H

#include <gdal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first driver that is sure of a file by its look, or NULL. None opens it, as those
 * that are not sure do in GDALIdentifyDriver(). */
GDALDriverH giq_driver_of(const char *path);

#ifdef __cplusplus
}
#endif

#endif
