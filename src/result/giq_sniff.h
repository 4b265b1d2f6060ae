/*
 * What kind of file a result is, by its leading bytes. Pure.
 *
 * The service calls everything application/octet-stream, and GDAL's drivers
 * recognise many kinds only by the extension: so a name with a missing or wrong
 * extension gets the one that the bytes ask for. giq_sniff_source() is in giq/external.h.
 */
#ifndef GIQ_SNIFF_H
#define GIQ_SNIFF_H

#include "giq/external.h"

enum giq_sniff_class {
    GIQ_SNIFF_DATA,    /* a format for a GDAL driver */
    GIQ_SNIFF_ZIP,     /* to be unpacked: zip, but not .kmz or .shz */
    GIQ_SNIFF_TAR,     /* to be unpacked */
    GIQ_SNIFF_GZIP,    /* what it holds decides: a tar or one file */
    GIQ_SNIFF_HTML,    /* a web page, never a result */
    GIQ_SNIFF_NOTHING, /* no rule knows it: the name decides */
};

struct giq_sniff {
    enum giq_sniff_class content;
    const char *extension; /* "gpkg"; static; NULL with GIQ_SNIFF_NOTHING */
};

/* `name` is the cleaned file name (it tells .kmz from .zip, .mbtiles from
 * .sqlite), `bytes` the first `len` bytes of the file. */
struct giq_sniff giq_sniff(const char *name, const char *bytes, size_t len);

/* Whether the extension of `name` is one of those used for the kind found:
 * "tif", "tiff" and "gtiff" for a GeoTIFF, for example. True with
 * GIQ_SNIFF_NOTHING. Case makes no difference. */
bool giq_sniff_extension_fits(const struct giq_sniff *kind, const char *name);

#endif
