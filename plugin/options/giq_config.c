#include "options/giq_config.h"

#include <cpl_conv.h>
#include <stdlib.h>
#include <string.h>

#include "giq/geom.h"
#include "options/giq_gdal_compat.h"
#include "options/giq_network.h"
#include "options/giq_path.h"
#include "options/giq_reader.h"
#include "options/giq_result_options.h"
#include "options/giq_thread_options.h"

#define DEFAULT_BASE_URL "https://giq.ae/public"
#define DEFAULT_DRIVERS                                                                  \
    "GPKG,GeoJSON,GeoJSONSeq,FlatGeobuf,ESRI Shapefile,GTiff,PNG,JPEG,JP2OpenJPEG,CSV,"  \
    "KML,LIBKML,MBTiles,Parquet,Arrow,SQLite"

#define XML_OF(name, type, values, otherwise, config, fallback, least, most, text)       \
    "<Option name='" #name "' type='" type "' default='" otherwise                       \
    "' description='" text "'>" values "</Option>"
const char giq_config_open_options[] =
    "<OpenOptionList>" GIQ_OPEN_OPTIONS(XML_OF) "</OpenOptionList>";

void giq_config_declare(void)
{
    for (int option = 0; option < GIQ_OPTION_COUNT; option++) {
        if (giq_options[option].is_config) {
            GIQ_GDAL_DECLARE_OPTION(giq_options[option].config_name);
        }
    }
}

/* SUBMIT=NO of the configuration stands above the open option. */
static bool read_submit(struct giq_reader *reader)
{
    const char *values[] = {
        CSLFetchNameValue(reader->open_options, giq_options[GIQ_OPTION_SUBMIT].name),
        giq_reader_config(reader, giq_options[GIQ_OPTION_SUBMIT].config_name),
    };
    reader->config->may_submit = true;
    for (size_t i = 0; i < 2; i++) {
        if (values[i] != NULL && EQUAL(values[i], "NO")) {
            reader->config->may_submit = false;
        } else if (values[i] != NULL && !EQUAL(values[i], "IF_MISSING")) {
            return giq_fail(reader->err, GIQ_E_USAGE, "%s is IF_MISSING or NO",
                            i == 0 ? giq_options[GIQ_OPTION_SUBMIT].name
                                   : giq_options[GIQ_OPTION_SUBMIT].config_name);
        }
    }
    return true;
}

/* How coordinates are to be taken. */
static bool read_geometry_crs(struct giq_reader *reader)
{
    const char *name = NULL;
    bool repairs = false;
    const char *text = giq_reader_value(reader, GIQ_OPTION_GEOMETRY_CRS, &name);
    bool is_as_is = text != NULL && EQUAL(text, "AS_IS");
    if (text != NULL && !is_as_is && !EQUAL(text, "EPSG:4326")) {
        return giq_fail(reader->err, GIQ_E_USAGE, "%s is EPSG:4326 or AS_IS", name);
    }
    if (!giq_reader_bool(reader, GIQ_OPTION_MAKE_VALID, &repairs)) {
        return false;
    }
    reader->config->geom_flags =
        (is_as_is ? GIQ_GEOM_AS_IS : 0u) | (repairs ? GIQ_GEOM_MAKE_VALID : 0u);
    return true;
}

static bool read_progress(struct giq_reader *reader)
{
    static const char *const words[] = {[GIQ_PROGRESS_AUTO] = "AUTO",
                                        [GIQ_PROGRESS_YES] = "YES",
                                        [GIQ_PROGRESS_NO] = "NO"};
    const char *name = NULL;
    const char *text = giq_reader_value(reader, GIQ_OPTION_PROGRESS, &name);
    for (size_t i = 0; text != NULL && i < GIQ_COUNT(words); i++) {
        if (EQUAL(text, words[i])) {
            reader->config->progress = (enum giq_progress_mode)i;
            return true;
        }
    }
    return text == NULL ||
           giq_fail(reader->err, GIQ_E_USAGE, "%s is AUTO, YES or NO", name);
}

/* ---- the parts ---- */

static bool check_open_options(struct giq_reader *reader)
{
    for (int option = 0; option < GIQ_OPTION_COUNT; option++) {
        const char *name = giq_options[option].name;
        const char *value = CSLFetchNameValue(reader->open_options, name);
        const char *long_value =
            CSLFetchNameValue(reader->open_options, giq_options[option].config_name);
        if (long_value != NULL && giq_options[option].is_open) {
            return giq_fail(reader->err, GIQ_E_USAGE,
                            "the open option is called %s, not %s", name,
                            giq_options[option].config_name);
        }
        if ((value != NULL && !giq_options[option].is_open) || long_value != NULL) {
            return giq_fail(reader->err, GIQ_E_USAGE,
                            "%s is no open option, because projects and VRT files of "
                            "others carry those: set the configuration option %s",
                            value != NULL ? name : giq_options[option].config_name,
                            giq_options[option].config_name);
        }
        if (value != NULL && value[0] == '\0') {
            return giq_fail(reader->err, GIQ_E_USAGE, "the open option %s has no value",
                            name);
        }
    }
    return true;
}

