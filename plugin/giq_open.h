/*
 * The driver in C, as the C++ registration (giq_driver.cpp) calls it.
 *
 * Thread-safe. Between opens the process keeps only the negative cache, the names of the
 * options that threads have set (giq_thread_options.h), the SIGINT handlers of the
 * program (giq_interrupt.h), the last name that was opened for update (giq_probe.h), and
 * of batches: options and results for the opens of their sources (giq_kept_options.h,
 * giq_batch_sources.h), which of them had a source that failed to open
 * (giq_batch_failing.h), and VRT files in memory (giq_batch_vrt.h).
 */
#ifndef GIQ_OPEN_H
#define GIQ_OPEN_H

#include <gdal.h>
#include <stdbool.h>

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The arguments of an open; borrowed. */
struct giq_open_info {
    const char *name;
    unsigned flags; /* GDAL_OF_... */
    bool is_update;
    char **options;            /* open options, a GDAL string list, or NULL */
    GDALProgressFunc progress; /* of a program that runs a command, or NULL */
    void *progress_data;
    enum giq_code *code; /* set to the code of the error; or NULL */
};

/* Whether the name is a connection string of this driver; see giq_conn_identify(). */
bool giq_open_identify(const char *name);

/* Open a dataset, which the caller owns. NULL after one CPL error; for update access NULL
 * without an error, unless GDAL_OF_VERBOSE_ERROR is set. */
GDALDatasetH giq_open_dataset(const struct giq_open_info *info);

/* Set the name and the metadata of the driver, and declare its configuration options. */
void giq_open_describe(GDALDriverH driver);

/* Raise the error of a function that would write; `what` completes "cannot be". Returns
 * CE_Failure. */
CPLErr giq_open_refuse(const char *what);

#ifdef __cplusplus
}
#endif

#endif
