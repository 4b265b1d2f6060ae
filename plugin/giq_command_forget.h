/*
 * The command that forgets records and results of the store (giq/forget.h).
 * Thread-safe.
 */
#ifndef GIQ_COMMAND_FORGET_H
#define GIQ_COMMAND_FORGET_H

#include <gdal.h>
#include <stdio.h>

#include "giq_command_args.h"
#include "giq_session.h"

/* Forget what the command names. The caller closes `*out`, a dataset with the layer
 * `forgotten`: key, job_id, state, outcome, bytes, later_open, reason. Errors: those of
 * giq_forget() and giq_forget_parse_age(). */
bool giq_command_forget(struct giq_session *session, const struct giq_command *command,
                        GDALDatasetH *out, struct giq_error *err);

/* Print the sum of the rows of that layer, and what later opens cost. */
void giq_command_forget_sum_up(FILE *out, OGRLayerH layer, bool is_dry_run);

#endif
