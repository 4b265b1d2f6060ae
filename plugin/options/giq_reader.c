/* Finds values of options, and parses numbers, switches and words. */
#include "options/giq_reader.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <math.h>
#include <string.h>

/* ---- finding values ---- */

void giq_reader_release(struct giq_reader *reader)
{
    for (int i = 0; reader->texts != NULL && reader->texts[i] != NULL; i++) {
        giq_cred_wipe(reader->texts[i]);
    }
    CSLDestroy(reader->texts);
    for (size_t i = 0; i < GIQ_COUNT(reader->paths); i++) {
        CPLFree(reader->paths[i]);
    }
    *reader = (struct giq_reader){0};
}

/* GDAL compares path prefixes: with a slash at its end, a URL matches a prefix that was
 * set with or without one. */
void giq_reader_set_urls(struct giq_reader *reader, const char *typed_url,
                         const char *base_url)
{
    reader->paths[0] = CPLStrdup(CPLSPrintf("%s/", typed_url));
    if (strcmp(typed_url, base_url) != 0) {
        reader->paths[1] = CPLStrdup(CPLSPrintf("%s/", base_url));
    }
}

static const char *find_config(const struct giq_reader *reader, const char *name)
{
    const char *general = CPLGetConfigOption(name, NULL);
    const char *value = general;
    for (size_t i = 0; i < GIQ_COUNT(reader->paths) && reader->paths[i] != NULL; i++) {
        value = VSIGetPathSpecificOption(reader->paths[i], name, NULL);
        /* VSIGetPathSpecificOption() falls back to the general option: then nothing is
         * set for this path, but may be for the next one. */
        if (value != NULL && (general == NULL || strcmp(value, general) != 0)) {
            return value;
        }
    }
    return value;
}

bool giq_reader_is_empty(const struct giq_reader *reader, const char *name)
{
    const char *value = find_config(reader, name);
    return value != NULL && value[0] == '\0';
}

const char *giq_reader_config(struct giq_reader *reader, const char *name)
{
    const char *value = find_config(reader, name);
    if (value == NULL || value[0] == '\0') {
        return NULL;
    }
    reader->texts = CSLAddString(reader->texts, value);
    return reader->texts == NULL ? NULL : reader->texts[CSLCount(reader->texts) - 1];
}

const char *giq_reader_value(struct giq_reader *reader, enum giq_option_id id,
                             const char **out_name)
{
    const struct giq_option *option = &giq_options[id];
    const char *value = NULL;
    *out_name = option->name;
    if (option->is_open) {
        value = CSLFetchNameValue(reader->open_options, option->name);
    }
    if (value == NULL && option->is_config) {
        *out_name = option->config_name;
        value = giq_reader_config(reader, *out_name);
    }
    if (value == NULL && option->fallback != NULL) {
        *out_name = option->fallback;
        value = giq_reader_config(reader, *out_name);
    }
    return value;
}

/* ---- typed values ---- */

static bool fail_number(const struct giq_option *option, const char *name,
                        const char *value, struct giq_error *err)
{
    bool is_whole = EQUAL(option->type, "int");
    /* CPLSPrintf() prints a point in any locale. */
    return giq_fail(err, GIQ_E_USAGE, "%s must be a %snumber from %s; got \"%.*s\"", name,
                    is_whole ? "whole " : "",
                    CPLSPrintf("%g to %.0f", option->minimum, option->maximum),
                    giq_text_cut_len(value, 60), value);
}

bool giq_reader_real(struct giq_reader *reader, enum giq_option_id id, double *out,
                     struct giq_error *err)
{
    const struct giq_option *option = &giq_options[id];
    const char *name = NULL;
    const char *text = giq_reader_value(reader, id, &name);
    if (text == NULL) {
        text = option->default_value;
    }
    if (text[0] == '\0') {
        *out = 0;
        return true;
    }
    char *end = NULL;
    double value = CPLStrtod(text, &end);
    bool is_number = end != text && end[strspn(end, " ")] == '\0' && isfinite(value);
    bool is_within = value >= option->minimum && value <= option->maximum;
    /* GDAL's own options allow values that are out of range here, such as 0 for "off":
     * the driver's default is then used. */
    bool is_gdal_option = option->fallback != NULL && EQUAL(name, option->fallback);
    if (is_number && !is_within && is_gdal_option) {
        value = CPLAtof(option->default_value);
        is_within = true;
    }
    bool is_fraction = EQUAL(option->type, "int") && value != floor(value);
    if (!is_number || !is_within || is_fraction) {
        return fail_number(option, name, text, err);
    }
    *out = value;
    return true;
}

bool giq_reader_number(struct giq_reader *reader, enum giq_option_id id, double factor,
                       int *out, struct giq_error *err)
{
    double value = 0;
    if (!giq_reader_real(reader, id, &value, err)) {
        return false;
    }
    /* Rounding must not make a positive number 0, which has a meaning of its own. */
    *out = (int)llround(value > 0 ? fmax(value * factor, 1) : 0);
    return true;
}

bool giq_reader_bool(struct giq_reader *reader, enum giq_option_id id, bool *out,
                     struct giq_error *err)
{
    const char *name = NULL;
    const char *text = giq_reader_value(reader, id, &name);
    if (text == NULL) {
        *out = EQUAL(giq_options[id].default_value, "YES");
        return true;
    }
    return giq_conn_to_bool(name, text, out, err);
}

bool giq_reader_parse_choice(enum giq_option_id id, const char *name, const char *text,
                             unsigned *out, struct giq_error *err)
{
    const char *words = giq_options[id].values;
    unsigned index = 0;
    for (const char *word = words; *word != '\0'; index++) {
        size_t len = strcspn(word, ",");
        if (strlen(text) == len && EQUALN(text, word, len)) {
            *out = index;
            return true;
        }
        word += len + strlen(", ");
    }
    return giq_fail(err, GIQ_E_USAGE, "%s must be one of %.*s; got \"%.*s\"", name,
                    (int)(strlen(words) - strlen(", ")), words,
                    giq_text_cut_len(text, 60), text);
}

bool giq_reader_choice(struct giq_reader *reader, enum giq_option_id id, unsigned *out,
                       struct giq_error *err)
{
    const char *name = NULL;
    const char *text = giq_reader_value(reader, id, &name);
    if (text == NULL) {
        text = giq_options[id].default_value;
    }
    return giq_reader_parse_choice(id, name, text, out, err);
}
