/*
 * Tables as in-memory datasets: the models of a service, one job, all jobs, those
 * of a batch. Thread-safe.
 */
#ifndef GIQ_TABLES_H
#define GIQ_TABLES_H

#include <gdal.h>
#include <ogr_api.h>

#include "giq/giq.h"

/* Make a dataset with the layer `models`. The caller owns `*out`. Errors: GIQ_E_MEMORY
 * (also if GDAL lacks its in-memory driver). */
bool giq_tables_models(const struct giq_models *models, GDALDatasetH *out,
                       struct giq_error *err);

/* Make a dataset with the layer `job` of one row, whose geometry is the job's area. As
 * giq_tables_models(). */
bool giq_tables_job(const struct giq_job_view *job, GDALDatasetH *out,
                    struct giq_error *err);

/* Make a dataset with the layer `jobs`, one row for each record of the store. As
 * giq_tables_models(); errors also those of giq_jobs_each(). */
bool giq_tables_jobs(const struct giq_store *store, GDALDatasetH *out,
                     struct giq_error *err);

/* Make a dataset with the empty layer `jobs` of a batch, which has the columns `row` and
 * `location` beside those of a job. The caller owns the dataset; `*out_layer` is borrowed
 * from it. NULL after an error. As giq_tables_models(). */
GDALDatasetH giq_tables_batch(OGRLayerH *out_layer, struct giq_error *err);

/* Add a row to that layer; `location` may be NULL. Errors: GIQ_E_MEMORY. */
bool giq_tables_add_to_batch(OGRLayerH layer, const char *id, const char *location,
                             const struct giq_job_view *job, struct giq_error *err);

#endif
