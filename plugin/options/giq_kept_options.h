/*
 * Options of one thread, kept for opens that belong to the same dataset but happen later
 * or in other threads: GDAL opens the sources of a VRT file when it reads them, and the
 * thread-local configuration may have ended by then. GDAL would leave out a source that
 * does not open, without an error.
 *
 * Only options that decide where a published result is and which drivers open it are
 * kept, never a secret. Thread-safe.
 */
#ifndef GIQ_KEPT_OPTIONS_H
#define GIQ_KEPT_OPTIONS_H

/* The most datasets whose options are kept; the oldest ones are dropped. */
enum { GIQ_KEPT_OPTIONS_MAX = 1000 };

enum { GIQ_KEPT_OPTIONS_COUNT = 4 };

/* What giq_kept_options_begin() changed. */
struct giq_kept_options {
    const char *set[GIQ_KEPT_OPTIONS_COUNT]; /* names of options; NULL: as it was */
};

/* Keep the options that are set in this thread's configuration under `name`; it replaces
 * what was kept under that name. */
void giq_kept_options_keep(const char *name);

/* Set the options that are kept under `name`, which may be NULL, in this thread's
 * configuration, but leave those that it has. giq_kept_options_end() in the same thread
 * unsets them. */
void giq_kept_options_begin(const char *name, struct giq_kept_options *out);
void giq_kept_options_end(const struct giq_kept_options *applied);

#endif
