/*
 * Following a job in a program: its steps, the pauses between them, and what ends the
 * wait early.
 */
#ifndef GIQ_FOLLOW_H
#define GIQ_FOLLOW_H

#include "giq_report.h"
#include "options/giq_config.h"

/* What one open has; all borrowed. */
struct giq_follow {
    struct giq_service *service;
    struct giq_job *job;
    const struct giq_config *config;
    struct giq_report *report; /* the environment of the service is made of it */
    bool waits;                /* until the result is published */
};

/* Step the job until it is done. Errors: those of giq_job_step(), GIQ_E_CANCELLED. */
bool giq_follow_job(const struct giq_follow *follow, struct giq_error *err);

/* The list of models, as giq_models_get(). Errors: its own, GIQ_E_CANCELLED. */
bool giq_follow_models(struct giq_service *service, const char *base_url,
                       struct giq_report *report, struct giq_models *out,
                       struct giq_error *err);

#endif
