/*
 * Polygons of connected pixels of one class, with what their pixels measure.
 */
#ifndef SANDBOX_PIECES_H
#define SANDBOX_PIECES_H

#include <stdint.h>

#include "scene.h"

struct piece {
    OGRGeometryH polygon; /* along the edges of pixels */
    int class;
    int pixels;
    double area; /* in square units of the file's system */
    double mean; /* of the values of its pixels */
};

struct pieces {
    struct piece *item; /* the largest first */
    size_t count;
};

/*
 * Polygons of the connected pixels (by their edges) of equal class; class 0 is none.
 * `values` are measured; pieces of fewer than `least` pixels are left out. Both
 * arrays have the size of the window. False after setting `error`.
 */
bool pieces_make(const struct scene *scene, const int32_t *classes, const float *values,
                 int least, struct pieces *out, char error[MODEL_ERROR_SIZE]);
void pieces_release(struct pieces *pieces);

#endif
