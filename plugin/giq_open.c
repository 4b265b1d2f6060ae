/*
 * The life of one open in GDAL's terms: read what the user wants, drive the job,
 * hand over the dataset or raise one error.
 */
#include "giq_open.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "area/giq_aoi.h"
#include "area/giq_area.h"
#include "giq_follow.h"
#include "giq_report.h"
#include "giq_tables.h"
#include "giq_upload_file.h"
#include "options/giq_config.h"
#include "options/giq_options.h"
#include "options/giq_thread_options.h"
#include "result/giq_inner.h"
#include "result/giq_result_check.h"
#include "result/giq_result_open.h"

/* Everything that one open owns. */
struct opening {
    const struct giq_open_info *info;
    struct giq_conn conn;
    struct giq_config config;
    struct giq_report report;
    struct giq_env env;
    struct giq_service *service;
    struct giq_store *store;
    struct giq_job *job;
    char *area;
    struct giq_upload_file *file; /* to upload, or NULL */
    struct giq_upload upload;
    bool waits;
    struct giq_error *err;
};

/* ---- what the user wants ---- */

static bool is_raster_only(const struct opening *o)
{
    return (o->info->flags & GIQ_INNER_KINDS) == GDAL_OF_RASTER;
}

static bool fail_twice(struct opening *o, const char *key)
{
    return giq_fail(o->err, GIQ_E_USAGE,
                    "\"%s\" is given in the connection string and as an open option; "
                    "give one of them",
                    key);
}

static bool read_waiting(struct opening *o)
{
    const char *typed = o->conn.value[GIQ_KEY_WAIT];
    if (typed != NULL && o->config.waits_is_set) {
        return fail_twice(o, "wait");
    }
    o->waits = typed == NULL ? o->config.waits : CPLTestBool(typed);
    if (!o->waits && is_raster_only(o)) {
        return giq_fail(o->err, GIQ_E_USAGE,
                        "wait=no gives the table of a job, which is no raster: use "
                        "ogrinfo, or leave it out");
    }
    return true;
}

/* The area that is given, by key or option; `*out_text` is NULL where there is none. */
static bool find_area(struct opening *o, enum giq_area_kind *out_kind,
                      const char **out_text)
{
    static const struct {
        enum giq_conn_key key;
        const char *name;
    } kinds[GIQ_AREA_KINDS] = {
        [GIQ_AREA_GEOMETRY] = {GIQ_KEY_GEOMETRY, "geometry"},
        [GIQ_AREA_AOI] = {GIQ_KEY_AOI, "aoi"},
        [GIQ_AREA_BBOX] = {GIQ_KEY_BBOX, "bbox"},
    };
    *out_text = NULL;
    for (enum giq_area_kind kind = 0; kind < GIQ_AREA_KINDS; kind++) {
        const char *typed = o->conn.value[kinds[kind].key];
        const char *option = o->config.area[kind];
        if (typed != NULL && option != NULL) {
            return fail_twice(o, kinds[kind].name);
        }
        if (typed == NULL && option == NULL) {
            continue;
        }
        if (*out_text != NULL) {
            return giq_fail(o->err, GIQ_E_USAGE,
                            "\"%s\" and \"%s\" are two areas; give one of them",
                            kinds[*out_kind].name, kinds[kind].name);
        }
        *out_kind = kind;
        *out_text = typed == NULL ? option : typed;
    }
    return true;
}

static bool read_area(struct opening *o)
{
    enum giq_area_kind kind = GIQ_AREA_GEOMETRY;
    const char *text = NULL;
    if (!find_area(o, &kind, &text)) {
        return false;
    }
    if (text != NULL && o->conn.kind == GIQ_CONN_JOB) {
        return giq_fail(o->err, GIQ_E_USAGE,
                        "\"job\" names a job that exists and does not go with an area");
    }
    /* A GIS that takes the string for a file name appends to it. */
    if (text != NULL && kind == GIQ_AREA_AOI && text[strlen(text) - 1] == '/') {
        return giq_fail(o->err, GIQ_E_USAGE,
                        "the value of AOI ends in '/', which no file does");
    }
    return text == NULL ||
           giq_area_read(kind, text, o->config.geom_flags, &o->area, o->err);
}

static bool read_upload(struct opening *o)
{
    const char *typed = o->conn.value[GIQ_KEY_UPLOAD];
    return typed == NULL || giq_upload_file_new(typed, &o->file, o->err);
}

