/* The requests of a batch: reading their records, finding their models, and reporting
 * their outcomes. */
#include "giq/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_text.h"
#include "job/giq_batch_internal.h"
#include "job/giq_limits.h"
#include "job/giq_retry.h"
#include "job/giq_submit.h"
#include "service/giq_models.h"
#include "store/giq_record_read.h"
#include "store/giq_spent.h"

GIQ_AUTO_DEFINE(giq_job_free, struct giq_job)

/* ---- states and counts ---- */

static size_t *count_of(struct giq_batch_counts *counts, enum giq_batch_state state)
{
    switch (state) {
    case GIQ_BATCH_RUNNING:
        return &counts->running;
    case GIQ_BATCH_PUBLISHED:
        return &counts->published;
    case GIQ_BATCH_CHECKED:
        return &counts->checked;
    case GIQ_BATCH_FAILED:
        return &counts->failed;
    case GIQ_BATCH_PENDING:
        break;
    }
    return &counts->pending;
}

void giq_batch_set_state(struct giq_batch *batch, struct giq_batch_item *item,
                         enum giq_batch_state state)
{
    (*count_of(&batch->counts, item->state))--;
    (*count_of(&batch->counts, state))++;
    item->state = state;
}

void giq_batch_copy_result_path(struct giq_batch_item *item, struct giq_job *job)
{
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    (void)giq_text_set(&item->result_path, view.result_path);
}

void giq_batch_set_failed(struct giq_batch *batch, struct giq_batch_item *item,
                          const struct giq_error *failure)
{
    giq_batch_set_state(batch, item, GIQ_BATCH_FAILED);
    item->code = failure->code;
    (void)giq_text_set(&item->error, failure->text);
    batch->counts.failed_by_code[failure->code]++;
}

/* ---- reading the records ---- */

bool giq_batch_make_job(const struct giq_batch *batch, struct giq_service *service,
                        size_t row, const struct giq_job_host *host, struct giq_job **out,
                        struct giq_error *err)
{
    const struct giq_batch_args *args = &batch->args;
    return giq_job_new(service, args->store, &args->requests[row],
                       args->flags | GIQ_JOB_KEEP_UNKNOWN, host, out, err);
}

/* Whether the run may start a job for this request, by its record. */
static bool needs_job(const struct giq_job *job)
{
    if (job->phase == GIQ_PHASE_SUBMIT) {
        return job->record.state <= GIQ_JOB_INTENT || giq_retry_allows_job(job);
    }
    return giq_retry_is_rechecking(job);
}

/* Set the state of an item whose record states no error. Errors: GIQ_E_MEMORY. */
static bool set_by_record(struct giq_batch *batch, struct giq_batch_item *item,
                          struct giq_job *job, struct giq_error *err)
{
    struct giq_error failure = {0};
    if (job->phase == GIQ_PHASE_DONE) {
        bool is_no_wait = (batch->args.flags & GIQ_JOB_NO_WAIT) != 0;
        giq_batch_copy_result_path(item, job);
        giq_batch_set_state(batch, item,
                            is_no_wait ? GIQ_BATCH_CHECKED : GIQ_BATCH_PUBLISHED);
        return true;
    }
    item->needs_job = needs_job(job);
    item->needs_model = item->needs_job && giq_submit_needs_models(job);
    batch->counts.new_jobs += item->needs_job ? 1 : 0;
    /* A job that is recorded as gone is checked again first, and may need no new one. */
    bool is_job_certain = item->needs_job && job->phase == GIQ_PHASE_SUBMIT;
    if (!is_job_certain || giq_limits_check_area(job, &failure)) {
        return true;
    }
    if (failure.code == GIQ_E_MEMORY) {
        *err = failure;
        return false;
    }
    giq_batch_set_failed(batch, item, &failure);
    return true;
}

