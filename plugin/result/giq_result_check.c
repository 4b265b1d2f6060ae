/*
 * Checks a downloaded result, a file or an unpacked archive, before it is published.
 */
#include "result/giq_result_check.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"
#include "result/giq_inner.h"
#include "result/giq_references.h"
#include "result/giq_result_driver.h"
#include "result/giq_result_error.h"
#include "result/giq_result_proof.h"
#include "result/giq_result_summary.h"
#include "result/giq_sidecar.h"

/* A check in progress. */
struct check {
    const struct giq_result *result;
    char **options; /* for the drivers, or NULL */
    struct giq_summary *summary;
    struct giq_references references;
};

/* ---- a result that no allowed driver opens now ---- */

static bool may_open_later(const char *path, char **drivers)
{
    enum giq_result_driver_state state = giq_result_driver_of(path, drivers).state;
    return state != GIQ_RESULT_DRIVER_NONE && state != GIQ_RESULT_DRIVER_REFERENCES;
}

static bool may_open_any_later(const struct giq_result *result)
{
    GIQ_AUTO_CSL char **names = giq_result_files(result->path);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        GIQ_AUTO_CPL char *path =
            CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        if (may_open_later(path, result->drivers)) {
            return true;
        }
    }
    return false;
}

/* ---- one file ---- */

/* The kinds (GDAL_OF_...) that the dataset does not have. For these GDAL may open the
 * file with another driver. */
static unsigned missing_kinds(GDALDatasetH dataset)
{
    bool is_raster = GDALGetRasterCount(dataset) > 0 ||
                     GDALGetMetadata(dataset, "SUBDATASETS") != NULL;
    bool is_vector = GDALDatasetGetLayerCount(dataset) > 0;
    return (is_raster ? 0u : (unsigned)GDAL_OF_RASTER) |
           (is_vector ? 0u : (unsigned)GDAL_OF_VECTOR);
}

/* Add the dataset to the summary of its file, which is added first if `*file` is NULL. */
static bool describe(struct check *check, GDALDatasetH dataset, unsigned kinds,
                     const char *path, struct giq_summary_file **file,
                     struct giq_error *err)
{
    size_t len = strlen(check->result->path);
    const char *name =
        path[len] == '\0' ? CPLGetFilename(path) : path + len + 1; /* in an archive */
    if (*file == NULL) {
        *file = giq_summary_add_file(check->summary);
        if (*file == NULL || ((*file)->name = strdup(name)) == NULL) {
            return giq_fail_memory(err);
        }
    }
    return giq_result_summary_describe(*file, dataset, kinds, path, err);
}

/*
 * Refuse external references in the datasets of the file: the one that GDAL opens first,
 * and the one that it opens for the kinds that the first lacks. `*out_opens` is whether
 * an allowed driver opens the file; if none does, the check succeeds. It also succeeds if
 * there are too many subdatasets to check: giq_result_open() then refuses to open the
 * file, and it is not in the summary.
 */
static bool check_datasets(struct check *check, const char *path, bool *out_opens,
                           struct giq_error *err)
{
    unsigned kinds = GIQ_INNER_KINDS;
    struct giq_summary_file *file = NULL;
    *out_opens = false;
    for (int tries = 0; kinds != 0 && tries < 2; tries++) {
        GIQ_AUTO_DATASET GDALDatasetH dataset =
            giq_inner_open(path, kinds, check->result->drivers, check->options);
        if (dataset == NULL) {
            break;
        }
        *out_opens = true;
        struct giq_error found = {0};
        if (giq_references_check(&check->references, dataset, path,
                                 check->result->drivers, &found)) {
            if (!describe(check, dataset, kinds, path, &file, err)) {
                return false;
            }
        } else if (!check->references.has_too_many_subdatasets) {
            return giq_fail(err, found.code, "%s", found.text);
        }
        kinds = missing_kinds(dataset);
    }
    return true;
}

/* Set the proof of a file that was checked, if one driver opened it. */
static bool set_proof(struct giq_summary *summary, const char *state,
                      struct giq_error *err)
{
    if (state == NULL || summary->file_count != 1 ||
        summary->files[0].other_driver != NULL) {
        return true;
    }
    GIQ_AUTO_CPL char *proof = giq_result_proof(state, summary->files[0].driver);
    summary->proof = strdup(proof);
    return summary->proof != NULL || giq_fail_memory(err);
}

