/*
 * Listing the records of a store. The interface is in giq/giq.h.
 *
 * The caller's thread lists the folders into a ring of rows, and reports the rows in the
 * order of the listing. Other threads read the records of the rows meanwhile, and the
 * caller's thread reads some as well while it waits. They are started once the ring is
 * full, so a small store is listed without any.
 */
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "base/giq_thread.h"
#include "store/giq_advice.h"
#include "store/giq_digest.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"
#include "store/giq_store.h"

enum {
    ROWS_MAX = 32,                    /* rows in the ring */
    READERS_MAX = 3,                  /* threads beside the caller's */
    AREA_BYTES_MAX = 4 * 1024 * 1024, /* areas of rows that wait to be reported */
};

/* What is read of one record. */
struct row {
    char key[GIQ_DIGEST_HEX_SIZE];
    char *folder;
    bool is_done;
    bool is_read;
    bool has_error;
    struct giq_record record;
    struct giq_json *request;
    size_t area_len; /* bytes of the area in `request` */
    char *result_path;
    struct giq_error error; /* if has_error */
};

struct listing {
    const struct giq_store *store;
    bool (*each)(void *ctx, const struct giq_job_view *job, struct giq_error *err);
    void *ctx;
    struct row *rows; /* row i of the listing is at i % ROWS_MAX */

    struct giq_thread_lock lock;      /* of what follows, and of is_done of the rows */
    struct giq_thread_event may_take; /* a row was listed or reported: for the readers */
    struct giq_thread_event done;     /* a row was read: for the caller's thread */
    size_t listed;                    /* rows so far */
    size_t taken;                     /* rows that a thread reads or has read */
    size_t reported;
    size_t area_bytes; /* in rows that are read and not reported */
    bool is_ended;

    bool has_tried_readers;
    int reader_count;
    struct giq_thread readers[READERS_MAX];
};

static struct row *row_at(const struct listing *listing, size_t i)
{
    return &listing->rows[i % ROWS_MAX];
}

/* ---- reading a row ---- */

static void release_row(struct row *row)
{
    free(row->folder);
    free(row->result_path);
    giq_record_release(&row->record);
    giq_json_free(row->request);
    row->folder = NULL;
    row->result_path = NULL;
    row->request = NULL;
}

static void read_row(struct row *row)
{
    struct giq_printable id;
    struct giq_record *record = &row->record;
    row->error = (struct giq_error){0};
    row->is_read = giq_record_read_brief(row->folder, record, &row->error) &&
                   giq_record_read_request(row->folder, &row->request, &row->error);
    row->has_error = true;
    if (row->is_read) {
        const char *job_id = record->job_id == NULL ? "?" : record->job_id;
        row->has_error =
            giq_advice_describe(record, giq_text_printable(job_id, &id), &row->error);
    }
    if (row->is_read && record->state == GIQ_JOB_PUBLISHED) {
        row->result_path =
            giq_store_result(row->folder, record->result_folder, record->result_name);
    }
    const char *area = giq_json_text(giq_json_get(row->request, "geometry"));
    row->area_len = area == NULL ? 0 : strlen(area);
    /* The document takes most of the memory of the record, and the view does not need it.
     */
    giq_json_free(record->document);
    record->document = NULL;
}

/* Report a row that was read. A record that cannot be read is reported with the error; a
 * folder without a record is skipped. */
static bool report_row(const struct listing *listing, const struct row *row,
                       struct giq_error *err)
{
    struct giq_job_view view;
    if (row->is_read && row->record.state == GIQ_JOB_NONE) {
        return true;
    }
    giq_record_view(&row->record, row->request, &view);
    view.key = row->key;
    view.result_path = row->result_path;
    if (!row->is_read) {
        view.state_name = "damaged";
        view.status = NULL;
    }
    if (row->has_error) {
        view.error = row->error.text;
    }
    return listing->each(listing->ctx, &view, err);
}

/* ---- the ring ---- */

/* Read the next row that no thread has taken; false if there is none, or if the areas in
 * memory are too large to read one ahead. Must be called with the lock held, which is not
 * held while it reads. */
static bool read_next(struct listing *listing)
{
    bool is_ahead = listing->taken > listing->reported;
    if (listing->taken == listing->listed ||
        (is_ahead && listing->area_bytes > AREA_BYTES_MAX)) {
        return false;
    }
    struct row *row = row_at(listing, listing->taken++);
    giq_thread_unlock(&listing->lock);
    read_row(row);
    giq_thread_lock(&listing->lock);
    listing->area_bytes += row->area_len;
    row->is_done = true;
    giq_thread_wake(&listing->done);
    return true;
}

