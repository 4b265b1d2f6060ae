/*
 * Results: which GDAL driver may read one, the members of an unpacked archive,
 * and handing the dataset over. A result comes from outside: it is opened only
 * by drivers of the configured list.
 */
#ifndef GIQ_RESULT_H
#define GIQ_RESULT_H

#include <gdal.h>

#include "giq/giq.h"

struct giq_result {
    const char *path;        /* a file, or the folder of an unpacked archive */
    const char *job_id;      /* for messages */
    bool is_new;             /* not published yet: the core names the job */
    const char *member;      /* which one to open, or NULL */
    const char *shared_name; /* the connection string */
    char **drivers;          /* a GDAL string list */
    char **options;          /* the same, or NULL: open options of the driver */
    unsigned flags;          /* GDAL_OF_... as the caller asked */
};

/* Whether what lies at `path` may be published: all of it stays within itself
 * (giq_references.h), and an allowed driver opens some of it, as whatever kind, or a
 * driver is known that would: the result was paid for, and another list of drivers, other
 * options or another GDAL may open it later. Errors: GIQ_E_RESULT, GIQ_E_STORE,
 * GIQ_E_MEMORY. */
bool giq_result_check(const struct giq_result *result, struct giq_error *err);

/*
 * Open the result as the kind that is asked for. The caller owns `*out`, a dataset
 * of the driver that reads it; its description is the path of its file, but for
 * GDAL_OF_SHARED. Errors: GIQ_E_RESULT (other kind, no driver, names other files),
 * GIQ_E_USAGE (a member that is not there, or several and none named; both list them),
 * GIQ_E_MEMORY.
 */
bool giq_result_open(const struct giq_result *result, GDALDatasetH *out,
                     struct giq_error *err);

#endif
