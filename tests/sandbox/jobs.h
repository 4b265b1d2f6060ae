/*
 * Jobs: a folder for each with all that is known of it, and a worker process that
 * computes beside the server. Thread-safe.
 */
#ifndef SANDBOX_JOBS_H
#define SANDBOX_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "files.h"
#include "model.h"

enum { JOBS_ID_SIZE = 64 };

struct jobs;

/* What a caller may know of a job; texts to be released. */
struct job_view {
    char id[JOBS_ID_SIZE];
    const char *status; /* static: SUBMITTED, PENDING, RUNNING, COMPLETED, FAILED */
    const char *type;   /* static: of its model */
    int64_t started_ms;
    char *error;       /* why it failed, or NULL */
    char *result_path; /* where it completed, or NULL */
};
void job_view_release(struct job_view *view);

/* Know the jobs of `state`; those without an end are computed again. A job takes
 * `job_ms` at least. `program` is this program, which `workers` processes at once run. */
struct jobs *jobs_new(const char *state, const char *program, struct files *files,
                      int64_t job_ms, int workers);

/* End the workers and forget everything but what is on disk. */
void jobs_free(struct jobs *jobs);

/* Make a job; `area` may be NULL. False where it cannot be written. */
bool jobs_add(struct jobs *jobs, const struct model *model, const char *file_id,
              const char *area, struct job_view *out);

/* False where there is no such job. */
bool jobs_look(struct jobs *jobs, const char *id, struct job_view *out);

/* What a worker process does: compute the job in `folder` on the file `input` and
 * write down its outcome. The exit status. */
int jobs_work(const char *folder, const char *input);

#endif
