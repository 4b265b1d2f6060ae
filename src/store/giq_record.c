/* Reading and writing request.json and job.json, and replacing a job by a further one. */
#include "store/giq_record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "store/giq_document.h"
#include "store/giq_exclusive.h"
#include "store/giq_ticket.h"

enum { REQUEST_FORMAT = 1 };

const char giq_record_name[] = "job.json";
static const char request_name[] = "request.json";
static const char damaged_request_name[] = "request.json.damaged";
static const char damaged_job_name[] = "job.json.damaged";

/* Members of job.json. */
static const char before_member[] = "before";   /* the record before a further job */
static const char damaged_member[] = "damaged"; /* in "before": it was damaged */
static const char waiting_member[] = "waiting"; /* how long the job took */
static const char gone_member[] = "gone";       /* also the status of such a job */
static const char earlier_member[] = "earlier"; /* ids of the jobs that were replaced */
static const char labels_member[] = "labels";
static const char summary_member[] = "summary"; /* of the result */
static const char attempt_member[] = "attempt";
static const char token_member[] = "token";

static const char advice[] = "adopt the job with job=<id> (the service's web page has "
                             "the id), or start a new job, which is paid for, with "
                             "RETRY=<label> or rerun=<label>";

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

static enum giq_job_state parse_state(const char *name)
{
    for (size_t i = GIQ_JOB_INTENT; i < GIQ_COUNT(state_names); i++) {
        if (name != NULL && strcmp(name, state_names[i]) == 0) {
            return (enum giq_job_state)i;
        }
    }
    return GIQ_JOB_NONE;
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
    free(record->file_id);
    free(record->upload);
    free(record->type);
    free(record->status);
    free(record->error);
    free(record->geometry_crs);
    free(record->result_folder);
    free(record->result_name);
    free(record->base_url);
    free(record->other_jobs);
    giq_json_free(record->document);
    giq_record_init(record);
}

/* ---- reading ---- */

static bool fail_damaged(const char *folder, const char *name, const char *reason,
                         struct giq_error *err)
{
    return giq_document_fail(folder, name, reason, advice, err);
}

static bool read_document(const char *folder, bool is_brief, struct giq_json **out,
                          bool *out_damaged, struct giq_error *err)
{
    return giq_document_read_without(folder, giq_record_name,
                                     is_brief ? summary_member : NULL, GIQ_RECORD_FORMAT,
                                     advice, out, out_damaged, err);
}

bool giq_record_read_request(const char *folder, struct giq_json **out,
                             struct giq_error *err)
{
    bool ignored = false;
    return giq_document_read(folder, request_name, REQUEST_FORMAT, advice, out, &ignored,
                             err);
}

bool giq_record_check_request(const char *folder, const char *request,
                              struct giq_error *err)
{
    bool found = false;
    GIQ_AUTO_BUF struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    if (!giq_document_read_bytes(folder, request_name, &buf, &found, err)) {
        return false;
    }
    if (!found) {
        return fail_damaged(folder, request_name, "is missing", err);
    }
    size_t len = buf.len > 0 && buf.data[buf.len - 1] == '\n' ? buf.len - 1 : buf.len;
    if (len != strlen(request) || memcmp(buf.data, request, len) != 0) {
        return fail_damaged(folder, request_name,
                            "is that of another request or is damaged", err);
    }
    return true;
}

static bool copy_text(const struct giq_json *json, const char *name, char **slot)
{
    return giq_text_set(slot, giq_json_text(giq_json_get(json, name)));
}

/* A number that is out of range counts as 0: the claims in the folder have the newest. */
static int parse_generation(const struct giq_json *json)
{
    int64_t generation = giq_json_integer(json, 0);
    return generation < 0 || generation > GIQ_CLAIM_MAX ? 0 : (int)generation;
}

