/*
 * Values that either a key of the connection string or an open option gives: the area,
 * and whether to wait.
 */
#ifndef GIQ_GIVEN_H
#define GIQ_GIVEN_H

#include "giq_session.h"

/* An area as it is given; `text` is borrowed, and NULL if there is none. */
struct giq_given_area {
    enum giq_area_kind kind;
    const char *text;
};

/* Find the one area that is given. `out->text` belongs to `conn` or `config`. Errors:
 * GIQ_E_USAGE if there are two. */
bool giq_given_find_area(const struct giq_conn *conn, const struct giq_config *config,
                         struct giq_given_area *out, struct giq_error *err);

/* Read the area, as giq_area_read() does, which has `flags` and the errors. `*out` is to
 * be freed with free(). From here on Ctrl-C is noted: it ends the reading, or the wait
 * that follows. For the thread of the session. */
bool giq_given_read_area(struct giq_session *session, const struct giq_given_area *area,
                         unsigned flags, char **out, struct giq_error *err);

/* Find whether the open waits for results, by the key `wait` or the open option WAIT.
 * `flags` are GDAL_OF_... of the open. Errors: GIQ_E_USAGE, also if the open does not
 * wait and only a raster was requested. */
bool giq_given_read_wait(const struct giq_conn *conn, const struct giq_config *config,
                         unsigned flags, bool *out, struct giq_error *err);

/* Fail with GIQ_E_USAGE because `key` is given in both ways. */
bool giq_given_fail_duplicate(const char *key, struct giq_error *err);

#endif
