#include "wrap_kit.h"

bool __wrap_giq_models_get(struct giq_service *service, struct giq_models *out,
                           struct giq_error *err)
{
    (void)service;
    (void)out;
    return giq_fail(err, GIQ_E_SERVICE, "no list");
}