/* -1 if it cannot be the number of a ticket. */
static int parse_attempt(const struct giq_json *json)
{
    int64_t n = giq_json_integer(giq_json_get(json, attempt_member), 0);
    return n < 0 || n > GIQ_TICKET_MAX ? -1 : (int)n;
}

static bool parse(struct giq_record *record)
{
    const struct giq_json *json = record->document;
    const struct giq_json *result = giq_json_get(json, "result");
    const struct giq_json *waiting = giq_json_get(json, waiting_member);
    record->state = parse_state(giq_json_text(giq_json_get(json, "state")));
    record->gone = giq_json_is_true(giq_json_get(json, gone_member));
    record->attempt = parse_attempt(json);
    giq_json_copy_short(giq_json_get(json, token_member), record->token,
                        sizeof record->token);
    record->started_ms = giq_json_time(giq_json_get(json, "started_at"));
    record->submitted_ms = giq_json_time(giq_json_get(json, "submitted_at"));
    record->finished_ms = giq_json_time(giq_json_get(json, "finished_at"));
    record->result_size = giq_json_integer(giq_json_get(result, "size"), -1);
    record->result_generation = parse_generation(giq_json_get(result, "generation"));
    record->duration_ms = giq_json_integer(giq_json_get(waiting, "duration_ms"), 0);
    record->area_m2 = giq_json_integer(giq_json_get(waiting, "area_m2"), 0);
    bool ok = copy_text(json, "job_id", &record->job_id) &&
              copy_text(json, "model_id", &record->model_id) &&
              copy_text(json, "file_id", &record->file_id) &&
              copy_text(json, "upload", &record->upload) &&
              copy_text(json, "type", &record->type) &&
              copy_text(json, "status", &record->status) &&
              copy_text(json, "error", &record->error) &&
              copy_text(json, "geometry_crs", &record->geometry_crs) &&
              copy_text(result, "folder", &record->result_folder) &&
              copy_text(result, "name", &record->result_name) &&
              copy_text(waiting, "base_url", &record->base_url);
    /* Version 0.1 recorded these texts of the service unmasked. */
    giq_text_mask_addresses(record->error);
    giq_text_mask_addresses(record->status);
    return ok;
}

/* Whether a record has all members that its state needs, and the names of its result, if
 * it has one, cannot lead out of the folder. */
static bool has_required_members(const struct giq_record *record)
{
    bool has_id = record->job_id != NULL && record->job_id[0] != '\0';
    const char *folder = record->result_folder;
    const char *name = record->result_name;
    bool names_are_safe = (folder == NULL || giq_claim_is_folder(folder)) &&
                          (name == NULL || giq_claim_is_file(name));
    bool needs_id = record->state == GIQ_JOB_SUBMITTED ||
                    record->state == GIQ_JOB_SUCCEEDED ||
                    record->state == GIQ_JOB_PUBLISHED;
    return record->state != GIQ_JOB_NONE && (has_id || !needs_id) && names_are_safe &&
           record->attempt >= 0;
}

static const struct giq_json *earlier_record(const struct giq_json *json)
{
    const struct giq_json *before = giq_json_get(json, before_member);
    return giq_json_is_object(before) ? before : NULL;
}

/* Fill the record from its document. */
static bool parse_document(struct giq_record *record, const char *folder,
                           struct giq_error *err)
{
    if (!parse(record)) {
        return giq_fail_memory(err);
    }
    if (!has_required_members(record)) {
        return fail_damaged(folder, giq_record_name, "is damaged", err);
    }
    return true;
}

bool giq_record_use_earlier(struct giq_record *record, const char *folder,
                            struct giq_error *err)
{
    const struct giq_json *before = earlier_record(record->document);
    if (before == NULL) {
        giq_record_release(record);
        return true;
    }
    if (giq_json_is_true(giq_json_get(before, damaged_member))) {
        giq_record_release(record);
        return fail_damaged(folder, giq_record_name, "was damaged", err);
    }
    struct giq_json *copy = giq_json_copy(before);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    giq_record_release(record);
    record->document = copy;
    return parse_document(record, folder, err);
}

