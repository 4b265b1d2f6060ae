/*
 * The area of interest from a vector dataset, by OGR.
 */
#ifndef GIQ_AOI_H
#define GIQ_AOI_H

#include "giq/giq.h"

/*
 * Unite all polygons of a layer. `source` is the name of a dataset, optionally followed
 * by a comma and the name of a layer; both names may contain commas. Any driver but this
 * one may read it. `flags` as for giq_geom_new(); `env->cancelled` is called between
 * features. On success `*out` is the area as it is sent, to be freed with free(). Errors:
 * GIQ_E_AREA, GIQ_E_CANCELLED, GIQ_E_MEMORY. GDAL raises its errors unless the caller
 * installs a quiet error handler. Thread-safe.
 */
bool giq_aoi_read(const char *source, unsigned flags, const struct giq_env *env,
                  char **out, struct giq_error *err);

/* Whether this thread is inside giq_aoi_read(): a dataset that is opened then must not be
 * a GIQ: dataset. */
bool giq_aoi_is_reading(void);

#endif
