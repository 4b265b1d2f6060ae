/* Summaries of finished jobs. Input: the text of one. */
#include "fuzz.h"

#include "base/giq_os.h"
#include "store/giq_history.h"

#define BASE "https://api.example"

static struct giq_store *store;
static char *path; /* of the summary */

static bool note_path(void *ctx, const char *name, struct giq_error *err)
{
    (void)ctx;
    (void)err;
    path = giq_os_join(giq_store_waiting_folder(store), name);
    return true;
}

/* Open a store without records; reading a history writes an empty summary. */
static void start(void)
{
    struct giq_error err = {0};
    struct giq_history history;
    MUST(giq_store_open(fuzz_folder(), GIQ_STORE_PRIVATE, &store, &err));
    giq_history_read(store, BASE, "m", &history);
    MUST(giq_os_list(giq_store_waiting_folder(store), note_path, NULL, &err));
    MUST(path != NULL);
}

static void check(const struct giq_history *history)
{
    MUST(history->count <= GIQ_HISTORY_JOBS_MAX);
    for (size_t i = 0; i < history->count; i++) {
        const struct giq_history_job *job = &history->job[i];
        MUST(job->duration_ms > 0 && job->duration_ms <= GIQ_HISTORY_DURATION_MAX_MS);
        MUST(job->area_m2 >= 0 && job->finished_ms >= 0);
        MUST(i == 0 || job->finished_ms >= history->job[i - 1].finished_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct giq_history history;
    struct giq_history again;
    if (store == NULL) {
        start();
    }
    fuzz_write(path, (const char *)data, size);
    giq_history_read(store, BASE, "m", &history);
    check(&history);
    /* What was damaged is rebuilt by now; what was whole is read again. */
    giq_history_read(store, BASE, "m", &again);
    check(&again);
    MUST(history.count == again.count);
    /* A job that is added is there, unless the summary has a newer format. */
    const struct giq_record record = {.state = GIQ_JOB_SUCCEEDED,
                                      .model_id = (char[]){"m"},
                                      .base_url = (char[]){BASE},
                                      .finished_ms = INT64_C(253402300799999),
                                      .duration_ms = 1};
    giq_history_add(store, &record);
    giq_history_read(store, BASE, "m", &again);
    check(&again);
    MUST(again.count >= history.count);
    return 0;
}
