#include "giq_record.h"

#include <stdlib.h>
#include <string.h>

#include "giq_os.h"

static const char request_name[] = "request.json";
static const char job_name[] = "job.json";

static const char *const state_names[] = {
    [GIQ_JOB_NONE] = "none",           [GIQ_JOB_INTENT] = "intent",
    [GIQ_JOB_SENDING] = "sending",     [GIQ_JOB_SUBMITTED] = "submitted",
    [GIQ_JOB_SUCCEEDED] = "succeeded", [GIQ_JOB_PUBLISHED] = "published",
    [GIQ_JOB_FAILED] = "failed",       [GIQ_JOB_UNKNOWN] = "unknown",
};

const char *giq_record_state_name(enum giq_job_state state)
{
    return state_names[state];
}

static enum giq_job_state state_of(const char *name)
{
    enum giq_job_state state = GIQ_JOB_NONE;
    for (size_t i = GIQ_JOB_INTENT; i < sizeof state_names / sizeof state_names[0]; i++) {
        if (name != NULL && strcmp(name, state_names[i]) == 0) {
            state = (enum giq_job_state)i;
        }
    }
    return state;
}

void giq_record_init(struct giq_record *record)
{
    *record = (struct giq_record){
        .started_ms = GIQ_TIME_NONE,
        .submitted_ms = GIQ_TIME_NONE,
        .finished_ms = GIQ_TIME_NONE,
        .result_size = -1,
    };
}

void giq_record_release(struct giq_record *record)
{
    free(record->job_id);
    free(record->model_id);
    free(record->type);
    free(record->status);
    free(record->error);
    free(record->result_name);
    giq_json_free(record->read);
    giq_record_init(record);
}

bool giq_record_set(char **slot, const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL) {
        return false;
    }
    free(*slot);
    *slot = copy;
    return true;
}

/* ---- reading ---- */

static bool fail_damaged(struct giq_error *err, const char *folder, const char *name,
                         const char *reason)
{
    return giq_fail(err, GIQ_E_STORE,
                    "the record %s/%s %s; remove its folder to forget the request, or "
                    "ask for a new job with rerun=<label>",
                    folder, name, reason);
}

/* Whether the format number of a document is one of 1 to `newest`. */
static bool check_format(const struct giq_json *json, int64_t newest, const char *folder,
                         const char *name, struct giq_error *err)
{
    int64_t format = giq_json_integer(giq_json_get(json, "format"), -1);
    if (format > newest) {
        return fail_damaged(err, folder, name, "was written by a newer version");
    }
    return format >= 1 || fail_damaged(err, folder, name, "has no format number");
}

