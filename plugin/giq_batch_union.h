/*
 * The union of the vector layers of many results, as a file of GDAL's driver OGR_VRT: one
 * layer for each layer name, with the id of the row of each feature in a field.
 *
 * The file states the fields, the geometry type, the coordinate system, and where known
 * the number of features and the extent of each layer: GDAL opens a result only to read
 * its features.
 *
 * Usage: giq_batch_union_new(), giq_batch_union_add() for each layer of each result in
 * the order of the rows, giq_batch_union_write(), giq_batch_union_free(). For one thread
 * at a time.
 */
#ifndef GIQ_BATCH_UNION_H
#define GIQ_BATCH_UNION_H

#include "giq/summary.h"
#include "giq_batch_xml.h"

struct giq_batch_union;

/* The caller passes it to giq_batch_union_free(). */
struct giq_batch_union *giq_batch_union_new(void);
void giq_batch_union_free(struct giq_batch_union *all); /* NULL is allowed */

/* Add a layer of the result of the row `id`, which is opened by `name`. Both are borrowed
 * until giq_batch_union_free(); `layer` is not. */
void giq_batch_union_add(struct giq_batch_union *all, const char *id, const char *name,
                         const struct giq_summary_layer *layer);

/* Append the file. `options` are the open options of each result: a GDAL string list. */
void giq_batch_union_write(const struct giq_batch_union *all, char **options,
                           struct giq_batch_xml *xml);

#endif
