/*
 * Checks of a result's content for the host: external references (giq_external_*), the
 * format of a file (giq_sniff_*), and the comparison of file names (giq_norm_same()).
 * No I/O; thread-safe; no text may be NULL.
 */
#ifndef GIQ_EXTERNAL_API_H
#define GIQ_EXTERNAL_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Whether a definition of a coordinate system (WKT, a PROJ string, or another form that
 * GDAL accepts from a user) has an external reference: it is an http(s) URL (except those
 * of opengis.net that GDAL reads without the network), a /vsi path or a "dict:" file; a
 * parameter that takes files has a value that is not a list of plain names; or a WKT
 * element names a file by a path. Plain names of grids do not count: PROJ reads these
 * from its own folders. A text that is only a local path is not detected: the caller must
 * not let GDAL open it.
 */
bool giq_external_srs(const char *text);

/* Whether a statement of SQLite's schema may make SQLite read other files or hosts: it
 * creates a virtual table of a module that is not known to read only its own database, it
 * contains the name of a function that reads files or hosts, or it does not create a
 * table, view, index or trigger. Triggers never count: they run only when a database is
 * written. "" is the statement of an automatic index and does not count. */
bool giq_external_statement(const char *sql);

/* Whether a value, for example of metadata, is or contains a path or a URL: it begins
 * with '/', '\', '~' or a drive and a separator ("C:\"), is "..", or contains "/vsi",
 * "://", "../" or "..\". A single character does not count. */
bool giq_external_value(const char *value);

/* Whether two names are equal without regard to ASCII case and to the normalisation form
 * of Unicode (NFC, NFD) of Latin, modern Greek, Cyrillic, kana and Hangul. Other letters
 * are compared by code point. */
bool giq_norm_same(const char *a, const char *b);

/* How many leading bytes of a file the functions giq_sniff_*() use; they ignore more. */
enum { GIQ_SNIFF_BYTES = 4096 };

/*
 * The name (static) of the GDAL driver for a text that only refers to other files or
 * hosts (VRT, WMS, GDALG, GIQ and the like), identified by its leading bytes alone. NULL
 * for any other file.
 */
const char *giq_sniff_reference_driver(const char *bytes, size_t len);

/*
 * The GDAL driver for a file with this name and these leading bytes ("GPKG"; static),
 * whether this GDAL has it or not. NULL if the format is not known, or no driver may read
 * a result of it (archives, web pages, VRT and the like).
 */
const char *giq_sniff_driver(const char *name, const char *bytes, size_t len);

/*
 * How many bytes giq_external_scan() must scan from the start of a file that has these
 * leading bytes: 0 for a format that needs no scan, the size of the largest header for
 * FlatGeobuf, and UINT64_MAX, the whole file, for any other.
 */
uint64_t giq_sniff_text_len(const char *bytes, size_t len);

/* The size of the buffer in bytes, and how many bytes at its end are scanned once more,
 * together with the bytes that follow them. */
enum { GIQ_EXTERNAL_BUFFER_SIZE = 65536, GIQ_EXTERNAL_OVERLAP = 4096 };

/*
 * A scan of a text file for references. Start from `{0}`, on the heap: it has 64 KiB.
 * GDAL's GeoJSON driver may fetch a URL if both has_crs and has_link are set.
 */
struct giq_external {
    bool names_file; /* a coordinate system is defined by a file */
    bool has_crs;    /* a quoted string begins with "crs" */
    bool has_link;   /* a quoted string begins with "link" or "url" */

    /* Private. */
    int state;
    unsigned code;
    size_t len;
    char text[GIQ_EXTERNAL_BUFFER_SIZE + 1];
};

/* Scan the next `len` bytes of the file. Escapes of JSON are decoded. */
void giq_external_scan(struct giq_external *scan, const char *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif
