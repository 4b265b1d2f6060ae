/*
 * Choosing among the models of a service. giq_models_get() is in giq/giq.h.
 */
#ifndef GIQ_MODELS_H
#define GIQ_MODELS_H

#include "base/giq_error.h"

/*
 * The id of the model that is meant by `typed`, an id or a unique name (without
 * case), into a new text. `typed` itself where the list decides nothing: it is empty,
 * one page of several, or holds an id that cannot be read. Errors: GIQ_E_USAGE, which
 * offers the nearest with secrets masked; GIQ_E_MEMORY.
 */
bool giq_models_choose(const struct giq_service *service, const struct giq_models *models,
                       const char *typed, char **out, struct giq_error *err);

#endif