bool giq_record_load(const char *folder, bool is_brief, struct giq_record *record,
                     bool *out_damaged, struct giq_error *err)
{
    bool ok = read_document(folder, is_brief, &record->document, out_damaged, err);
    if (!ok || record->document == NULL) {
        return ok;
    }
    ok = parse_document(record, folder, err);
    if (ok && record->state == GIQ_JOB_INTENT &&
        earlier_record(record->document) != NULL) {
        ok = giq_record_use_earlier(record, folder, err);
    }
    *out_damaged = !ok && err->code == GIQ_E_STORE;
    return ok;
}

/* ---- writing ---- */

bool giq_record_write_request(const char *folder, unsigned access, const char *request,
                              struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *recorded = NULL;
    if (!giq_record_read_request(folder, &recorded, err)) {
        return false;
    }
    if (recorded != NULL) {
        return giq_record_check_request(folder, request, err);
    }
    return giq_document_write(folder, request_name, access, request, err);
}

static bool set_result(struct giq_json *json, const struct giq_record *record)
{
    if (record->result_size < 0) {
        giq_json_remove(json, "result");
        return true;
    }
    struct giq_json *result = giq_json_ensure_object(json, "result");
    if (result == NULL || !giq_json_set_text(result, "name", record->result_name) ||
        !giq_json_set_integer(result, "size", record->result_size) ||
        !giq_json_set_text(result, "folder", record->result_folder)) {
        return false;
    }
    if (record->result_generation == 0) {
        giq_json_remove(result, "generation");
        return true;
    }
    return giq_json_set_integer(result, "generation", record->result_generation);
}

static bool set_waiting(struct giq_json *json, const struct giq_record *record)
{
    if (record->duration_ms <= 0) {
        giq_json_remove(json, waiting_member);
        return true;
    }
    struct giq_json *waiting = giq_json_ensure_object(json, waiting_member);
    if (waiting == NULL ||
        !giq_json_set_integer(waiting, "duration_ms", record->duration_ms) ||
        !giq_json_set_text(waiting, "base_url", record->base_url)) {
        return false;
    }
    if (record->area_m2 <= 0) {
        giq_json_remove(waiting, "area_m2");
        return true;
    }
    return giq_json_set_integer(waiting, "area_m2", record->area_m2);
}

static bool set_attempt(struct giq_json *json, const struct giq_record *record)
{
    bool has_token = record->state == GIQ_JOB_INTENT && record->token[0] != '\0';
    giq_json_remove(json, attempt_member);
    return (record->attempt == 0 ||
            giq_json_set_integer(json, attempt_member, record->attempt)) &&
           giq_json_set_text(json, token_member, has_token ? record->token : NULL);
}

static bool set_members(struct giq_json *json, const struct giq_record *record)
{
    return giq_json_set_integer(json, "format", GIQ_RECORD_FORMAT) &&
           giq_json_set_text(json, "state", giq_record_state_name(record->state)) &&
           giq_json_set_text(json, "job_id", record->job_id) &&
           giq_json_set_text(json, "model_id", record->model_id) &&
           giq_json_set_text(json, "file_id", record->file_id) &&
           giq_json_set_text(json, "upload", record->upload) &&
           giq_json_set_text(json, "type", record->type) &&
           giq_json_set_text(json, "status", record->status) &&
           giq_json_set_text(json, "error", record->error) &&
           giq_json_set_text(json, "geometry_crs", record->geometry_crs) &&
           giq_json_set_bool(json, gone_member, record->gone) &&
           giq_json_set_time(json, "started_at", record->started_ms) &&
           giq_json_set_time(json, "submitted_at", record->submitted_ms) &&
           giq_json_set_time(json, "finished_at", record->finished_ms) &&
           set_result(json, record) && set_waiting(json, record) &&
           set_attempt(json, record);
}

