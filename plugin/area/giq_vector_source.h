/*
 * A layer of a vector dataset whose features are read one by one: the polygons of an
 * area, or the rows of a batch. Any driver but this one may read it.
 *
 * Usage: set the first members, giq_vector_source_open() or giq_vector_source_take(),
 * giq_vector_source_next() for each feature, giq_vector_source_close() on every path.
 *
 * Between opening and closing, a dataset that is opened in the same thread must not be a
 * GIQ: dataset: see giq_vector_source_is_reading(). Errors have the `code` of the source,
 * unless stated otherwise. GDAL raises its errors unless the caller installs a quiet
 * error handler. Thread-safe; a source is for one thread at a time.
 */
#ifndef GIQ_VECTOR_SOURCE_H
#define GIQ_VECTOR_SOURCE_H

#include <gdal.h>
#include <ogr_api.h>

#include "area/giq_project.h"
#include "giq/geom.h"

struct giq_vector_source {
    const char *role; /* names it in messages, as in "AOI"; borrowed, as all below */
    /* A dataset, optionally followed by a comma and the name of a layer; both names may
     * contain commas. */
    const char *name;
    enum giq_code code;        /* of errors */
    bool needs_geometry;       /* layers without a geometry column do not count */
    const struct giq_env *env; /* env->cancelled() is called between features */
    GDALDatasetH dataset;      /* owned; NULL while it is not open */
    OGRLayerH layer;           /* the one that is read */
    bool has_layer_name;       /* private: `name` ends in the name of a layer */
};

/* Open the dataset and choose its layer. */
bool giq_vector_source_open(struct giq_vector_source *source, struct giq_error *err);

/* Take a dataset that is open already, which is closed also after a failure. */
bool giq_vector_source_take(struct giq_vector_source *source, GDALDatasetH dataset,
                            struct giq_error *err);

/* Also for a source that is not open. */
void giq_vector_source_close(struct giq_vector_source *source);

/* Whether this thread has a source open. */
bool giq_vector_source_is_reading(void);

/* Get the fields of the layer; `*out` is borrowed. Drivers that read them only now may
 * fail, as VRT does where it cannot open a source. */
bool giq_vector_source_defn(const struct giq_vector_source *source, OGRFeatureDefnH *out,
                            struct giq_error *err);

/* Prepare to project from the layer's coordinate system. Errors: GIQ_E_AREA if it has
 * none, or one that gives no position on Earth; those of giq_project_check_database() and
 * giq_project_new(). */
bool giq_vector_source_project(const struct giq_vector_source *source,
                               struct giq_project **out, struct giq_error *err);

/* Read the next feature, to be passed to OGR_F_Destroy(); NULL after the last. Errors
 * also: GIQ_E_CANCELLED. */
bool giq_vector_source_next(const struct giq_vector_source *source, OGRFeatureH *out,
                            struct giq_error *err);

/* Add the polygons of a feature, after curves became lines; points, lines and empty
 * polygons are ignored. `*polygons` is increased by those that have rings. Errors:
 * GIQ_E_AREA, which names the feature; GIQ_E_MEMORY. */
bool giq_vector_source_add(const struct giq_vector_source *source, OGRFeatureH feature,
                           struct giq_geom *geom, size_t *polygons,
                           struct giq_error *err);

/* Fail with GIQ_E_AREA because no feature has polygons. */
bool giq_vector_source_fail_empty(const struct giq_vector_source *source,
                                  struct giq_error *err);

/* Unite the polygons of an area, project them (NULL: their coordinates are sent as they
 * are), and write the area as it is sent, to be freed with free(). Errors: those of
 * giq_geom_unite(), giq_geom_project() and giq_geom_write(). */
bool giq_vector_source_write(struct giq_geom *geom, struct giq_project *project,
                             char **out, struct giq_error *err);

#endif
