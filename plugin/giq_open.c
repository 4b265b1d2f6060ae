/*
 * One open, in order: parse the connection string, open a session, and make the dataset
 * or raise one error.
 */
#include "giq_open.h"

#include <cpl_error.h>
#include <cpl_string.h>

#include "area/giq_vector_source.h"
#include "giq_await.h"
#include "giq_batch_failing.h"
#include "giq_batch_open.h"
#include "giq_batch_sources.h"
#include "giq_batch_vrt.h"
#include "giq_files_table.h"
#include "giq_job_request.h"
#include "giq_probe.h"
#include "giq_session.h"
#include "giq_tables.h"
#include "options/giq_kept_options.h"
#include "options/giq_options.h"
#include "result/giq_inner.h"
#include "result/giq_result_open.h"
#include "result/giq_result_proof.h"

static bool open_models(const struct giq_open_info *info, struct giq_session *session,
                        GDALDatasetH *out, struct giq_error *err)
{
    struct giq_models models = {0};
    if (giq_inner_is_raster_only(info->flags)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "GIQ:models is a table, not a raster; use ogrinfo or ogr2ogr");
    }
    if (!giq_await_models(session->service, session->config.base_url, &session->report,
                          &models, err)) {
        return false;
    }
    bool ok = giq_tables_models(&models, out, err);
    giq_models_release(&models);
    return ok;
}

static bool open_files(const struct giq_open_info *info, const struct giq_conn *conn,
                       struct giq_session *session, GDALDatasetH *out,
                       struct giq_error *err)
{
    if (giq_inner_is_raster_only(info->flags)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "GIQ:files is a table, not a raster; use ogrinfo or ogr2ogr");
    }
    return giq_files_table_open(session, conn, info->options, out, err);
}

static bool open_jobs(const struct giq_open_info *info, struct giq_session *session,
                      GDALDatasetH *out, struct giq_error *err)
{
    if (giq_inner_is_raster_only(info->flags)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "GIQ:jobs is a table, not a raster; use ogrinfo or ogr2ogr");
    }
    if (!giq_session_open_store(session, err)) {
        return false;
    }
    return giq_tables_jobs(session->store, out, err);
}

static bool open_request(const struct giq_open_info *info, const struct giq_conn *conn,
                         struct giq_session *session, GDALDatasetH *out,
                         struct giq_error *err)
{
    const struct giq_job_request_args args = {
        .conn = conn, .name = info->name, .flags = info->flags};
    struct giq_job_request *request = NULL;
    bool ok = giq_job_request_new(session, &args, &request, err) &&
              giq_job_request_run(request, err) &&
              giq_job_request_open(request, out, err);
    giq_job_request_free(request);
    return ok;
}

static bool open_batch(const struct giq_open_info *info, const struct giq_conn *conn,
                       struct giq_session *session, GDALDatasetH *out,
                       struct giq_error *err)
{
    const struct giq_job_request_args args = {
        .conn = conn, .name = info->name, .flags = info->flags};
    return giq_batch_open(session, &args, out, err);
}

static bool open_parsed(const struct giq_open_info *info, const struct giq_conn *conn,
                        struct giq_session *session, GDALDatasetH *out,
                        struct giq_error *err)
{
    switch (conn->kind) {
    case GIQ_CONN_MODELS:
        return open_models(info, session, out, err);
    case GIQ_CONN_FILES:
        return open_files(info, conn, session, out, err);
    case GIQ_CONN_JOBS:
        return open_jobs(info, session, out, err);
    case GIQ_CONN_BATCH:
        return open_batch(info, conn, session, out, err);
    case GIQ_CONN_REQUEST:
    case GIQ_CONN_JOB:
        break;
    }
    return open_request(info, conn, session, out, err);
}

/* The batch whose VRT file has this open as a source; NULL for any other open, and for
 * one that may start a job. */
static const char *batch_of_source(char **options)
{
    const char *submit = CSLFetchNameValue(options, "SUBMIT");
    const char *batch = CSLFetchNameValue(options, &GIQ_BATCH_VRT_OPTION[1]);
    if (submit == NULL || !EQUAL(submit, "NO")) {
        return NULL;
    }
    return batch == NULL ? CSLFetchNameValue(options, GIQ_BATCH_VRT_OPTION) : batch;
}

/* Let a probe open only what is published already. */
static void restrict_probe(const struct giq_open_info *info, struct giq_config *config)
{
    if (batch_of_source(info->options) == NULL && giq_probe_is_one(info->flags)) {
        config->may_submit = false;
        config->may_fetch = false;
    }
}

static bool parse_and_open(const struct giq_open_info *info, struct giq_session *session,
                           GDALDatasetH *out, struct giq_error *err)
{
    struct giq_conn conn;
    if (giq_vector_source_is_reading()) {
        return giq_fail(err, GIQ_E_AREA,
                        "an area or the rows of a batch cannot come from a GIQ: dataset");
    }
    if (!giq_conn_parse(info->name, &conn, err)) {
        return false;
    }
    bool ok = giq_session_open(session, info->options, err);
    if (ok) {
        restrict_probe(info, &session->config);
        ok = open_parsed(info, &conn, session, out, err);
    }
    giq_conn_release(&conn);
    return ok;
}

