/*
 * Formats of files: their extensions, their magic numbers, and the GDAL drivers that read
 * them. Pure.
 */
#ifndef GIQ_FORMAT_H
#define GIQ_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum giq_format_kind {
    GIQ_FORMAT_DATA, /* for a GDAL driver */
    GIQ_FORMAT_ZIP,  /* an archive to unpack; .kmz, .shz, .xlsx and .ods are data */
    GIQ_FORMAT_TAR,  /* an archive to unpack */
    GIQ_FORMAT_GZIP, /* holds a tar or one file */
    GIQ_FORMAT_HTML, /* a web page, never a result */
};

/* Maximum length of a FlatGeobuf header in bytes, as in GDAL's driver
 * (header_max_buffer_size). */
enum { GIQ_FORMAT_FLATGEOBUF_HEADER_MAX = 10 * 1024 * 1024 };

/* Which part of a file may hold text with external references: see giq_sniff_text_len().
 */
enum giq_format_text {
    GIQ_FORMAT_TEXT_ANYWHERE,
    GIQ_FORMAT_TEXT_AT_START,
    GIQ_FORMAT_TEXT_NONE, /* binary, or checked in other ways */
};

struct giq_format {
    const char *extension; /* "gpkg" */
    const char *name;      /* "GeoPackage", for messages */
    const char *driver;    /* of GDAL; NULL: none may read results of this format */
    enum giq_format_kind kind;
    enum giq_format_text text;
    const char *aliases[7]; /* other extensions of the format; NULL after the last one */
};

/* The format whose main extension (not an alias) is `extension`, in lower case; it must
 * exist. The result is static and never NULL. */
const struct giq_format *giq_format_get(const char *extension);

/* The format with the magic number of these leading bytes, or NULL. `extension`, that of
 * the file's name, selects between formats with the same magic number (.kmz, .zip). */
const struct giq_format *giq_format_by_magic(const char *extension, const char *bytes,
                                             size_t len);

/* Whether files of the format have this extension. Case makes no difference. */
bool giq_format_has_extension(const struct giq_format *format, const char *extension);

/* Whether giq_name_set_extension() replaces this extension of a file name: it is one of
 * any format or of a part of one ("dbf"), or a meaningless one ("bin"). Case makes no
 * difference. */
bool giq_format_is_extension(const char *extension);

#endif
