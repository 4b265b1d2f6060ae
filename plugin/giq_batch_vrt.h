/*
 * Hands over the published results of a batch as one dataset: the union of their layers
 * (giq_batch_union.h) or the mosaic of their rasters (giq_batch_mosaic.h), a file in the
 * store (giq/batch_file.h) that one of GDAL's VRT drivers opens. No result is opened for
 * that, unless it has no summary.
 *
 * The sources are the GIQ: strings of the rows with the open option SUBMIT=NO. GDAL skips
 * a source that it cannot open, in silence: add only rows whose results are published.
 *
 * Usage: giq_batch_vrt_new(), giq_batch_vrt_add() for each row in order,
 * giq_batch_vrt_open() once, giq_batch_vrt_free(). For one thread at a time.
 */
#ifndef GIQ_BATCH_VRT_H
#define GIQ_BATCH_VRT_H

#include "giq/giq.h"
#include "options/giq_config.h"

#include <gdal.h>

struct giq_batch_vrt;

/* The open option of the sources that names their batch (giq_kept_options.h). It begins
 * with "@", so that GDAL does not warn that it is not declared; GDAL removes the "@". */
#define GIQ_BATCH_VRT_OPTION "@BATCH"

/* All that is pointed to is borrowed until giq_batch_vrt_free(). */
struct giq_batch_vrt_args {
    const struct giq_config *config; /* of the open, and so of each row */
    const struct giq_store *store;
    const char *member; /* of `member=`, or NULL */
    const char *name;   /* the connection string */
    unsigned flags;     /* GDAL_OF_... of the open */
};

struct giq_batch_vrt_row {
    const char *id;   /* the value of the field `row` of a union */
    const char *name; /* the GIQ: string of the row alone; borrowed as `args` */
    const char *key;  /* of the request */
    const char *job_id;
    const char *result_path; /* as in struct giq_job_view */
};

/* The caller passes it to giq_batch_vrt_free(). Errors: GIQ_E_MEMORY. */
bool giq_batch_vrt_new(const struct giq_batch_vrt_args *args, struct giq_batch_vrt **out,
                       struct giq_error *err);
void giq_batch_vrt_free(struct giq_batch_vrt *vrt); /* NULL is allowed */

/*
 * Add a row. The texts `id` and `name` are borrowed as `args`. Where both kinds of
 * dataset were requested, the first row decides. Fails if the result cannot be part of
 * the dataset; the row is then not added, and others may be. Errors: those of
 * giq_result_open(): GIQ_E_RESULT if the result is of the other kind.
 */
bool giq_batch_vrt_add(struct giq_batch_vrt *vrt, const struct giq_batch_vrt_row *row,
                       struct giq_error *err);

/*
 * Open the dataset of all rows that were added, of which there is at least one. The
 * caller owns `*out`. If the file in the store cannot be written or opened, it is one in
 * memory, which is kept until the process ends. Errors: GIQ_E_BATCH (rasters that
 * differ), GIQ_E_RESULT (GDAL does not open the file), GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_batch_vrt_open(struct giq_batch_vrt *vrt, GDALDatasetH *out,
                        struct giq_error *err);

#endif