/* The first step of a job only reads its record. */
static bool read_record(struct giq_batch *batch, struct giq_batch_item *item,
                        struct giq_job *job, struct giq_error *err)
{
    enum giq_step step = GIQ_STEP_AGAIN;
    int64_t due_ms = 0;
    struct giq_error failure = {0};
    bool ok = giq_job_step(job, &step, &due_ms, &failure);
    if (!ok && failure.code == GIQ_E_MEMORY) {
        *err = failure;
        return false;
    }
    item->recorded = job->record.state;
    if (!giq_text_set(&item->job_id, job->record.job_id)) {
        return giq_fail_memory(err);
    }
    if (ok) {
        return set_by_record(batch, item, job, err);
    }
    giq_batch_set_failed(batch, item, &failure);
    return true;
}

/* Items by their keys: open addressing, with more slots than items. */
struct table {
    size_t *slots; /* the number of an item, plus one; 0: free */
    size_t mask;
};

static void free_table(struct table *table)
{
    free(table->slots);
}

static bool make_table(size_t count, struct table *out)
{
    size_t size = 2;
    while (size < 2 * count) {
        size *= 2;
    }
    *out = (struct table){calloc(size, sizeof *out->slots), size - 1};
    return out->slots != NULL;
}

/* The slot of the item with this key, or the free slot for it. A key is a digest, so its
 * digits are a good hash. */
static size_t *find_slot(const struct table *table, const struct giq_batch *batch,
                         const char *key)
{
    enum { HASH_DIGITS = 8, HEXADECIMAL = 16 };
    char digits[HASH_DIGITS + 1] = {0};
    (void)memcpy(digits, key, HASH_DIGITS);
    for (size_t at = strtoul(digits, NULL, HEXADECIMAL);; at++) {
        size_t *slot = &table->slots[at & table->mask];
        if (*slot == 0 || strcmp(batch->items[*slot - 1].key.hex, key) == 0) {
            return slot;
        }
    }
}

static bool add_row(struct giq_batch *batch, const struct table *table, size_t row,
                    struct giq_error *err)
{
    const struct giq_job_host host = {.limits = batch->args.limits};
    GIQ_AUTO(giq_job_free_auto) struct giq_job *job = NULL;
    if (!giq_batch_make_job(batch, batch->service, row, &host, &job, err)) {
        return false;
    }
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    size_t *slot = find_slot(table, batch, view.key);
    if (*slot != 0) {
        batch->item_of_row[row] = *slot - 1;
        return true;
    }
    struct giq_batch_item *item = &batch->items[batch->item_count];
    item->row = row;
    (void)memcpy(item->key.hex, view.key, sizeof item->key.hex);
    batch->item_of_row[row] = batch->item_count++;
    *slot = batch->item_count;
    batch->counts.requests++;
    batch->counts.pending++;
    return read_record(batch, item, job, err);
}

static bool read_rows(struct giq_batch *batch, struct giq_error *err)
{
    size_t count = batch->args.count;
    GIQ_AUTO(free_table) struct table table = {NULL, 0};
    batch->items = calloc(count + 1, sizeof *batch->items);
    batch->item_of_row = calloc(count + 1, sizeof *batch->item_of_row);
    if (batch->items == NULL || batch->item_of_row == NULL ||
        !make_table(count, &table)) {
        return giq_fail_memory(err);
    }
    for (size_t row = 0; row < count; row++) {
        if (giq_env_cancelled(batch->args.env)) {
            return giq_fail(err, GIQ_E_CANCELLED,
                            "the open was cancelled before anything was sent");
        }
        if (!add_row(batch, &table, row, err)) {
            return false;
        }
    }
    return true;
}

bool giq_batch_new(const struct giq_batch_args *args, struct giq_batch **out,
                   struct giq_error *err)
{
    struct giq_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return giq_fail_memory(err);
    }
    assert(args->concurrency >= 1 && args->concurrency <= GIQ_BATCH_CONCURRENCY_MAX);
    batch->args = *args;
    if (!giq_service_new(args->settings, args->cred, args->env, &batch->service, err) ||
        !read_rows(batch, err)) {
        giq_batch_free(batch);
        return false;
    }
    *out = batch;
    return true;
}

void giq_batch_free(struct giq_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->item_count; i++) {
        free(batch->items[i].error);
        free(batch->items[i].job_id);
        free(batch->items[i].result_path);
        free(batch->items[i].status);
    }
    for (size_t i = 0; i < batch->model_count; i++) {
        free(batch->models[i].id);
    }
    giq_job_free(batch->viewed);
    giq_service_free(batch->service);
    free(batch->models);
    free(batch->items);
    free(batch->item_of_row);
    free(batch);
}

