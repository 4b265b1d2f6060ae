/*
 * Copies a result to a file in a format of the user's choice, for the commands.
 * Thread-safe.
 */
#ifndef GIQ_COMMAND_COPY_H
#define GIQ_COMMAND_COPY_H

#include <gdal.h>

#include "giq/giq.h"
#include "giq_command_args.h"

/* Check that the command can write its output, before a job is paid for; without an
 * output there is nothing to check. Errors: GIQ_E_USAGE. */
bool giq_command_copy_check(const struct giq_command *command, struct giq_error *err);

/* Copy the dataset to the command's output. The progress of the copy runs from `share` to
 * 1. The output of a failed copy is removed. Errors: GIQ_E_USAGE (the result is an
 * archive of several members, or the output cannot hold a raster or a vector),
 * GIQ_E_CANCELLED; GIQ_E_RESULT after an error of GDAL. */
bool giq_command_copy(GDALDatasetH dataset, const struct giq_command *command,
                      double share, struct giq_error *err);

#endif
