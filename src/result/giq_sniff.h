/*
 * Identifies the format of a file by its leading bytes and its name. Pure.
 *
 * The service sends everything as application/octet-stream, and GDAL's drivers recognise
 * many formats only by the extension, so giq_stage_download() replaces a wrong extension
 * by that of the format. The functions for the plugin are in giq/external.h.
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

/* Whether `name`, of `len` bytes and without a namespace prefix, is the root element of
 * an XML format that may be a result (KML, GPX, GML). The first white space ends it. */
bool giq_sniff_is_root(const char *name, size_t len);

#endif
