/* The file of a model's history: reading it, adding a job, rebuilding it. */
#include "store/giq_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "store/giq_digest.h"
#include "store/giq_document.h"
#include "store/giq_record_read.h"

/* Members of the file. */
static const char base_url_member[] = "base_url";
static const char model_member[] = "model_id";
static const char jobs_member[] = "jobs";

static const char advice[] = "remove it; it is then rebuilt";

/* What a history is about, and where its file is. */
struct subject {
    const struct giq_store *store;
    const char *base_url;
    const char *model_id;
    char name[GIQ_DIGEST_HEX_SIZE + sizeof ".json"]; /* of the file */
};

/* The state of the file. */
enum file_state {
    FILE_READ,
    FILE_TO_REBUILD, /* missing or damaged */
    FILE_UNUSABLE,   /* of a newer format, not a regular file, or it cannot be read */
};

static bool is_short_text(const char *text)
{
    return text != NULL && text[0] != '\0' &&
           strnlen(text, GIQ_HISTORY_NAME_MAX + 1) <= GIQ_HISTORY_NAME_MAX;
}

static bool find_subject(const struct giq_store *store, const char *base_url,
                         const char *model_id, struct subject *out)
{
    enum { SUBJECT_BYTES_MAX = 2 * (GIQ_HISTORY_NAME_MAX + 1) };
    struct giq_error ignored = {0};
    char digest[GIQ_DIGEST_HEX_SIZE];
    GIQ_AUTO_BUF struct giq_buf buf;
    giq_buf_init(&buf, SUBJECT_BYTES_MAX);
    *out = (struct subject){.store = store, .base_url = base_url, .model_id = model_id};
    if (!is_short_text(base_url) || !is_short_text(model_id) ||
        !giq_buf_addf(&buf, "%s\n%s", base_url, model_id) ||
        !giq_digest_bytes(buf.data, buf.len, digest, &ignored)) {
        return false;
    }
    (void)snprintf(out->name, sizeof out->name, "%s.json", digest);
    return true;
}

/* ---- jobs ---- */

static bool is_valid(const struct giq_history_job *job)
{
    return job->finished_ms >= 0 && job->finished_ms <= GIQ_TEXT_TIME_MAX_MS &&
           job->duration_ms > 0 && job->duration_ms <= GIQ_HISTORY_DURATION_MAX_MS &&
           job->area_m2 >= 0;
}

/* Add a job unless it is in the history, which is sorted by the times at which the jobs
 * finished. A full history loses its oldest job. */
static void insert(struct giq_history *history, const struct giq_history_job *job)
{
    size_t at = history->count;
    while (at > 0 && history->job[at - 1].finished_ms > job->finished_ms) {
        at--;
    }
    if (at > 0 && history->job[at - 1].finished_ms == job->finished_ms &&
        history->job[at - 1].duration_ms == job->duration_ms) {
        return;
    }
    if (history->count == GIQ_HISTORY_JOBS_MAX) {
        if (at == 0) {
            return; /* it is older than all of them */
        }
        at--;
        history->count--;
        memmove(history->job, history->job + 1, history->count * sizeof *job);
    }
    memmove(history->job + at + 1, history->job + at,
            (history->count - at) * sizeof *job);
    history->job[at] = *job;
    history->count++;
}

/* ---- reading the file ---- */

static bool has_text(const struct giq_json *json, const char *name, const char *expected)
{
    const char *text = giq_json_text(giq_json_get(json, name));
    return text != NULL && strcmp(text, expected) == 0;
}

