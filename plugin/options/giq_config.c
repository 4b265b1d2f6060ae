/* Reads every option of an open, and finds the folder of the store. */
#include "options/giq_config.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "giq/geom.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_network.h"
#include "options/giq_path.h"
#include "options/giq_result_options.h"
#include "options/giq_thread_options.h"

#define DEFAULT_BASE_URL "https://giq.ae/public"
#define DEFAULT_DRIVERS                                                                  \
    "GPKG,GeoJSON,GeoJSONSeq,FlatGeobuf,ESRI Shapefile,GTiff,PNG,JPEG,JP2OpenJPEG,CSV,"  \
    "KML,LIBKML,MBTiles,Parquet,Arrow,SQLite"

/* ---- single options ---- */

static bool fail_config_only(const char *given, const struct giq_option *option,
                             struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "%s cannot be an open option, because project and VRT files from "
                    "others can contain open options; set the configuration option %s",
                    given, option->config_name);
}

/* Refuse open options with the name of a configuration option, and those without a
 * value. */
static bool check_open_options(char **open_options, struct giq_error *err)
{
    for (int id = 0; id < GIQ_OPTION_COUNT; id++) {
        const struct giq_option *option = &giq_options[id];
        const char *value = CSLFetchNameValue(open_options, option->name);
        if (CSLFetchNameValue(open_options, option->config_name) != NULL) {
            if (!option->is_open) {
                return fail_config_only(option->config_name, option, err);
            }
            return giq_fail(err, GIQ_E_USAGE, "the open option is called %s, not %s",
                            option->name, option->config_name);
        }
        if (value != NULL && !option->is_open) {
            return fail_config_only(option->name, option, err);
        }
        if (value != NULL && value[0] == '\0') {
            return giq_fail(err, GIQ_E_USAGE,
                            "the open option %s has no value; omit it or give it one",
                            option->name);
        }
    }
    return true;
}

static bool read_base_url(struct giq_config *config, struct giq_error *err)
{
    bool allow_http = false;
    const char *name = NULL;
    const char *text = giq_reader_value(&config->reader, GIQ_OPTION_BASE_URL, &name);
    if (text == NULL) {
        text = DEFAULT_BASE_URL;
    }
    if (!giq_reader_bool(&config->reader, GIQ_OPTION_ALLOW_HTTP, &allow_http, err) ||
        !giq_base_url(text, allow_http ? GIQ_BASE_URL_ALLOW_HTTP : 0, &config->base_url,
                      err)) {
        return false;
    }
    config->typed_url = CPLStrdup(text);
    size_t len = strlen(config->typed_url);
    while (len > 0 && config->typed_url[len - 1] == '/') {
        config->typed_url[--len] = '\0';
    }
    config->settings.base_url = config->base_url;
    giq_reader_set_urls(&config->reader, config->typed_url, config->base_url);
    return true;
}

static bool read_numbers(struct giq_config *config, struct giq_error *err)
{
    struct giq_settings *settings = &config->settings;
    const struct {
        enum giq_option_id option;
        double factor;
        int *out;
    } numbers[] = {
        {GIQ_OPTION_TIMEOUT, 1000, &settings->timeout_ms},
        {GIQ_OPTION_POLL_INTERVAL, 1000, &settings->poll_interval_ms},
        {GIQ_OPTION_MAX_RETRY, 1, &settings->max_retry},
        {GIQ_OPTION_RETRY_DELAY, 1000, &settings->retry_delay_ms},
        {GIQ_OPTION_HTTP_TIMEOUT, 1000, &settings->http_timeout_ms},
        {GIQ_OPTION_CONNECT_TIMEOUT, 1000, &settings->connect_timeout_ms},
        {GIQ_OPTION_LOW_SPEED_TIME, 1, &settings->low_speed_time_s},
        {GIQ_OPTION_LOW_SPEED_LIMIT, 1, &settings->low_speed_limit},
    };
    for (size_t i = 0; i < GIQ_COUNT(numbers); i++) {
        if (!giq_reader_number(&config->reader, numbers[i].option, numbers[i].factor,
                               numbers[i].out, err)) {
            return false;
        }
    }
    return true;
}

/* How the coordinates of an area are read, and whether it is repaired. */
static bool read_geom_flags(struct giq_config *config, struct giq_error *err)
{
    unsigned crs = GIQ_GEOMETRY_CRS_EPSG_4326;
    bool make_valid = false;
    if (!giq_reader_choice(&config->reader, GIQ_OPTION_GEOMETRY_CRS, &crs, err) ||
        !giq_reader_bool(&config->reader, GIQ_OPTION_MAKE_VALID, &make_valid, err)) {
        return false;
    }
    config->geom_flags = (crs == GIQ_GEOMETRY_CRS_AS_IS ? GIQ_GEOM_AS_IS : 0u) |
                         (make_valid ? GIQ_GEOM_MAKE_VALID : 0u);
    return true;
}

