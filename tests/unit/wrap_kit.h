/*
 * The calls of the service that a job makes, replaced by the linker (--wrap). A test
 * defines those below; wrap_kit.c has the one of the list of models, which decides
 * nothing.
 */
#ifndef GIQ_TESTS_WRAP_KIT_H
#define GIQ_TESTS_WRAP_KIT_H

#include "unit.h"

#include "job/giq_fetch.h"
#include "service/giq_api.h"
#include "service/giq_models.h"

UNIT_WRAPS(giq_api_run);
UNIT_WRAPS(giq_api_status);
UNIT_WRAPS(giq_fetch);
UNIT_WRAPS(giq_models_get);

#endif
