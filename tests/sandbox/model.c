#include "model.h"

#include <cpl_error.h>
#include <gdal.h>
#include <stdio.h>
#include <string.h>

#include "model_lines.h"
#include "model_raster.h"
#include "model_wait.h"

#define LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct model models[] = {
    {"water", "Water bodies", "1.2.0", "RASTER", LABELS("water", "coast"),
     "Polygons of open water by the modified normalised difference water index", false},
    {"ndvi", "Vegetation index", "1.0.0", "RASTER", LABELS("vegetation"),
     "Normalised difference vegetation index as a raster", false},
    {"contours", "Contours", "1.0.0", "RASTER", LABELS("lines"),
     "Contours of the first band", false},
    {"segments", "Segments", "2.0.1", "RASTER", LABELS("vegetation", "segments"),
     "Segments of equal vegetation", false},
    {"hulls", "Convex hulls", "1.0.0", "VECTOR", LABELS("hulls"),
     "The convex hull of every feature of a vector file", false},
    {"wait", "Waiting", "1.0.0", "RASTER", LABELS("test"),
     "Nothing but the time that it takes; the result is the area", true},
};
const size_t models_count = sizeof models / sizeof models[0];

/* What computes each model, in their order, and the name of its result. */
static const struct {
    bool (*run)(const struct model_task *, const char *, char[MODEL_ERROR_SIZE]);
    const char *result;
} programs[] = {
    {model_water, "water.gpkg"},          {model_ndvi, "ndvi.tif"},
    {model_contours, "contours.geojson"}, {model_segments, "segments.zip"},
    {model_hulls, "hulls.fgb"},           {model_wait, "wait.geojson"},
};

const struct model *model_find(const char *id)
{
    for (size_t i = 0; i < models_count; i++) {
        if (strcmp(models[i].id, id) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

bool model_is_offered(const struct model *model, bool waits_too)
{
    return model != NULL && (waits_too || !model->only_waits);
}

bool model_run(const struct model_task *task, char name[MODEL_NAME_SIZE],
               char error[MODEL_ERROR_SIZE])
{
    char path[4096];
    size_t at = (size_t)(task->model - models);
    if (!task->model->only_waits) {
        GDALAllRegister();
        CPLSetErrorHandler(CPLQuietErrorHandler);
        CPLErrorReset();
    }
    (void)snprintf(path, sizeof path, "%s/%s", task->folder, programs[at].result);
    if (!programs[at].run(task, path, error)) {
        return false;
    }
    (void)snprintf(name, MODEL_NAME_SIZE, "%s", programs[at].result);
    return true;
}
