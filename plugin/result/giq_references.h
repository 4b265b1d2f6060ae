/*
 * Results must not make GDAL read other files or hosts: a result comes from outside,
 * and what it names could be any file of the user's.
 *
 * Before a result is published: giq_references_begin(), giq_references_check_file() for
 * every file, before a dataset of any is made; giq_references_check() for every dataset
 * that opens; giq_references_end(). Each open checks the dataset that it hands over once
 * more, as other drivers and options may find more in a file. In one thread.
 */
#ifndef GIQ_REFERENCES_H
#define GIQ_REFERENCES_H

#include <gdal.h>

#include "giq/external.h"

/* One check of a result. Lives at one place from begin to end. */
struct giq_references {
    bool has_fetched; /* a driver asked GDAL to fetch an address, and was refused */
    bool may_fetch;   /* some text may make its driver do so while features are read */
};

/* From here on what the thread's drivers ask GDAL to fetch is refused, and noted. */
void giq_references_begin(struct giq_references *reach);

/*
 * Undo giq_references_begin(). `ok` is the outcome of the checks, and is returned; but if
 * they succeeded and GDAL was asked to fetch an address meanwhile: GIQ_E_RESULT.
 */
bool giq_references_end(struct giq_references *reach, bool ok, struct giq_error *err);

/*
 * Refuse a text file in which the definition of a coordinate system names a file.
 * Errors: GIQ_E_RESULT, GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_references_check_file(struct giq_references *reach, const char *path,
                               struct giq_error *err);

/*
 * Refuse an open dataset whose metadata, coordinate systems or schema name other files
 * (`path` is its own), in any of its parts. `drivers` may open those. Errors:
 * GIQ_E_RESULT.
 */
bool giq_references_check(const struct giq_references *reach, GDALDatasetH dataset,
                          const char *path, char **drivers, struct giq_error *err);

/* The part of giq_references_check() that reads the schema of a database. */
bool giq_references_check_schema(GDALDatasetH dataset, const char *path,
                                 struct giq_error *err);

#endif
