/*
 * Warnings and lines for the log from the threads of a batch, kept until the caller's
 * thread delivers them to the host, in their order.
 *
 * Equal warnings are delivered once. Of different ones, GIQ_NOTES_WARNINGS_MAX are
 * delivered; giq_notes_end() adds how many more there were. Lines for the log that come
 * faster than they are delivered are dropped, and so is any note when out of memory.
 *
 * Thread-safe, except init and release.
 */
#ifndef GIQ_NOTES_H
#define GIQ_NOTES_H

#include <stddef.h>

#include "base/giq_thread.h"
#include "giq/giq.h"

enum { GIQ_NOTES_WARNINGS_MAX = 50, GIQ_NOTES_PENDING_MAX = 500 };

struct giq_notes {
    struct giq_thread_lock lock;
    struct giq_note {
        char *text;
        bool is_warning;
    } pending[GIQ_NOTES_PENDING_MAX];
    size_t pending_count;
    char *warnings[GIQ_NOTES_WARNINGS_MAX]; /* all that were added */
    size_t warning_count;
    size_t further_warnings;
};

bool giq_notes_init(struct giq_notes *notes);
void giq_notes_release(struct giq_notes *notes);

void giq_notes_warn(struct giq_notes *notes, const char *text);
void giq_notes_debug(struct giq_notes *notes, const char *text);

/* Pass the pending notes to the functions of `env`. */
void giq_notes_deliver(struct giq_notes *notes, const struct giq_env *env);

/* Deliver the last notes, and warn how many warnings were not delivered. */
void giq_notes_end(struct giq_notes *notes, const struct giq_env *env);

#endif
