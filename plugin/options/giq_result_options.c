/* Parses RESULT_OPTIONS and refuses what reads other files or hosts. */
#include "options/giq_result_options.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"

static const char key_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "0123456789_";
static const char space[] = " \t\r\n\v\f";

/* Options that make some driver of GDAL 3.6 to 3.13 run statements, or read or write
 * another file, host or dataset. The comments name the drivers. */
static const char *const forbidden[] = {
    "PRELUDE_STATEMENTS",            /* GPKG, SQLite, PostgreSQL */
    "CLOSING_STATEMENTS",            /* PostgreSQL */
    "WHERE",                         /* GPKG: SQL */
    "LIST_VIRTUAL_OGR",              /* SQLite */
    "OPEN_REMOTE_GML",               /* JP2OpenJPEG */
    "OGR_SCHEMA",                    /* several: may be a file */
    "CRS",                           /* several: the definition may be a file */
    "FEATURE_SERVER_PAGING",         /* GeoJSON: further requests */
    "ROOT_PATH",                     /* VRT */
    "XSD",                           /* GML, GMLAS */
    "GFS_TEMPLATE",                  /* GML */
    "REGISTRY",                      /* GML */
    "DOWNLOAD_SCHEMA",               /* GML: fetches it */
    "WRITE_GFS",                     /* GML */
    "CONFIG_FILE",                   /* GMLAS, OSM */
    "REFRESH_CACHE",                 /* GMLAS: fetches schemas */
    "METADATA_FILE",                 /* MVT */
    "MODEL",                         /* Interlis */
    "SXF_RSC_FILENAME",              /* SXF */
    "FILENAME",                      /* GPSBabel */
    "CACHE_PATH",                    /* PLMosaic */
    "URL",                           /* CSW, OAPIF, WFS, WMTS */
    "GET_METADATA_URL",              /* DAAS */
    "HOST",                          /* Elasticsearch, MySQL, PostgreSQL */
    "FORWARD_HTTP_HEADERS_FROM_ENV", /* Elasticsearch */
    "URI",                           /* MongoDB */
    "SSL_PEM_KEY_FILE",              /* MongoDB */
    "SSL_CA_FILE",                   /* MongoDB */
    "SSL_CRL_FILE",                  /* MongoDB */
    "TILEDB_CONFIG",                 /* TileDB */
    "ADBC_DRIVER",                   /* ADBC: loads a library */
    "SQL",                           /* ADBC */
    "VSI_PATH_FOR_AUTH",             /* EEDA */
};

/* Whether a value could be a path with a folder, or a URL. No allowed option needs
 * either. A single character is allowed, for options that set a separator. */
static bool may_be_path_or_url(const char *value)
{
    if (strlen(value) <= 1) {
        return false;
    }
    return value[0] == '~' || strpbrk(value, "/\\") != NULL ||
           strncmp(value, "..", 2) == 0;
}

static bool check_pair(const char *key, const char *value, char **parsed,
                       struct giq_error *err)
{
    for (size_t i = 0; i < GIQ_COUNT(forbidden); i++) {
        if (EQUAL(key, forbidden[i])) {
            return giq_fail(
                err, GIQ_E_USAGE,
                "RESULT_OPTIONS must not contain %s, which could run statements, "
                "or read or write other files or hosts",
                forbidden[i]);
        }
    }
    if (may_be_path_or_url(value)) {
        return giq_fail(
            err, GIQ_E_USAGE,
            "RESULT_OPTIONS: the value of %.*s must not be a path or a URL: it "
            "must not contain / or \\, or begin with ~ or ..",
            giq_text_cut_len(key, 60), key);
    }
    if (CSLFetchNameValue(parsed, key) != NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "RESULT_OPTIONS contains %.*s twice; give it once",
                        giq_text_cut_len(key, 60), key);
    }
    return true;
}