static bool read_base_url(struct giq_reader *reader)
{
    bool allow_http = false;
    const char *name = NULL;
    const char *text = giq_reader_value(reader, GIQ_OPTION_BASE_URL, &name);
    if (!giq_reader_bool(reader, GIQ_OPTION_ALLOW_HTTP, &allow_http) ||
        !giq_base_url(text == NULL ? DEFAULT_BASE_URL : text,
                      allow_http ? GIQ_BASE_URL_ALLOW_HTTP : 0, &reader->config->base_url,
                      reader->err)) {
        return false;
    }
    reader->config->settings.base_url = reader->config->base_url;
    char *typed = CPLStrdup(text == NULL ? DEFAULT_BASE_URL : text);
    size_t len = strlen(typed);
    while (len > 0 && typed[len - 1] == '/') {
        typed[--len] = '\0';
    }
    reader->config->typed_url = typed;
    return true;
}

static bool read_times(struct giq_reader *reader)
{
    struct giq_settings *settings = &reader->config->settings;
    return giq_reader_number(reader, GIQ_OPTION_TIMEOUT, 1000, &settings->timeout_ms) &&
           giq_reader_number(reader, GIQ_OPTION_POLL_INTERVAL, 1000,
                             &settings->poll_interval_ms) &&
           giq_reader_number(reader, GIQ_OPTION_MAX_RETRY, 1, &settings->max_retry) &&
           giq_reader_number(reader, GIQ_OPTION_RETRY_DELAY, 1000,
                             &settings->retry_delay_ms) &&
           giq_reader_number(reader, GIQ_OPTION_HTTP_TIMEOUT, 1000,
                             &settings->http_timeout_ms) &&
           giq_reader_number(reader, GIQ_OPTION_CONNECT_TIMEOUT, 1000,
                             &settings->connect_timeout_ms) &&
           giq_reader_number(reader, GIQ_OPTION_LOW_SPEED_TIME, 1,
                             &settings->low_speed_time_s) &&
           giq_reader_number(reader, GIQ_OPTION_LOW_SPEED_LIMIT, 1,
                             &settings->low_speed_limit);
}

static bool read_switches(struct giq_reader *reader)
{
    struct giq_config *config = reader->config;
    const char *name = giq_options[GIQ_OPTION_WAIT].name;
    config->waits_is_set = CSLFetchNameValue(reader->open_options, name) != NULL;
    return giq_reader_bool(reader, GIQ_OPTION_WAIT, &config->waits) &&
           read_geometry_crs(reader) &&
           giq_reader_bool(reader, GIQ_OPTION_ALLOW_UNVERIFIED_LENGTH,
                           &config->settings.allow_unverified_length) &&
           read_submit(reader) && read_progress(reader);
}

static bool read_result_drivers(struct giq_reader *reader)
{
    const char *name = NULL;
    const char *text = giq_reader_value(reader, GIQ_OPTION_RESULT_DRIVERS, &name);
    char **given = CSLTokenizeString2(text == NULL ? "" : text, ",",
                                      CSLT_STRIPLEADSPACES | CSLT_STRIPENDSPACES);
    bool adds = CSLCount(given) == 0;
    for (int i = 0; given != NULL && given[i] != NULL; i++) {
        adds = adds || given[i][0] == '+';
    }
    char **drivers = adds ? CSLTokenizeString2(DEFAULT_DRIVERS, ",", 0) : NULL;
    for (int i = 0; given != NULL && given[i] != NULL; i++) {
        const char *driver = given[i] + (given[i][0] == '+');
        /* A result that is another request would never end. */
        if (!EQUAL(driver, "GIQ")) {
            drivers = CSLAddString(drivers, driver);
        }
    }
    CSLDestroy(given);
    reader->config->result_drivers = drivers;
    return drivers != NULL ||
           giq_fail(reader->err, GIQ_E_USAGE, "%s names no driver", name);
}

static bool read_result_options(struct giq_reader *reader)
{
    const char *name = NULL;
    const char *text = giq_reader_value(reader, GIQ_OPTION_RESULT_OPTIONS, &name);
    return text == NULL ||
           giq_result_options_parse(text, &reader->config->result_options, reader->err);
}

static bool read_source_type(struct giq_reader *reader)
{
    const char *name = NULL;
    const char *text = giq_reader_value(reader, GIQ_OPTION_SOURCE_TYPE, &name);
    return giq_upload_type(text == NULL ? giq_options[GIQ_OPTION_SOURCE_TYPE].otherwise
                                        : text,
                           &reader->config->source_type, reader->err);
}