/* The text of job.json, which the caller frees: the document as read, with the members of
 * the record set. NULL when out of memory. */
static char *print(const struct giq_record *record)
{
    GIQ_AUTO_JSON struct giq_json *json = record->document == NULL
                                              ? giq_json_new_object()
                                              : giq_json_copy(record->document);
    if (json == NULL || !set_members(json, record)) {
        return NULL;
    }
    if (record->state > GIQ_JOB_SENDING) {
        giq_json_remove(json, before_member);
    }
    return giq_json_print(json);
}

bool giq_record_put(const char *folder, unsigned access, const struct giq_record *record,
                    struct giq_error *err)
{
    GIQ_AUTO_FREE char *text = print(record);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    return giq_document_put(folder, giq_record_name, access, text, err);
}

bool giq_record_write(const char *folder, unsigned access,
                      const struct giq_record *record, struct giq_error *err)
{
    return giq_record_put(folder, access, record, err) && giq_os_sync_path(folder, err);
}

bool giq_record_create(const char *folder, unsigned access,
                       const struct giq_record *record, struct giq_error *err)
{
    bool is_created = false;
    GIQ_AUTO_BUF struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    GIQ_AUTO_FREE char *text = print(record);
    if (text == NULL || !giq_buf_addf(&buf, "%s\n", text)) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO(giq_exclusive_release)
    struct giq_exclusive file = {folder, access, buf.data, buf.len, .is_whole = true};
    return giq_exclusive_create(&file, giq_record_name, &is_created, err);
}

static const char *view_state_name(const struct giq_record *record)
{
    if (record->gone) {
        return gone_member;
    }
    return record->state == GIQ_JOB_NONE ? "not submitted"
                                         : giq_record_state_name(record->state);
}

static const char *view_status(const struct giq_record *record)
{
    if (record->state == GIQ_JOB_NONE) {
        return NULL;
    }
    bool is_running = record->state == GIQ_JOB_SUBMITTED && !record->gone;
    return is_running && record->status != NULL ? record->status
                                                : view_state_name(record);
}

void giq_record_view(const struct giq_record *record, const struct giq_json *request,
                     struct giq_job_view *out)
{
    const char *model = giq_json_text(giq_json_get(request, "model"));
    const char *file = giq_json_text(giq_json_get(request, "file"));
    const char *area = giq_json_text(giq_json_get(request, "geometry"));
    *out = (struct giq_job_view){
        .state = record->state,
        .model_id = record->model_id == NULL ? model : record->model_id,
        .file_id = record->file_id == NULL ? file : record->file_id,
        .upload = record->upload,
        .area = record->geometry_crs == NULL ? area : NULL,
        .label = giq_json_text(giq_json_get(request, "rerun")),
        .job_id = record->job_id,
        .state_name = view_state_name(record),
        .status = view_status(record),
        .type = record->type,
        .error = record->error,
        .result_size = record->result_size,
        .started_ms = record->started_ms,
        .submitted_ms = record->submitted_ms,
        .finished_ms = record->finished_ms,
    };
}

/* ---- results ---- */

bool giq_record_is_older(const struct giq_record *record, const struct giq_claim *claim)
{
    return claim->folder != NULL && claim->generation > record->result_generation &&
           record->job_id != NULL && giq_text_is_same_id(claim->job_id, record->job_id);
}

bool giq_record_use_claim(struct giq_record *record, const struct giq_claim *claim,
                          struct giq_error *err)
{
    record->state = GIQ_JOB_PUBLISHED;
    record->gone = false;
    record->is_claimed = true;
    record->result_size = claim->size;
    record->result_generation = claim->generation;
    if (!giq_text_set(&record->result_name, claim->name) ||
        !giq_text_set(&record->result_folder, claim->folder)) {
        return giq_fail_memory(err);
    }
    return giq_record_set_summary(record, claim->summary, err);
}

