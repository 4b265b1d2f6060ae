/*
 * What the user hears: one CPL error for each open that fails, warnings and debug
 * lines, none of which holds a secret.
 */
#ifndef GIQ_REPORT_H
#define GIQ_REPORT_H

#include "giq/giq.h"
#include "giq_interrupt.h"
#include "giq_progress.h"

/* What the messages of one open need; lives as long as the environment made of
 * it. */
struct giq_report {
    const struct giq_cred *cred; /* whose secrets are masked, or NULL */
    struct giq_progress progress;
    struct giq_interrupt interrupt; /* of the wait under way */
};

/* The environment that reports through `report`. */
struct giq_env giq_report_env(struct giq_report *report);

/* Raise the error as a CPL error: "GIQ[tag] text". */
void giq_report_error(struct giq_report *report, const struct giq_error *err);

#endif