/* ---- limits ---- */

bool giq_batch_check_limits(const struct giq_batch *batch, struct giq_error *err)
{
    const struct giq_limits *limits = &batch->args.limits;
    const struct giq_env *env = batch->args.env;
    int64_t now_ms = env->wall_ms(env->ctx);
    char next_day[GIQ_TEXT_TIME_SIZE];
    int taken = 0;
    if (!limits->has_max_jobs || batch->counts.new_jobs == 0) {
        return true;
    }
    if (!giq_spent_count(batch->args.store, now_ms, &taken, err)) {
        return false;
    }
    size_t left = limits->max_jobs > taken ? (size_t)(limits->max_jobs - taken) : 0;
    if (batch->counts.new_jobs <= left) {
        return true;
    }
    giq_text_printable_time(giq_spent_next_day_ms(now_ms), next_day);
    return giq_fail(err, GIQ_E_USAGE,
                    "the batch would start %zu jobs, and GIQ_MAX_JOBS allows %d on one "
                    "day (UTC), of which %zu are left; take a part of the rows "
                    "(part=<k>/<n>), open it again after %s, when the next day begins, "
                    "or raise GIQ_MAX_JOBS",
                    batch->counts.new_jobs, limits->max_jobs, left, next_day);
}

/* ---- models ---- */

static const struct giq_batch_model *find_model(const struct giq_batch *batch,
                                                const char *typed)
{
    for (size_t i = 0; i < batch->model_count; i++) {
        if (strcmp(batch->models[i].typed, typed) == 0) {
            return &batch->models[i];
        }
    }
    return NULL;
}

/* Find the id of the model `typed`. The batch keeps one id for each text, and `*out`
 * borrows it. Errors: those of giq_models_choose(). */
static bool choose_model(struct giq_batch *batch, const struct giq_models *models,
                         const char *typed, const char **out, struct giq_error *err)
{
    const struct giq_batch_model *known = find_model(batch, typed);
    if (known != NULL) {
        *out = known->id;
        return true;
    }
    GIQ_AUTO_FREE char *id = NULL;
    if (!giq_models_choose(batch->service, models, typed, &id, err)) {
        return false;
    }
    struct giq_batch_model *longer =
        realloc(batch->models, (batch->model_count + 1) * sizeof *batch->models);
    if (longer == NULL) {
        return giq_fail_memory(err);
    }
    batch->models = longer;
    *out = id;
    longer[batch->model_count++] = (struct giq_batch_model){typed, giq_take(&id)};
    return true;
}

static bool choose_model_of(struct giq_batch *batch, struct giq_batch_item *item,
                            const struct giq_models *models, struct giq_error *err)
{
    const char *typed = batch->args.requests[item->row].model;
    struct giq_error failure = {0};
    if (choose_model(batch, models, typed, &item->model_id, &failure)) {
        return true;
    }
    if (failure.code != GIQ_E_USAGE) {
        *err = failure;
        return false;
    }
    giq_batch_set_failed(batch, item, &failure);
    return true;
}

static bool needs_model(const struct giq_batch_item *item)
{
    return item->state == GIQ_BATCH_PENDING && item->needs_model && !item->has_model;
}

static bool choose_models(struct giq_batch *batch, const struct giq_models *models,
                          bool is_listed, struct giq_error *err)
{
    for (size_t i = 0; i < batch->item_count; i++) {
        struct giq_batch_item *item = &batch->items[i];
        if (!needs_model(item)) {
            continue;
        }
        item->has_model = true;
        if (is_listed && !choose_model_of(batch, item, models, err)) {
            return false;
        }
    }
    return true;
}

/* The first request for which the list of models is needed, or NULL. */
static const struct giq_batch_item *first_without_model(const struct giq_batch *batch)
{
    for (size_t i = 0; i < batch->item_count; i++) {
        if (needs_model(&batch->items[i])) {
            return &batch->items[i];
        }
    }
    return NULL;
}

