/*
 * A file to upload, read through GDAL's virtual file systems, so that /vsizip/ and its
 * like work too.
 */
#ifndef GIQ_UPLOAD_FILE_H
#define GIQ_UPLOAD_FILE_H

#include "giq/giq.h"

struct giq_upload_file;

/*
 * A file as the user names it. Opens nothing yet. Errors: GIQ_E_USAGE where it is not
 * there, is no plain file, or is one of several that make a dataset; the last says to
 * zip them.
 */
bool giq_upload_file_new(const char *typed, struct giq_upload_file **out,
                         struct giq_error *err);
void giq_upload_file_free(struct giq_upload_file *file); /* NULL is allowed */

/* What the core reads it by; borrowed, lives as long as the file. */
const struct giq_source *giq_upload_file_source(const struct giq_upload_file *file);

#endif
