/*
 * The check of the limit of a search for files. giq_files_search() is in giq/giq.h. Pure.
 */
#ifndef GIQ_FILES_H
#define GIQ_FILES_H

#include "base/giq_error.h"

/* Parse the most files that a search returns, 1 to GIQ_FILES_MAX. Errors: GIQ_E_USAGE. */
bool giq_files_parse_limit(const char *text, int *out, struct giq_error *err);

#endif