/* ---- the table of models ---- */

static bool open_models(struct opening *o, GDALDatasetH *out)
{
    if (is_raster_only(o)) {
        return giq_fail(o->err, GIQ_E_USAGE,
                        "the models are a table and no raster: use ogrinfo");
    }
    struct giq_models models = {0};
    if (!giq_follow_models(o->service, o->config.base_url, &o->report, &models, o->err)) {
        return false;
    }
    bool ok = giq_tables_models(&models, out, o->err);
    giq_models_release(&models);
    return ok;
}

/* ---- the table of jobs ---- */

static bool open_store(struct opening *o)
{
    return giq_config_store(&o->config, o->err) &&
           giq_store_open(o->config.store_dir, o->config.store_flags, &o->store, o->err);
}

static bool open_jobs(struct opening *o, GDALDatasetH *out)
{
    if (is_raster_only(o)) {
        return giq_fail(o->err, GIQ_E_USAGE,
                        "the jobs are a table and no raster: use ogrinfo");
    }
    return open_store(o) && giq_tables_jobs(o->store, out, o->err);
}

/* ---- a job ---- */

static struct giq_result result_of(const struct opening *o, const char *path)
{
    struct giq_job_view view;
    giq_job_get_view(o->job, &view);
    return (struct giq_result){
        .path = path == NULL ? view.result_path : path,
        .job_id = view.job_id == NULL ? "?" : view.job_id,
        .is_new = path != NULL,
        .member = o->conn.value[GIQ_KEY_MEMBER],
        .shared_name = o->info->name,
        .drivers = o->config.result_drivers,
        .options = o->config.result_options,
        .flags = o->info->flags,
    };
}

static bool accept_result(void *ctx, const char *path, struct giq_error *err)
{
    struct opening *o = ctx;
    const struct giq_result result = result_of(ctx, path);
    /* It may warn, which must not stand behind the status line. */
    giq_progress_clear(&o->report.progress);
    return giq_result_check(&result, err);
}

static void tell_progress(void *ctx, const char *text)
{
    struct opening *o = ctx;
    giq_progress_report(&o->report.progress, text);
}

static bool may_begin(void *ctx, struct giq_error *err)
{
    const struct opening *o = ctx;
    return giq_thread_options_check(o->config.unset_options, err);
}

static bool identify_upload(struct opening *o)
{
    return o->file == NULL ||
           giq_upload_identify(o->store, giq_upload_file_source(o->file),
                               o->config.source_type, &o->env, &o->upload, o->err);
}

static bool make_job(struct opening *o)
{
    if (!open_store(o) || !identify_upload(o)) {
        return false;
    }
    bool is_as_is = (o->config.geom_flags & GIQ_GEOM_AS_IS) != 0;
    const struct giq_request request = {
        .model = o->conn.value[GIQ_KEY_MODEL],
        .file = o->conn.value[GIQ_KEY_FILE],
        .upload = o->file == NULL ? NULL : &o->upload,
        .area = o->area,
        .rerun = o->conn.value[GIQ_KEY_RERUN],
        .job = o->conn.value[GIQ_KEY_JOB],
        /* Who names a job wants no new one. */
        .retry = o->conn.value[GIQ_KEY_JOB] == NULL ? o->config.retry : NULL,
        .geometry_crs = o->area != NULL && is_as_is ? "AS_IS" : NULL,
    };
    const struct giq_job_host host = {accept_result, tell_progress, may_begin, o};
    unsigned flags = (o->config.may_submit ? 0u : GIQ_JOB_NO_SUBMIT) |
                     (o->waits ? 0u : GIQ_JOB_POLL_ONCE);
    return giq_job_new(o->service, o->store, &request, flags, &host, &o->job, o->err);
}

static bool follow_job(struct opening *o)
{
    const struct giq_follow follow = {o->service, o->job, &o->config, &o->report,
                                      o->waits};
    return giq_follow_job(&follow, o->err);
}

