/*
 * Transforms rings from a coordinate system to longitude and latitude (EPSG:4326) by OGR.
 * Edges that are straight in their own system are divided, so that the rounded result
 * deviates from the projected edge by at most 1e-7 degrees. One edge is divided into at
 * most 4096 parts: an edge that would need more deviates further, and is an error where
 * the coordinate system is discontinuous. An object is for one thread at a time.
 */
#ifndef GIQ_PROJECT_H
#define GIQ_PROJECT_H

#include <ogr_srs_api.h>

#include "giq/geom.h"

struct giq_project;

/* Check that PROJ finds its database: without it GDAL mistakes some coordinate systems
 * for others. Fails with GIQ_E_AREA and PROJ's own message. */
bool giq_project_check_database(struct giq_error *err);

/* Fail with GIQ_E_CANCELLED if the open was cancelled. */
bool giq_project_check_cancelled(const struct giq_env *env, struct giq_error *err);

/* Whether a coordinate system gives no position on Earth: a local one, a vertical one, or
 * a placeholder ("Undefined geographic SRS" in a GeoPackage). */
bool giq_project_has_no_position(OGRSpatialReferenceH srs);

/*
 * Prepare to project from `srs` with its own axis mapping, after
 * giq_project_check_database(). `srs` is borrowed for the call, `env` for the life of the
 * object. On success the caller passes `*out` to giq_project_free(). Errors: GIQ_E_AREA,
 * GIQ_E_MEMORY.
 */
bool giq_project_new(OGRSpatialReferenceH srs, const struct giq_env *env,
                     struct giq_project **out, struct giq_error *err);
void giq_project_free(struct giq_project *project);

/* The callbacks for giq_geom_project(), which borrow `project`. They fail with
 * GIQ_E_AREA, GIQ_E_CANCELLED or GIQ_E_MEMORY. */
struct giq_projection giq_project_get_projection(struct giq_project *project);

#endif
