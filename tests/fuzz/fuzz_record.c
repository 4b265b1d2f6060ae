/* Records. Input: job.json, a line "~~~", request.json. */
#include "fuzz.h"

#include <cJSON.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"
#include "store/giq_summary.h"

static const char new_request[] = "{\"format\":1}";
static const char token[] = "0123"; /* of who intends a further job */

static const char *folder;

static char *path_of(const char *name)
{
    char *path = giq_os_join(folder, name);
    MUST(path != NULL);
    return path;
}

static void plant(const char *name, const char *text)
{
    char *path = path_of(name);
    fuzz_write(path, text, strlen(text));
    free(path);
}

/* The bytes of a file, which the caller frees; NULL if there is none. */
static char *bytes_of(const char *name)
{
    struct giq_buf buf;
    struct giq_error err = {0};
    bool found = false;
    char *path = path_of(name);
    giq_buf_init(&buf, 1 << 24);
    MUST(giq_os_read_file(path, 1 << 24, &buf, &found, &err));
    free(path);
    char *bytes = found ? strdup(giq_buf_text(&buf)) : NULL;
    giq_buf_release(&buf);
    return bytes;
}

static void clear(void)
{
    static const char *const names[] = {"job.json", "request.json", "job.json.damaged",
                                        "request.json.damaged"};
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        char *path = path_of(names[i]);
        (void)unlink(path);
        free(path);
    }
}

/* ---- what a rewrite keeps ---- */