static bool open_job(struct opening *o, GDALDatasetH *out)
{
    if (!read_waiting(o) || !read_area(o) || !read_upload(o) || !make_job(o) ||
        !follow_job(o)) {
        return false;
    }
    giq_progress_clear(&o->report.progress);
    if (!o->waits) {
        struct giq_job_view view;
        giq_job_get_view(o->job, &view);
        return giq_tables_job(&view, out, o->err);
    }
    const struct giq_result result = result_of(o, NULL);
    if (result.path == NULL) {
        return giq_fail(o->err, GIQ_E_MEMORY, "out of memory");
    }
    return giq_result_open(&result, out, o->err);
}

/* ---- the whole ---- */

static bool begin(struct opening *o)
{
    if (giq_aoi_is_reading()) {
        return giq_fail(o->err, GIQ_E_AREA,
                        "the area of a job cannot come from a GIQ: dataset");
    }
    if (!giq_conn_parse(o->info->name, &o->conn, o->err) ||
        !giq_config_read(o->info->options, &o->config, o->err)) {
        return false;
    }
    o->report.cred = o->config.cred;
    giq_progress_init(&o->report.progress, o->config.progress);
    o->env = giq_report_env(&o->report);
    return giq_service_new(&o->config.settings, o->config.cred, &o->env, &o->service,
                           o->err);
}

static bool open_kind(struct opening *o, GDALDatasetH *out)
{
    switch (o->conn.kind) {
    case GIQ_CONN_MODELS:
        return open_models(o, out);
    case GIQ_CONN_JOBS:
        return open_jobs(o, out);
    case GIQ_CONN_REQUEST:
    case GIQ_CONN_JOB:
        break;
    }
    return open_job(o, out);
}

/* Why there are no credentials says more than that there are none. */
static void explain_credentials(struct opening *o)
{
    if (o->err->code == GIQ_E_CREDENTIALS && o->config.cred == NULL &&
        o->config.cred_error.code != GIQ_E_NONE) {
        *o->err = o->config.cred_error;
    } else if (o->err->code == GIQ_E_CREDENTIALS && o->config.cred == NULL) {
        (void)giq_thread_options_check_key(o->config.unset_options, o->err);
    }
}

static void end(struct opening *o)
{
    giq_job_free(o->job);
    giq_store_close(o->store);
    giq_service_free(o->service);
    giq_config_release(&o->config);
    giq_conn_release(&o->conn);
    giq_upload_file_free(o->file);
    free(o->area);
}

bool giq_open_identify(const char *name)
{
    return giq_conn_identify(name);
}

GDALDatasetH giq_open_dataset(const struct giq_open_info *info)
{
    if (info->is_update) {
        /* Programs try update first and then read-only: an error printed now would
         * stand over a result that is right. */
        if (info->flags & GDAL_OF_VERBOSE_ERROR) {
            (void)giq_open_refuse("opened for update (ogrinfo: -ro)");
        }
        return NULL;
    }
    GDALDatasetH dataset = NULL;
    struct giq_error err = {0};
    struct opening o = {.info = info, .err = &err};
    bool ok = begin(&o) && open_kind(&o, &dataset);
    if (!ok) {
        explain_credentials(&o);
        giq_report_error(&o.report, &err);
    }
    end(&o);
    return dataset;
}

CPLErr giq_open_refuse(const char *what)
{
    struct giq_report report = {0};
    struct giq_error err = {0};
    (void)giq_fail(&err, GIQ_E_READONLY,
                   "what the driver gives is read only and cannot be %s; copy it with "
                   "ogr2ogr or gdal_translate",
                   what);
    giq_report_error(&report, &err);
    return CE_Failure;
}

void giq_open_describe(GDALDriverH driver)
{
    static const struct {
        const char *name;
        const char *value;
    } items[] = {
        {GDAL_DMD_LONGNAME, "gIQ geospatial inference service"},
        {GDAL_DMD_CONNECTION_PREFIX, "GIQ:"},
        {GDAL_DCAP_RASTER, "YES"},
        {GDAL_DCAP_VECTOR, "YES"},
        {GDAL_DCAP_MULTIPLE_VECTOR_LAYERS, "YES"},
        {GDAL_DMD_SUBDATASETS, "YES"},
        {GDAL_DMD_OPENOPTIONLIST, giq_options_xml},
        {"DRIVER_VERSION", GIQ_VERSION},
    };
    giq_options_declare();
    GDALSetDescription(driver, "GIQ");
    for (size_t i = 0; i < GIQ_COUNT(items); i++) {
        (void)GDALSetMetadataItem(driver, items[i].name, items[i].value, NULL);
    }
}
