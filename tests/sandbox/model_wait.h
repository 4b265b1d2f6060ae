/*
 * A model that computes nothing: a job only takes its time, so that one machine carries
 * hundreds of them at once. Its result has the area as its one feature.
 */
#ifndef SANDBOX_MODEL_WAIT_H
#define SANDBOX_MODEL_WAIT_H

#include "model.h"

/* As the functions of the other models, but cheap enough for the server itself, and with
 * no need of GDAL's drivers. Thread-safe. */
bool model_wait(const struct model_task *task, const char *path,
                char error[MODEL_ERROR_SIZE]);

#endif
