/* Jobs on a scripted service, a fake clock and a store of the test's own. */
#ifndef GIQ_TESTS_JOB_KIT_H
#define GIQ_TESTS_JOB_KIT_H

#include "job/giq_job_internal.h"
#include "service_kit.h"

/* Responses as the service gives them. */
#define JOB_KIT_MODELS                                                                   \
    {                                                                                    \
        .status = 200, .body = "[{\"id\":\"m\"}]"                                        \
    }
#define JOB_KIT_RUN                                                                      \
    {                                                                                    \
        .status = 200, .body = "{\"id\":\"j1\",\"status\":\"SUBMITTED\"}"                \
    }
#define JOB_KIT_STATUS(word)                                                             \
    {                                                                                    \
        .status = 200, .body = "{\"id\":\"j1\",\"status\":\"" word "\"}"                 \
    }
#define JOB_KIT_BODY "{\"type\":\"FeatureCollection\",\"features\":[]}"
#define JOB_KIT_RESULT                                                                   \
    {                                                                                    \
        .status = 200, .body = JOB_KIT_BODY,                                             \
        .headers = "Content-Disposition: attachment; filename=\"a.geojson\"\r\n"         \
    }

/* So many responses that a wait in a test does not use them up. */
enum { JOB_KIT_RESPONSES = 220 };

struct job_kit {
    struct service_kit service;
    char *folder;
    struct giq_store *store;
    struct giq_job *job;
    int64_t due_ms;
    size_t progress;                                    /* lines reported */
    char last_line[600];                                /* the last one */
    char last_detail[600];                              /* and its detail */
    size_t accepted;                                    /* results that were offered */
    bool refuses;                                       /* the host takes no result */
    struct giq_limits limits;                           /* of the opens that follow */
    struct http_kit_response script[JOB_KIT_RESPONSES]; /* of job_kit_start_waiting() */
};

/* The request that tests make unless they say otherwise: model m, file f. */
extern const struct giq_request job_kit_request;

/* The requests that name the job j1: by its id alone, and with what it was made for. */
extern const struct giq_request job_kit_by_id[2];

void job_kit_start(struct job_kit *kit, const struct http_kit_response *responses,
                   size_t count);

/* The same, with the responses themselves in place of an array of them. */
#define JOB_KIT_START(kit, ...) job_kit_start((kit), HTTP_KIT_SCRIPT(__VA_ARGS__))

/* The service submits the job and then reports `status` for ever, unless the test changes
 * `kit->script`, where the first status is the third response. */
void job_kit_start_waiting(struct job_kit *kit, struct http_kit_response status);

/* No server listens at the service's address any more. */
void job_kit_disconnect(struct job_kit *kit);
void job_kit_stop(struct job_kit *kit);

/* Another open, as of a new process: the one before ends where it stands. */
void job_kit_open(struct job_kit *kit, const struct giq_request *request, unsigned flags);

/* One step, after which the clock stands at what is due. */
bool job_kit_step(struct job_kit *kit, enum giq_step *out);

/* The same, for a step after which another one follows: how long it waits for that. */
int64_t job_kit_pause(struct job_kit *kit);

/* Steps until the open ends; the error's code, GIQ_E_NONE where it is done. */
enum giq_code job_kit_run(struct job_kit *kit);

/* Steps until `count` requests came or the open ends; as job_kit_run(). */
enum giq_code job_kit_run_to(struct job_kit *kit, size_t count);

/* Initialise `out` and read the record into it; a record that cannot be read ends the
 * test. The caller passes `out` to giq_record_release(). */
void job_kit_read(const struct job_kit *kit, struct giq_record *out);

/* The state that job.json has, "none" without one; static. */
const char *job_kit_state(const struct job_kit *kit);

/* The result that is recorded has this name and the text JOB_KIT_BODY. */
void job_kit_expect_result(const struct job_kit *kit, const char *name);

/* How many entries of the job's folder have a name that begins so. */
size_t job_kit_entries(const struct job_kit *kit, const char *start);

/* Make the job's folder with this job.json and the request that belongs to it. */
void job_kit_plant(struct job_kit *kit, const char *job_json);

/* How many requests for `path` came ("POST /inference/run"). */
size_t job_kit_count(struct job_kit *kit, const char *start);

#endif
