/* Passes the polygons of all features of a layer to the core, which unites them. */
#include "area/giq_aoi.h"

#include "area/giq_vector_source.h"

/* Add the polygons of all features; at least one feature must have some. */
static bool add_features(const struct giq_vector_source *source, struct giq_geom *geom,
                         struct giq_error *err)
{
    size_t polygons = 0;
    for (;;) {
        OGRFeatureH feature = NULL;
        if (!giq_vector_source_next(source, &feature, err)) {
            return false;
        }
        if (feature == NULL) {
            break;
        }
        bool ok = giq_vector_source_add(source, feature, geom, &polygons, err);
        OGR_F_Destroy(feature);
        if (!ok) {
            return false;
        }
    }
    return polygons > 0 || giq_vector_source_fail_empty(source, err);
}

static bool read_source(struct giq_vector_source *source, unsigned flags, char **out,
                        struct giq_error *err)
{
    bool is_as_is = (flags & GIQ_GEOM_AS_IS) != 0;
    struct giq_project *project = NULL;
    struct giq_geom *geom = NULL;
    if (!is_as_is && !giq_project_check_database(err)) {
        return false;
    }
    bool ok = giq_vector_source_open(source, err) &&
              (is_as_is || giq_vector_source_project(source, &project, err)) &&
              giq_geom_new(flags, &geom, err);
    if (ok) {
        giq_geom_set_env(geom, source->env);
        ok = add_features(source, geom, err) &&
             giq_vector_source_write(geom, project, out, err);
    }
    giq_geom_free(geom);
    giq_project_free(project);
    return ok;
}

bool giq_aoi_read(const char *source, unsigned flags, const struct giq_env *env,
                  char **out, struct giq_error *err)
{
    struct giq_vector_source layer = {
        .role = "AOI",
        .name = source,
        .code = GIQ_E_AREA,
        .needs_geometry = true,
        .env = env,
    };
    bool ok = read_source(&layer, flags, out, err);
    giq_vector_source_close(&layer);
    return ok;
}