bool giq_open_identify(const char *name)
{
    return giq_conn_identify(name);
}

/* Open a source of a batch whose result is kept and unchanged. NULL if it is not, and
 * after an error: an open with a session then reports it. */
static GDALDatasetH open_kept(const struct giq_open_info *info, const char *batch)
{
    GDALDatasetH dataset = NULL;
    struct giq_batch_source source;
    struct giq_config config;
    struct giq_error ignored = {0};
    if (giq_vector_source_is_reading() ||
        !giq_batch_sources_find(batch, info->name, &source)) {
        return NULL;
    }
    if (giq_config_read_results(&config, &ignored)) {
        const struct giq_result result = {.path = source.path,
                                          .job_id = source.job_id,
                                          .proof = source.proof,
                                          .shared_name = info->name,
                                          .drivers = config.result_drivers,
                                          .flags = info->flags};
        bool ok = config.result_options == NULL &&
                  giq_result_proof_is_unchanged(source.proof, source.path) &&
                  giq_result_open(&result, &dataset, &ignored);
        dataset = ok ? dataset : NULL;
        giq_config_release(&config);
    }
    giq_batch_source_release(&source);
    return dataset;
}

/* Open with a session; NULL after an error. */
static GDALDatasetH open_with_session(const struct giq_open_info *info)
{
    GDALDatasetH dataset = NULL;
    struct giq_session session = {0};
    struct giq_error err = {0};
    giq_host_progress_init(&session.report.host, info->progress, info->progress_data);
    bool ok = parse_and_open(info, &session, &dataset, &err);
    giq_session_end(&session, &err);
    if (!ok) {
        giq_session_report_error(&session, &err);
    }
    if (info->code != NULL) {
        *info->code = err.code;
    }
    giq_session_close(&session);
    return dataset;
}

/* Open a source of a batch. GDAL's union of layers leaves out a source that does not
 * open; its mosaic does not, and a read of it fails. */
static GDALDatasetH open_source(const struct giq_open_info *info, const char *batch)
{
    bool may_be_left_out = !giq_inner_is_raster_only(info->flags);
    struct giq_kept_options kept;
    if (may_be_left_out && giq_batch_failing_check(batch)) {
        return NULL;
    }
    giq_kept_options_begin(batch, &kept);
    GDALDatasetH dataset = open_kept(info, batch);
    if (dataset == NULL) {
        dataset = open_with_session(info);
    }
    giq_kept_options_end(&kept);
    if (dataset == NULL && may_be_left_out) {
        giq_batch_failing_note(batch);
    }
    return dataset;
}

GDALDatasetH giq_open_dataset(const struct giq_open_info *info)
{
    if (info->is_update) {
        giq_probe_note_update(info->name);
        /* Programs try update first and then read-only: an error now would precede a
         * successful open. */
        if (info->flags & GDAL_OF_VERBOSE_ERROR) {
            (void)giq_open_refuse("opened for update (with ogrinfo, use -ro)");
        }
        return NULL;
    }
    if (giq_probe_is_for_writing(info->name)) {
        (void)giq_open_refuse("opened for update");
        return NULL;
    }
    const char *batch = batch_of_source(info->options);
    return batch == NULL ? open_with_session(info) : open_source(info, batch);
}

CPLErr giq_open_refuse(const char *what)
{
    struct giq_report report = {0};
    struct giq_error err = {0};
    (void)giq_fail(&err, GIQ_E_READONLY,
                   "GIQ datasets are read-only and cannot be %s; copy the data with "
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
        /* GDAL prefixes it with https://gdal.org/, where this driver has no page. The
         * page on configuration options explains how to set those of the driver. */
        {GDAL_DMD_HELPTOPIC, "user/configoptions.html"},
        {GDAL_DMD_CONNECTION_PREFIX, "GIQ:"},
        {GDAL_DCAP_RASTER, "YES"},
        {GDAL_DCAP_VECTOR, "YES"},
        {GDAL_DCAP_MULTIPLE_VECTOR_LAYERS, "YES"},
        {GDAL_DMD_SUBDATASETS, "YES"},
        {GDAL_DMD_SUPPORTED_SQL_DIALECTS, "OGRSQL SQLITE"},
        {GDAL_DMD_OPENOPTIONLIST, giq_options_xml},
        {"DRIVER_VERSION", GIQ_VERSION},
    };
    giq_options_declare();
    GDALSetDescription(driver, "GIQ");
    for (size_t i = 0; i < GIQ_COUNT(items); i++) {
        (void)GDALSetMetadataItem(driver, items[i].name, items[i].value, NULL);
    }
}
