/*
 * Looking at every record of a store. The interface is in giq/giq.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/giq_os.h"
#include "store/giq_digest.h"
#include "store/giq_record.h"
#include "store/giq_store.h"

struct look {
    const struct giq_store *store;
    bool (*each)(void *ctx, const struct giq_job_view *job, struct giq_error *err);
    void *ctx;
};

/* What is recorded of the request in `folder`; a record that cannot be read is its
 * error. */
static bool tell(const struct look *look, const char *key, const char *folder,
                 struct giq_error *err)
{
    struct giq_error damage = {0};
    struct giq_record record;
    struct giq_json *request = NULL;
    giq_record_init(&record);
    bool is_read = giq_record_read(folder, NULL, &record, NULL, &damage) &&
                   giq_record_read_request(folder, &request, &damage);
    bool is_listed = !is_read || record.state != GIQ_JOB_NONE;
    char *path = is_read && record.state == GIQ_JOB_PUBLISHED
                     ? giq_store_result(folder, record.result_name)
                     : NULL;
    struct giq_job_view view;
    giq_record_view(&record, request, &view);
    view.key = key;
    view.result_path = path;
    if (!is_read) {
        view.status = NULL;
        view.error = damage.text;
    }
    bool ok = !is_listed || look->each(look->ctx, &view, err);
    free(path);
    giq_json_free(request);
    giq_record_release(&record);
    return ok;
}

static bool look_at(void *ctx, const char *name, struct giq_error *err)
{
    const struct look *look = ctx;
    /* Folders of keys are named by digests; anything else is not ours. */
    if (!giq_digest_is(name)) {
        return true;
    }
    char *folder = giq_store_folder(look->store, name);
    bool ok = folder == NULL ? giq_fail_memory(err) : tell(look, name, folder, err);
    free(folder);
    return ok;
}

bool giq_jobs_each(const struct giq_store *store,
                   bool (*each)(void *ctx, const struct giq_job_view *job,
                                struct giq_error *err),
                   void *ctx, struct giq_error *err)
{
    struct look look = {store, each, ctx};
    return giq_os_list(giq_store_keys(store), look_at, &look, err);
}