bool giq_record_set_summary(struct giq_record *record, const struct giq_json *json,
                            struct giq_error *err)
{
    if (json == NULL) {
        if (record->document != NULL) {
            giq_json_remove(record->document, summary_member);
        }
        return true;
    }
    if (record->document == NULL) {
        record->document = giq_json_new_object();
    }
    GIQ_AUTO_JSON struct giq_json *copy = giq_json_copy(json);
    if (record->document == NULL || copy == NULL ||
        !giq_json_set_text(copy, "job_id", record->job_id) ||
        !giq_json_set_integer(copy, "size", record->result_size) ||
        !giq_json_set_copy(record->document, summary_member, copy)) {
        return giq_fail_memory(err);
    }
    return true;
}

/* ---- a further job for a request ---- */

bool giq_record_has_label(const struct giq_record *record, const char *label)
{
    const struct giq_json *list = giq_json_get(record->document, labels_member);
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        const char *used = giq_json_text(item);
        if (used != NULL && strcmp(used, label) == 0) {
            return true;
        }
    }
    return false;
}

bool giq_record_use_label(struct giq_record *record, const char *label,
                          struct giq_error *err)
{
    assert(giq_text_is_utf8(label));
    if (record->document == NULL) {
        record->document = giq_json_new_object();
    }
    if (record->document == NULL) {
        return giq_fail_memory(err);
    }
    if (giq_record_has_label(record, label)) {
        return true;
    }
    if (!giq_json_add_text(record->document, labels_member, label)) {
        return giq_fail_memory(err);
    }
    return true;
}

bool giq_record_is_earlier(const struct giq_record *record, const char *job_id)
{
    const struct giq_json *list = giq_json_get(record->document, earlier_member);
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        const char *id = giq_json_text(item);
        if (id != NULL && giq_text_is_same_id(id, job_id)) {
            return true;
        }
    }
    return false;
}

bool giq_record_add_earlier(struct giq_record *record, const char *job_id,
                            struct giq_error *err)
{
    if (record->document == NULL) {
        record->document = giq_json_new_object();
    }
    if (record->document == NULL ||
        (!giq_record_is_earlier(record, job_id) &&
         !giq_json_add_text(record->document, earlier_member, job_id))) {
        return giq_fail_memory(err);
    }
    return true;
}

/* What a further job keeps as the earlier record. If this record is itself that of a
 * further job whose outcome was not recorded, its ticket has all that is known of that
 * job, and only the record before it is kept. */
static const struct giq_json *kept_record(const struct giq_record *record)
{
    const struct giq_json *json = record->document;
    const struct giq_json *before = earlier_record(json);
    enum giq_job_state state = parse_state(giq_json_text(giq_json_get(json, "state")));
    int attempt = parse_attempt(json);
    bool is_in_ticket =
        record->attempt > attempt || (state == GIQ_JOB_SENDING && attempt > 0);
    bool was_damaged = giq_json_is_true(giq_json_get(before, damaged_member));
    return is_in_ticket && before != NULL && !was_damaged ? before : json;
}

bool giq_record_restart(struct giq_record *record, struct giq_error *err)
{
    /* The document of a record that was rebuilt from its ticket has labels at most. */
    if (record->document == NULL) {
        record->document = giq_json_new_object();
    }
    bool is_whole = giq_json_get(record->document, "state") != NULL;
    if (record->document == NULL ||
        (!is_whole && !set_members(record->document, record))) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO_JSON struct giq_json *json = giq_json_copy(record->document);
    if (json == NULL || !giq_json_set_copy(json, before_member, kept_record(record))) {
        return giq_fail_memory(err);
    }
    if (record->job_id != NULL &&
        !giq_json_add_text(json, earlier_member, record->job_id)) {
        return giq_fail_memory(err);
    }
    giq_record_release(record);
    record->document = giq_take(&json);
    return true;
}

