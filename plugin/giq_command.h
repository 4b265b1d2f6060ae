/*
 * The commands `gdal driver giq ...`, as GDAL 3.11 and later call them
 * (giq_commands.cpp). They open the driver's own connection strings; what they add is
 * output: a table for people or JSON for scripts, and a copy of a result in another
 * format.
 *
 * Usage: fill a struct giq_command, giq_command_run(), free() the text.
 *
 * Errors are raised as CPL errors. Thread-safe.
 */
#ifndef GIQ_COMMAND_H
#define GIQ_COMMAND_H

#include "giq_command_args.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Run the command. On success the caller frees `*out_text`, what it prints on standard
 * output, with free(). False after an error. */
bool giq_command_run(const struct giq_command *command, char **out_text);

/* Ids of models, or of jobs, in the records of the store, for the completion of a word in
 * a shell: the service is not called. The caller frees the list with CSLDestroy(); it is
 * NULL if there are none. */
char **giq_command_complete_models(void);
char **giq_command_complete_jobs(void);

#ifdef __cplusplus
}
#endif

#endif