/* Records are UTF-8: a label that is not would never be found there, and would not be
 * used up. */
static bool check_label(const struct giq_config *config, struct giq_error *err)
{
    return config->retry == NULL || CPLIsUTF8(config->retry, -1) ||
           giq_fail(err, GIQ_E_USAGE, "the label of RETRY is not UTF-8");
}

/* To be freed with CPLFree(); NULL where the option is not set. */
static char *copy_value(struct giq_reader *reader, enum giq_option_id option)
{
    const char *name = NULL;
    const char *value = giq_reader_value(reader, option, &name);
    return value == NULL ? NULL : CPLStrdup(value);
}

/* ---- the whole ---- */

bool giq_config_read(char **open_options, struct giq_config *out, struct giq_error *err)
{
    struct giq_config config = {.waits = true};
    struct giq_reader reader = {
        .open_options = open_options, .config = &config, .err = err};
    bool ok = check_open_options(&reader) && read_base_url(&reader) &&
              read_times(&reader) && read_switches(&reader) &&
              read_result_drivers(&reader) && read_result_options(&reader) &&
              read_source_type(&reader);
    if (ok) {
        giq_network_read_credentials(&reader);
        config.area[GIQ_AREA_GEOMETRY] = copy_value(&reader, GIQ_OPTION_GEOMETRY);
        config.area[GIQ_AREA_AOI] = copy_value(&reader, GIQ_OPTION_AOI);
        config.area[GIQ_AREA_BBOX] = copy_value(&reader, GIQ_OPTION_BBOX);
        config.retry = copy_value(&reader, GIQ_OPTION_RETRY);
        giq_network_read_options(&reader);
        giq_thread_options_read(&reader);
        ok = check_label(&config, err);
    }
    if (!ok) {
        giq_config_release(&config);
        return false;
    }
    *out = config;
    return true;
}

/* The store must be one place whatever the working folder is, and plain files. `earlier`
 * is where the same value used to lead, because jobs may be recorded there. */
static bool check_place(const char *name, const char *value, const char *earlier,
                        struct giq_error *err)
{
    if (STARTS_WITH(value, "/vsi")) {
        return giq_fail(
            err, GIQ_E_USAGE,
            "%s must be a folder on disk, not in a virtual file system of GDAL; "
            "got \"%.200s\"",
            name, value);
    }
    return value[0] == '/' ||
           giq_fail(
               err, GIQ_E_USAGE,
               "%s must be an absolute path without \"~\"; got \"%.100s\" (jobs that "
               "were started with this value are recorded in %.200s)",
               name, value, earlier);
}

bool giq_config_store(struct giq_config *config, struct giq_error *err)
{
    struct giq_error ignored = {0};
    struct giq_reader reader = {.config = config, .err = &ignored};
    const char *name = NULL;
    const char *chosen = giq_reader_value(&reader, GIQ_OPTION_STORE_DIR, &name);
    const char *data_home = CPLGetConfigOption("XDG_DATA_HOME", "");
    const char *home = CPLGetConfigOption("HOME", "");
    if (chosen != NULL) {
        config->store_dir = giq_path_absolute(chosen);
        return check_place("GIQ_STORE_DIR", chosen, config->store_dir, err);
    }
    if (data_home[0] == '\0' && home[0] == '\0') {
        return giq_fail(err, GIQ_E_STORE,
                        "neither GIQ_STORE_DIR nor HOME is set, so the store of records "
                        "and results is not known; set what was set when earlier jobs "
                        "were started (another store would pay for them again)");
    }
    char *of_home = CPLStrdup(CPLSPrintf("%s/.local/share/giq", home));
    bool ok = data_home[0] == '\0'
                  ? check_place("HOME", home, of_home, err)
                  : check_place("XDG_DATA_HOME", data_home, of_home, err);
    config->store_flags = GIQ_STORE_PRIVATE;
    if (data_home[0] == '\0') {
        config->store_dir = of_home;
    } else {
        CPLFree(of_home);
        config->store_dir = CPLStrdup(CPLSPrintf("%s/giq", data_home));
    }
    return ok;
}

void giq_config_release(struct giq_config *config)
{
    giq_cred_free(config->cred);
    for (int i = 0; config->texts != NULL && config->texts[i] != NULL; i++) {
        giq_cred_wipe(config->texts[i]);
    }
    CSLDestroy(config->texts);
    CSLDestroy(config->result_drivers);
    CSLDestroy(config->result_options);
    for (int i = 0; i < GIQ_AREA_KINDS; i++) {
        CPLFree(config->area[i]);
    }
    CPLFree(config->retry);
    CPLFree(config->store_dir);
    CPLFree(config->typed_url);
    free(config->base_url);
    *config = (struct giq_config){0};
}
