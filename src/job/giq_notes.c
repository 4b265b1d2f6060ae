/* Warnings and log of the threads of a batch. */
#include "job/giq_notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_env.h"

bool giq_notes_init(struct giq_notes *notes)
{
    *notes = (struct giq_notes){.pending_count = 0};
    return giq_thread_lock_init(&notes->lock);
}

void giq_notes_release(struct giq_notes *notes)
{
    for (size_t i = 0; i < notes->pending_count; i++) {
        free(notes->pending[i].text);
    }
    for (size_t i = 0; i < notes->warning_count; i++) {
        free(notes->warnings[i]);
    }
    giq_thread_lock_release(&notes->lock);
}

/* Must be called with the lock held, as must the two functions below. Lines for the log
 * leave room for all warnings. */
static bool add(struct giq_notes *notes, const char *text, bool is_warning)
{
    size_t max =
        GIQ_NOTES_PENDING_MAX - (is_warning ? 0 : (size_t)GIQ_NOTES_WARNINGS_MAX);
    char *copy = notes->pending_count < max ? strdup(text) : NULL;
    if (copy == NULL) {
        return false;
    }
    notes->pending[notes->pending_count++] = (struct giq_note){copy, is_warning};
    return true;
}

static bool has_warned(const struct giq_notes *notes, const char *text)
{
    for (size_t i = 0; i < notes->warning_count; i++) {
        if (strcmp(notes->warnings[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static void add_warning(struct giq_notes *notes, const char *text)
{
    if (has_warned(notes, text)) {
        return;
    }
    char *copy = notes->warning_count < GIQ_NOTES_WARNINGS_MAX ? strdup(text) : NULL;
    if (copy == NULL || !add(notes, text, true)) {
        free(copy);
        notes->further_warnings++;
        return;
    }
    notes->warnings[notes->warning_count++] = copy;
}

void giq_notes_warn(struct giq_notes *notes, const char *text)
{
    giq_thread_lock(&notes->lock);
    add_warning(notes, text);
    giq_thread_unlock(&notes->lock);
}

void giq_notes_debug(struct giq_notes *notes, const char *text)
{
    giq_thread_lock(&notes->lock);
    (void)add(notes, text, false);
    giq_thread_unlock(&notes->lock);
}

/* Move the pending notes to `out`, which has room for them, and return their number. */
static size_t take_pending(struct giq_notes *notes, struct giq_note *out)
{
    giq_thread_lock(&notes->lock);
    size_t count = notes->pending_count;
    (void)memcpy(out, notes->pending, count * sizeof *out);
    notes->pending_count = 0;
    giq_thread_unlock(&notes->lock);
    return count;
}

void giq_notes_deliver(struct giq_notes *notes, const struct giq_env *env)
{
    struct giq_note pending[GIQ_NOTES_PENDING_MAX];
    size_t count = take_pending(notes, pending);
    for (size_t i = 0; i < count; i++) {
        if (pending[i].is_warning) {
            env->warn(env->ctx, pending[i].text);
        } else {
            env->debug(env->ctx, pending[i].text);
        }
        free(pending[i].text);
    }
}

void giq_notes_end(struct giq_notes *notes, const struct giq_env *env)
{
    giq_notes_deliver(notes, env);
    if (notes->further_warnings > 0) {
        giq_env_warn(env, "%zu more warnings of this batch are not shown",
                     notes->further_warnings);
    }
}
