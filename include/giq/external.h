/*
 * What in a result would make its reader read another file or ask a host: definitions of
 * coordinate systems and of tables, whole text files. Pure.
 */
#ifndef GIQ_EXTERNAL_API_H
#define GIQ_EXTERNAL_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a definition of a coordinate system (WKT, a PROJ string, or what else a user
 * may type for one) names a file or an address. The names of grids that PROJ looks for
 * in its own folders are none. */
bool giq_external_srs(const char *text);

/* Whether a text of SQLite's schema makes a virtual table that may read other files:
 * any but an index. */
bool giq_external_table(const char *sql);

/* Whether two names are the same but for ASCII case and for how Unicode composes letters
 * and marks (NFC, NFD). */
bool giq_norm_same(const char *a, const char *b);

/* As many leading bytes of a file as tell what it is. */
enum { GIQ_SNIFF_BYTES = 4096 };

/*
 * The name of the GDAL driver that a text file with these leading bytes is for, where it
 * is a text that names other files or hosts for the driver to read: VRT, WMS, GDALG, GIQ
 * and their like, whatever the file is called. NULL where it is none.
 */
const char *giq_sniff_source(const char *bytes, size_t len);

/*
 * The GDAL driver for a file with this name and these leading bytes ("GPKG"; static),
 * whether this GDAL has it or not. NULL if the format is not known, or no driver may read
 * a result of it (archives, web pages).
 */
const char *giq_sniff_driver(const char *name, const char *bytes, size_t len);

/*
 * How many bytes of a file with these leading bytes giq_external_take() must scan: 0 for
 * a binary format that holds no text to scan, UINT64_MAX for the whole file.
 */
uint64_t giq_sniff_text_len(const char *bytes, size_t len);

/*
 * A look at a text file as it is read. Start from `{0}`; what is found adds up. JSON's
 * escapes are undone first.
 */
enum { GIQ_EXTERNAL_TEXT = 65536, GIQ_EXTERNAL_KEPT = 4096 };
struct giq_external {
    bool names_file; /* as the definition of a coordinate system */
    bool has_crs;    /* a quoted text begins with "crs" */
    bool has_link;   /* ... with "link" or "url" */
    int state;       /* of what follows: private */
    unsigned code;
    size_t len;
    char text[GIQ_EXTERNAL_TEXT + 1];
};
void giq_external_take(struct giq_external *scan, const char *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif
