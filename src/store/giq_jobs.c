/*
 * Listing the records of a store. The interface is in giq/giq.h.
 */
#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "store/giq_advice.h"
#include "store/giq_digest.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"
#include "store/giq_store.h"

struct listing {
    const struct giq_store *store;
    bool (*each)(void *ctx, const struct giq_job_view *job, struct giq_error *err);
    void *ctx;
};

/* Report the record in `folder`. A record that cannot be read is reported with the error;
 * a folder without a record is skipped. */
static bool list_record(const struct listing *listing, const char *key,
                        const char *folder, struct giq_error *err)
{
    struct giq_error reason = {0};
    GIQ_AUTO(giq_record_release) struct giq_record record;
    GIQ_AUTO_JSON struct giq_json *request = NULL;
    giq_record_init(&record);
    bool is_read = giq_record_read_brief(folder, &record, &reason) &&
                   giq_record_read_request(folder, &request, &reason);
    if (is_read && record.state == GIQ_JOB_NONE) {
        return true;
    }
    GIQ_AUTO_FREE char *path =
        is_read && record.state == GIQ_JOB_PUBLISHED
            ? giq_store_result(folder, record.result_folder, record.result_name)
            : NULL;
    struct giq_printable id;
    const char *job_id = record.job_id == NULL ? "?" : record.job_id;
    struct giq_job_view view;
    giq_record_view(&record, request, &view);
    view.key = key;
    view.result_path = path;
    if (!is_read) {
        view.state_name = "damaged";
        view.status = NULL;
        view.error = reason.text;
    } else if (giq_advice_describe(&record, giq_text_printable(job_id, &id), &reason)) {
        view.error = reason.text;
    }
    return listing->each(listing->ctx, &view, err);
}

static bool list_entry(void *ctx, const char *name, struct giq_error *err)
{
    const struct listing *listing = ctx;
    /* The folder of a key is named by a digest; other entries are not records. */
    if (!giq_digest_is_valid(name)) {
        return true;
    }
    GIQ_AUTO_FREE char *folder = giq_store_folder(listing->store, name);
    if (folder == NULL) {
        return giq_fail_memory(err);
    }
    return list_record(listing, name, folder, err);
}

bool giq_jobs_each(const struct giq_store *store,
                   bool (*each)(void *ctx, const struct giq_job_view *job,
                                struct giq_error *err),
                   void *ctx, struct giq_error *err)
{
    struct listing listing = {store, each, ctx};
    return giq_os_list(giq_store_keys_folder(store), list_entry, &listing, err);
}
