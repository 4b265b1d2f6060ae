/*
 * Files that only one of several callers creates, among threads, processes and machines:
 * by link(2) from a synced temporary file, or by O_EXCL where there are no links. No lock
 * decides.
 *
 * Usage: initialise the first members up to `is_whole`, call giq_exclusive_create() for
 * one name, or for one name after the other until it creates one, and
 * giq_exclusive_release().
 *
 * A file is complete when it appears, except where there are no links: there it may be
 * empty for a moment, or for good after a crash. With `is_whole` it is complete there
 * too, but may replace one that another caller creates at the same time. Errors are
 * GIQ_E_STORE and GIQ_E_MEMORY.
 */
#ifndef GIQ_EXCLUSIVE_H
#define GIQ_EXCLUSIVE_H

#include <stddef.h>

#include "base/giq_error.h"

struct giq_exclusive {
    const char *folder; /* borrowed, as is `bytes` */
    unsigned access;    /* as giq_os_create_new() */
    const char *bytes;  /* of the file */
    size_t len;
    bool is_whole;     /* the file must never be seen empty */
    char *temporary;   /* path of the temporary file; NULL before it is created */
    bool has_no_links; /* link(2) is unsupported; set by giq_exclusive_create() */
};

/*
 * Create the file `name` in the folder, synced as giq_os_create_new(); the folder is not.
 * `*out_created` is false, and the call succeeds, if a file of that name exists. If the
 * call fails, an empty file may exist.
 */
bool giq_exclusive_create(struct giq_exclusive *file, const char *name, bool *out_created,
                          struct giq_error *err);

/* Remove the temporary file. */
void giq_exclusive_release(struct giq_exclusive *file);

/* The number in the name of such a file, `prefix` and 1 to GIQ_EXCLUSIVE_NUMBER_MAX; 0 if
 * it has another name. */
enum { GIQ_EXCLUSIVE_NUMBER_MAX = 9999999 };
int giq_exclusive_number(const char *name, const char *prefix);

#endif
