/*
 * What a command prints of the layers that it read: a table or a list for people, or a
 * JSON array of objects with all columns. Thread-safe for different layers.
 */
#ifndef GIQ_COMMAND_PRINT_H
#define GIQ_COMMAND_PRINT_H

#include <ogr_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Write the rows of a layer as a table of these columns, a list that ends in NULL; names
 * that the layer does not have are left out. With `is_list` each row becomes a list of
 * its values that are not NULL. */
void giq_command_print(FILE *out, OGRLayerH layer, const char *const *columns,
                       bool is_list);

/* Write the rows of all layers as one JSON array; the geometry, if there is one, as the
 * member "geometry". */
void giq_command_print_json(FILE *out, const OGRLayerH *layers, size_t count);

#ifdef __cplusplus
}
#endif

#endif
