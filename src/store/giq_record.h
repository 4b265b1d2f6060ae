/*
 * The record of a request, in the folder of its key: request.json is the canonical
 * request, job.json the state of its job.
 *
 * A state is recorded before the step that it announces, so that after a crash the record
 * never states less than what was done:
 *
 *   intent     about to submit; nothing was sent
 *   sending    the run request was about to be sent; it may have arrived
 *   submitted  the service returned the id of the job
 *   succeeded  the job succeeded; its result is not fetched yet
 *   published  the result is in result.<token>/ (result/ in version 0.1)
 *   failed     the service reported that the job failed
 *   unknown    the run request was sent; its outcome is not known
 *
 * Tickets (giq_ticket) decide who sends a run request, and have its outcome; job.json
 * sums up, and states in `attempt` which ticket it is about. It may be older than the
 * tickets, or be missing: giq_record_read() merges both.
 *
 * Both files have a format number. Older formats are read, a newer one is an error;
 * members that this version does not know survive a rewrite. Reading takes no lock.
 * Before a write, the record is read again, with the record lock held if there are locks.
 * `access` is bits of enum giq_os_access for the files. Errors are GIQ_E_STORE and
 * GIQ_E_MEMORY.
 *
 * A further job is one that RETRY or adoption records for a request that had a job. While
 * its state is `sending` (or `intent`, in version 0.1), job.json keeps the earlier record
 * as the member "before".
 */
#ifndef GIQ_RECORD_H
#define GIQ_RECORD_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "base/giq_os.h"
#include "store/giq_claim.h"

/* Of job.json. Version 0.1 wrote 1, without tickets; it refuses a newer format. */
enum { GIQ_RECORD_FORMAT = 2 };

/* `error` of the state `unknown` if the sender recorded no outcome. */
#define GIQ_RECORD_NO_OUTCOME "its outcome was not recorded"

/* Whether the process that sends a run request is alive. */
enum giq_sender {
    GIQ_SENDER_NONE,  /* no ticket lacks its outcome; version 0.1 had no tickets */
    GIQ_SENDER_ALIVE, /* the state is `sending` */
    GIQ_SENDER_DEAD,  /* the state is `unknown`, which is not recorded */
};

/* All texts are owned, and NULL if absent. Times are milliseconds since 1970-01-01 UTC,
 * or GIQ_TIME_NONE. */
struct giq_record {
    enum giq_job_state state; /* GIQ_JOB_NONE: there is no record */
    char *job_id;
    char *model_id;
    char *file_id; /* of the file that was uploaded for it */
    char *upload;  /* the path of that file, as it may be printed */
    char *type;
    char *status;       /* as the service last reported it */
    char *error;        /* why it failed, or is unknown */
    char *geometry_crs; /* of the request's area; NULL: EPSG:4326 */
    bool gone; /* the service does not know the job, or no longer has its result */
    int64_t started_ms;
    int64_t submitted_ms;
    int64_t finished_ms;
    char *result_folder;   /* "result.<token>"; NULL: "result", as in version 0.1 */
    char *result_name;     /* of the file in it; NULL if the result is the folder */
    int64_t result_size;   /* bytes as downloaded; -1 if there is no result */
    int result_generation; /* of its claim (giq_claim); 0: it has none */
    bool is_claimed; /* published by that claim, which job.json did not state when read */
    /* For the pauses of later jobs (giq_history); 0 or NULL unless this job succeeded and
     * its duration was measured. */
    int64_t duration_ms;
    int64_t area_m2;
    char *base_url; /* of the service */
    /* The ticket that the record is about; 0: none. */
    int attempt;
    char token[GIQ_OS_TOKEN_SIZE]; /* of who wrote an `intent`; "" if not known */
    /* What the tickets of the folder state; set by reading only. */
    enum giq_sender sender;
    int newest;       /* highest number; 0: there is no ticket */
    int throttled;    /* run requests that the service throttled */
    bool is_paused;   /* the newest run request was throttled: the next one must wait */
    char *other_jobs; /* ids of further jobs that were started for the request, separated
                         by ", "; NULL: none */
    struct giq_json *document; /* as read, for members that are unknown here */
};

void giq_record_init(struct giq_record *record);
void giq_record_release(struct giq_record *record);

extern const char giq_record_name[]; /* of the file: job.json */

/* The name of a state in job.json; static, never NULL. */
const char *giq_record_state_name(enum giq_job_state state);