static bool fail_syntax(const char *text, struct giq_error *err)
{
    return giq_fail(
        err, GIQ_E_USAGE,
        "RESULT_OPTIONS must be KEY=VALUE,... (a value with a comma must be in "
        "quotes; a quote inside it is written twice); got \"%.*s\"",
        giq_text_cut_len(text, 200), text);
}

/* Copy the quoted value at `at` without its quotes. Returns its end, or NULL if the quote
 * is not closed. */
static const char *unquote(const char *at, char *out)
{
    char quote = *at++;
    for (; *at != '\0'; at++) {
        if (*at == quote && at[1] != quote) {
            *out = '\0';
            return at + 1;
        }
        if (*at == quote) {
            at++; /* the first of a doubled quote */
        }
        *out++ = *at;
    }
    return NULL;
}

/* Copy the value at `at`. Returns the end of the pair, or NULL if there is no value, or
 * its quote is not closed or is followed by more text. */
static const char *parse_value(const char *at, char *out)
{
    at += strspn(at, space);
    if (*at == '"' || *at == '\'') {
        const char *end = unquote(at, out);
        if (end == NULL) {
            return NULL;
        }
        end += strspn(end, space);
        return *end == ',' || *end == '\0' ? end : NULL;
    }
    size_t len = strcspn(at, ",");
    const char *end = at + len;
    while (len > 0 && strchr(space, at[len - 1]) != NULL) {
        len--;
    }
    (void)memcpy(out, at, len);
    out[len] = '\0';
    return len == 0 ? NULL : end;
}

/* Parse the pair at `*at`, which is moved to the ',' or the end of `text`. */
static bool parse_pair(const char *text, const char **at, char ***list,
                       struct giq_error *err)
{
    const char *name = *at + strspn(*at, space);
    size_t len = strspn(name, key_characters);
    const char *equals = name + len + strspn(name + len, space);
    if (len == 0 || *equals != '=') {
        return fail_syntax(text, err);
    }
    GIQ_AUTO_CPL char *value = CPLMalloc(strlen(name) + 1);
    const char *end = parse_value(equals + 1, value);
    if (end == NULL) {
        return fail_syntax(text, err);
    }
    GIQ_AUTO_CPL char *key = CPLStrdup(name);
    key[len] = '\0';
    if (!check_pair(key, value, *list, err)) {
        return false;
    }
    *list = CSLSetNameValue(*list, key, value);
    *at = end;
    return true;
}

bool giq_result_options_parse(const char *text, char ***out, struct giq_error *err)
{
    char **list = NULL;
    for (const char *at = text;; at++) {
        if (!parse_pair(text, &at, &list, err)) {
            CSLDestroy(list);
            return false;
        }
        if (*at == '\0') {
            break;
        }
    }
    *out = list;
    return true;
}

/* Whether the driver with the option list `declared` has the open option; true if it has
 * no list. GDAL itself handles OVERVIEW_LEVEL, for all formats. */
static bool is_known(const char *declared, const char *key)
{
    const char *single = CPLSPrintf("name='%s'", key);
    const char *quoted = CPLSPrintf("name=\"%s\"", key);
    return EQUAL(key, "OVERVIEW_LEVEL") || declared == NULL ||
           strcasestr(declared, single) != NULL || strcasestr(declared, quoted) != NULL;
}

void giq_result_options_warn(GDALDatasetH dataset, char **options)
{
    GDALDriverH driver = GDALGetDatasetDriver(dataset);
    const char *declared =
        driver == NULL ? NULL
                       : GDALGetMetadataItem(driver, GDAL_DMD_OPENOPTIONLIST, NULL);
    for (int i = 0; options != NULL && options[i] != NULL; i++) {
        char *key = NULL;
        (void)CPLParseNameValue(options[i], &key);
        if (key != NULL && !is_known(declared, key)) {
            CPLError(CE_Warning, CPLE_NotSupported,
                     "GIQ: RESULT_OPTIONS contains %s, but the result is read by the "
                     "driver %s, which has no such open option",
                     key, GDALGetDriverShortName(driver));
        }
        CPLFree(key);
    }
}
