/* A store that a test fills with published results, and the dataset of the batch of their
 * rows. Needs no service: the records have no request that could be sent. Failures end
 * the test. */
#ifndef GIQ_TESTS_VRT_KIT_H
#define GIQ_TESTS_VRT_KIT_H

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>

#include "giq_session.h"

enum { VRT_KIT_ROWS_MAX = 400 };

/* A published result, and the row that has it. */
struct vrt_kit_row {
    const char *id; /* borrowed */
    char *name;     /* its GIQ: string */
    char *key;
    char *job_id;
    char *path; /* of the result */
};

/* The rows of the running test. */
extern struct vrt_kit {
    char *top; /* the store */
    struct vrt_kit_row rows[VRT_KIT_ROWS_MAX];
    size_t count;
    struct giq_session session;
} vrt_kit;

/* Register GDAL's drivers and GIQ. */
void vrt_kit_register(void);

/* Each test has a store and a session of its own. */
int vrt_kit_setup(void **state);
int vrt_kit_teardown(void **state);

/* Open the session again, with other open options. */
void vrt_kit_open_session(char **options);

/* ---- rows; a result is recorded without a summary ---- */

/* A row whose result is to be written at its path, and then recorded. `file` is the name
 * of the result, NULL for an archive. */
struct vrt_kit_row *vrt_kit_add_row(const char *id, const char *file);
void vrt_kit_write(const char *path, const char *text);
void vrt_kit_record(const struct vrt_kit_row *row, const char *file);

void vrt_kit_add_text(const char *id, const char *file, const char *text);
/* A layer "found" with one field, and a point for each feature: (0, 0), (1, 1) ... */
void vrt_kit_add_points(const char *id, const char *driver, const char *file, int epsg,
                        OGRFieldType type, const char *field, const char *value,
                        int points);

/* GeoJSON of the layer "found". */
extern const char vrt_kit_polygon[];
extern const char vrt_kit_multipolygon[];
extern const char vrt_kit_without_geometry[];
extern const char vrt_kit_empty[];

struct vrt_kit_tile {
    double x, y; /* the upper left corner */
    int size;
    int epsg;
    double resolution;
    int bands;
    GDALDataType type;
    int value;
    bool has_nodata; /* 0; the first line has no data */
};
extern const struct vrt_kit_tile vrt_kit_base_tile;
void vrt_kit_add_tile(const char *id, const struct vrt_kit_tile *tile);

/* ---- the dataset ---- */

/* Open the dataset of all rows. */
GDALDatasetH vrt_kit_try(unsigned flags, const char *member, struct giq_error *err);
GDALDatasetH vrt_kit_open(unsigned flags);
void vrt_kit_fails(unsigned flags, const char *member, enum giq_code code,
                   const char *words);

/* All features as lines "<field>=<value> ... <geometry>"; "-" is NULL. The caller passes
 * the text to CPLFree(). */
char *vrt_kit_text_of(OGRLayerH layer);
void vrt_kit_lines(OGRLayerH layer, const char *expected);
const char *vrt_kit_type_of(OGRLayerH layer, const char *field);

#endif
