/*
 * Summary of a result: what a dataset over many results must know of each, so that it can
 * be made without opening any of them. The host fills it when it accepts the result; the
 * core records it as the member `summary` of job.json.
 *
 * A summary holds for one result of one job: if either changed, none is recorded. A
 * summary that is too large is not recorded either; the host then reads the result again.
 *
 * Start from `{0}`; all pointers are owned by the summary, and NULL if absent or empty.
 * Thread-safe, but a summary may be used by one thread at a time.
 */
#ifndef GIQ_SUMMARY_API_H
#define GIQ_SUMMARY_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { GIQ_SUMMARY_BYTES_MAX = 256 * 1024 }; /* of the recorded text */

/* Names of types are those of GDAL: "Integer64", "Boolean"; "Float32" of a band. Numbers
 * that are not whole are texts, separated by spaces: they are kept exactly, may be NaN,
 * and do not follow the locale. */
struct giq_summary_field {
    char *name;
    char *type;
    char *subtype; /* NULL: none */
};

struct giq_summary_layer {
    char *name;
    int64_t geometry_type; /* a number of OGRwkbGeometryType */
    char *srs;             /* WKT; NULL: none, or no geometry */
    int64_t features;      /* -1: not known */
    char *extent; /* minimum x and y, maximum x and y; NULL: none, or not known */
    struct giq_summary_field *fields;
    size_t field_count;
};

struct giq_summary_band {
    char *type;
    char *interpretation;
    char *nodata;      /* NULL: none */
    char *offset;      /* NULL: 0 */
    char *scale;       /* NULL: 1 */
    char *unit;        /* NULL: none */
    char *description; /* NULL: none */
    char *colors;      /* the table of a palette, RRGGBBAA for each entry; NULL: none */
    int64_t block_width;
    int64_t block_height;
};

struct giq_summary_raster {
    int64_t width; /* 0: there is no raster */
    int64_t height;
    char *geotransform; /* six numbers; NULL: none */
    char *srs;          /* WKT; NULL: none */
    bool has_mask;      /* one for all bands */
    struct giq_summary_band *bands;
    size_t band_count;
};

/* One file that GDAL opens. */
struct giq_summary_file {
    char *name;         /* relative to the folder of an archive; of a file its name */
    char *driver;       /* of the first dataset that GDAL opens */
    char *other_driver; /* of the one that GDAL opens for the kind (raster or vector) that
                           the first lacks; or NULL */
    bool is_vector;     /* GDAL opens it as a vector, maybe without layers */
    struct giq_summary_raster raster;
    struct giq_summary_layer *layers;
    size_t layer_count;
};

struct giq_summary {
    char *proof; /* a text by which the host recognises a result that it has checked and
                    that has not changed since; NULL: none */
    struct giq_summary_file *files;
    size_t file_count;
};

void giq_summary_release(struct giq_summary *summary);

/* Append a zeroed element. NULL when out of memory; elements that were returned before
 * may have moved. */
struct giq_summary_file *giq_summary_add_file(struct giq_summary *summary);
struct giq_summary_layer *giq_summary_add_layer(struct giq_summary_file *file);
struct giq_summary_field *giq_summary_add_field(struct giq_summary_layer *layer);
struct giq_summary_band *giq_summary_add_band(struct giq_summary_raster *raster);

/* Pass the summary of the result that `accept` of struct giq_job_host is checking; it is
 * recorded when the result is published. To be called within `accept`. Errors:
 * GIQ_E_MEMORY. */
bool giq_job_set_summary(struct giq_job *job, const struct giq_summary *summary,
                         struct giq_error *err);

/* The proof in the summary of the published result of the job; NULL if there is none.
 * Borrowed until the next step of the job. */
const char *giq_job_get_proof(const struct giq_job *job);

/* Read the summary that is recorded for the key. `*out_found` is false if there is none,
 * or if the request has no published result. Takes no lock. The caller passes `*out` to
 * giq_summary_release(). Errors: GIQ_E_STORE, GIQ_E_MEMORY. */
bool giq_summary_read(const struct giq_store *store, const char *key,
                      struct giq_summary *out, bool *out_found, struct giq_error *err);

/* Record the summary of a published result of the job `job_id` that has none, because an
 * older version of the driver published it. Does nothing if another holder has the record
 * lock, the result has changed or the store cannot be written: the summary can be made
 * again. */
void giq_summary_record(const struct giq_store *store, const char *key,
                        const char *job_id, const struct giq_summary *summary);

#ifdef __cplusplus
}
#endif

#endif