static void *reader_main(void *ctx)
{
    struct listing *listing = ctx;
    giq_thread_lock(&listing->lock);
    while (!listing->is_ended) {
        if (!read_next(listing)) {
            giq_thread_wait(&listing->may_take, &listing->lock);
        }
    }
    giq_thread_unlock(&listing->lock);
    return NULL;
}

/* If no thread can be started, the caller's reads all rows. */
static void start_readers(struct listing *listing)
{
    int count = giq_thread_processors() - 1;
    listing->has_tried_readers = true;
    while (listing->reader_count < count && listing->reader_count < READERS_MAX &&
           giq_thread_start(&listing->readers[listing->reader_count], reader_main,
                            listing)) {
        listing->reader_count++;
    }
}

static void end_readers(struct listing *listing)
{
    giq_thread_lock(&listing->lock);
    listing->is_ended = true;
    for (int i = 0; i < listing->reader_count; i++) {
        giq_thread_wake(&listing->may_take);
    }
    giq_thread_unlock(&listing->lock);
    for (int i = 0; i < listing->reader_count; i++) {
        giq_thread_join(&listing->readers[i]);
    }
}

static bool report_oldest(struct listing *listing, struct giq_error *err)
{
    struct row *row = row_at(listing, listing->reported);
    giq_thread_lock(&listing->lock);
    while (!row->is_done) {
        if (!read_next(listing)) {
            giq_thread_wait(&listing->done, &listing->lock);
        }
    }
    giq_thread_unlock(&listing->lock);
    bool ok = report_row(listing, row, err);
    release_row(row);
    giq_thread_lock(&listing->lock);
    listing->area_bytes -= row->area_len;
    listing->reported++;
    giq_thread_wake(&listing->may_take);
    giq_thread_unlock(&listing->lock);
    return ok;
}

static bool list_entry(void *ctx, const char *name, struct giq_error *err)
{
    struct listing *listing = ctx;
    /* The folder of a key is named by a digest; other entries are not records. */
    if (!giq_digest_is_valid(name)) {
        return true;
    }
    if (listing->listed - listing->reported == ROWS_MAX) {
        if (!listing->has_tried_readers) {
            start_readers(listing);
        }
        if (!report_oldest(listing, err)) {
            return false;
        }
    }
    struct row *row = row_at(listing, listing->listed);
    row->folder = giq_store_folder(listing->store, name);
    if (row->folder == NULL) {
        return giq_fail_memory(err);
    }
    (void)memcpy(row->key, name, sizeof row->key);
    row->is_done = false;
    giq_thread_lock(&listing->lock);
    listing->listed++;
    giq_thread_wake(&listing->may_take);
    giq_thread_unlock(&listing->lock);
    return true;
}

static bool list(struct listing *listing, struct giq_error *err)
{
    bool ok =
        giq_os_list(giq_store_keys_folder(listing->store), list_entry, listing, err);
    while (ok && listing->reported < listing->listed) {
        ok = report_oldest(listing, err);
    }
    end_readers(listing);
    return ok;
}

/* ---- the listing ---- */

static bool init(struct listing *listing)
{
    listing->rows = calloc(ROWS_MAX, sizeof *listing->rows);
    if (listing->rows == NULL || !giq_thread_lock_init(&listing->lock)) {
        free(listing->rows);
        return false;
    }
    for (size_t i = 0; i < ROWS_MAX; i++) {
        giq_record_init(&listing->rows[i].record);
    }
    if (giq_thread_event_init(&listing->may_take)) {
        if (giq_thread_event_init(&listing->done)) {
            return true;
        }
        giq_thread_event_release(&listing->may_take);
    }
    giq_thread_lock_release(&listing->lock);
    free(listing->rows);
    return false;
}

static void release(struct listing *listing)
{
    for (size_t i = 0; i < ROWS_MAX; i++) {
        release_row(&listing->rows[i]);
    }
    giq_thread_event_release(&listing->done);
    giq_thread_event_release(&listing->may_take);
    giq_thread_lock_release(&listing->lock);
    free(listing->rows);
}

bool giq_jobs_each(const struct giq_store *store,
                   bool (*each)(void *ctx, const struct giq_job_view *job,
                                struct giq_error *err),
                   void *ctx, struct giq_error *err)
{
    struct listing listing = {.store = store, .each = each, .ctx = ctx};
    if (!init(&listing)) {
        return giq_fail_memory(err);
    }
    bool ok = list(&listing, err);
    release(&listing);
    return ok;
}
