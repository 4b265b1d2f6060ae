/*
 * Waiting in a program: for the job of a request, and for the list of models. Runs the
 * steps of the job and the pauses between them; Ctrl-C ends the wait, and the negative
 * cache shortens it.
 */
#ifndef GIQ_AWAIT_H
#define GIQ_AWAIT_H

#include "giq_report.h"
#include "options/giq_config.h"

/* What waits for what; all borrowed. */
struct giq_await {
    struct giq_service *service;
    struct giq_job *job;
    const struct giq_config *config;
    struct giq_report *report; /* the environment of the service is made of it */
    bool waits;                /* until the result is published, else one check */
};

/* Run the steps of the job until it is done. Errors: those of giq_job_step(),
 * GIQ_E_CANCELLED. */
bool giq_await_job(const struct giq_await *await, struct giq_error *err);

/* Get the list of models, as giq_models_get(). Errors: its own, GIQ_E_CANCELLED. */
bool giq_await_models(struct giq_service *service, const char *base_url,
                      struct giq_report *report, struct giq_models *out,
                      struct giq_error *err);

#endif
