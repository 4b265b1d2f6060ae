/*
 * The record of a request: request.json, what was asked for, and job.json, what
 * became of it, in the folder of its key.
 *
 * A record is written before the step that it announces, so that after a crash
 * it tells the most that can have happened:
 *
 *   intent     about to submit; nothing was sent
 *   sending    the request was about to go out; it may have arrived
 *   submitted  the service told the job's id
 *   succeeded  the job is done, its result is still to be fetched
 *   published  the result lies in result/
 *   failed     the service said so
 *   unknown    sent, and what came of it cannot be known
 *
 * Both files carry a format number. Older formats are read, a newer one is an
 * error; members that this version does not know survive a rewrite. Reading
 * needs no flight, writing does.
 */
#ifndef GIQ_RECORD_H
#define GIQ_RECORD_H

#include "base/giq_error.h"
#include "base/giq_json.h"

enum { GIQ_RECORD_FORMAT = 1 };

/* All texts are owned, NULL where absent; times are UTC milliseconds or
 * GIQ_TIME_NONE. */
struct giq_record {
    enum giq_job_state state; /* GIQ_JOB_NONE: there is no record */
    char *job_id;
    char *model_id;
    char *file_id; /* of the file that was uploaded for it */
    char *upload;  /* its path, as the user calls it */
    char *type;
    char *status;       /* the service's last word */
    char *error;        /* why it failed, or is unknown */
    char *geometry_crs; /* what the request's area is in; NULL: EPSG:4326 */
    bool gone;          /* the service no longer knows the job, or has its result */
    int64_t started_ms;
    int64_t submitted_ms;
    int64_t finished_ms;
    char *result_name;     /* file in result/, or NULL where it is a whole folder */
    int64_t result_size;   /* bytes as downloaded; -1 where there is none */
    struct giq_json *read; /* the document as read, for members not known here */
};

void giq_record_init(struct giq_record *record);
void giq_record_release(struct giq_record *record);

/* The word for a state, as job.json has it; never NULL. */
const char *giq_record_state_name(enum giq_job_state state);

/*
 * Read the record in `folder` into `*out`, an initialised record. `request` is
 * the canonical text that must be recorded there, or NULL where any will do.
 * Without job.json the state is GIQ_JOB_NONE; what a further job for the request
 * left at `intent` is the record that it was to replace. What seems damaged is looked
 * at again, since somebody may be writing it or withdraw it. Errors: GIQ_E_STORE,
 * which names the damaged, foreign or newer file; GIQ_E_MEMORY. `*out_damaged`
 * (may be NULL) says on failure whether a further job may replace the record: it is
 * damaged, and not merely out of reach.
 */
bool giq_record_read(const char *folder, const char *request, struct giq_record *out,
                     bool *out_damaged, struct giq_error *err);

/* The canonical request in `folder` as a document of the caller's, or NULL in
 * `*out` where there is none. */
bool giq_record_read_request(const char *folder, struct giq_json **out,
                             struct giq_error *err);

/* Write request.json where it is missing. */
bool giq_record_write_request(const char *folder, unsigned access, const char *request,
                              struct giq_error *err);

/* Write job.json; durable when the call returns. */
bool giq_record_write(const char *folder, unsigned access,
                      const struct giq_record *record, struct giq_error *err);

/* What a host may see of a record and of its request (from
 * giq_record_read_request(), or NULL), but for its key and the path of the result.
 * Texts are borrowed from both. */
void giq_record_view(const struct giq_record *record, const struct giq_json *request,
                     struct giq_job_view *out);

/* ---- a further job for a request ---- */

/* Whether a job was made, or may have been, under this label. */
bool giq_record_has_label(const struct giq_record *record, const char *label);

/* Note the use of a label in memory. Errors: GIQ_E_USAGE where it is not UTF-8, and
 * so would not be found again; GIQ_E_MEMORY. */
bool giq_record_use_label(struct giq_record *record, const char *label,
                          struct giq_error *err);

/* Turn the record into that of a job yet to be made, in memory; what it was goes
 * along until the job is submitted. */
bool giq_record_restart(struct giq_record *record, struct giq_error *err);

/* The same for a record that cannot be read: its files are kept with the ending
 * ".damaged". `*record` is initialised. */
bool giq_record_quarantine(const char *folder, unsigned access, struct giq_record *record,
                           struct giq_error *err);

/* Nothing happened: the record on disk becomes what it was before, if only none. */
bool giq_record_remove(const char *folder, unsigned access,
                       const struct giq_record *record, struct giq_error *err);

#endif
