/*
 * External references: what in a result makes GDAL read another file or ask a host. Pure.
 */
#ifndef GIQ_EXTERNAL_API_H
#define GIQ_EXTERNAL_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a definition of a coordinate system (WKT, a PROJ string, or another form that
 * GDAL accepts from a user) names a file or an address. Names of grids, which PROJ looks
 * for in its own folders, do not count. */
bool giq_external_srs(const char *text);

/* Whether a statement of SQLite's schema may make SQLite read other files or hosts: a
 * virtual table that is not a spatial or full-text index, a call of such a function, or
 * a statement that is not understood. "" is the statement of an automatic index. */
bool giq_external_statement(const char *sql);

/* Whether two names are equal without regard to ASCII case and to the normalisation form
 * of Unicode (NFC, NFD). */
bool giq_norm_same(const char *a, const char *b);

/* The leading bytes of a file that identify its format. */
enum { GIQ_SNIFF_BYTES = 4096 };

/*
 * The GDAL driver of a text whose purpose is to name other files or hosts (VRT, WMS,
 * GDALG, GIQ and the like), by its leading bytes, whatever the name of the file. NULL for
 * any other file.
 */
const char *giq_sniff_reference_driver(const char *bytes, size_t len);

/*
 * The GDAL driver for a file with this name and these leading bytes ("GPKG"; static),
 * whether this GDAL has it or not. NULL if the format is not known, or no driver may read
 * a result of it (archives, web pages).
 */
const char *giq_sniff_driver(const char *name, const char *bytes, size_t len);

/*
 * How many bytes of a file with these leading bytes giq_external_scan() must scan: 0 for
 * a binary format that holds no text to scan, UINT64_MAX for the whole file.
 */
uint64_t giq_sniff_text_len(const char *bytes, size_t len);

/*
 * A scan of a text file for references, as the file is read. Start from `{0}`. Escapes of
 * JSON are decoded.
 */
enum { GIQ_EXTERNAL_BUFFER_SIZE = 65536, GIQ_EXTERNAL_OVERLAP = 4096 };
struct giq_external {
    bool names_file; /* a coordinate system is defined by a file */
    bool has_crs;    /* a quoted string begins with "crs" */
    bool has_link;   /* a quoted string begins with "link" or "url" */
    int state;       /* private, as is all below */
    unsigned code;
    size_t len;
    char text[GIQ_EXTERNAL_BUFFER_SIZE + 1];
};
void giq_external_scan(struct giq_external *scan, const char *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif
