/*
 * Models that compute on a raster. Each writes the file `path`; on failure `error`
 * is set.
 */
#ifndef SANDBOX_MODEL_RASTER_H
#define SANDBOX_MODEL_RASTER_H

#include "model.h"

bool model_water(const struct model_task *task, const char *path,
                 char error[MODEL_ERROR_SIZE]);
bool model_segments(const struct model_task *task, const char *path,
                    char error[MODEL_ERROR_SIZE]);
bool model_ndvi(const struct model_task *task, const char *path,
                char error[MODEL_ERROR_SIZE]);

#endif
