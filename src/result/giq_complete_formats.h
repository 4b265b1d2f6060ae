/*
 * Checks of files by format, for giq_complete_check(): each reads the length that the
 * file states, and records the first missing part in `file`.
 */
#ifndef GIQ_COMPLETE_FORMATS_H
#define GIQ_COMPLETE_FORMATS_H

#include "result/giq_bounds.h"

/* Defined in giq_complete_tiff.c. */
void giq_complete_tiff(struct giq_bounds *file);

/* Defined in giq_complete_image.c. */
void giq_complete_png(struct giq_bounds *file);
void giq_complete_jpeg(struct giq_bounds *file);
void giq_complete_jp2(struct giq_bounds *file);
void giq_complete_codestream(struct giq_bounds *file); /* JPEG 2000 without boxes */

/* Defined in giq_complete_table.c. */
void giq_complete_flatgeobuf(struct giq_bounds *file);
void giq_complete_arrow(struct giq_bounds *file);
void giq_complete_parquet(struct giq_bounds *file);
void giq_complete_sqlite(struct giq_bounds *file);
void giq_complete_shapefile(struct giq_bounds *file);
void giq_complete_zip(struct giq_bounds *file);
void giq_complete_xml(struct giq_bounds *file);

/* For a file of unknown format. Checks it if it is an Arrow stream, which has no magic
 * number that giq_sniff() could rely on. */
void giq_complete_unknown(struct giq_bounds *file);

#endif