static bool is_among(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

/* The first member, from `item` on, whose name is not in `known`. */
static const cJSON *next_unknown(const cJSON *item, const char *const *known)
{
    while (item != NULL && is_among(item->string, known)) {
        item = item->next;
    }
    return item;
}

static void check_same(const cJSON *a, const cJSON *b)
{
    char *text_a = cJSON_PrintUnformatted(a);
    char *text_b = cJSON_PrintUnformatted(b);
    MUST(text_a != NULL && text_b != NULL && strcmp(text_a, text_b) == 0);
    free(text_b);
    free(text_a);
}

/* Check that two objects have the same unknown members. */
static void check_unknown(const cJSON *before, const cJSON *after,
                          const char *const *known)
{
    const cJSON *a = next_unknown(before == NULL ? NULL : before->child, known);
    const cJSON *b = next_unknown(after == NULL ? NULL : after->child, known);
    while (a != NULL && b != NULL) {
        MUST(strcmp(a->string, b->string) == 0);
        check_same(a, b);
        a = next_unknown(a->next, known);
        b = next_unknown(b->next, known);
    }
    MUST(a == NULL && b == NULL);
}

static void check_kept(const struct giq_record *before, const struct giq_record *after)
{
    static const char *const known[] = {
        "format",      "state",  "job_id", "model_id",     "file_id",    "upload",
        "type",        "status", "error",  "gone",         "started_at", "submitted_at",
        "finished_at", "result", "before", "geometry_crs", "waiting",    NULL};
    static const char *const known_of_result[] = {"name", "size", "folder", "generation",
                                                  NULL};
    const cJSON *a = (const cJSON *)before->document;
    const cJSON *b = (const cJSON *)after->document;
    check_unknown(a, b, known);
    if (before->result_size >= 0) {
        check_unknown(cJSON_GetObjectItemCaseSensitive(a, "result"),
                      cJSON_GetObjectItemCaseSensitive(b, "result"), known_of_result);
    }
}

/* ---- records ---- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_equal(const struct giq_record *a, const struct giq_record *b)
{
    MUST(a->state == b->state && a->gone == b->gone);
    MUST(same_text(a->job_id, b->job_id) && same_text(a->model_id, b->model_id));
    MUST(same_text(a->file_id, b->file_id) && same_text(a->upload, b->upload));
    MUST(same_text(a->type, b->type) && same_text(a->status, b->status));
    MUST(same_text(a->error, b->error) && same_text(a->geometry_crs, b->geometry_crs));
    MUST(a->started_ms == b->started_ms && a->submitted_ms == b->submitted_ms &&
         a->finished_ms == b->finished_ms);
    MUST(a->result_size == b->result_size);
    MUST(a->result_size < 0 || (same_text(a->result_name, b->result_name) &&
                                same_text(a->result_folder, b->result_folder) &&
                                a->result_generation == b->result_generation));
    MUST(a->duration_ms <= 0 ||
         (a->duration_ms == b->duration_ms && same_text(a->base_url, b->base_url)));
}

static void check_whole(const struct giq_record *record)
{
    bool needs_id = record->state == GIQ_JOB_SUBMITTED ||
                    record->state == GIQ_JOB_SUCCEEDED ||
                    record->state == GIQ_JOB_PUBLISHED;
    const char *name = record->result_name;
    MUST(record->state != GIQ_JOB_NONE && record->state <= GIQ_JOB_UNKNOWN);
    MUST(!needs_id || (record->job_id != NULL && record->job_id[0] != '\0'));
    MUST(name == NULL ||
         (name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL));
}

static void read_back(struct giq_record *out)
{
    struct giq_error err = {0};
    giq_record_init(out);
    MUST(giq_record_read(folder, NULL, out, NULL, &err));
}

/* A record that is written is read back equal, with its unknown members. */
static void check_rewrite(const struct giq_record *record)
{
    struct giq_record again;
    struct giq_error err = {0};
    MUST(giq_record_write(folder, GIQ_OS_PRIVATE, record, &err));
    read_back(&again);
    check_equal(record, &again);
    check_kept(record, &again);
    giq_record_release(&again);
}

/* Removing a job that was restarted but not submitted restores the record. */
static void check_further_job(struct giq_record *record)
{
    struct giq_record again;
    struct giq_error err = {0};
    char *before = cJSON_PrintUnformatted((const cJSON *)record->document);
    read_back(&again);
    MUST(giq_record_restart(&again, &err));
    again.state = GIQ_JOB_INTENT;
    (void)snprintf(again.token, sizeof again.token, "%s", token);
    MUST(giq_record_use_label(&again, "monday", &err));
    MUST(giq_record_has_label(&again, "monday"));
    MUST(giq_record_write(folder, 0, &again, &err));
    struct giq_record there;
    read_back(&there);
    check_equal(record, &there);
    giq_record_release(&there);
    MUST(giq_record_undo(folder, 0, 0, token, false, &err));
    giq_record_release(&again);
    read_back(&there);
    check_equal(record, &there);
    giq_record_release(&there);
    free(before);
}

/* A damaged record is quarantined for a new job, and restored byte for byte when that job
 * is removed; a request that was missing stays. */
static void check_damaged(const char *job_text, const char *request_text)
{
    struct giq_record record;
    struct giq_error err = {0};
    bool is_damaged = false;
    giq_record_init(&record);
    MUST(giq_record_quarantine(folder, 0, new_request, &record, &err));
    record.state = GIQ_JOB_INTENT;
    (void)snprintf(record.token, sizeof record.token, "%s", token);
    MUST(giq_record_write(folder, 0, &record, &err));
    struct giq_record there;
    giq_record_init(&there);
    MUST(!giq_record_read(folder, NULL, &there, &is_damaged, &err) && is_damaged);
    fuzz_check_error(&err, GIQ_E_STORE);
    MUST(giq_record_undo(folder, 0, 0, token, false, &err));
    giq_record_release(&record);
    char *job = bytes_of("job.json");
    char *request = bytes_of("request.json");
    MUST(same_text(job, job_text));
    MUST(request_text == NULL ? strncmp(request, new_request, strlen(new_request)) == 0
                              : same_text(request, request_text));
    free(request);
    free(job);
}

static void check_request(const struct giq_record *record)
{
    struct giq_json *request = NULL;
    struct giq_error err = {0};
    struct giq_job_view view;
    if (giq_record_read_request(folder, &request, &err)) {
        giq_record_view(record, request, &view);
        MUST(view.state == record->state && view.status != NULL);
        giq_json_free(request);
    } else {
        fuzz_check_error(&err, GIQ_E_STORE);
    }
}

/* Whether the text, inside another object, is deeper than the parser allows. */
static bool is_deep(const char *text)
{
    size_t depth = 0;
    for (; *text != '\0'; text++) {
        depth += *text == '{' || *text == '[';
    }
    return depth > 900;
}

/* A summary, of whatever text, is read as it was written. */
static void check_summary(const struct giq_record *record)
{
    struct giq_error err = {0};
    struct giq_summary summary;
    struct giq_summary again;
    struct giq_json *json = NULL;
    bool found = false;
    MUST(giq_summary_parse(giq_json_get(record->document, "summary"), &summary, &found,
                           &err));
    if (found && giq_summary_to_json(&summary, &json, &err) && json != NULL) {
        MUST(giq_summary_parse(json, &again, &found, &err) && found);
        MUST(again.file_count == summary.file_count);
        giq_summary_release(&again);
    }
    giq_json_free(json);
    giq_summary_release(&summary);
}

static void check(const char *job_text, const char *request_text)
{
    struct giq_record record;
    struct giq_error err = {0};
    bool is_damaged = false;
    giq_record_init(&record);
    if (giq_record_read(folder, NULL, &record, &is_damaged, &err)) {
        bool is_marked_damaged = cJSON_IsTrue(
            cJSON_GetObjectItemCaseSensitive((const cJSON *)record.document, "damaged"));
        check_whole(&record);
        check_request(&record);
        check_summary(&record);
        check_rewrite(&record);
        if (!is_marked_damaged) {
            check_further_job(&record);
        }
    } else {
        fuzz_check_error(&err, GIQ_E_STORE);
        if (is_damaged && strstr(err.text, "was damaged") == NULL) {
            check_damaged(job_text, request_text);
        }
    }
    giq_record_release(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *rest = text;
    const char *job = fuzz_part(&rest);
    folder = fuzz_folder();
    if (!is_deep(job)) {
        plant("job.json", job);
        if (rest != NULL) {
            plant("request.json", rest);
        }
        check(job, rest);
        clear();
    }
    free(text);
    return 0;
}
