/*
 * A command with its arguments, as giq_command.h runs it.
 */
#ifndef GIQ_COMMAND_ARGS_H
#define GIQ_COMMAND_ARGS_H

#include <cpl_progress.h>
#include <stdbool.h>

enum giq_command_kind {
    GIQ_COMMAND_MODELS,
    GIQ_COMMAND_FILES,
    GIQ_COMMAND_JOBS,
    GIQ_COMMAND_RUN,
    GIQ_COMMAND_FETCH,
    GIQ_COMMAND_BATCH,
    GIQ_COMMAND_FORGET,
};

/* A command with its arguments; lists are GDAL string lists, and what is not given is
 * NULL. All is borrowed. */
struct giq_command {
    enum giq_command_kind kind;
    char **keys;    /* KEY=VALUE: keys of the connection string */
    char **options; /* NAME=VALUE: open options */
    char **names;   /* jobs to fetch; keys or jobs to forget */
    bool is_json;
    bool is_dry_run;
    bool no_wait;
    const char *output; /* a copy of the result */
    const char *output_format;
    char **creation_options;
    bool overwrite;
    const char *older_than; /* forget: an age, as giq_forget_parse_age() parses it */
    bool results_only;      /* forget: as GIQ_FORGET_RESULTS_ONLY */
    bool force;             /* forget: as GIQ_FORGET_FORCE */
    GDALProgressFunc progress;
    void *progress_data;
};

#endif
