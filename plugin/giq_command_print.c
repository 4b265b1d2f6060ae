/* Prints the rows of a layer as a table or as lists. */
#include "giq_command_print.h"

#include <assert.h>
#include <cpl_conv.h>
#include <stdio.h>
#include <string.h>

#include "giq/giq.h"
#include "options/giq_gdal_cleanup.h"

enum { COLUMNS_MAX = 16 };

/* The columns of a layer that are printed. */
struct columns {
    int fields[COLUMNS_MAX];
    const char *names[COLUMNS_MAX];
    int widths[COLUMNS_MAX]; /* characters */
    int count;
};

/* The items of a list, separated by commas, which the caller frees. */
static char *join(char **items)
{
    char *text = CPLStrdup("");
    for (int i = 0; items != NULL && items[i] != NULL; i++) {
        size_t len = strlen(text);
        const char *separator = i == 0 ? "" : ", ";
        size_t room = len + strlen(separator) + strlen(items[i]) + 1;
        text = CPLRealloc(text, room);
        (void)snprintf(text + len, room - len, "%s%s", separator, items[i]);
    }
    return text;
}

/* The characters of a text in UTF-8; wide ones count as one. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80 ? 1 : 0;
    }
    return width;
}

/* The text of a value, "" for NULL, which the caller frees. */
static char *raw_value_of(OGRFeatureH row, int field)
{
    if (!OGR_F_IsFieldSetAndNotNull(row, field)) {
        return CPLStrdup("");
    }
    switch (OGR_Fld_GetType(OGR_F_GetFieldDefnRef(row, field))) {
    case OFTDateTime:
        return CPLStrdup(OGR_F_GetFieldAsISO8601DateTime(row, field, NULL));
    case OFTStringList:
        return join(OGR_F_GetFieldAsStringList(row, field));
    default:
        return CPLStrdup(OGR_F_GetFieldAsString(row, field));
    }
}

/* As raw_value_of(), as it is printed: a text of the service must not control the
 * terminal. */
static char *value_of(OGRFeatureH row, int field)
{
    char *text = raw_value_of(row, field);
    giq_text_make_printable(text);
    return text;
}

static struct columns find_columns(OGRLayerH layer, const char *const *names)
{
    struct columns columns = {.count = 0};
    for (; *names != NULL; names++) {
        assert(columns.count < COLUMNS_MAX);
        int field = OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(layer), *names);
        if (field >= 0) {
            columns.fields[columns.count] = field;
            columns.names[columns.count] = *names;
            columns.widths[columns.count++] = width_of(*names);
        }
    }
    return columns;
}

static void widen(struct columns *columns, OGRFeatureH row)
{
    for (int i = 0; i < columns->count; i++) {
        GIQ_AUTO_CPL char *value = value_of(row, columns->fields[i]);
        int width = width_of(value);
        columns->widths[i] = width > columns->widths[i] ? width : columns->widths[i];
    }
}

/* Print one cell; the last one of a line is not padded. */
static void print_cell(FILE *out, const struct columns *columns, int i, const char *text)
{
    bool is_last = i == columns->count - 1;
    int padding = is_last ? 0 : columns->widths[i] - width_of(text) + 2;
    (void)fprintf(out, "%s%*s%s", text, padding, "", is_last ? "\n" : "");
}

/* Fit the columns to the rows of the layer, and print their names. */
static void print_heads(FILE *out, OGRLayerH layer, struct columns *columns)
{
    OGRFeatureH row = NULL;
    OGR_L_ResetReading(layer);
    while ((row = OGR_L_GetNextFeature(layer)) != NULL) {
        widen(columns, row);
        OGR_F_Destroy(row);
    }
    for (int i = 0; i < columns->count; i++) {
        print_cell(out, columns, i, columns->names[i]);
    }
}

static void print_row(FILE *out, const struct columns *columns, OGRFeatureH row)
{
    for (int i = 0; i < columns->count; i++) {
        GIQ_AUTO_CPL char *value = value_of(row, columns->fields[i]);
        print_cell(out, columns, i, value);
    }
}

static void print_list(FILE *out, const struct columns *columns, OGRFeatureH row)
{
    for (int i = 0; i < columns->count; i++) {
        GIQ_AUTO_CPL char *value = value_of(row, columns->fields[i]);
        if (value[0] != '\0') {
            (void)fprintf(out, "%s: %s\n", columns->names[i], value);
        }
    }
}

void giq_command_print(FILE *out, OGRLayerH layer, const char *const *names, bool is_list)
{
    struct columns columns = find_columns(layer, names);
    OGRFeatureH row = NULL;
    if (!is_list) {
        print_heads(out, layer, &columns);
    }
    OGR_L_ResetReading(layer);
    while ((row = OGR_L_GetNextFeature(layer)) != NULL) {
        if (is_list) {
            print_list(out, &columns, row);
        } else {
            print_row(out, &columns, row);
        }
        OGR_F_Destroy(row);
    }
}
