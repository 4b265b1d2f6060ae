/*
 * A file to upload, read through GDAL's virtual file systems (/vsizip/ and others). An
 * object is for one thread at a time.
 */
#ifndef GIQ_UPLOAD_FILE_H
#define GIQ_UPLOAD_FILE_H

#include "giq/giq.h"

struct giq_upload_file;

/* Check the file at the path `typed`, which is copied, without opening it. On success the
 * caller passes `*out` to giq_upload_file_free(). Errors: GIQ_E_USAGE if the file cannot
 * be found, is not a regular file, or is one of several files of a dataset. */
bool giq_upload_file_new(const char *typed, struct giq_upload_file **out,
                         struct giq_error *err);
void giq_upload_file_free(struct giq_upload_file *file); /* NULL is allowed */

/* Another object for the same file, so that two threads can read it at a time. It borrows
 * the paths of `file`, which must outlive it. The caller passes it to
 * giq_upload_file_free(). */
struct giq_upload_file *giq_upload_file_clone(const struct giq_upload_file *file);

/* The interface by which the core reads the file; borrowed, and valid until
 * giq_upload_file_free(). */
const struct giq_source *giq_upload_file_source(const struct giq_upload_file *file);

#endif
