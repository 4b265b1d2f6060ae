/*
 * Refuses results with external references: a result must not make GDAL read any file
 * that the user can read, or contact a host.
 *
 * Usage, before a result is published: giq_references_begin(); for an archive
 * giq_sidecar_remove(), which opens only masks; giq_references_check_file() for every
 * file, before any other dataset is opened; giq_references_check() for every dataset that
 * opens; giq_references_end(). Each later open checks the dataset that it
 * returns again, as other drivers and options may find more in a file.
 *
 * All calls for one struct must be made in the same thread.
 */
#ifndef GIQ_REFERENCES_H
#define GIQ_REFERENCES_H

#include <gdal.h>

#include "giq/external.h"

enum { GIQ_REFERENCES_URL_SIZE = 201 }; /* bytes, with the NUL */

/* The state of one check. Must not move between begin and end. */
struct giq_references {
    /* The first URL that a driver tried to fetch, which was refused; without its query,
     * and cut; "" if there was none. */
    char fetched_url[GIQ_REFERENCES_URL_SIZE];
    bool may_fetch; /* a driver may fetch a URL while it reads the features of a text */
    /* The last giq_references_check() failed only because of the number of subdatasets:
     * the result is kept, but not opened. */
    bool has_too_many_subdatasets;
};

/* From here on refuse, and record, every URL that drivers fetch by GDAL in this thread.
 */
void giq_references_begin(struct giq_references *references);

/*
 * Undo giq_references_begin(). Returns `ok`, the outcome of the checks; but if they
 * succeeded and a driver tried to fetch a URL, fails with GIQ_E_RESULT.
 */
bool giq_references_end(struct giq_references *references, bool ok,
                        struct giq_error *err);

/*
 * Refuse a text file that defines a coordinate system by a path or a URL. Sets
 * references->may_fetch for giq_references_check(). Errors: GIQ_E_RESULT, GIQ_E_STORE if
 * the file cannot be opened, GIQ_E_MEMORY.
 */
bool giq_references_check_file(struct giq_references *references, const char *path,
                               struct giq_error *err);

/*
 * Refuse an open dataset of the file `path` if its metadata, coordinate systems or
 * database schema name other files, or those of its subdatasets do, or if there are too
 * many of these to check (references->has_too_many_subdatasets). `drivers`, a GDAL string
 * list, are those that may open subdatasets. Reads all features of GeoJSON if may_fetch
 * is set. Errors: GIQ_E_RESULT.
 */
bool giq_references_check(struct giq_references *references, GDALDatasetH dataset,
                          const char *path, char **drivers, struct giq_error *err);

#endif
