/*
 * Models whose results are features of another kind than polygons of classes:
 * contours of a raster, hulls of a vector file. As model_raster.h.
 */
#ifndef SANDBOX_MODEL_LINES_H
#define SANDBOX_MODEL_LINES_H

#include "model.h"

bool model_contours(const struct model_task *task, const char *path,
                    char error[MODEL_ERROR_SIZE]);
bool model_hulls(const struct model_task *task, const char *path,
                 char error[MODEL_ERROR_SIZE]);

#endif
