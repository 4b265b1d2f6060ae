#include "giq_config.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "giq_options.h"

#define DEFAULT_BASE_URL "https://giq.ae/public"
#define DEFAULT_DRIVERS                                                                  \
    "GPKG,GeoJSON,GeoJSONSeq,FlatGeobuf,ESRI Shapefile,GTiff,PNG,JPEG,JP2OpenJPEG,"      \
    "netCDF,CSV,KML,LIBKML,MBTiles,Parquet,Arrow,SQLite,MapInfo File,DXF"

#define XML_OF(name, type, values, otherwise, config, fallback, least, most, text)       \
    "<Option name='" #name "' type='" type "' default='" otherwise                       \
    "' description='" text "'>" values "</Option>"
const char giq_config_open_options[] =
    "<OpenOptionList>" GIQ_OPEN_OPTIONS(XML_OF) "</OpenOptionList>";

#define ID_OF(name, ...) OPT_##name,
enum option { GIQ_OPEN_OPTIONS(ID_OF) GIQ_CONFIG_OPTIONS(ID_OF) OPT_COUNT };

#define ROW_OF(name, type, values, otherwise, config, fallback, least, most, text)       \
    [OPT_##name] = {#name, "GIQ_" #name, otherwise, fallback, least, most, true, config},
#define CONFIG_ROW_OF(name)                                                              \
    [OPT_##name] = {#name, "GIQ_" #name, "", NULL, 0, 0, false, true},
static const struct {
    const char *name;
    const char *config_name;
    const char *otherwise;
    const char *fallback;
    double least;
    double most;
    bool is_open;
    bool is_config;
} options[OPT_COUNT] = {GIQ_OPEN_OPTIONS(ROW_OF) GIQ_CONFIG_OPTIONS(CONFIG_ROW_OF)};

/* GDAL's options for network drivers, and the settings that they are. */
static const struct {
    const char *name;
    enum giq_net_option option;
} net_options[] = {
    {"GDAL_HTTP_PROXY", GIQ_NET_PROXY},
    {"GDAL_HTTPS_PROXY", GIQ_NET_HTTPS_PROXY},
    {"GDAL_HTTP_PROXYUSERPWD", GIQ_NET_PROXY_USERPWD},
    {"GDAL_PROXY_AUTH", GIQ_NET_PROXY_AUTH},
    {"GDAL_HTTP_USERAGENT", GIQ_NET_USERAGENT},
    {"GDAL_HTTP_VERSION", GIQ_NET_HTTP_VERSION},
    {"SSL_CERT_FILE", GIQ_NET_CA_BUNDLE},
    {"CURL_CA_BUNDLE", GIQ_NET_CA_BUNDLE},
    {"GDAL_HTTP_UNSAFESSL", GIQ_NET_UNSAFE_SSL},
};

/* What is being read. */
struct reader {
    char **open_options;
    struct giq_config *config;
    char *typed_url; /* base URL as the user typed it */
    struct giq_error *err;
};

/* ---- finding values ---- */

/* A configuration option, before it the path-specific one of `url`. GDAL compares
 * the beginnings of paths, so the slash at the end finds both forms. */
static const char *path_option(const char *url, const char *name)
{
    const char *path = url == NULL ? NULL : CPLSPrintf("%s/", url);
    return path == NULL ? CPLGetConfigOption(name, NULL)
                        : VSIGetPathSpecificOption(path, name, NULL);
}

/* NULL where it is not set. The text is kept in the reader's configuration: GDAL
 * may free it when another thread sets an option. */
static const char *get_config(struct reader *reader, const char *name)
{
    const char *global = CPLGetConfigOption(name, NULL);
    const char *value = path_option(reader->typed_url, name);
    if (value == NULL || (global != NULL && strcmp(value, global) == 0)) {
        value = path_option(reader->config->base_url, name);
    }
    if (value == NULL || value[0] == '\0') {
        return NULL;
    }
    char ***texts = &reader->config->texts;
    *texts = CSLAddString(*texts, value);
    return *texts == NULL ? NULL : (*texts)[CSLCount(*texts) - 1];
}

/* NULL where the option is nowhere set; `*out_name` is what to call it. */
static const char *get_value(struct reader *reader, enum option option,
                             const char **out_name)
{
    const char *value = NULL;
    *out_name = options[option].name;
    if (options[option].is_open) {
        value = CSLFetchNameValue(reader->open_options, options[option].name);
    }
    if (value == NULL && options[option].is_config) {
        *out_name = options[option].config_name;
        value = get_config(reader, *out_name);
    }
    if (value == NULL && options[option].fallback != NULL) {
        *out_name = options[option].fallback;
        value = get_config(reader, *out_name);
    }
    return value;
}

/* ---- typed values ---- */

static bool read_number(struct reader *reader, enum option option, double factor,
                        int *out)
{
    const char *name = NULL;
    const char *text = get_value(reader, option, &name);
    if (text == NULL) {
        text = options[option].otherwise;
    }
    if (text[0] == '\0') {
        *out = 0;
        return true;
    }
    char *end = NULL;
    double value = CPLStrtod(text, &end);
    bool is_number = end != text && end[strspn(end, " ")] == '\0' && isfinite(value);
    if (!is_number || value < options[option].least || value > options[option].most) {
        return giq_fail(reader->err, GIQ_E_USAGE, "%s is not a number from %s to %.0f",
                        name,
                        options[option].least > 0 && options[option].least < 1 ? "above 0"
                        : options[option].least > 0                            ? "1"
                                                                               : "0",
                        options[option].most);
    }
    *out = (int)llround(value * factor);
    return true;
}

static bool read_bool(struct reader *reader, enum option option, bool otherwise,
                      bool *out)
{
    static const char *const yes[] = {"YES", "TRUE", "ON", "1"};
    static const char *const no[] = {"NO", "FALSE", "OFF", "0"};
    const char *name = NULL;
    const char *text = get_value(reader, option, &name);
    *out = otherwise;
    if (text == NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (EQUAL(text, yes[i]) || EQUAL(text, no[i])) {
            *out = EQUAL(text, yes[i]);
            return true;
        }
    }
    return giq_fail(reader->err, GIQ_E_USAGE, "%s is YES or NO", name);
}

/* SUBMIT=NO of the configuration stands above the open option. */
static bool read_submit(struct reader *reader)
{
    const char *values[] = {
        CSLFetchNameValue(reader->open_options, options[OPT_SUBMIT].name),
        get_config(reader, options[OPT_SUBMIT].config_name),
    };
    reader->config->may_submit = true;
    for (size_t i = 0; i < 2; i++) {
        if (values[i] != NULL && EQUAL(values[i], "NO")) {
            reader->config->may_submit = false;
        } else if (values[i] != NULL && !EQUAL(values[i], "IF_MISSING")) {
            return giq_fail(reader->err, GIQ_E_USAGE, "%s is IF_MISSING or NO",
                            i == 0 ? options[OPT_SUBMIT].name
                                   : options[OPT_SUBMIT].config_name);
        }
    }
    return true;
}

static bool read_progress(struct reader *reader)
{
    static const char *const words[] = {[GIQ_PROGRESS_AUTO] = "AUTO",
                                        [GIQ_PROGRESS_YES] = "YES",
                                        [GIQ_PROGRESS_NO] = "NO"};
    const char *name = NULL;
    const char *text = get_value(reader, OPT_PROGRESS, &name);
    for (size_t i = 0; text != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (EQUAL(text, words[i])) {
            reader->config->progress = (enum giq_progress_mode)i;
            return true;
        }
    }
    return text == NULL ||
           giq_fail(reader->err, GIQ_E_USAGE, "%s is AUTO, YES or NO", name);
}

/* ---- the parts ---- */

static bool check_open_options(struct reader *reader)
{
    for (int option = 0; option < OPT_COUNT; option++) {
        const char *name = options[option].name;
        const char *value = CSLFetchNameValue(reader->open_options, name);
        const char *long_value =
            CSLFetchNameValue(reader->open_options, options[option].config_name);
        if ((value != NULL && !options[option].is_open) || long_value != NULL) {
            return giq_fail(reader->err, GIQ_E_USAGE,
                            "%s is no open option, because projects and VRT files of "
                            "others carry those: set the configuration option %s",
                            value != NULL ? name : options[option].config_name,
                            options[option].config_name);
        }
        if (value != NULL && value[0] == '\0') {
            return giq_fail(reader->err, GIQ_E_USAGE, "the open option %s has no value",
                            name);
        }
    }
    return true;
}

static bool read_base_url(struct reader *reader)
{
    bool allow_http = false;
    const char *name = NULL;
    const char *text = get_value(reader, OPT_BASE_URL, &name);
    if (!read_bool(reader, OPT_ALLOW_HTTP, false, &allow_http) ||
        !giq_base_url(text == NULL ? DEFAULT_BASE_URL : text,
                      allow_http ? GIQ_BASE_URL_ALLOW_HTTP : 0, &reader->config->base_url,
                      reader->err)) {
        return false;
    }
    reader->config->settings.base_url = reader->config->base_url;
    reader->typed_url = CPLStrdup(text == NULL ? DEFAULT_BASE_URL : text);
    size_t len = strlen(reader->typed_url);
    while (len > 0 && reader->typed_url[len - 1] == '/') {
        reader->typed_url[--len] = '\0';
    }
    return true;
}

static bool read_key_file(const char *path, char **out_key, struct giq_error *err)
{
    bool exposed = false;
    if (!giq_cred_read_file(path, out_key, &exposed, err)) {
        return false;
    }
    if (exposed) {
        CPLError(CE_Warning, CPLE_AppDefined,
                 "GIQ: others can read the key file %s; chmod 600 keeps it secret", path);
    }
    return true;
}

/* What fails here is told only when a request needs the secret. */
static void read_credentials(struct reader *reader)
{
    struct giq_config *config = reader->config;
    const char *name = NULL;
    const char *key = get_value(reader, OPT_API_KEY, &name);
    const char *token = get_value(reader, OPT_BEARER_TOKEN, &name);
    const char *path = get_value(reader, OPT_API_KEY_FILE, &name);
    char *from_file = NULL;
    if (key == NULL && path != NULL &&
        !read_key_file(path, &from_file, &config->cred_error)) {
        return;
    }
    if (key == NULL) {
        key = from_file;
    }
    if (key != NULL || token != NULL) {
        (void)giq_cred_new(key, token, &config->cred, &config->cred_error);
    }
    giq_cred_wipe(from_file);
    free(from_file);
}

static bool read_times(struct reader *reader)
{
    struct giq_settings *settings = &reader->config->settings;
    return read_number(reader, OPT_TIMEOUT, 1000, &settings->timeout_ms) &&
           read_number(reader, OPT_POLL_INTERVAL, 1000, &settings->poll_interval_ms) &&
           read_number(reader, OPT_MAX_RETRY, 1, &settings->max_retry) &&
           read_number(reader, OPT_RETRY_DELAY, 1000, &settings->retry_delay_ms) &&
           read_number(reader, OPT_HTTP_TIMEOUT, 1000, &settings->http_timeout_ms) &&
           read_number(reader, OPT_CONNECT_TIMEOUT, 1000,
                       &settings->connect_timeout_ms) &&
           read_number(reader, OPT_LOW_SPEED_TIME, 1, &settings->low_speed_time_s) &&
           read_number(reader, OPT_LOW_SPEED_LIMIT, 1, &settings->low_speed_limit);
}

static bool read_switches(struct reader *reader)
{
    struct giq_config *config = reader->config;
    const char *name = options[OPT_WAIT].name;
    config->waits_is_set = CSLFetchNameValue(reader->open_options, name) != NULL;
    return read_bool(reader, OPT_WAIT, true, &config->waits) &&
           read_bool(reader, OPT_MAKE_VALID, false, &config->makes_valid) &&
           read_bool(reader, OPT_ALLOW_UNVERIFIED_LENGTH, false,
                     &config->settings.allow_unverified_length) &&
           read_submit(reader) && read_progress(reader);
}

static bool read_result_drivers(struct reader *reader)
{
    const char *name = NULL;
    const char *text = get_value(reader, OPT_RESULT_DRIVERS, &name);
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

/* To be freed with CPLFree(); NULL where the option is not set. */
static char *copy_value(struct reader *reader, enum option option)
{
    const char *name = NULL;
    const char *value = get_value(reader, option, &name);
    return value == NULL ? NULL : CPLStrdup(value);
}

static void read_net_options(struct reader *reader)
{
    struct giq_settings *settings = &reader->config->settings;
    settings->net[GIQ_NET_USERAGENT] = "gdal-giq/" GIQ_VERSION;
    for (size_t i = 0; i < sizeof net_options / sizeof net_options[0]; i++) {
        const char *value = get_config(reader, net_options[i].name);
        if (value != NULL) {
            settings->net[net_options[i].option] = value;
        }
    }
}

/* ---- the whole ---- */

bool giq_config_read(char **open_options, struct giq_config *out, struct giq_error *err)
{
    struct giq_config config = {.waits = true};
    struct reader reader = {.open_options = open_options, .config = &config, .err = err};
    bool ok = check_open_options(&reader) && read_base_url(&reader) &&
              read_times(&reader) && read_switches(&reader) &&
              read_result_drivers(&reader);
    if (ok) {
        read_credentials(&reader);
        config.geometry = copy_value(&reader, OPT_GEOMETRY);
        config.retry = copy_value(&reader, OPT_RETRY);
        read_net_options(&reader);
    }
    CPLFree(reader.typed_url);
    if (!ok) {
        giq_config_release(&config);
        return false;
    }
    *out = config;
    return true;
}

bool giq_config_store(struct giq_config *config, struct giq_error *err)
{
    struct giq_error ignored = {0};
    struct reader reader = {.config = config, .err = &ignored};
    const char *name = NULL;
    const char *chosen = get_value(&reader, OPT_STORE_DIR, &name);
    const char *data_home = CPLGetConfigOption("XDG_DATA_HOME", "");
    const char *home = CPLGetConfigOption("HOME", "");
    if (chosen != NULL) {
        char *here = CPLIsFilenameRelative(chosen) ? CPLGetCurrentDir() : NULL;
        config->store_dir =
            CPLStrdup(here == NULL ? chosen : CPLFormFilename(here, chosen, NULL));
        CPLFree(here);
        return true;
    }
    if (data_home[0] != '/' && home[0] != '/') {
        return giq_fail(err, GIQ_E_STORE,
                        "there is no place for records and results: set the "
                        "configuration option GIQ_STORE_DIR, or HOME");
    }
    config->store_dir = data_home[0] == '/'
                            ? CPLStrdup(CPLSPrintf("%s/giq", data_home))
                            : CPLStrdup(CPLSPrintf("%s/.local/share/giq", home));
    config->store_flags = GIQ_STORE_PRIVATE;
    return true;
}

void giq_config_release(struct giq_config *config)
{
    giq_cred_free(config->cred);
    for (int i = 0; config->texts != NULL && config->texts[i] != NULL; i++) {
        giq_cred_wipe(config->texts[i]);
    }
    CSLDestroy(config->texts);
    CSLDestroy(config->result_drivers);
    CPLFree(config->geometry);
    CPLFree(config->retry);
    CPLFree(config->store_dir);
    free(config->base_url);
    *config = (struct giq_config){0};
}