/* Rename folder/from to folder/to if folder/from exists. */
static bool rename_if_exists(const char *folder, const char *from, const char *to,
                             struct giq_error *err)
{
    struct giq_os_stat st;
    GIQ_AUTO_FREE char *from_path = giq_os_join(folder, from);
    GIQ_AUTO_FREE char *to_path = giq_os_join(folder, to);
    if (from_path == NULL || to_path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(from_path, &st, err)) {
        return false;
    }
    if (st.kind == GIQ_OS_NOTHING) {
        return true;
    }
    return giq_os_rename(from_path, to_path, err);
}

/* Copy a file of a damaged record, if it exists. It is not renamed: there would be no
 * record until the next write, and after that another machine may for a while not see the
 * new file. */
static bool copy_file(const char *folder, unsigned access, const char *from,
                      const char *to, struct giq_error *err)
{
    bool found = false;
    GIQ_AUTO_BUF struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    if (!giq_document_read_bytes(folder, from, &buf, &found, err)) {
        return false;
    }
    if (!found) {
        return true;
    }
    return giq_os_replace_file(folder, to, access, giq_buf_text(&buf), buf.len, err);
}

/* Replace request.json by `request`, unless it is that already. */
static bool replace_request(const char *folder, unsigned access, const char *request,
                            struct giq_error *err)
{
    struct giq_error reason = {0};
    if (giq_record_check_request(folder, request, &reason)) {
        return true;
    }
    return copy_file(folder, access, request_name, damaged_request_name, err) &&
           giq_document_write(folder, request_name, access, request, err);
}

/* Whether job.json is already that of a further job for a damaged record. */
static bool is_quarantined(const char *folder)
{
    struct giq_error ignored = {0};
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    bool damaged = false;
    if (!read_document(folder, true, &json, &damaged, &ignored)) {
        return false;
    }
    enum giq_job_state state = parse_state(giq_json_text(giq_json_get(json, "state")));
    return (state == GIQ_JOB_INTENT || state == GIQ_JOB_SENDING) &&
           giq_json_is_true(giq_json_get(earlier_record(json), damaged_member));
}

bool giq_record_quarantine(const char *folder, unsigned access, const char *request,
                           struct giq_record *record, struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    if (json == NULL) {
        return giq_fail_memory(err);
    }
    struct giq_json *before = giq_json_ensure_object(json, before_member);
    if (before == NULL || !giq_json_set_bool(before, damaged_member, true)) {
        return giq_fail_memory(err);
    }
    if (!is_quarantined(folder) &&
        (!copy_file(folder, access, giq_record_name, damaged_job_name, err) ||
         !replace_request(folder, access, request, err))) {
        return false;
    }
    giq_record_release(record);
    record->document = giq_take(&json);
    return true;
}

static bool remove_name(const char *folder, const char *name, struct giq_error *err)
{
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    return giq_os_remove(path, err);
}

static bool write_document(const char *folder, unsigned access,
                           const struct giq_json *json, struct giq_error *err)
{
    GIQ_AUTO_FREE char *text = giq_json_print(json);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    return giq_document_write(folder, giq_record_name, access, text, err);
}

/* Write back what was read of a file before it was replaced or removed. Without bytes
 * there was no file. */
static bool put_back(const char *folder, const char *name, unsigned access,
                     const struct giq_buf *bytes, struct giq_error *err)
{
    return bytes->len == 0 || giq_os_replace_file(folder, name, access,
                                                  giq_buf_text(bytes), bytes->len, err);
}

/* Whether another open has taken a ticket after this one. */
static bool has_later_ticket(const char *folder, int attempt, bool *out,
                             struct giq_error *err)
{
    GIQ_AUTO(giq_tickets_release) struct giq_tickets tickets = {0};
    if (!giq_ticket_list(folder, &tickets, err)) {
        return false;
    }
    *out = tickets.len > 0 && tickets.items[tickets.len - 1].n > attempt;
    return true;
}

