/*
 * Which driver recognises a file.
 */
#ifndef GIQ_IDENTIFY_H
#define GIQ_IDENTIFY_H

#include <gdal.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The first registered driver whose identify function is certain about the file, or NULL.
 * GDALIdentifyDriver() would also open the file with drivers that are not certain.
 * Thread-safe.
 */
GDALDriverH giq_identify_driver(const char *path);

#ifdef __cplusplus
}
#endif

#endif
