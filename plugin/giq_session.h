/*
 * Session: what all requests of one open share, that is options, credentials, the
 * service, the store, and how errors, warnings and progress reach the user.
 *
 * Usage: start from `{0}`, giq_host_progress_init() of its report if the program has a
 * callback, giq_session_open(), any number of requests (giq_job_request_new()),
 * giq_session_close() on every path.
 *
 * A session must not be moved once it is open, and is for one thread.
 */
#ifndef GIQ_SESSION_H
#define GIQ_SESSION_H

#include "giq_report.h"
#include "options/giq_config.h"

struct giq_session {
    struct giq_config config;
    struct giq_report report;
    struct giq_env env;          /* reports through `report` */
    struct giq_service *service; /* its time limit starts when the session is opened */
    struct giq_store *store;     /* NULL before giq_session_open_store() */
};

/* Read the options (`open_options` is a GDAL string list or NULL) and make the service.
 * Sends nothing. Errors: those of giq_config_read(), GIQ_E_MEMORY. */
bool giq_session_open(struct giq_session *session, char **open_options,
                      struct giq_error *err);

/* Open the store that the options name, unless it is open. giq_job_request_new() calls
 * it. Errors: those of giq_config_find_store() and giq_store_open(). */
bool giq_session_open_store(struct giq_session *session, struct giq_error *err);

/* Raise `err` as the one CPL error of the open. If credentials are missing, the message
 * states why. Also for a session that failed to open. */
void giq_session_report_error(struct giq_session *session, const struct giq_error *err);

/* Write the end of the open to the progress file, if there is one; `err` is {0} if the
 * open succeeded. Must be called before giq_session_report_error(). Also for a session
 * that failed to open. */
void giq_session_end(struct giq_session *session, const struct giq_error *err);

/* End the wait for Ctrl-C, if it has begun, and release what the session holds; also
 * after a failed giq_session_open(). */
void giq_session_close(struct giq_session *session);

#endif
