/*
 * Which registered driver recognises a file. Opens no dataset.
 */
#ifndef GIQ_IDENTIFY_H
#define GIQ_IDENTIFY_H

#include <gdal.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The first registered driver whose identify function returns TRUE, not
 * GDAL_IDENTIFY_UNKNOWN, for the file `path`; or NULL. GDALIdentifyDriver() would also
 * open the file with drivers that are not certain, and a driver that may not open results
 * must not do so. Thread-safe.
 */
GDALDriverH giq_identify_driver(const char *path);

#ifdef __cplusplus
}
#endif

#endif
