/*
 * The area of interest from a vector dataset, by OGR.
 */
#ifndef GIQ_AOI_H
#define GIQ_AOI_H

#include "giq/giq.h"

/*
 * Unite all polygons of a layer. `source` is what GDAL opens, or that, a comma and the
 * name of the layer, either of which may have commas of its own; any driver but this one
 * may read it. `flags` as for giq_geom_new(). On success `*out` is the area as it is
 * sent, to be freed with free(). Errors: GIQ_E_AREA, GIQ_E_MEMORY. Raises no errors of
 * GDAL's where those are kept quiet. Thread-safe.
 */
bool giq_aoi_read(const char *source, unsigned flags, char **out, struct giq_error *err);

/* Whether this thread is reading an area: what it opens then may be no job. */
bool giq_aoi_is_reading(void);

#endif
