/*
 * libarchive, loaded only when an archive is unpacked.
 *
 * GDAL loads the plugin at the start of every program that uses GDAL, so each linked
 * library slows down all of these programs: libarchive and its dependencies would take
 * two fifths of the time to load the plugin, and few results need them. The functions are
 * called through a table that has the types of libarchive's own headers.
 *
 * Usage: giq_libarchive_load(), the functions, giq_libarchive_release().
 */
#ifndef GIQ_LIBARCHIVE_H
#define GIQ_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "giq/giq.h"

#define GIQ_LIBARCHIVE_FUNCTIONS(X)                                                      \
    X(archive_entry_filetype)                                                            \
    X(archive_entry_hardlink)                                                            \
    X(archive_entry_is_encrypted)                                                        \
    X(archive_entry_pathname)                                                            \
    X(archive_entry_size)                                                                \
    X(archive_entry_size_is_set)                                                         \
    X(archive_entry_sparse_count)                                                        \
    X(archive_errno)                                                                     \
    X(archive_error_string)                                                              \
    X(archive_filter_bytes)                                                              \
    X(archive_read_data)                                                                 \
    X(archive_read_free)                                                                 \
    X(archive_read_header_position)                                                      \
    X(archive_read_new)                                                                  \
    X(archive_read_next_header)                                                          \
    X(archive_read_open)                                                                 \
    X(archive_read_open_filename)                                                        \
    X(archive_read_support_format_tar)                                                   \
    X(archive_read_support_format_zip_seekable)                                          \
    X(archive_set_error)

/* Each function is a member that has the function's name. */
struct giq_libarchive {
#define GIQ_LIBARCHIVE_MEMBER(name) __typeof__(name) *(name);
    GIQ_LIBARCHIVE_FUNCTIONS(GIQ_LIBARCHIVE_MEMBER)
#undef GIQ_LIBARCHIVE_MEMBER
    void *handle;
};

/*
 * Load libarchive. The caller passes `out` to giq_libarchive_release(). The library stays
 * loaded in the process after that, for the next archive.
 *
 * Errors: GIQ_E_RESULT (not installed, or too old), GIQ_E_STORE (too many open files),
 * GIQ_E_MEMORY; `out` is then empty. Thread-safe.
 */
bool giq_libarchive_load(struct giq_libarchive *out, struct giq_error *err);

/* Does nothing if `libarchive` is empty. */
void giq_libarchive_release(struct giq_libarchive *libarchive);

#endif