/* False if the document is not the history of this model. */
static bool parse(const struct giq_json *json, const struct subject *subject,
                  struct giq_history *out)
{
    const struct giq_json *jobs = giq_json_get(json, jobs_member);
    *out = (struct giq_history){0};
    if (!has_text(json, base_url_member, subject->base_url) ||
        !has_text(json, model_member, subject->model_id) || !giq_json_is_list(jobs)) {
        return false;
    }
    for (const struct giq_json *item = giq_json_first(jobs); item != NULL;
         item = giq_json_next(item)) {
        const struct giq_history_job job = {
            .finished_ms = giq_json_time(giq_json_get(item, "finished_at")),
            .duration_ms = giq_json_integer(giq_json_get(item, "duration_ms"), 0),
            .area_m2 =
                giq_json_integer(giq_json_get(item, "area_m2"), GIQ_HISTORY_AREA_UNKNOWN),
        };
        if (!is_valid(&job)) {
            return false;
        }
        insert(out, &job);
    }
    return true;
}

static enum file_state read_document(const struct subject *subject,
                                     struct giq_history *out)
{
    struct giq_error ignored = {0};
    bool is_damaged = false;
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    if (!giq_document_read(giq_store_waiting_folder(subject->store), subject->name,
                           GIQ_HISTORY_FORMAT, advice, &json, &is_damaged, &ignored)) {
        return is_damaged ? FILE_TO_REBUILD : FILE_UNUSABLE;
    }
    return json != NULL && parse(json, subject, out) ? FILE_READ : FILE_TO_REBUILD;
}

static enum file_state read_history(const struct subject *subject,
                                    struct giq_history *out)
{
    struct giq_os_stat st;
    struct giq_error ignored = {0};
    GIQ_AUTO_FREE char *path =
        giq_os_join(giq_store_waiting_folder(subject->store), subject->name);
    *out = (struct giq_history){0};
    if (path == NULL || !giq_os_stat(path, &st, &ignored)) {
        return FILE_UNUSABLE;
    }
    if (st.kind == GIQ_OS_NOTHING) {
        return FILE_TO_REBUILD;
    }
    if (st.kind == GIQ_OS_FILE && st.size > GIQ_HISTORY_BYTES_MAX) {
        return FILE_TO_REBUILD;
    }
    return read_document(subject, out);
}

/* ---- writing the file ---- */

static bool add_job(struct giq_json *json, const struct giq_history_job *job)
{
    struct giq_json *item = giq_json_add_object(json, jobs_member);
    return item != NULL && giq_json_set_time(item, "finished_at", job->finished_ms) &&
           giq_json_set_integer(item, "duration_ms", job->duration_ms) &&
           (job->area_m2 == GIQ_HISTORY_AREA_UNKNOWN ||
            giq_json_set_integer(item, "area_m2", job->area_m2));
}

/* The text of the file, which the caller frees; NULL when out of memory. */
static char *print(const struct subject *subject, const struct giq_history *history)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    if (json == NULL || !giq_json_set_integer(json, "format", GIQ_HISTORY_FORMAT) ||
        !giq_json_set_text(json, base_url_member, subject->base_url) ||
        !giq_json_set_text(json, model_member, subject->model_id) ||
        !giq_json_set_list(json, jobs_member)) {
        return NULL;
    }
    for (size_t i = 0; i < history->count; i++) {
        if (!add_job(json, &history->job[i])) {
            return NULL;
        }
    }
    return giq_json_print(json);
}

/* Write a file that has no other writer. It is not synced: a file that a crash of the
 * system damages is rebuilt. */
static bool write_file(const char *path, unsigned access, const char *text,
                       struct giq_error *err)
{
    GIQ_AUTO_FILE struct giq_os_file *file = NULL;
    return giq_os_create(path, access, &file, err) &&
           giq_os_write(file, text, strlen(text), err);
}

