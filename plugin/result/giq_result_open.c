/*
 * Chooses the member of a result, opens its file and checks the dataset.
 */
#include "result/giq_result_open.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"
#include "options/giq_result_options.h"
#include "result/giq_inner.h"
#include "result/giq_references.h"
#include "result/giq_result_error.h"
#include "result/giq_result_proof.h"

/* ---- members of an archive ---- */

/* Whether the members are several Shapefiles of one folder, which GDAL opens as one
 * dataset. If so, `*folder` is that folder, relative to the result, to be freed with
 * CPLFree(). */
static bool is_shapefile_folder(char **members, char **folder)
{
    if (CSLCount(members) == 1 || !giq_result_are_shapefiles(members)) {
        return false;
    }
    *folder = CPLStrdup(CPLGetPath(members[0]));
    return true;
}

/* The files of the archive that can be opened as `kinds`. */
static char **list_members_by_kind(const struct giq_result *result, unsigned kinds)
{
    char **members = NULL;
    GIQ_AUTO_CSL char **names = giq_result_files(result->path);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        GIQ_AUTO_CPL char *path =
            CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        if (giq_inner_can_open(path, kinds, result->drivers)) {
            members = CSLAddString(members, names[i]);
        }
    }
    return members;
}

/* The members of the requested kinds; if there are none, those of any kind. */
static char **list_members(const struct giq_result *result)
{
    char **members = list_members_by_kind(result, giq_result_kinds(result));
    return members != NULL ? members : list_members_by_kind(result, GIQ_INNER_KINDS);
}

/* Add the name and the description of the member with this number to a list of
 * subdatasets. */
static bool add_subdataset(const struct giq_result *result, const char *member,
                           int number, char ***list)
{
    char *job = giq_conn_quote(result->job_id);
    char *quoted = giq_conn_quote(member);
    bool ok = job != NULL && quoted != NULL;
    if (ok) {
        *list = CSLSetNameValue(*list, CPLSPrintf("SUBDATASET_%d_NAME", number),
                                CPLSPrintf("GIQ:job=%s;member=%s", job, quoted));
        *list = CSLSetNameValue(*list, CPLSPrintf("SUBDATASET_%d_DESC", number), member);
    }
    free(job);
    free(quoted);
    return ok;
}

