#include "options/giq_reader.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <math.h>
#include <string.h>

#define ROW_OF(name, type, values, otherwise, config, fallback, least, most, text)       \
    [GIQ_OPTION_##name] = {#name, type, "GIQ_" #name, otherwise, fallback,               \
                           least, most, true,         config},
#define CONFIG_ROW_OF(name)                                                              \
    [GIQ_OPTION_##name] = {#name, "string", "GIQ_" #name, "", NULL, 0, 0, false, true},
const struct giq_option giq_options[GIQ_OPTION_COUNT] = {
    GIQ_OPEN_OPTIONS(ROW_OF) GIQ_CONFIG_OPTIONS(CONFIG_ROW_OF)};

/* ---- finding values ---- */

/* A configuration option, before it the path-specific one of `url`. GDAL compares
 * the beginnings of paths, so the slash at the end finds both forms. */
static const char *path_option(const char *url, const char *name)
{
    const char *path = url == NULL ? NULL : CPLSPrintf("%s/", url);
    return path == NULL ? CPLGetConfigOption(name, NULL)
                        : VSIGetPathSpecificOption(path, name, NULL);
}

const char *giq_reader_config(struct giq_reader *reader, const char *name)
{
    const char *global = CPLGetConfigOption(name, NULL);
    const char *value = path_option(reader->config->typed_url, name);
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

const char *giq_reader_value(struct giq_reader *reader, enum giq_option_id option,
                             const char **out_name)
{
    const char *value = NULL;
    *out_name = giq_options[option].name;
    if (giq_options[option].is_open) {
        value = CSLFetchNameValue(reader->open_options, giq_options[option].name);
    }
    if (value == NULL && giq_options[option].is_config) {
        *out_name = giq_options[option].config_name;
        value = giq_reader_config(reader, *out_name);
    }
    if (value == NULL && giq_options[option].fallback != NULL) {
        *out_name = giq_options[option].fallback;
        value = giq_reader_config(reader, *out_name);
    }
    return value;
}

/* ---- typed values ---- */

static bool fail_number(struct giq_reader *reader, enum giq_option_id option,
                        bool is_whole, const char *name)
{
    /* CPLSPrintf() writes a point whatever the locale. */
    return giq_fail(
        reader->err, GIQ_E_USAGE, "%s is not a %snumber from %s", name,
        is_whole ? "whole " : "",
        CPLSPrintf("%g to %.0f", giq_options[option].least, giq_options[option].most));
}

bool giq_reader_number(struct giq_reader *reader, enum giq_option_id option,
                       double factor, int *out)
{
    const char *name = NULL;
    const char *text = giq_reader_value(reader, option, &name);
    if (text == NULL) {
        text = giq_options[option].otherwise;
    }
    if (text[0] == '\0') {
        *out = 0;
        return true;
    }
    char *end = NULL;
    double value = CPLStrtod(text, &end);
    bool is_number = end != text && end[strspn(end, " ")] == '\0' && isfinite(value);
    bool is_whole = EQUAL(giq_options[option].type, "int");
    bool is_within =
        value >= giq_options[option].least && value <= giq_options[option].most;
    /* What is set for all drivers may mean something else to them: 0 is "off". */
    if (is_number && !is_within && name == giq_options[option].fallback) {
        value = CPLAtof(giq_options[option].otherwise);
    } else if (!is_number || !is_within || (is_whole && value != floor(value))) {
        return fail_number(reader, option, is_whole, name);
    }
    *out = (int)llround(value * factor);
    return true;
}

bool giq_reader_bool(struct giq_reader *reader, enum giq_option_id option, bool *out)
{
    static const char *const yes[] = {"YES", "TRUE", "ON", "1"};
    static const char *const no[] = {"NO", "FALSE", "OFF", "0"};
    const char *name = NULL;
    const char *text = giq_reader_value(reader, option, &name);
    if (text == NULL) {
        *out = EQUAL(giq_options[option].otherwise, "YES");
        return true;
    }
    for (size_t i = 0; i < GIQ_COUNT(yes); i++) {
        if (EQUAL(text, yes[i]) || EQUAL(text, no[i])) {
            *out = EQUAL(text, yes[i]);
            return true;
        }
    }
    return giq_fail(reader->err, GIQ_E_USAGE, "%s is YES or NO", name);
}