/* Restore the files of a damaged record. Without locks another open may meanwhile have
 * begun a further job, which needs the files as they were. */
static bool restore_damaged(const char *folder, unsigned access, int attempt,
                            struct giq_error *err)
{
    bool ignored = false;
    bool is_later = false;
    GIQ_AUTO_BUF struct giq_buf request;
    GIQ_AUTO_BUF struct giq_buf record;
    giq_buf_init(&request, GIQ_DOCUMENT_BYTES_MAX);
    giq_buf_init(&record, GIQ_DOCUMENT_BYTES_MAX);
    if (!giq_document_read_bytes(folder, request_name, &request, &ignored, err) ||
        !giq_document_read_bytes(folder, giq_record_name, &record, &ignored, err) ||
        !rename_if_exists(folder, damaged_request_name, request_name, err) ||
        !rename_if_exists(folder, damaged_job_name, giq_record_name, err) ||
        !has_later_ticket(folder, attempt, &is_later, err)) {
        return false;
    }
    if (is_later) {
        return put_back(folder, request_name, access, &request, err) &&
               put_back(folder, giq_record_name, access, &record, err);
    }
    return giq_os_sync_path(folder, err);
}

/* Restore the earlier record of a further job, which had the ticket `attempt`. */
static bool restore_earlier(const char *folder, unsigned access, int attempt,
                            const struct giq_json *before, struct giq_error *err)
{
    return giq_json_is_true(giq_json_get(before, damaged_member))
               ? restore_damaged(folder, access, attempt, err)
               : write_document(folder, access, before, err);
}

/* Remove the record. request.json stays if there are tickets; if one is taken while it is
 * being removed, it is written again. */
static bool remove_files(const char *folder, unsigned access, struct giq_error *err)
{
    bool has_tickets = false;
    bool found = false;
    GIQ_AUTO_BUF struct giq_buf request;
    giq_buf_init(&request, GIQ_DOCUMENT_BYTES_MAX);
    if (!remove_name(folder, giq_record_name, err) ||
        !has_later_ticket(folder, 0, &has_tickets, err) ||
        !giq_document_read_bytes(folder, request_name, &request, &found, err)) {
        return false;
    }
    if (has_tickets || !found) {
        return giq_os_sync_path(folder, err);
    }
    if (!remove_name(folder, request_name, err) ||
        !has_later_ticket(folder, 0, &has_tickets, err)) {
        return false;
    }
    return has_tickets ? put_back(folder, request_name, access, &request, err)
                       : giq_os_sync_path(folder, err);
}

/* Whether job.json, which was read into `record`, was written by this caller. */
static bool is_own(const struct giq_record *record, int attempt, const char *token)
{
    if (record->state == GIQ_JOB_INTENT) {
        return token[0] != '\0' && strcmp(record->token, token) == 0;
    }
    return record->state == GIQ_JOB_SENDING && attempt > 0 && record->attempt == attempt;
}

static bool write_intent(const char *folder, unsigned access, struct giq_record *record,
                         const char *token, struct giq_error *err)
{
    record->state = GIQ_JOB_INTENT;
    record->attempt = 0;
    record->submitted_ms = GIQ_TIME_NONE;
    (void)snprintf(record->token, sizeof record->token, "%s", token);
    return giq_record_write(folder, access, record, err);
}

bool giq_record_undo(const char *folder, unsigned access, int attempt, const char *token,
                     bool keeps_intent, struct giq_error *err)
{
    bool damaged = false;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!read_document(folder, false, &record.document, &damaged, err)) {
        return false;
    }
    if (!parse(&record)) {
        return giq_fail_memory(err);
    }
    if (!is_own(&record, attempt, token)) {
        return true;
    }
    const struct giq_json *before = earlier_record(record.document);
    if (before != NULL) {
        return restore_earlier(folder, access, attempt, before, err);
    }
    return keeps_intent ? write_intent(folder, access, &record, token, err)
                        : remove_files(folder, access, err);
}
