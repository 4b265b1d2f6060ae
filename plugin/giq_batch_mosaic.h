/*
 * The mosaic of the rasters of many results, as a file of GDAL's driver VRT. Where
 * rasters overlap the later row is on top, except where it has no data.
 *
 * All rasters must have the same coordinate system, resolution and bands, and be north
 * up.
 *
 * Usage: giq_batch_mosaic_new(), giq_batch_mosaic_add() for each raster in the order of
 * the rows, giq_batch_mosaic_write(), giq_batch_mosaic_free(). For one thread at a time.
 */
#ifndef GIQ_BATCH_MOSAIC_H
#define GIQ_BATCH_MOSAIC_H

#include "giq/summary.h"
#include "giq_batch_xml.h"

struct giq_batch_mosaic;

/* The caller passes it to giq_batch_mosaic_free(). */
struct giq_batch_mosaic *giq_batch_mosaic_new(void);
void giq_batch_mosaic_free(struct giq_batch_mosaic *mosaic); /* NULL is allowed */

/* Add the raster of the result of the row `id`, which is opened by `name`. `name` is
 * borrowed until giq_batch_mosaic_free(), the others for the call. */
void giq_batch_mosaic_add(struct giq_batch_mosaic *mosaic, const char *id,
                          const char *name, const struct giq_summary_raster *raster);

/* Append the file. `options` are the open options of each result: a GDAL string list.
 * Errors: GIQ_E_BATCH, which names the first row that differs from the first one, or
 * states that the mosaic is too large. */
bool giq_batch_mosaic_write(const struct giq_batch_mosaic *mosaic, char **options,
                            struct giq_batch_xml *xml, struct giq_error *err);

#endif
