/*
 * Results must not make GDAL read other files or hosts: a result comes from outside,
 * and what it names could be any file of the user's.
 */
#ifndef GIQ_REACH_H
#define GIQ_REACH_H

#include <gdal.h>

#include "giq/giq.h"

/* Refuse a file, before any driver opens it, whose bytes name other files: HDF5 does
 * that in its structure, a MapInfo table in its text. Errors: GIQ_E_RESULT, GIQ_E_STORE,
 * GIQ_E_MEMORY. */
bool giq_reach_check_file(const char *path, struct giq_error *err);

/*
 * Refuse an open dataset that names an overview file, or, of the SQLite family, that
 * has a virtual table which is no index (rtree, fts). `path` is its file. Reads the
 * schema and metadata only. Errors: GIQ_E_RESULT. Starts PAM on a GTiff.
 */
bool giq_reach_check(GDALDatasetH dataset, const char *path, struct giq_error *err);

#endif
