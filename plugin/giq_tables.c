/* Makes the tables of models and jobs with GDAL's in-memory driver. */
#include "giq_tables.h"

#include <cpl_string.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include "giq/geom.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_gdal_compat.h"

struct column {
    const char *name;
    OGRFieldType type;
};

enum model_column {
    MODEL_ID,
    MODEL_NAME,
    MODEL_VERSION,
    MODEL_TYPE,
    MODEL_LABELS,
    MODEL_JSON,
};

static const struct column model_columns[] = {
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
};

static const struct column job_columns[] = {
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

/* ---- datasets, layers, rows ---- */

/* NULL if this GDAL has no in-memory driver, or memory is exhausted. */
static GDALDatasetH make_dataset(void)
{
    GDALDriverH driver = GDALGetDriverByName(GIQ_GDAL_MEMORY_VECTOR);
    return driver == NULL ? NULL : GDALCreate(driver, "", 0, 0, 0, GDT_Unknown, NULL);
}

static OGRLayerH make_layer(GDALDatasetH dataset, const char *name,
                            OGRwkbGeometryType geometry, const struct column *columns,
                            size_t count)
{
    OGRSpatialReferenceH srs = NULL;
    if (geometry != wkbNone) {
        srs = OSRNewSpatialReference(NULL);
        (void)OSRImportFromEPSG(srs, 4326);
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    }
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, name, srs, geometry, NULL);
    if (srs != NULL) {
        OSRRelease(srs);
    }
    for (size_t i = 0; layer != NULL && i < count; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(columns[i].name, columns[i].type);
        (void)OGR_L_CreateField(layer, field, TRUE);
        OGR_Fld_Destroy(field);
    }
    return layer;
}

/* Make a dataset, which the caller owns, with one empty layer. NULL after an error. */
static GDALDatasetH make_table(const char *name, OGRwkbGeometryType geometry,
                               const struct column *columns, size_t count,
                               OGRLayerH *out_layer, struct giq_error *err)
{
    GIQ_AUTO_DATASET GDALDatasetH dataset = make_dataset();
    if (dataset == NULL) {
        (void)giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a table in memory");
        return NULL;
    }
    OGRLayerH layer = make_layer(dataset, name, geometry, columns, count);
    if (layer == NULL) {
        (void)giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a layer in memory");
        return NULL;
    }
    GDALDatasetH made = dataset;
    dataset = NULL;
    *out_layer = layer;
    return made;
}

/* Add the row, and release it. */
static bool add_row(OGRLayerH layer, OGRFeatureH row, struct giq_error *err)
{
    OGRErr result = OGR_L_CreateFeature(layer, row);
    OGR_F_Destroy(row);
    if (result != OGRERR_NONE) {
        return giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a row in memory");
    }
    return true;
}

/* An absent value is NULL in the table. */
static void set_text(OGRFeatureH row, int column, const char *text)
{
    if (text == NULL) {
        OGR_F_SetFieldNull(row, column);
    } else {
        OGR_F_SetFieldString(row, column, text);
    }
}

static void set_time(OGRFeatureH row, int column, int64_t ms)
{
    enum { UTC = 100 }; /* GDAL's flag of that time zone */
    if (ms == GIQ_TIME_NONE) {
        OGR_F_SetFieldNull(row, column);
        return;
    }
    const struct giq_civil at = giq_text_civil_from_ms(ms);
    OGR_F_SetFieldDateTimeEx(row, column, at.year, at.month, at.day, at.hour, at.minute,
                             (float)((at.second * 1000 + at.ms) / 1000.0), UTC);
}

/* ---- models ---- */

static bool add_model(OGRLayerH layer, const struct giq_model *model,
                      struct giq_error *err)
{
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    set_text(row, MODEL_ID, model->id);
    set_text(row, MODEL_NAME, model->name);
    set_text(row, MODEL_VERSION, model->version);
    set_text(row, MODEL_TYPE, model->type);
    if (model->labels == NULL) {
        OGR_F_SetFieldNull(row, MODEL_LABELS);
    } else {
        OGR_F_SetFieldStringList(row, MODEL_LABELS, (CSLConstList)model->labels);
    }
    set_text(row, MODEL_JSON, model->json);
    return add_row(layer, row, err);
}

bool giq_tables_models(const struct giq_models *models, GDALDatasetH *out,
                       struct giq_error *err)
{
    OGRLayerH layer = NULL;
    GIQ_AUTO_DATASET GDALDatasetH dataset = make_table(
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

/* Leaves geometry and size NULL if `wkt` is NULL or cannot be parsed. */
static void set_area(OGRFeatureH row, const char *wkt)
{
    struct giq_error ignored = {0};
    OGRGeometryH area = NULL;
    double km2 = 0;
    char *text = (char *)wkt; /* GDAL moves the pointer and does not write to the text */
    if (wkt != NULL && OGR_G_CreateFromWkt(&text, NULL, &area) == OGRERR_NONE) {
        (void)OGR_F_SetGeometryDirectly(row, OGR_G_ForceToMultiPolygon(area));
    }
    if (wkt != NULL && giq_geom_area_km2(wkt, &km2, &ignored)) {
        OGR_F_SetFieldDouble(row, JOB_AREA_KM2, km2);
    } else {
        OGR_F_SetFieldNull(row, JOB_AREA_KM2);
    }
}

static OGRFeatureH make_row(OGRLayerH layer, const struct giq_job_view *job)
{
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    set_text(row, JOB_KEY, job->key);
    set_text(row, JOB_MODEL_ID, job->model_id);
    set_text(row, JOB_FILE_ID, job->file_id);
    set_text(row, JOB_UPLOAD, job->upload);
    set_text(row, JOB_LABEL, job->label);
    set_text(row, JOB_JOB_ID, job->job_id);
    set_text(row, JOB_STATUS, job->status);
    set_text(row, JOB_STATE, job->state_name);
    set_text(row, JOB_TYPE, job->type);
    set_time(row, JOB_STARTED_AT, job->started_ms);
    set_time(row, JOB_SUBMITTED_AT, job->submitted_ms);
    set_time(row, JOB_FINISHED_AT, job->finished_ms);
    set_text(row, JOB_RESULT_PATH, job->result_path);
    if (job->result_size >= 0) {
        OGR_F_SetFieldInteger64(row, JOB_RESULT_SIZE, job->result_size);
    } else {
        OGR_F_SetFieldNull(row, JOB_RESULT_SIZE);
    }
    set_text(row, JOB_ERROR, job->error);
    set_area(row, job->area);
    return row;
}

static GDALDatasetH make_job_table(const char *name, OGRLayerH *out_layer,
                                   struct giq_error *err)
{
    return make_table(name, wkbMultiPolygon, job_columns, GIQ_COUNT(job_columns),
                      out_layer, err);
}

static bool add_job(void *layer, const struct giq_job_view *job, struct giq_error *err)
{
    return add_row(layer, make_row(layer, job), err);
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
