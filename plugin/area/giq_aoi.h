/*
 * The area of interest from a vector dataset, by OGR.
 */
#ifndef GIQ_AOI_H
#define GIQ_AOI_H

#include "giq/giq.h"

/*
 * Unite all polygons of a layer. `source` is as `name` of struct giq_vector_source,
 * `flags` as for giq_geom_new(); `env->cancelled` is called between features and while
 * polygons are united and projected. On success `*out` is normalised WKT, to be freed
 * with free(). Errors: GIQ_E_AREA, GIQ_E_CANCELLED, GIQ_E_MEMORY. GDAL raises its errors
 * unless the caller installs a quiet error handler. Thread-safe.
 */
bool giq_aoi_read(const char *source, unsigned flags, const struct giq_env *env,
                  char **out, struct giq_error *err);

#endif
