/*
 * The area of interest as the user gives it, validated and normalised by the core.
 */
#ifndef GIQ_AREA_H
#define GIQ_AREA_H

#include "giq/geom.h"
#include "options/giq_options.h"

/*
 * Read the area; `text` as described at enum giq_area_kind, `flags` as for
 * giq_geom_area_from_wkt(). `env->cancelled` is called while the area is read, and at the
 * end. On success `*out` is normalised WKT, to be freed with free(). Errors: GIQ_E_AREA,
 * GIQ_E_CANCELLED, GIQ_E_MEMORY; raises no errors of GDAL. Thread-safe.
 */
bool giq_area_read(enum giq_area_kind kind, const char *text, unsigned flags,
                   const struct giq_env *env, char **out, struct giq_error *err);

#endif
