/*
 * The period of a search for files, as the user gives it. Pure.
 */
#ifndef GIQ_PERIOD_H
#define GIQ_PERIOD_H

#include "base/giq_error.h"

/* Both ends belong to the period. Milliseconds since 1970-01-01 UTC, or GIQ_TIME_NONE for
 * an open end. */
struct giq_period {
    int64_t from_ms;
    int64_t to_ms;
};

/*
 * Parse an instant ("2024-05-01T10:20:30Z"; without a zone it is UTC), a day
 * ("2024-05-01"), or two of them with a '/' between, where ".." is an open end. A day
 * stands for its first moment at the start of a period, and for its last millisecond at
 * the end. Errors: GIQ_E_USAGE, also if the end is before the start.
 */
bool giq_period_parse(const char *text, struct giq_period *out, struct giq_error *err);

/* Room for a period as the service takes it. */
struct giq_period_text {
    char text[2 * GIQ_TEXT_TIME_SIZE];
};

/* Print a period as the service takes it, "2024-05-01T00:00:00Z/..". Returns `out->text`,
 * or NULL if both ends are open. */
const char *giq_period_print(const struct giq_period *period,
                             struct giq_period_text *out);

#endif
