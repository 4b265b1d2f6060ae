/*
 * Which format a file has, by its leading bytes. Pure.
 *
 * The service sends everything as application/octet-stream, and GDAL's drivers recognise
 * many formats only by the extension, so a file with a missing or wrong extension gets
 * that of its format. What the plugin uses is in giq/external.h.
 */
#ifndef GIQ_SNIFF_H
#define GIQ_SNIFF_H

#include "giq/external.h"
#include "result/giq_format.h"

/*
 * The format of the file whose first `len` bytes are `bytes`; NULL if it is not known.
 * `name`, the cleaned file name, decides between formats that begin alike (.kmz and .zip,
 * .mbtiles and .sqlite). Static.
 */
const struct giq_format *giq_sniff(const char *name, const char *bytes, size_t len);

#endif
