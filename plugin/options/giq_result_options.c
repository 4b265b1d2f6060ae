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

/* Options that run statements, or that make some driver of GDAL 3.6 to 3.13 read another
 * file, host or dataset. */
static const char *const forbidden[] = {
    "PRELUDE_STATEMENTS", "WHERE", "LIST_VIRTUAL_OGR",      "OPEN_REMOTE_GML",
    "OGR_SCHEMA",         "CRS",   "FEATURE_SERVER_PAGING", "ROOT_PATH",
};

/* Whether a value could be a path or a URL: no allowed option needs one. A single
 * character may be a separator. */
static bool is_external_reference(const char *value)
{
    bool is_path = strlen(value) > 1 && strchr("/\\~", value[0]) != NULL;
    return is_path || strstr(value, "/vsi") != NULL || strstr(value, "://") != NULL ||
           strncmp(value, "..", 2) == 0;
}

static bool check_pair(const char *key, const char *value, char **earlier,
                       struct giq_error *err)
{
    for (size_t i = 0; i < GIQ_COUNT(forbidden); i++) {
        if (EQUAL(key, forbidden[i])) {
            return giq_fail(
                err, GIQ_E_USAGE,
                "RESULT_OPTIONS must not contain %s, which could run statements "
                "or read other files",
                forbidden[i]);
        }
    }
    if (is_external_reference(value)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "RESULT_OPTIONS: the value of %.*s must not be a path or a URL",
                        giq_text_cut_len(key, 60), key);
    }
    if (CSLFetchNameValue(earlier, key) != NULL) {
        return giq_fail(err, GIQ_E_USAGE, "RESULT_OPTIONS contains %.*s twice",
                        giq_text_cut_len(key, 60), key);
    }
    return true;
}

static bool fail_pair(const char *at, struct giq_error *err)
{
    char printable[61];
    (void)CPLStrlcpy(printable, at, sizeof printable);
    return giq_fail(err, GIQ_E_USAGE,
                    "RESULT_OPTIONS must be KEY=VALUE,... (put a value with a comma in "
                    "quotes, and double quotes inside it); got \"%s\"",
                    printable);
}

/* Copy the quoted value at `at` without its quotes. Returns its end, or NULL if the quote
 * is not closed. */
static const char *unquote(const char *at, char *out)
{
    char quote = *at++;
    while (*at != '\0' && (*at != quote || at[1] == quote)) {
        at += *at == quote;
        *out++ = *at++;
    }
    *out = '\0';
    return *at == '\0' ? NULL : at + 1;
}

/* Copy the value at `at`. Returns the end of the pair, or NULL if there is no value. */
static const char *take_value(const char *at, char *out)
{
    at += strspn(at, space);
    if (*at == '"' || *at == '\'') {
        at = unquote(at, out);
    } else {
        size_t len = strcspn(at, ",");
        const char *end = at + len;
        while (len > 0 && strchr(space, at[len - 1]) != NULL) {
            len--;
        }
        (void)memcpy(out, at, len);
        out[len] = '\0';
        at = len == 0 ? NULL : end;
    }
    at = at == NULL ? NULL : at + strspn(at, space);
    return at != NULL && (*at == ',' || *at == '\0') ? at : NULL;
}

/* Parse the pair at `*at`, which is moved to the ',' or the end. */
static bool take_pair(const char **at, char ***list, struct giq_error *err)
{
    const char *name = *at + strspn(*at, space);
    size_t len = strspn(name, key_characters);
    const char *equals = name + len + strspn(name + len, space);
    if (len == 0 || *equals != '=') {
        return fail_pair(*at, err);
    }
    GIQ_AUTO_CPL char *value = CPLMalloc(strlen(name) + 1);
    const char *end = take_value(equals + 1, value);
    if (end == NULL) {
        return fail_pair(*at, err);
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
        if (!take_pair(&at, &list, err)) {
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

/* GDAL itself handles OVERVIEW_LEVEL, for all formats. */
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
            CPLError(
                CE_Warning, CPLE_NotSupported,
                "GIQ: RESULT_OPTIONS: the result is read by the driver %s, which has "
                "no open option %s",
                GDALGetDriverShortName(driver), key);
        }
        CPLFree(key);
    }
}