static bool check_file(struct check *check, struct giq_error *err)
{
    bool opens = false;
    const struct giq_result *result = check->result;
    GIQ_AUTO_CPL char *state = giq_result_proof_state(result->path);
    if (!giq_references_check_file(&check->references, result->path, err) ||
        !check_datasets(check, result->path, &opens, err)) {
        return false;
    }
    /* Read before other calls of GDAL set the last error. */
    char reason[GIQ_RESULT_REASON_SIZE];
    giq_result_error_reason(result->path, reason);
    if (opens || may_open_later(result->path, result->drivers)) {
        return set_proof(check->summary, state, err);
    }
    return giq_result_error_file(result, result->path, reason, err);
}

/* ---- an unpacked archive ---- */

/* The error `found` of the member `name`. */
static bool fail_member(const char *name, const struct giq_error *found,
                        struct giq_error *err)
{
    return giq_fail(err, found->code, "member \"%.*s\": %s", giq_text_cut_len(name, 200),
                    name, found->text);
}

/* Check every file, since GDAL may read it as a sidecar of another. */
static bool check_bytes(struct check *check, struct giq_error *err)
{
    const struct giq_result *result = check->result;
    GIQ_AUTO_CSL char **names = giq_list_folder(result->path);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        GIQ_AUTO_CPL char *path =
            CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        struct giq_error found = {0};
        if (!giq_result_is_folder(path) &&
            !giq_references_check_file(&check->references, path, &found)) {
            return fail_member(names[i], &found, err);
        }
    }
    return true;
}

static bool check_members(struct check *check, struct giq_error *err)
{
    bool any_opens = false;
    const struct giq_result *result = check->result;
    GIQ_AUTO_CSL char **names = giq_result_files(result->path);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        bool opens = false;
        GIQ_AUTO_CPL char *path =
            CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        struct giq_error found = {0};
        if (!check_datasets(check, path, &opens, &found)) {
            return fail_member(names[i], &found, err);
        }
        any_opens = any_opens || opens;
    }
    if (any_opens || may_open_any_later(result)) {
        return true;
    }
    return giq_result_error_archive(result, err);
}

static bool check_archive(struct check *check, char ***removed, struct giq_error *err)
{
    return giq_sidecar_remove(&check->references, check->result->path, removed, err) &&
           check_bytes(check, err) && check_members(check, err);
}

static void warn_of_removed(const struct giq_job *job, char **removed)
{
    char list[GIQ_LIST_SIZE];
    if (removed != NULL) {
        GIQ_AUTO_CPL char *text = CPLStrdup(CPLSPrintf(
            "these files were removed from the result, because they could make GDAL read "
            "other files or hosts: %s",
            giq_list_join(removed, list, GIQ_LIST_SIZE)));
        giq_job_warn(job, text);
    }
}

/* ---- the whole ---- */

/* As giq_result_accept(), without the job. */
static bool check_result(const struct giq_result *result, struct giq_summary *summary,
                         char ***removed, struct giq_error *err)
{
    struct check check = {.result = result, .summary = summary};
    CPLPushErrorHandler(CPLQuietErrorHandler);
    giq_references_begin(&check.references);
    bool ok = giq_result_is_folder(result->path) ? check_archive(&check, removed, err)
                                                 : check_file(&check, err);
    ok = giq_references_end(&check.references, ok, err);
    CPLPopErrorHandler();
    return ok;
}

bool giq_result_summarize(const struct giq_result *result, struct giq_summary *summary,
                          struct giq_error *err)
{
    struct check check = {
        .result = result, .options = result->options, .summary = summary};
    CPLPushErrorHandler(CPLQuietErrorHandler);
    giq_references_begin(&check.references);
    bool ok = giq_result_is_folder(result->path) ? check_members(&check, err)
                                                 : check_file(&check, err);
    ok = giq_references_end(&check.references, ok, err);
    CPLPopErrorHandler();
    CPLErrorReset();
    return ok;
}

bool giq_result_accept(const struct giq_result *result, struct giq_job *job,
                       struct giq_error *err)
{
    struct giq_summary summary = {0};
    GIQ_AUTO_CSL char **removed = NULL;
    bool ok = check_result(result, &summary, &removed, err);
    warn_of_removed(job, removed);
    ok = ok && giq_job_set_summary(job, &summary, err);
    giq_summary_release(&summary);
    return ok;
}