/* Replace the file; failures are ignored. */
static void write_history(const struct subject *subject,
                          const struct giq_history *history)
{
    struct giq_error ignored = {0};
    const char *folder = giq_store_waiting_folder(subject->store);
    unsigned access = giq_store_access(subject->store);
    GIQ_AUTO_FREE char *text = print(subject, history);
    GIQ_AUTO_FREE char *path = giq_os_join(folder, subject->name);
    GIQ_AUTO_FREE char *part = NULL;
    if (text == NULL || path == NULL || !giq_os_make_folders(folder, access, &ignored)) {
        return;
    }
    if (asprintf(&part, "%s.%08" PRIx32, path, giq_os_random()) < 0) {
        part = NULL;
        return;
    }
    if (!write_file(part, access, text, &ignored) ||
        !giq_os_rename(part, path, &ignored)) {
        (void)giq_os_remove(part, &ignored);
    }
}

/* ---- rebuilding the file ---- */

struct rebuild {
    const struct subject *subject;
    struct giq_history *history;
    int records; /* read so far */
    int64_t began_ms;
};

static bool is_enough(const struct rebuild *rebuild)
{
    if (rebuild->records < GIQ_HISTORY_RECORDS_MIN) {
        return false;
    }
    return rebuild->records >= GIQ_HISTORY_RECORDS_MAX ||
           giq_os_now_ms() - rebuild->began_ms >= GIQ_HISTORY_REBUILD_MS;
}

/* Take the job from the record; false if the history does not count it. */
static bool to_job(const struct giq_record *record, const struct subject *subject,
                   struct giq_history_job *out)
{
    bool has_succeeded =
        record->state == GIQ_JOB_SUCCEEDED || record->state == GIQ_JOB_PUBLISHED;
    *out = (struct giq_history_job){record->finished_ms, record->duration_ms,
                                    record->area_m2};
    return has_succeeded && is_valid(out) && record->base_url != NULL &&
           record->model_id != NULL && strcmp(record->base_url, subject->base_url) == 0 &&
           strcmp(record->model_id, subject->model_id) == 0;
}

static bool read_record(void *ctx, const char *name, struct giq_error *err)
{
    struct rebuild *rebuild = ctx;
    struct giq_error ignored = {0};
    struct giq_history_job job;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!giq_digest_is_valid(name)) {
        return true;
    }
    if (is_enough(rebuild)) {
        /* Ends the listing; the caller ignores the error. */
        return giq_fail(err, GIQ_E_STORE, "enough records were read");
    }
    rebuild->records++;
    GIQ_AUTO_FREE char *folder = giq_store_folder(rebuild->subject->store, name);
    if (folder != NULL && giq_record_read(folder, NULL, &record, NULL, &ignored) &&
        to_job(&record, rebuild->subject, &job)) {
        insert(rebuild->history, &job);
    }
    return true;
}

static void rebuild_history(const struct subject *subject, struct giq_history *out)
{
    struct giq_error ignored = {0};
    struct rebuild rebuild = {
        .subject = subject, .history = out, .began_ms = giq_os_now_ms()};
    *out = (struct giq_history){0};
    (void)giq_os_list(giq_store_keys_folder(subject->store), read_record, &rebuild,
                      &ignored);
}

/* ---- the interface ---- */

void giq_history_read(const struct giq_store *store, const char *base_url,
                      const char *model_id, struct giq_history *out)
{
    struct subject subject;
    *out = (struct giq_history){0};
    if (find_subject(store, base_url, model_id, &subject) &&
        read_history(&subject, out) == FILE_TO_REBUILD) {
        rebuild_history(&subject, out);
        write_history(&subject, out);
    }
}

void giq_history_add(const struct giq_store *store, const struct giq_record *record)
{
    struct subject subject;
    struct giq_history history;
    struct giq_history_job job;
    if (!find_subject(store, record->base_url, record->model_id, &subject) ||
        !to_job(record, &subject, &job)) {
        return;
    }
    enum file_state state = read_history(&subject, &history);
    if (state == FILE_UNUSABLE) {
        return;
    }
    if (state == FILE_TO_REBUILD) {
        rebuild_history(&subject, &history);
    }
    insert(&history, &job);
    write_history(&subject, &history);
}
