/* Makes the tables of models and jobs with GDAL's in-memory driver. */
#include "giq_tables.h"

#include <stdlib.h>
#include <string.h>

#include "giq/geom.h"
#include "giq_table.h"
#include "options/giq_gdal_cleanup.h"

enum { M2_PER_KM2 = 1000000 };

enum model_column {
    MODEL_ID,
    MODEL_NAME,
    MODEL_VERSION,
    MODEL_TYPE,
    MODEL_LABELS,
    MODEL_JSON,
};

static const struct giq_table_column model_columns[] = {
    [MODEL_ID] = {"id", OFTString},
    [MODEL_NAME] = {"name", OFTString},
    [MODEL_VERSION] = {"version", OFTString},
    [MODEL_TYPE] = {"type", OFTString},
    [MODEL_LABELS] = {"labels", OFTStringList},
    [MODEL_JSON] = {"json", OFTString},
};

enum job_column {
    JOB_KEY,
    JOB_MODEL_ID,
    JOB_FILE_ID,
    JOB_UPLOAD,
    JOB_LABEL,
    JOB_JOB_ID,
    JOB_STATUS,
    JOB_STATE,
    JOB_TYPE,
    JOB_STARTED_AT,
    JOB_SUBMITTED_AT,
    JOB_FINISHED_AT,
    JOB_RESULT_PATH,
    JOB_RESULT_SIZE,
    JOB_AREA_KM2,
    JOB_ERROR,
    JOB_COLUMNS,
};

static const struct giq_table_column job_columns[] = {
    [JOB_KEY] = {"key", OFTString},
    [JOB_MODEL_ID] = {"model_id", OFTString},
    [JOB_FILE_ID] = {"file_id", OFTString},
    [JOB_UPLOAD] = {"upload", OFTString},
    [JOB_LABEL] = {"label", OFTString},
    [JOB_JOB_ID] = {"job_id", OFTString},
    [JOB_STATUS] = {"status", OFTString},
    [JOB_STATE] = {"state", OFTString},
    [JOB_TYPE] = {"type", OFTString},
    [JOB_STARTED_AT] = {"started_at", OFTDateTime},
    [JOB_SUBMITTED_AT] = {"submitted_at", OFTDateTime},
    [JOB_FINISHED_AT] = {"finished_at", OFTDateTime},
    [JOB_RESULT_PATH] = {"result_path", OFTString},
    [JOB_RESULT_SIZE] = {"result_size", OFTInteger64},
    [JOB_AREA_KM2] = {"area_km2", OFTReal},
    [JOB_ERROR] = {"error", OFTString},
};

/* ---- models ---- */

static bool add_model(OGRLayerH layer, const struct giq_model *model,
                      struct giq_error *err)
{
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    giq_table_set_text(row, MODEL_ID, model->id);
    giq_table_set_text(row, MODEL_NAME, model->name);
    giq_table_set_text(row, MODEL_VERSION, model->version);
    giq_table_set_text(row, MODEL_TYPE, model->type);
    if (model->labels == NULL) {
        OGR_F_SetFieldNull(row, MODEL_LABELS);
    } else {
        OGR_F_SetFieldStringList(row, MODEL_LABELS, (CSLConstList)model->labels);
    }
    giq_table_set_text(row, MODEL_JSON, model->json);
    return giq_table_add_row(layer, row, err);
}