/* An open option cannot override SUBMIT=NO of the configuration. */
static bool read_submit(struct giq_config *config, struct giq_error *err)
{
    const struct giq_option *option = &giq_options[GIQ_OPTION_SUBMIT];
    const char *names[] = {option->name, option->config_name};
    const char *values[] = {
        CSLFetchNameValue(config->reader.open_options, option->name),
        giq_reader_config(&config->reader, option->config_name),
    };
    config->may_submit = true;
    for (size_t i = 0; i < GIQ_COUNT(values); i++) {
        unsigned mode = GIQ_SUBMIT_IF_MISSING;
        if (values[i] != NULL && !giq_reader_parse_choice(GIQ_OPTION_SUBMIT, names[i],
                                                          values[i], &mode, err)) {
            return false;
        }
        if (mode == GIQ_SUBMIT_NO) {
            config->may_submit = false;
        }
    }
    return true;
}

/* Any other option that is empty counts as not set. A limit may be empty because a script
 * misspelled a variable, and must then not be lifted in silence. `unset` is what holds
 * without it. */
static bool check_limit_is_not_empty(const struct giq_reader *reader,
                                     enum giq_option_id id, const char *unset,
                                     struct giq_error *err)
{
    const char *name = giq_options[id].config_name;
    if (!giq_reader_is_empty(reader, name)) {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "%s is set to an empty value; set it to a number, or unset it for %s",
                    name, unset);
}

static bool read_limits(struct giq_config *config, struct giq_error *err)
{
    struct giq_limits *limits = &config->limits;
    const char *name = NULL;
    static const char no_limit[] = "no limit";
    if (!check_limit_is_not_empty(&config->reader, GIQ_OPTION_MAX_JOBS, no_limit, err) ||
        !check_limit_is_not_empty(&config->reader, GIQ_OPTION_MAX_AREA, no_limit, err)) {
        return false;
    }
    limits->has_max_jobs =
        giq_reader_value(&config->reader, GIQ_OPTION_MAX_JOBS, &name) != NULL;
    return giq_reader_number(&config->reader, GIQ_OPTION_MAX_JOBS, 1, &limits->max_jobs,
                             err) &&
           giq_reader_real(&config->reader, GIQ_OPTION_MAX_AREA, &limits->max_area_km2,
                           err);
}

/* An open option cannot exceed MAX_NEW_JOBS of the configuration. */
static bool read_max_new_jobs(struct giq_config *config, struct giq_error *err)
{
    const struct giq_option *option = &giq_options[GIQ_OPTION_MAX_NEW_JOBS];
    if (!check_limit_is_not_empty(&config->reader, GIQ_OPTION_MAX_NEW_JOBS, "the default",
                                  err) ||
        !giq_reader_number(&config->reader, GIQ_OPTION_MAX_NEW_JOBS, 1,
                           &config->max_new_jobs, err)) {
        return false;
    }
    if (giq_reader_config(&config->reader, option->config_name) == NULL) {
        return true;
    }
    struct giq_reader of_config = {0}; /* has no open options */
    int limit = 0;
    giq_reader_set_urls(&of_config, config->typed_url, config->base_url);
    bool ok = giq_reader_number(&of_config, GIQ_OPTION_MAX_NEW_JOBS, 1, &limit, err);
    giq_reader_release(&of_config);
    if (ok && limit < config->max_new_jobs) {
        config->max_new_jobs = limit;
    }
    return ok;
}

/* How a batch is read and run. */
static bool read_batch_options(struct giq_config *config, struct giq_error *err)
{
    struct giq_reader *reader = &config->reader;
    unsigned on_failed = GIQ_ON_FAILED_ERROR;
    if (!giq_reader_number(reader, GIQ_OPTION_CONCURRENCY, 1, &config->concurrency,
                           err) ||
        !read_max_new_jobs(config, err) ||
        !giq_reader_bool(reader, GIQ_OPTION_USE_GEOMETRY, &config->use_geometry, err) ||
        !giq_reader_choice(reader, GIQ_OPTION_ON_FAILED, &on_failed, err)) {
        return false;
    }
    config->on_failed = (enum giq_on_failed)on_failed;
    return true;
}

