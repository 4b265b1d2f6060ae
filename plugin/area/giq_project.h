/*
 * From a coordinate system to longitude and latitude (EPSG:4326) by OGR. Edges that
 * are straight in their own system get points in between, so that they stay within
 * 1e-7 degrees of it once rounded, or until there are 4096 parts of an edge.
 */
#ifndef GIQ_PROJECT_H
#define GIQ_PROJECT_H

#include <ogr_srs_api.h>

#include "giq/geom.h"

struct giq_project;

/* Check that PROJ has a database that it can use: without one GDAL takes some systems for
 * others. The error, GIQ_E_AREA, has PROJ's own words. */
bool giq_project_check(struct giq_error *err);

/* Whether a system stands for none: a local one, or one that a format writes where there
 * is none ("Undefined geographic SRS" in a GeoPackage), or heights alone. */
bool giq_project_is_none(OGRSpatialReferenceH srs);

/*
 * Make ready to project from `srs`, whose own mapping of axes counts; it is borrowed
 * for the call, after giq_project_check(). On success the caller passes `*out` to
 * giq_project_free(). Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
bool giq_project_new(OGRSpatialReferenceH srs, struct giq_project **out,
                     struct giq_error *err);
void giq_project_free(struct giq_project *project);

/* What giq_geom_project() takes; it borrows `project`. */
struct giq_projection giq_project_use(struct giq_project *project);

#endif
