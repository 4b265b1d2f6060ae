/*
 * Messages to the user: one CPL error for each open that fails, warnings and debug
 * lines. Secrets are masked in all of them.
 */
#ifndef GIQ_REPORT_H
#define GIQ_REPORT_H

#include <stdatomic.h>

#include "giq/giq.h"
#include "giq_activity.h"
#include "giq_host_progress.h"
#include "giq_interrupt.h"
#include "giq_progress.h"

/* The messages of one open; for one thread. Must not be moved, and must outlive the
 * environments that giq_report_env() makes. */
struct giq_report {
    const struct giq_cred *cred; /* whose secrets are masked, or NULL */
    struct giq_progress progress;
    struct giq_activity_log activity;
    struct giq_interrupt interrupt; /* of the current wait */
    struct giq_host_progress host;  /* of the program that runs a command */
    const char *cancel_file;        /* borrowed, or NULL */
    atomic_bool found_cancel_file;
};

/* An environment with the system's clock that reports through `report`, which is
 * borrowed. Its cancelled() may be called in any thread. */
struct giq_env giq_report_env(struct giq_report *report);

/* Who has cancelled the open, as a message names it ("Ctrl-C"); NULL: nobody. Asks the
 * program's callback too. It may be called in any thread. */
const char *giq_report_canceller(struct giq_report *report);

/* Raise the error as a CPL error: "GIQ[tag] text", with the whole text. */
void giq_report_error(struct giq_report *report, const struct giq_error *err);

#endif