/* Before anything is sent, check that a job can be recorded. */
static bool check_store(const struct giq_batch *batch, const struct giq_batch_item *item,
                        struct giq_error *err)
{
    const struct giq_store *store = batch->args.store;
    GIQ_AUTO_FREE char *folder = giq_store_folder(store, item->key.hex);
    if (folder == NULL) {
        return giq_fail_memory(err);
    }
    bool uploads = batch->args.requests[item->row].upload != NULL;
    return giq_store_check_writable(store, folder, uploads, err);
}

bool giq_batch_choose_models(struct giq_batch *batch, size_t *out_invalid,
                             struct giq_error *err)
{
    GIQ_AUTO(giq_models_release) struct giq_models models = {0};
    const struct giq_batch_item *first = first_without_model(batch);
    size_t failed_before = batch->counts.failed;
    bool is_listed = false;
    if (first == NULL || (batch->args.flags & GIQ_JOB_NO_SUBMIT) != 0) {
        *out_invalid = 0;
        return true;
    }
    /* Reading the rows and records does not count as waiting. */
    batch->service->deadline_ms =
        batch->args.env->now_ms(batch->args.env->ctx) + batch->args.settings->timeout_ms;
    giq_service_restart_check(batch->service);
    if (batch->args.tries_once) {
        giq_service_limit_to_one_try(batch->service);
    }
    if (!giq_service_check_credentials(batch->service, err) ||
        !check_store(batch, first, err) ||
        !giq_submit_list_models(batch->service, &models, &is_listed, err) ||
        !choose_models(batch, &models, is_listed, err)) {
        return false;
    }
    *out_invalid = batch->counts.failed - failed_before;
    return true;
}

/* ---- reporting ---- */

void giq_batch_get_counts(const struct giq_batch *batch, struct giq_batch_counts *out)
{
    *out = batch->counts;
}

static const char *error_of(const struct giq_batch_item *item)
{
    if (item->state != GIQ_BATCH_FAILED) {
        return NULL;
    }
    return item->error == NULL ? "out of memory" : item->error;
}

static const struct giq_batch_item *item_of(const struct giq_batch *batch, size_t row)
{
    assert(row < batch->args.count);
    return &batch->items[batch->item_of_row[row]];
}

void giq_batch_get_row(const struct giq_batch *batch, size_t index,
                       struct giq_batch_row *out)
{
    const struct giq_batch_item *item = item_of(batch, index);
    *out = (struct giq_batch_row){
        .state = item->state,
        .recorded = item->recorded,
        .key = item->key.hex,
        .job_id = item->job_id,
        .result_path = item->result_path,
        .first = item->row,
        .needs_job = item->needs_job,
        .code = item->code,
        .error = error_of(item),
    };
}

bool giq_batch_view(struct giq_batch *batch, size_t index, struct giq_job_view *out,
                    struct giq_error *err)
{
    static const struct giq_job_host no_host = {.ctx = NULL};
    const struct giq_batch_item *item = item_of(batch, index);
    struct giq_error *failure = &batch->view_error;
    giq_job_free(giq_take(&batch->viewed));
    *failure = (struct giq_error){0};
    if (!giq_batch_make_job(batch, batch->service, index, &no_host, &batch->viewed,
                            err)) {
        return false;
    }
    struct giq_job *job = batch->viewed;
    bool is_read =
        giq_record_read(job->folder, job->canonical, &job->record, NULL, failure);
    if (failure->code == GIQ_E_MEMORY) {
        *err = *failure;
        return false;
    }
    giq_job_get_view(job, out);
    if (!is_read) {
        out->state_name = "damaged";
        out->status = NULL;
        out->error = failure->text;
    } else if (out->error == NULL) {
        out->error = error_of(item);
    }
    bool is_running = job->record.state == GIQ_JOB_SUBMITTED && !job->record.gone;
    if (is_running && item->status != NULL) {
        out->status = item->status;
    }
    return true;
}

const struct giq_error *giq_batch_get_stop(const struct giq_batch *batch)
{
    return batch->stop.code == GIQ_E_NONE ? NULL : &batch->stop;
}
