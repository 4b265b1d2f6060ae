/*
 * The rows of a batch that are not valid or have failed: counts them, keeps the reasons
 * of the first ones, and words the one error or warning of the open.
 *
 * Start from `{0}`. For one thread at a time.
 */
#ifndef GIQ_BATCH_FAILURES_H
#define GIQ_BATCH_FAILURES_H

#include "giq/giq.h"

enum {
    GIQ_BATCH_FAILURES_SHOWN = 5,   /* rows that a message shows */
    GIQ_BATCH_FAILURES_SIZE = 1100, /* room for them: ids and reasons are cut */
};

struct giq_batch_failures {
    size_t count;
    size_t by_code[GIQ_CODE_COUNT]; /* indexed by enum giq_code */
    char shown[GIQ_BATCH_FAILURES_SIZE];
};

/* Add the row with this id; `code` and `text` are of its error. */
void giq_batch_failures_add(struct giq_batch_failures *failures, const char *id,
                            enum giq_code code, const char *text);

/* Fail with GIQ_E_BATCH because rows are not valid; `rows` is the number of all. */
bool giq_batch_failures_invalid(const struct giq_batch_failures *failures, size_t rows,
                                struct giq_error *err);

/* How a run ended. */
struct giq_batch_end {
    size_t rows;    /* all of them */
    size_t pending; /* that were not begun */
    /* Why no further rows were begun: borrowed, or NULL. */
    const struct giq_error *stop;
    bool may_skip; /* ON_FAILED=SKIP would read the others */
};

/* Fail because rows have failed or were not begun: with GIQ_E_TIMEOUT or
 * GIQ_E_CREDENTIALS if that is why, else with GIQ_E_BATCH. */
bool giq_batch_failures_fail(const struct giq_batch_failures *failures,
                             const struct giq_batch_end *end, struct giq_error *err);

/* The text of the warning that the rows which failed are left out, or, for a table of
 * jobs, that they are in it. */
enum { GIQ_BATCH_WARNING_SIZE = GIQ_ERROR_TEXT_SIZE };
void giq_batch_failures_warning(const struct giq_batch_failures *failures,
                                const struct giq_batch_end *end, bool is_table,
                                char out[GIQ_BATCH_WARNING_SIZE]);

#endif
