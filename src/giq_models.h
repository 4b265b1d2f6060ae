/*
 * Choosing among the models of a service. giq_models_get() is in giq/giq.h.
 */
#ifndef GIQ_MODELS_H
#define GIQ_MODELS_H

#include "giq_error.h"

/*
 * Whether `model` may be asked for: true where the list names it, and where the
 * list decides nothing (empty, or one page of several). Otherwise GIQ_E_USAGE,
 * which offers the nearest with secrets masked.
 */
bool giq_models_check(const struct giq_service *service, const struct giq_models *models,
                      const char *model, struct giq_error *err);

#endif
