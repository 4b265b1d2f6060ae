/*
 * A result on disk, and what the modules that check it (giq_result_check.h) and open it
 * (giq_result_open.h) share. Thread-safe.
 */
#ifndef GIQ_RESULT_H
#define GIQ_RESULT_H

#include <gdal.h>

#include "giq/giq.h"

/* Everything is borrowed. */
struct giq_result {
    const char *path;   /* a file, or the folder of an unpacked archive */
    const char *job_id; /* for messages */
    bool is_new;        /* not published yet; the core then adds the job id to messages */
    const char *proof;  /* that a published file was checked for external references
                         * (giq_result_proof.h), or NULL */
    const char *member; /* the member to open, or NULL */
    const char *shared_name; /* the connection string: it names a shared dataset */
    char **drivers;          /* those that may open results: a GDAL string list */
    char **options; /* RESULT_OPTIONS for the driver: a GDAL string list, or NULL */
    unsigned flags; /* GDAL_OF_... of the caller's open */
};

/* The dataset kinds that the caller requested, GDAL_OF_RASTER, GDAL_OF_VECTOR or both;
 * both if it named none. */
unsigned giq_result_kinds(const struct giq_result *result);

/* Write how messages name the result into `out`; returns it. */
enum { GIQ_RESULT_DESCRIPTION_SIZE = 256 };
const char *giq_result_describe(const struct giq_result *result,
                                char out[GIQ_RESULT_DESCRIPTION_SIZE]);

/* Whether `path` is a folder, that is an unpacked archive. */
bool giq_result_is_folder(const char *path);

/* The files of an unpacked archive that may be datasets: regular files that are neither
 * sidecars (giq_sidecar_is_sidecar()) nor parts of a Shapefile beside its .shp. A GDAL
 * string list of paths relative to `folder`; the caller frees it. */
char **giq_result_files(const char *folder);

/* The index of the member with this name in a GDAL string list, or else of the first
 * whose name differs only in ASCII case or Unicode normalisation; -1 if there is none. */
int giq_result_find_member(char **names, const char *member);

/* Whether the members of a GDAL string list are Shapefiles of one folder, which GDAL
 * opens as one dataset. */
bool giq_result_are_shapefiles(char **names);

/* Fail with GIQ_E_USAGE because result->member is not a member of the result, or, if it
 * is NULL, because the result has several members. The message lists `names`, a GDAL
 * string list. */
bool giq_result_fail_member(const struct giq_result *result, char **names,
                            struct giq_error *err);

#endif
