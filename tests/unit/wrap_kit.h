/*
 * The calls of the service that a job makes, replaced by the linker (--wrap). A test
 * defines those below; wrap_kit.c has the one of the list of models, which decides
 * nothing.
 */
#ifndef GIQ_TESTS_WRAP_KIT_H
#define GIQ_TESTS_WRAP_KIT_H

#include "job/giq_fetch.h"
#include "service/giq_api.h"

enum giq_api_run_outcome __wrap_giq_api_run(struct giq_service *service,
                                            const struct giq_request *request,
                                            const struct giq_api_run_hooks *hooks,
                                            struct giq_api_job *job, int64_t *later_ms,
                                            struct giq_error *err);
enum giq_api_status_outcome
__wrap_giq_api_status(struct giq_service *service, const char *job_id,
                      struct giq_api_job *job, int64_t *later_ms, struct giq_error *err);
bool __wrap_giq_fetch(struct giq_service *service, const struct giq_store *store,
                      const char *folder, const char *job_id,
                      const struct giq_job_host *host, struct giq_claim *out,
                      struct giq_error *err);

#endif