/* Read job.json as it is into an initialised record; without it the record stays empty.
 * If it is the intent of a further job, which was abandoned, the earlier record is read
 * instead. With `is_brief` the summary of the result is left out. On failure
 * `*out_damaged` is whether the content is damaged. */
bool giq_record_load(const char *folder, bool is_brief, struct giq_record *record,
                     bool *out_damaged, struct giq_error *err);

/* Use the earlier record of a further job in place of this one; without it the record
 * becomes empty. Errors also: GIQ_E_STORE if the earlier record was damaged. */
bool giq_record_use_earlier(struct giq_record *record, const char *folder,
                            struct giq_error *err);

/* Check that request.json has exactly the bytes of `request`, and at most a line feed
 * after them. If two requests ever had the same key, the second one fails here: it must
 * not get the result of the first. */
bool giq_record_check_request(const char *folder, const char *request,
                              struct giq_error *err);

/* Read the canonical request in `folder`; the caller frees `*out` with giq_json_free().
 * It is NULL if there is none. */
bool giq_record_read_request(const char *folder, struct giq_json **out,
                             struct giq_error *err);

/* Write request.json if it is missing, durably; otherwise check that it has this
 * `request`. */
bool giq_record_write_request(const char *folder, unsigned access, const char *request,
                              struct giq_error *err);

/* Create job.json unless it exists, which is not an error. The folder is not synced:
 * taking a ticket syncs it before anything is sent. */
bool giq_record_create(const char *folder, unsigned access,
                       const struct giq_record *record, struct giq_error *err);

/* Write job.json; durable when the call returns. */
bool giq_record_write(const char *folder, unsigned access,
                      const struct giq_record *record, struct giq_error *err);

/* The same, but the folder is not synced: after a crash the earlier record may be back.
 * For a record that a durable ticket states too. */
bool giq_record_put(const char *folder, unsigned access, const struct giq_record *record,
                    struct giq_error *err);

/* Fill the view of a record and its request (from giq_record_read_request(), or NULL),
 * except its key and the path of the result. Texts are borrowed from both. */
void giq_record_view(const struct giq_record *record, const struct giq_json *request,
                     struct giq_job_view *out);

/* ---- results ---- */

/* Whether the claim is of the record's job, and newer than the result in the record. */
bool giq_record_is_older(const struct giq_record *record, const struct giq_claim *claim);

/* Let the record state that the result of this claim is published, in memory. */
bool giq_record_use_claim(struct giq_record *record, const struct giq_claim *claim,
                          struct giq_error *err);

/* Set the summary of the record's result (giq_summary), in memory; `json` NULL removes
 * it. To be called once the record has the id of its job and the size of its result.
 * Errors: GIQ_E_MEMORY. */
bool giq_record_set_summary(struct giq_record *record, const struct giq_json *json,
                            struct giq_error *err);

/* ---- a further job for a request ---- */

/* Whether a job was, or may have been, started under this label. */
bool giq_record_has_label(const struct giq_record *record, const char *label);

/* Add a label, which is UTF-8, to the labels of giq_record_has_label(), in memory.
 * Errors: GIQ_E_MEMORY. */
bool giq_record_use_label(struct giq_record *record, const char *label,
                          struct giq_error *err);

/* Whether the job is recorded as replaced by a further one. */
bool giq_record_is_earlier(const struct giq_record *record, const char *job_id);
/* Record the job as replaced, in memory. Errors: GIQ_E_MEMORY. */
bool giq_record_add_earlier(struct giq_record *record, const char *job_id,
                            struct giq_error *err);

/* Reset the record, which was read from disk, for a further job, in memory. Its document
 * keeps the earlier record as the member "before". Errors: GIQ_E_MEMORY. */
bool giq_record_restart(struct giq_record *record, struct giq_error *err);

/* As giq_record_restart(), for a damaged record: its files are kept with the extension
 * ".damaged", and request.json becomes `request`. `*record` is an initialised record.
 * Only the owner of the newest ticket, or an open that adopts a job, may call it. */
bool giq_record_quarantine(const char *folder, unsigned access, const char *request,
                           struct giq_record *record, struct giq_error *err);

/*
 * Undo what this caller recorded for a run request that started no job: restore the
 * earlier record or, if there is none, remove the record, durably. With `keeps_intent`
 * the record becomes an intent with `token` instead of being removed. Does nothing unless
 * the record on disk is the caller's: it states `sending` for the ticket `attempt` (0:
 * none was taken), or is an `intent` with the caller's `token`.
 */
bool giq_record_undo(const char *folder, unsigned access, int attempt, const char *token,
                     bool keeps_intent, struct giq_error *err);

#endif
