/*
 * Forgetting: frees space in the store by removing results, or whole records.
 *
 * Without its result a record still has its job: the next open downloads the result
 * again, which costs nothing while the service keeps it. Without its record a request is
 * unknown to the store: the next open of it starts a new job, which is paid for.
 *
 * A record whose state is `sending`, `submitted`, `unknown` or `damaged` may have a job
 * that somebody paid for and that nothing else names, so neither its result nor the
 * record is removed unless forced. A record whose job has succeeded and whose result was
 * not downloaded, or that names further jobs, may lose a result, but is itself kept
 * unless forced. A record that an open is working on, or whose job has changed since the
 * records were listed, is always kept.
 *
 * Thread-safe.
 */
#ifndef GIQ_FORGET_API_H
#define GIQ_FORGET_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

enum giq_forget_flags {
    GIQ_FORGET_RESULTS_ONLY = 1, /* keep the records */
    GIQ_FORGET_FORCE = 2,        /* also records that are kept otherwise */
    GIQ_FORGET_DRY_RUN = 4,      /* only report; removes, writes and locks nothing */
};

enum giq_forget_outcome {
    GIQ_FORGET_RECORD,  /* the record was removed, with its result */
    GIQ_FORGET_RESULT,  /* the result was removed */
    GIQ_FORGET_NOTHING, /* there is no result to remove */
    GIQ_FORGET_KEPT,    /* the record was kept, and `reason` states why */
};

/* What became of one record. Texts are borrowed for the call. */
struct giq_forgotten {
    const char *key;
    const char *job_id;     /* NULL if it is not known */
    const char *state_name; /* as in struct giq_job_view, before it was forgotten */
    enum giq_forget_outcome outcome;
    int64_t bytes;      /* freed, or with GIQ_FORGET_DRY_RUN to be freed */
    const char *reason; /* why it was kept; otherwise NULL */
};

struct giq_forget_args {
    /* Keys of records, or ids of their jobs. Without any, the results of all jobs that
     * ended before `before_ms` are removed, and the records stay. */
    const char *const *names;
    size_t count;
    /* Only jobs that ended, or were submitted if they have no end, before this time;
     * GIQ_TIME_NONE: any. */
    int64_t before_ms;
    unsigned flags;
    /* Called for each record that is named, and without names for each one that has a
     * result that is old enough. */
    bool (*each)(void *ctx, const struct giq_forgotten *forgotten, struct giq_error *err);
    void *ctx;
};

/*
 * Forget records or results. Names and states are checked before anything is removed.
 *
 * Errors: GIQ_E_USAGE (neither names nor a time; a name that no record has, or that
 * several have; a named record that only GIQ_FORGET_FORCE forgets), GIQ_E_STORE (also if
 * a named record must be kept; those before it are forgotten), GIQ_E_MEMORY, and those of
 * `each`.
 */
bool giq_forget(const struct giq_store *store, const struct giq_forget_args *args,
                struct giq_error *err);

/* Parse an age: a whole number with the unit h (hours), d (days) or w (weeks), such as
 * "30d", at most 100 years. Errors: GIQ_E_USAGE. */
bool giq_forget_parse_age(const char *text, int64_t *out_ms, struct giq_error *err);

#ifdef __cplusplus
}
#endif

#endif