static bool read_switches(struct giq_config *config, struct giq_error *err)
{
    struct giq_reader *reader = &config->reader;
    unsigned progress = GIQ_PROGRESS_AUTO;
    const char *name = giq_options[GIQ_OPTION_WAIT].name;
    config->is_wait_given = CSLFetchNameValue(reader->open_options, name) != NULL;
    if (!giq_reader_bool(reader, GIQ_OPTION_WAIT, &config->wait, err) ||
        !read_geom_flags(config, err) ||
        !giq_reader_bool(reader, GIQ_OPTION_ALLOW_UNVERIFIED_LENGTH,
                         &config->settings.allow_unverified_length, err) ||
        !read_submit(config, err) ||
        !giq_reader_bool(reader, GIQ_OPTION_FETCH, &config->may_fetch, err) ||
        !giq_reader_choice(reader, GIQ_OPTION_PROGRESS, &progress, err)) {
        return false;
    }
    config->progress = (enum giq_progress_mode)progress;
    return true;
}

/* A list in which a name begins with '+', or an empty one, extends the defaults; any
 * other list replaces them. */
static bool read_result_drivers(struct giq_config *config, struct giq_error *err)
{
    const char *name = NULL;
    const char *text =
        giq_reader_value(&config->reader, GIQ_OPTION_RESULT_DRIVERS, &name);
    if (text == NULL) {
        text = "";
    }
    GIQ_AUTO_CSL char **given =
        CSLTokenizeString2(text, ",", CSLT_STRIPLEADSPACES | CSLT_STRIPENDSPACES);
    bool extends_defaults = CSLCount(given) == 0;
    for (int i = 0; given != NULL && given[i] != NULL; i++) {
        if (given[i][0] == '+') {
            extends_defaults = true;
        }
    }
    if (extends_defaults) {
        config->result_drivers = CSLTokenizeString2(DEFAULT_DRIVERS, ",", 0);
    }
    bool ok = true;
    for (int i = 0; given != NULL && given[i] != NULL; i++) {
        const char *driver = given[i][0] == '+' ? given[i] + 1 : given[i];
        if (driver[0] == '\0') {
            ok = false;
        } else if (!EQUAL(driver, "GIQ")) { /* GIQ could open itself without end */
            config->result_drivers = CSLAddString(config->result_drivers, driver);
        }
    }
    if (!ok || config->result_drivers == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "%s must be names of GDAL drivers other than GIQ, separated by "
                        "commas, each optionally after a \"+\" (\"+netCDF\"); got "
                        "\"%.*s\"",
                        name, giq_text_cut_len(text, 60), text);
    }
    return true;
}

static bool read_result_options(struct giq_config *config, struct giq_error *err)
{
    const char *name = NULL;
    const char *text =
        giq_reader_value(&config->reader, GIQ_OPTION_RESULT_OPTIONS, &name);
    return text == NULL || giq_result_options_parse(text, &config->result_options, err);
}

static bool read_source_type(struct giq_config *config, struct giq_error *err)
{
    const char *name = NULL;
    const char *text = giq_reader_value(&config->reader, GIQ_OPTION_SOURCE_TYPE, &name);
    if (text == NULL) {
        text = giq_options[GIQ_OPTION_SOURCE_TYPE].default_value;
    }
    return giq_upload_type(name, text, &config->source_type, err);
}

static void read_request_options(struct giq_config *config)
{
    static const enum giq_option_id ids[] = {
        GIQ_OPTION_GEOMETRY_CRS,
        GIQ_OPTION_MAKE_VALID,
        GIQ_OPTION_SOURCE_TYPE,
        GIQ_OPTION_RESULT_OPTIONS,
    };
    for (size_t i = 0; i < GIQ_COUNT(ids); i++) {
        const char *ignored = NULL;
        const char *value = giq_reader_value(&config->reader, ids[i], &ignored);
        if (value != NULL) {
            config->request_options =
                CSLSetNameValue(config->request_options, giq_options[ids[i]].name, value);
        }
    }
}

/* A copy for CPLFree(), or NULL if the option is not set. */
static char *copy_value(struct giq_reader *reader, enum giq_option_id option)
{
    const char *name = NULL;
    const char *value = giq_reader_value(reader, option, &name);
    return value == NULL ? NULL : CPLStrdup(value);
}

static bool read_retry(struct giq_config *config, struct giq_error *err)
{
    config->retry = copy_value(&config->reader, GIQ_OPTION_RETRY);
    return config->retry == NULL || giq_retry_check_label(config->retry, err);
}

/* ---- all options ---- */