/* An empty dataset whose subdatasets are the members. */
static bool make_container(const struct giq_result *result, char **members,
                           GDALDatasetH *out, struct giq_error *err)
{
    GIQ_AUTO_CSL char **list = NULL;
    for (int i = 0; members[i] != NULL; i++) {
        if (!add_subdataset(result, members[i], i + 1, &list)) {
            return giq_fail_memory(err);
        }
    }
    GIQ_AUTO_DATASET GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("MEM"), "", 1, 1, 0, GDT_Byte, NULL);
    if (dataset == NULL || GDALSetMetadata(dataset, list, "SUBDATASETS") != CE_None) {
        return giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a dataset in memory");
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

/* Find the named member, as choose_member() returns it, without opening any file. */
static bool find_named(const struct giq_result *result, char **out, struct giq_error *err)
{
    GIQ_AUTO_CSL char **files = giq_result_files(result->path);
    int found = giq_result_find_member(files, result->member);
    if (found >= 0) {
        *out = CPLStrdup(files[found]);
        return true;
    }
    GIQ_AUTO_CSL char **members = list_members(result);
    return members == NULL ? giq_result_error_archive(result, err)
                           : giq_result_fail_member(result, members, err);
}

/*
 * Choose the member to open where none is named. `*out`, relative to the result, is freed
 * with CPLFree(). If the result has several members it stays NULL, and `*out_list` is a
 * dataset that lists them.
 */
static bool choose_member(const struct giq_result *result, char **out,
                          GDALDatasetH *out_list, struct giq_error *err)
{
    GIQ_AUTO_CSL char **members = list_members(result);
    if (members == NULL) {
        return giq_result_error_archive(result, err);
    }
    if (is_shapefile_folder(members, out)) {
        return true;
    }
    if (CSLCount(members) == 1) {
        *out = CPLStrdup(members[0]);
        return true;
    }
    if (giq_result_kinds(result) != GDAL_OF_VECTOR) {
        return make_container(result, members, out_list, err);
    }
    return giq_result_fail_member(result, members, err);
}

/* The path to open, to be freed with CPLFree(); NULL if `*out_list` lists several
 * members. */
static bool find_path(const struct giq_result *result, char **out, GDALDatasetH *out_list,
                      struct giq_error *err)
{
    if (!giq_result_is_folder(result->path)) {
        char *only[] = {(char *)CPLGetFilename(result->path), NULL};
        if (result->member != NULL && giq_result_find_member(only, result->member) < 0) {
            return giq_result_fail_member(result, only, err);
        }
        *out = CPLStrdup(result->path);
        return true;
    }
    GIQ_AUTO_CPL char *member = NULL;
    bool ok = result->member == NULL ? choose_member(result, &member, out_list, err)
                                     : find_named(result, &member, err);
    if (member != NULL) {
        *out = CPLStrdup(CPLFormFilename(result->path, member, NULL));
    }
    return ok;
}

/* ---- one file ---- */

/* The error of a file that no driver opened; the open options may be the reason. */
static bool fail_open(const struct giq_result *result, const char *path,
                      struct giq_error *err)
{
    char reason[GIQ_RESULT_REASON_SIZE];
    giq_result_error_reason(path, reason);
    if (result->options == NULL ||
        !giq_inner_can_open(path, giq_result_kinds(result), result->drivers)) {
        return giq_result_error_file(result, path, reason, err);
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the result of the job %s cannot be opened with these "
                    "RESULT_OPTIONS%s%s",
                    result->job_id, reason[0] == '\0' ? "" : ": ", reason);
}

static GDALDatasetH open_inner(const struct giq_result *result, const char *path)
{
    return giq_inner_is_renamed(result->flags)
               ? giq_inner_open_shared(path, result->flags, result->drivers,
                                       result->options, result->shared_name)
               : giq_inner_open(path, result->flags, result->drivers, result->options);
}

/* Other drivers or options than at publishing may find external references. A raster is
 * always checked: GDAL may keep its sidecars in another folder. */
static bool check_dataset(struct giq_references *references,
                          const struct giq_result *result, GDALDatasetH dataset,
                          const char *path, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    if (result->options == NULL && GDALGetRasterCount(dataset) == 0 &&
        giq_result_proof_holds(result->proof, path, driver)) {
        return true;
    }
    /* The GeoJSON driver fetches URLs only while it reads features. */
    if (STARTS_WITH_CI(driver, "GeoJSON") &&
        !giq_references_check_file(references, path, err)) {
        return false;
    }
    return giq_references_check(references, dataset, path, result->drivers, err);
}

/* Open the file at `path` unless it has external references. If no driver opens it,
 * `*out` stays NULL and the call succeeds. */
static bool open_checked(const struct giq_result *result, const char *path,
                         GDALDatasetH *out, struct giq_error *err)
{
    struct giq_references references;
    struct giq_error found = {0};
    CPLPushErrorHandler(CPLQuietErrorHandler);
    giq_references_begin(&references);
    GIQ_AUTO_DATASET GDALDatasetH dataset = open_inner(result, path);
    bool ok =
        dataset == NULL || check_dataset(&references, result, dataset, path, &found);
    ok = giq_references_end(&references, ok, &found);
    CPLPopErrorHandler();
    if (!ok) {
        const char *member = path + strlen(result->path);
        if (member[0] == '\0' || member[1] == '\0') { /* the file, or the whole folder */
            return giq_fail(err, found.code, "job %s: %s", result->job_id, found.text);
        }
        return giq_fail(err, found.code, "job %s: member \"%.*s\": %s", result->job_id,
                        giq_text_cut_len(member + 1, 200), member + 1, found.text);
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

static bool open_file(const struct giq_result *result, const char *path,
                      GDALDatasetH *out, struct giq_error *err)
{
    GDALDatasetH dataset = NULL;
    if (!open_checked(result, path, &dataset, err)) {
        return false;
    }
    if (dataset == NULL) {
        return fail_open(result, path, err);
    }
    giq_result_options_warn(dataset, result->options);
    *out = dataset;
    return true;
}

/* ---- the whole ---- */

bool giq_result_open(const struct giq_result *result, GDALDatasetH *out,
                     struct giq_error *err)
{
    GIQ_AUTO_CPL char *path = NULL;
    bool ok = find_path(result, &path, out, err);
    if (ok && path != NULL) {
        ok = open_file(result, path, out, err);
    }
    CPLErrorReset();
    return ok;
}
