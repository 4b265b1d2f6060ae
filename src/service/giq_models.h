/*
 * Finding a model by its id or name. giq_models_get() is in giq/giq.h.
 */
#ifndef GIQ_MODELS_H
#define GIQ_MODELS_H

#include "base/giq_error.h"

/*
 * Copy into a new text, which the caller frees, the id of the model that `typed` names:
 * by its id, or by its name, ignoring case, if that is unique. If the list is empty, one
 * page of several, or has an entry without a valid id, it cannot prove that a model does
 * not exist or that a name is unique, and `typed` itself is copied. Errors: GIQ_E_USAGE,
 * which lists the models of that name if there are several, else the nearest models, with
 * secrets masked; GIQ_E_MEMORY. Sends nothing.
 */
bool giq_models_choose(const struct giq_service *service, const struct giq_models *models,
                       const char *typed, char **out, struct giq_error *err);

#endif
