/*
 * The history of a model on a service: how long earlier jobs took, as a hint for the
 * pauses between status calls. It is in <store>/waiting/v1/<digest>.json; the digest is
 * that of the service's base URL and the id of the model.
 *
 * The file is derived from the records of jobs. It is written to a temporary file, which
 * is renamed, and without a lock: of two simultaneous writers one may lose the job that
 * it added. If the file is missing or damaged it is rebuilt, from as many records as
 * GIQ_HISTORY_REBUILD_MS allows, so that a large store delays no open. No function fails:
 * without a usable file the history is empty. Thread-safe.
 */
#ifndef GIQ_HISTORY_H
#define GIQ_HISTORY_H

#include "store/giq_record.h"
#include "store/giq_store.h"

enum {
    GIQ_HISTORY_FORMAT = 1,
    GIQ_HISTORY_JOBS_MAX = 64, /* in a history; a further one replaces the oldest */
    GIQ_HISTORY_BYTES_MAX = 64 * 1024, /* of the file */
    GIQ_HISTORY_NAME_MAX = 4096,       /* bytes of a base URL, and of the id of a model */
    GIQ_HISTORY_RECORDS_MAX = 500,     /* that a rebuild reads, in no particular order */
    GIQ_HISTORY_RECORDS_MIN = 32,      /* that it reads however long that takes */
    GIQ_HISTORY_REBUILD_MS = 15,       /* after which it reads no further records */
    GIQ_HISTORY_AREA_UNKNOWN = 0,
};

/* The longest duration that is recorded: a year. */
#define GIQ_HISTORY_DURATION_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

/* A job that succeeded. */
struct giq_history_job {
    int64_t finished_ms; /* since 1970-01-01 UTC */
    int64_t duration_ms; /* above 0 */
    int64_t area_m2;     /* GIQ_HISTORY_AREA_UNKNOWN: not known, or there was no area */
};

/* The jobs of one model on one service, the latest one last. */
struct giq_history {
    size_t count;
    struct giq_history_job job[GIQ_HISTORY_JOBS_MAX];
};

/* Read the history of a model, and rebuild the file if it is missing or damaged. */
void giq_history_read(const struct giq_store *store, const char *base_url,
                      const char *model_id, struct giq_history *out);

/* Add the job of a record that has a duration, unless the history has it. Must be called
 * after the record was written. Ignores a record without duration, service or model. */
void giq_history_add(const struct giq_store *store, const struct giq_record *record);

#endif