bool giq_tables_models(const struct giq_models *models, GDALDatasetH *out,
                       struct giq_error *err)
{
    OGRLayerH layer = NULL;
    GIQ_AUTO_DATASET GDALDatasetH dataset = giq_table_new(
        "models", wkbNone, model_columns, GIQ_COUNT(model_columns), &layer, err);
    if (dataset == NULL) {
        return false;
    }
    for (size_t i = 0; i < models->count; i++) {
        if (!add_model(layer, &models->item[i], err)) {
            return false;
        }
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

/* ---- jobs ---- */

/* False if memory is exhausted. */
static bool get_ring_m2(OGRGeometryH ring, double *out)
{
    size_t count = (size_t)OGR_G_GetPointCount(ring);
    double *xy = malloc((count + 1) * 2 * sizeof *xy);
    if (xy == NULL) {
        return false;
    }
    const int stride = 2 * (int)sizeof *xy;
    (void)OGR_G_GetPoints(ring, xy, stride, xy + 1, stride, NULL, 0);
    *out = giq_ellipsoid_ring_area(xy, count);
    free(xy);
    return true;
}

/* As giq_geom_area_km2(), of a multipolygon: its text need not be parsed again. */
static bool get_km2(OGRGeometryH area, double *out)
{
    double m2 = 0;
    for (int i = 0; i < OGR_G_GetGeometryCount(area); i++) {
        OGRGeometryH polygon = OGR_G_GetGeometryRef(area, i);
        for (int ring = 0; ring < OGR_G_GetGeometryCount(polygon); ring++) {
            double part = 0;
            if (!get_ring_m2(OGR_G_GetGeometryRef(polygon, ring), &part)) {
                return false;
            }
            m2 += ring == 0 ? part : -part;
        }
    }
    *out = m2 / M2_PER_KM2;
    return true;
}

/* Leaves geometry and size NULL if `wkt` is NULL or cannot be parsed. */
static void set_job_area(OGRFeatureH row, int first, const char *wkt)
{
    double km2 = 0;
    giq_table_set_area(row, wkt);
    OGRGeometryH area = OGR_F_GetGeometryRef(row);
    if (area != NULL && get_km2(area, &km2)) {
        OGR_F_SetFieldDouble(row, first + JOB_AREA_KM2, km2);
    } else {
        OGR_F_SetFieldNull(row, first + JOB_AREA_KM2);
    }
}

/* Set the columns of a job, the first of which is the column `first` of the row. */
static void set_job(OGRFeatureH row, int first, const struct giq_job_view *job)
{
    giq_table_set_text(row, first + JOB_KEY, job->key);
    giq_table_set_text(row, first + JOB_MODEL_ID, job->model_id);
    giq_table_set_text(row, first + JOB_FILE_ID, job->file_id);
    giq_table_set_text(row, first + JOB_UPLOAD, job->upload);
    giq_table_set_text(row, first + JOB_LABEL, job->label);
    giq_table_set_text(row, first + JOB_JOB_ID, job->job_id);
    giq_table_set_text(row, first + JOB_STATUS, job->status);
    giq_table_set_text(row, first + JOB_STATE, job->state_name);
    giq_table_set_text(row, first + JOB_TYPE, job->type);
    giq_table_set_time(row, first + JOB_STARTED_AT, job->started_ms);
    giq_table_set_time(row, first + JOB_SUBMITTED_AT, job->submitted_ms);
    giq_table_set_time(row, first + JOB_FINISHED_AT, job->finished_ms);
    giq_table_set_text(row, first + JOB_RESULT_PATH, job->result_path);
    if (job->result_size >= 0) {
        OGR_F_SetFieldInteger64(row, first + JOB_RESULT_SIZE, job->result_size);
    } else {
        OGR_F_SetFieldNull(row, first + JOB_RESULT_SIZE);
    }
    giq_table_set_text(row, first + JOB_ERROR, job->error);
    set_job_area(row, first, job->area);
}

static GDALDatasetH make_job_table(const char *name, OGRLayerH *out_layer,
                                   struct giq_error *err)
{
    return giq_table_new(name, wkbMultiPolygon, job_columns, GIQ_COUNT(job_columns),
                         out_layer, err);
}

static bool add_job(void *layer, const struct giq_job_view *job, struct giq_error *err)
{
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    set_job(row, 0, job);
    return giq_table_add_row(layer, row, err);
}

bool giq_tables_job(const struct giq_job_view *job, GDALDatasetH *out,
                    struct giq_error *err)
{
    OGRLayerH layer = NULL;
    GIQ_AUTO_DATASET GDALDatasetH dataset = make_job_table("job", &layer, err);
    if (dataset == NULL || !add_job(layer, job, err)) {
        return false;
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

bool giq_tables_jobs(const struct giq_store *store, GDALDatasetH *out,
                     struct giq_error *err)
{
    OGRLayerH layer = NULL;
    GIQ_AUTO_DATASET GDALDatasetH dataset = make_job_table("jobs", &layer, err);
    if (dataset == NULL || !giq_jobs_each(store, add_job, layer, err)) {
        return false;
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

/* ---- the jobs of a batch ---- */

enum batch_column {
    BATCH_ROW,
    BATCH_JOB, /* the first one of the job */
    BATCH_LOCATION = BATCH_JOB + JOB_COLUMNS,
    BATCH_COLUMNS,
};

GDALDatasetH giq_tables_batch(OGRLayerH *out_layer, struct giq_error *err)
{
    struct giq_table_column columns[BATCH_COLUMNS] = {
        [BATCH_ROW] = {"row", OFTString},
        [BATCH_LOCATION] = {"location", OFTString},
    };
    memcpy(&columns[BATCH_JOB], job_columns, sizeof job_columns);
    return giq_table_new("jobs", wkbMultiPolygon, columns, BATCH_COLUMNS, out_layer, err);
}

bool giq_tables_add_to_batch(OGRLayerH layer, const char *id, const char *location,
                             const struct giq_job_view *job, struct giq_error *err)
{
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    giq_table_set_text(row, BATCH_ROW, id);
    set_job(row, BATCH_JOB, job);
    giq_table_set_text(row, BATCH_LOCATION, location);
    return giq_table_add_row(layer, row, err);
}