static bool read_all(struct giq_config *config, struct giq_error *err)
{
    struct giq_reader *reader = &config->reader;
    if (!check_open_options(reader->open_options, err) || !read_base_url(config, err) ||
        !read_numbers(config, err) || !read_switches(config, err) ||
        !read_limits(config, err) || !read_batch_options(config, err) ||
        !read_result_drivers(config, err) || !read_result_options(config, err) ||
        !read_source_type(config, err)) {
        return false;
    }
    /* A failure is reported only when a request needs the credentials. */
    (void)giq_network_read_credentials(reader, &config->cred, &config->cred_error);
    config->cancel_file = copy_value(reader, GIQ_OPTION_CANCEL_FILE);
    config->progress_file = copy_value(reader, GIQ_OPTION_PROGRESS_FILE);
    config->area[GIQ_AREA_GEOMETRY] = copy_value(reader, GIQ_OPTION_GEOMETRY);
    config->area[GIQ_AREA_AOI] = copy_value(reader, GIQ_OPTION_AOI);
    config->area[GIQ_AREA_BBOX] = copy_value(reader, GIQ_OPTION_BBOX);
    read_request_options(config);
    giq_network_read_options(reader, &config->settings);
    config->unset_options = giq_thread_options_read(reader);
    return read_retry(config, err);
}

bool giq_config_read(char **open_options, struct giq_config *out, struct giq_error *err)
{
    struct giq_config config = {
        .wait = true, .may_fetch = true, .reader = {.open_options = open_options}};
    if (!read_all(&config, err)) {
        giq_config_release(&config);
        return false;
    }
    config.reader.open_options = NULL;
    *out = config;
    return true;
}

bool giq_config_read_results(struct giq_config *out, struct giq_error *err)
{
    struct giq_config config = {0};
    if (!read_base_url(&config, err) || !read_result_drivers(&config, err) ||
        !read_result_options(&config, err)) {
        giq_config_release(&config);
        return false;
    }
    *out = config;
    return true;
}

/* The store must be an absolute path on disk, so that it is the same folder from any
 * working folder. `former_path` is where earlier versions kept the store for this value:
 * jobs may be recorded there. NULL if they refused the value too. */
static bool check_store_path(const char *name, const char *value, const char *former_path,
                             struct giq_error *err)
{
    if (STARTS_WITH(value, "/vsi")) {
        return giq_fail(
            err, GIQ_E_USAGE,
            "%s must be a folder on disk, not in a virtual file system of GDAL; "
            "got \"%.*s\"",
            name, giq_text_cut_len(value, 200), value);
    }
    if (value[0] == '/') {
        return true;
    }
    if (former_path == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "%s must be an absolute path without \"~\"; got \"%.*s\"", name,
                        giq_text_cut_len(value, 100), value);
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "%s must be an absolute path without \"~\"; got \"%.*s\" (earlier "
                    "versions recorded jobs for this value in %.*s)",
                    name, giq_text_cut_len(value, 100), value,
                    giq_text_cut_len(former_path, 200), former_path);
}

bool giq_config_find_store(struct giq_config *config, struct giq_error *err)
{
    const char *name = NULL;
    const char *chosen = giq_reader_value(&config->reader, GIQ_OPTION_STORE_DIR, &name);
    if (chosen != NULL) {
        config->store_dir = giq_path_absolute(chosen);
        return check_store_path(name, chosen, config->store_dir, err);
    }
    config->store_flags = GIQ_STORE_PRIVATE;
    const char *data_home = CPLGetConfigOption("XDG_DATA_HOME", "");
    const char *home = CPLGetConfigOption("HOME", "");
    if (data_home[0] == '\0' && home[0] == '\0') {
        return giq_fail(
            err, GIQ_E_STORE,
            "the store of records and results is not known, because none of "
            "GIQ_STORE_DIR, XDG_DATA_HOME and HOME is set; set one of them to the same "
            "value as before: with another store, a request whose job is "
            "recorded in the old one would start and pay for a new job");
    }
    GIQ_AUTO_CPL char *in_home = CPLStrdup(CPLSPrintf("%s/.local/share/giq", home));
    if (data_home[0] == '\0') {
        config->store_dir = CPLStrdup(in_home);
        return check_store_path("HOME", home, NULL, err);
    }
    config->store_dir = CPLStrdup(CPLSPrintf("%s/giq", data_home));
    return check_store_path("XDG_DATA_HOME", data_home, home[0] == '/' ? in_home : NULL,
                            err);
}

void giq_config_release(struct giq_config *config)
{
    giq_cred_free(config->cred);
    giq_reader_release(&config->reader);
    CSLDestroy(config->result_drivers);
    CSLDestroy(config->result_options);
    CSLDestroy(config->request_options);
    for (int i = 0; i < GIQ_AREA_KINDS; i++) {
        CPLFree(config->area[i]);
    }
    CPLFree(config->retry);
    CPLFree(config->cancel_file);
    CPLFree(config->progress_file);
    CPLFree(config->store_dir);
    CPLFree(config->typed_url);
    free(config->base_url);
    *config = (struct giq_config){0};
}
