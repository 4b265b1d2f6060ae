/*
 * The models of the sandbox service: real computations on real files, by GDAL.
 * Called in a worker process of its own, so that what goes wrong stays there.
 */
#ifndef SANDBOX_MODEL_H
#define SANDBOX_MODEL_H

#include <stdbool.h>
#include <stddef.h>

struct model {
    const char *id; /* what a run request names */
    const char *name;
    const char *version;
    const char *type;          /* "RASTER" or "VECTOR": what it computes on */
    const char *const *labels; /* ends in NULL */
    const char *description;
    bool only_waits; /* computed at once and not by a worker; listed on demand */
};

/* All models, and how many. */
extern const struct model models[];
extern const size_t models_count;

/* The model with this id, or NULL. */
const struct model *model_find(const char *id);

/* Whether the model is listed and may be run; `waits_too`: those that only wait as well.
 */
bool model_is_offered(const struct model *model, bool waits_too);

enum { MODEL_NAME_SIZE = 128, MODEL_ERROR_SIZE = 256 };

struct model_task {
    const struct model *model;
    const char *input;  /* path of the file to compute on */
    const char *area;   /* WKT in longitude and latitude, or NULL: the whole file */
    const char *folder; /* where the result is written; exists, empty */
};

/*
 * Compute; except for models that only wait in a worker, since GDAL's drivers are
 * registered. On success `name` is the file in the folder that is the result, with
 * whatever else was needed on the way removed. On failure `error` says why, in
 * words for the user of the service, for example "water needs a raster with 6
 * bands; roads.geojson is a vector file".
 */
bool model_run(const struct model_task *task, char name[MODEL_NAME_SIZE],
               char error[MODEL_ERROR_SIZE]);

#endif