/* The bytes of folder/name into `buf`; `*found` is false where there is none. */
static bool read_file(const char *folder, const char *name, struct giq_buf *buf,
                      bool *found, struct giq_error *err)
{
    char *path = giq_os_join(folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    bool ok = giq_os_read_file(path, GIQ_RECORD_BYTES_MAX, buf, found, err);
    free(path);
    return ok;
}

/* The document folder/name, or NULL in `*out` where there is none. */
static bool read_document(const char *folder, const char *name, int64_t newest,
                          struct giq_json **out, struct giq_error *err)
{
    struct giq_buf buf;
    giq_buf_init(&buf, GIQ_RECORD_BYTES_MAX);
    struct giq_json *json = NULL;
    bool found = false;
    bool ok = read_file(folder, name, &buf, &found, err);
    if (ok && found) {
        json = giq_json_parse(giq_buf_text(&buf), buf.len);
        ok = giq_json_is_object(json) ? check_format(json, newest, folder, name, err)
                                      : fail_damaged(err, folder, name, "is damaged");
    }
    giq_buf_release(&buf);
    if (!ok) {
        giq_json_free(json);
        return false;
    }
    *out = json;
    return true;
}

bool giq_record_read_request(const char *folder, struct giq_json **out,
                             struct giq_error *err)
{
    return read_document(folder, request_name, GIQ_RECORD_FORMAT, out, err);
}

/* Byte for byte, so that a collision of keys can only be an error. */
static bool check_request(const char *folder, const char *request, struct giq_error *err)
{
    struct giq_buf buf;
    giq_buf_init(&buf, GIQ_RECORD_BYTES_MAX);
    bool found = false;
    bool ok = read_file(folder, request_name, &buf, &found, err);
    if (ok) {
        size_t len = buf.len > 0 && buf.data[buf.len - 1] == '\n' ? buf.len - 1 : buf.len;
        bool same = len == strlen(request) && memcmp(buf.data, request, len) == 0;
        ok = (found && same) ||
             fail_damaged(err, folder, request_name,
                          found ? "holds another request or is damaged" : "is missing");
    }
    giq_buf_release(&buf);
    return ok;
}

static bool copy_text(const struct giq_json *json, const char *name, char **slot)
{
    return giq_record_set(slot, giq_json_text(giq_json_get(json, name)));
}

static bool parse(struct giq_record *record)
{
    const struct giq_json *json = record->read;
    const struct giq_json *result = giq_json_get(json, "result");
    record->state = state_of(giq_json_text(giq_json_get(json, "state")));
    record->gone = giq_json_is_true(giq_json_get(json, "gone"));
    record->started_ms = giq_json_time(giq_json_get(json, "started_at"));
    record->submitted_ms = giq_json_time(giq_json_get(json, "submitted_at"));
    record->finished_ms = giq_json_time(giq_json_get(json, "finished_at"));
    record->result_size = giq_json_integer(giq_json_get(result, "size"), -1);
    return copy_text(json, "job_id", &record->job_id) &&
           copy_text(json, "model_id", &record->model_id) &&
           copy_text(json, "type", &record->type) &&
           copy_text(json, "status", &record->status) &&
           copy_text(json, "error", &record->error) &&
           copy_text(result, "name", &record->result_name);
}

/* Whether a record says all that its state needs. */
static bool is_whole(const struct giq_record *record)
{
    bool has_id = record->job_id != NULL && record->job_id[0] != '\0';
    const char *name = record->result_name;
    bool name_is_safe =
        name == NULL || (name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL);
    bool needs_id = record->state == GIQ_JOB_SUBMITTED ||
                    record->state == GIQ_JOB_SUCCEEDED ||
                    record->state == GIQ_JOB_PUBLISHED;
    return record->state != GIQ_JOB_NONE && (has_id || !needs_id) && name_is_safe;
}

bool giq_record_read(const char *folder, const char *request, struct giq_record *out,
                     struct giq_error *err)
{
    struct giq_record record;
    giq_record_init(&record);
    bool ok = read_document(folder, job_name, GIQ_RECORD_FORMAT, &record.read, err);
    if (ok && record.read != NULL) {
        if (!parse(&record)) {
            ok = giq_fail_memory(err);
        } else if (!is_whole(&record)) {
            ok = fail_damaged(err, folder, job_name, "is damaged");
        } else {
            ok = request == NULL || check_request(folder, request, err);
        }
    }
    if (!ok) {
        giq_record_release(&record);
        return false;
    }
    giq_record_release(out);
    *out = record;
    return true;
}

/* ---- writing ---- */

static bool write_text(const char *folder, const char *name, unsigned access,
                       const char *text, struct giq_error *err)
{
    struct giq_buf buf;
    giq_buf_init(&buf, GIQ_RECORD_BYTES_MAX);
    bool ok = giq_buf_addf(&buf, "%s\n", text)
                  ? giq_os_replace_file(folder, name, access, buf.data, buf.len, err)
                  : giq_fail_memory(err);
    giq_buf_release(&buf);
    return ok;
}

bool giq_record_write_request(const char *folder, unsigned access, const char *request,
                              struct giq_error *err)
{
    struct giq_json *there = NULL;
    if (!giq_record_read_request(folder, &there, err)) {
        return false;
    }
    bool known = there != NULL;
    giq_json_free(there);
    return known ? check_request(folder, request, err)
                 : write_text(folder, request_name, access, request, err);
}

static bool set_result(struct giq_json *json, const struct giq_record *record)
{
    if (record->result_size < 0) {
        giq_json_remove(json, "result");
        return true;
    }
    struct giq_json *result = giq_json_set_object(json, "result");
    return result != NULL && giq_json_set_text(result, "name", record->result_name) &&
           giq_json_set_integer(result, "size", record->result_size);
}

/* The record as text: what was read, with what is known now laid over it. */
static char *print(const struct giq_record *record)
{
    char *before = record->read == NULL ? NULL : giq_json_print(record->read);
    struct giq_json *json =
        before == NULL ? giq_json_new_object() : giq_json_parse(before, strlen(before));
    free(before);
    char *text = NULL;
    if (json != NULL && giq_json_set_integer(json, "format", GIQ_RECORD_FORMAT) &&
        giq_json_set_text(json, "state", giq_record_state_name(record->state)) &&
        giq_json_set_text(json, "job_id", record->job_id) &&
        giq_json_set_text(json, "model_id", record->model_id) &&
        giq_json_set_text(json, "type", record->type) &&
        giq_json_set_text(json, "status", record->status) &&
        giq_json_set_text(json, "error", record->error) &&
        giq_json_set_bool(json, "gone", record->gone) &&
        giq_json_set_time(json, "started_at", record->started_ms) &&
        giq_json_set_time(json, "submitted_at", record->submitted_ms) &&
        giq_json_set_time(json, "finished_at", record->finished_ms) &&
        set_result(json, record)) {
        text = giq_json_print(json);
    }
    giq_json_free(json);
    return text;
}

bool giq_record_write(const char *folder, unsigned access,
                      const struct giq_record *record, struct giq_error *err)
{
    char *text = print(record);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    bool ok = write_text(folder, job_name, access, text, err);
    free(text);
    return ok;
}

bool giq_record_withdraw(const char *folder, struct giq_error *err)
{
    char *job = giq_os_join(folder, job_name);
    char *request = giq_os_join(folder, request_name);
    bool ok = job != NULL && request != NULL
                  ? giq_os_remove(job, err) && giq_os_remove(request, err) &&
                        giq_os_sync_folder(folder, err)
                  : giq_fail_memory(err);
    free(job);
    free(request);
    return ok;
}
