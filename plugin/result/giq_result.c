#include "result/giq_result.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/giq_list.h"
#include "options/giq_result_options.h"
#include "result/giq_inner.h"
#include "result/giq_references.h"
#include "result/giq_result_fail.h"
#include "result/giq_result_files.h"
#include "result/giq_sidecar.h"

enum { LISTED_MAX = 300 };

static bool is_shapefile(const char *name)
{
    return EQUAL(CPLGetExtension(name), "shp");
}

/* A folder that holds several Shapefiles and nothing else that can be opened is
 * one dataset: its path into `*folder`, relative to the result. */
static bool is_shapefile_folder(char **members, char **folder)
{
    char *parent = CPLStrdup(CPLGetPath(members[0]));
    bool same = CSLCount(members) > 1;
    for (int i = 0; members[i] != NULL; i++) {
        same = same && is_shapefile(members[i]) &&
               strcmp(CPLGetPath(members[i]), parent) == 0;
    }
    if (same) {
        *folder = parent;
        return true;
    }
    CPLFree(parent);
    return false;
}

/* Those of them that can be opened as `kinds`. */
static char **list_members(const char *folder, unsigned kinds, char **drivers)
{
    char **members = NULL;
    char **names = giq_result_files(folder);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        char *path = CPLStrdup(CPLFormFilename(folder, names[i], NULL));
        if (giq_inner_can_open(path, kinds, drivers)) {
            members = CSLAddString(members, names[i]);
        }
        CPLFree(path);
    }
    CSLDestroy(names);
    return members;
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
static bool list_subdatasets(const struct giq_result *result, char **members,
                             GDALDatasetH *out, struct giq_error *err)
{
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("MEM"), "", 1, 1, 0, GDT_Byte, NULL);
    char **list = NULL;
    bool ok = dataset != NULL;
    for (int i = 0; ok && members[i] != NULL; i++) {
        ok = add_subdataset(result, members[i], i + 1, &list);
    }
    ok = ok && GDALSetMetadata(dataset, list, "SUBDATASETS") == CE_None;
    CSLDestroy(list);
    if (!ok) {
        if (dataset != NULL) {
            GDALClose(dataset);
        }
        return giq_fail(err, GIQ_E_MEMORY, "GDAL cannot make a list in memory");
    }
    *out = dataset;
    return true;
}

/* The members of the kind that is asked for, or where there are none, of any. */
static char **list_best_members(const struct giq_result *result)
{
    char **members =
        list_members(result->path, giq_result_kinds(result), result->drivers);
    return members != NULL ? members
                           : list_members(result->path, GIQ_INNER_KINDS, result->drivers);
}

static bool fail_no_member(const struct giq_result *result, char **members,
                           struct giq_error *err)
{
    char list[LISTED_MAX];
    char title[GIQ_RESULT_TITLE_SIZE];
    return giq_fail(err, GIQ_E_USAGE, "%s has no member \"%s\"; it has %s",
                    giq_result_title(result, title), result->member,
                    giq_list_join(members, list, LISTED_MAX));
}

/* The file of the list that is named, by the name as it is written or else by one that
 * Unicode composes otherwise; NULL where there is none. */
static const char *find_member(char **files, const char *name)
{
    int at = CSLFindString(files, name);
    for (int i = 0; at < 0 && files != NULL && files[i] != NULL; i++) {
        at = giq_norm_same(files[i], name) ? i : at;
    }
    return at < 0 ? NULL : files[at];
}

/* The member that is named, as choose() gives it. Nothing is opened to find it. */
static bool choose_named(const struct giq_result *result, char **out,
                         struct giq_error *err)
{
    char **files = giq_result_files(result->path);
    const char *found = find_member(files, result->member);
    *out = found == NULL ? NULL : CPLStrdup(found);
    CSLDestroy(files);
    if (*out != NULL) {
        return true;
    }
    char **members = list_best_members(result);
    bool ok = members == NULL ? giq_result_fail_archive(result, err)
                              : fail_no_member(result, members, err);
    CSLDestroy(members);
    return ok;
}

/* Which of the members is meant: `*out` is relative to the result and is freed with
 * CPLFree(). Where all are meant it stays NULL, and `*out_list` lists them. */
static bool choose(const struct giq_result *result, char **members, char **out,
                   GDALDatasetH *out_list, struct giq_error *err)
{
    char list[LISTED_MAX];
    char title[GIQ_RESULT_TITLE_SIZE];
    if (members == NULL) {
        return giq_result_fail_archive(result, err);
    }
    if (is_shapefile_folder(members, out)) {
        return true;
    }
    if (CSLCount(members) == 1) {
        *out = CPLStrdup(members[0]);
        return true;
    }
    if (giq_result_kinds(result) != GDAL_OF_VECTOR) {
        return list_subdatasets(result, members, out_list, err);
    }
    return giq_fail(
        err, GIQ_E_USAGE, "%s has several members; choose one with member=<name>: %s",
        giq_result_title(result, title), giq_list_join(members, list, LISTED_MAX));
}

/* The path to open, to be freed with CPLFree(); NULL where `*out_list` lists several
 * members. */
static bool resolve(const struct giq_result *result, char **out, GDALDatasetH *out_list,
                    struct giq_error *err)
{
    if (!giq_result_is_folder(result->path)) {
        char *only[] = {(char *)CPLGetFilename(result->path), NULL};
        bool ok = result->member == NULL || find_member(only, result->member) != NULL ||
                  fail_no_member(result, only, err);
        *out = ok ? CPLStrdup(result->path) : NULL;
        return ok;
    }
    char *member = NULL;
    char **members = result->member == NULL ? list_best_members(result) : NULL;
    bool ok = result->member == NULL ? choose(result, members, &member, out_list, err)
                                     : choose_named(result, &member, err);
    if (member != NULL) {
        *out = CPLStrdup(CPLFormFilename(result->path, member, NULL));
        CPLFree(member);
    }
    CSLDestroy(members);
    return ok;
}

/* ---- the whole ---- */

/* giq_references_check_file() of every file of an archive. */
static bool check_bytes(struct giq_references *reach, const struct giq_result *result,
                        struct giq_error *err)
{
    bool ok = true;
    char **names = VSIReadDirRecursive(result->path);
    for (int i = 0; ok && names != NULL && names[i] != NULL; i++) {
        char *path = CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        ok = giq_result_is_folder(path) || giq_references_check_file(reach, path, err);
        CPLFree(path);
    }
    CSLDestroy(names);
    return ok;
}

/* The kinds that a dataset is not of: asked for as those, its file may go to another
 * driver. */
static unsigned other_kinds(GDALDatasetH dataset)
{
    bool is_raster = GDALGetRasterCount(dataset) > 0 ||
                     GDALGetMetadata(dataset, "SUBDATASETS") != NULL;
    bool is_vector = GDALDatasetGetLayerCount(dataset) > 0;
    return (is_raster ? 0u : (unsigned)GDAL_OF_RASTER) |
           (is_vector ? 0u : (unsigned)GDAL_OF_VECTOR);
}

/* Whether what lies at `path` stays within itself. `*out_opens` is false, and the call
 * succeeds, where no allowed driver opens it. */
static bool check_file(struct giq_references *reach, const char *path, char **drivers,
                       bool *out_opens, struct giq_error *err)
{
    bool ok = true;
    unsigned kinds = GIQ_INNER_KINDS;
    *out_opens = false;
    for (int tries = 0; ok && kinds != 0 && tries < 2; tries++) {
        GDALDatasetH dataset = giq_inner_open(path, kinds, drivers, NULL);
        if (dataset == NULL) {
            break;
        }
        *out_opens = true;
        kinds = other_kinds(dataset);
        ok = giq_references_check(reach, dataset, path, drivers, err);
        GDALClose(dataset);
    }
    return ok;
}

/* How a file is called within the result. */
static const char *name_within(const struct giq_result *result, const char *path)
{
    size_t len = strlen(result->path);
    bool is_below = strncmp(path, result->path, len) == 0 && path[len] == '/';
    return is_below ? path + len + 1 : CPLGetFilename(path);
}

/* The error of a file that was just tried. */
static bool fail_file(const struct giq_result *result, const char *path,
                      struct giq_error *err)
{
    char reason[GIQ_RESULT_REASON_SIZE];
    giq_result_reason(path, reason);
    return giq_result_fail_file(result, path, name_within(result, path), reason, err);
}

static bool check_members(struct giq_references *reach, const struct giq_result *result,
                          struct giq_error *err)
{
    if (!check_bytes(reach, result, err)) {
        return false;
    }
    bool ok = true;
    bool any_opens = false;
    char **names = giq_result_files(result->path);
    for (int i = 0; ok && names != NULL && names[i] != NULL; i++) {
        bool opens = false;
        char *path = CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        ok = check_file(reach, path, result->drivers, &opens, err);
        any_opens = any_opens || opens;
        CPLFree(path);
    }
    CSLDestroy(names);
    return ok && (any_opens || giq_result_may_open(result) ||
                  giq_result_fail_archive(result, err));
}

static bool check_all(struct giq_references *reach, const struct giq_result *result,
                      char ***removed, struct giq_error *err)
{
    if (giq_result_is_folder(result->path)) {
        return giq_sidecar_remove(reach, result->path, removed, err) &&
               check_members(reach, result, err);
    }
    bool opens = false;
    return giq_references_check_file(reach, result->path, err) &&
           check_file(reach, result->path, result->drivers, &opens, err) &&
           (opens || giq_result_may_open(result) || fail_file(result, result->path, err));
}

/* What an archive brought and was not kept must not be missed without a word. */
static void warn_of_removed(char **removed)
{
    char list[LISTED_MAX];
    if (removed != NULL) {
        CPLError(CE_Warning, CPLE_AppDefined,
                 "GIQ: left out of the result, as they could make GDAL read other files "
                 "or hosts: %s",
                 giq_list_join(removed, list, LISTED_MAX));
    }
}

bool giq_result_check(const struct giq_result *result, struct giq_error *err)
{
    struct giq_references reach;
    struct giq_error fetched = {0};
    char **removed = NULL;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    giq_references_begin(&reach);
    bool ok = check_all(&reach, result, &removed, err);
    if (!giq_references_end(&reach, &fetched) && ok) {
        *err = fetched;
        ok = false;
    }
    CPLPopErrorHandler();
    warn_of_removed(removed);
    CSLDestroy(removed);
    return ok;
}

/* The options may be why what can be opened was not. */
static bool fail_open(const struct giq_result *result, const char *path,
                      struct giq_error *err)
{
    char reason[GIQ_RESULT_REASON_SIZE];
    giq_result_reason(path, reason);
    if (result->options == NULL ||
        !giq_inner_can_open(path, giq_result_kinds(result), result->drivers)) {
        return giq_result_fail_file(result, path, name_within(result, path), reason, err);
    }
    return giq_fail(
        err, GIQ_E_USAGE,
        "the result of the job %s cannot be opened with these RESULT_OPTIONS: "
        "%s",
        result->job_id, reason);
}

static GDALDatasetH open_inner(const struct giq_result *result, const char *path)
{
    return giq_inner_is_renamed(result->flags)
               ? giq_inner_open_shared(path, result->flags, result->drivers,
                                       result->options, result->shared_name)
               : giq_inner_open(path, result->flags, result->drivers, result->options);
}

/* Other drivers or options than at publishing may find what names other files. */
static bool check_opened(struct giq_references *reach, const struct giq_result *result,
                         GDALDatasetH dataset, const char *path, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    /* What a text of GeoJSON asks for shows only when its features are read. */
    return (!STARTS_WITH_CI(driver, "GeoJSON") ||
            giq_references_check_file(reach, path, err)) &&
           giq_references_check(reach, dataset, path, result->drivers, err);
}

/* Open what lies at `path`, unless it names other files. `*out` stays NULL, and the call
 * succeeds, where no driver opens it. */
static bool open_within(const struct giq_result *result, const char *path,
                        GDALDatasetH *out, struct giq_error *err)
{
    struct giq_references reach;
    struct giq_error found = {0};
    CPLPushErrorHandler(CPLQuietErrorHandler);
    giq_references_begin(&reach);
    GDALDatasetH dataset = open_inner(result, path);
    bool ok = dataset == NULL || check_opened(&reach, result, dataset, path, &found);
    struct giq_error fetched = {0};
    if (!giq_references_end(&reach, &fetched) && ok) {
        found = fetched;
        ok = false;
    }
    CPLPopErrorHandler();
    if (ok) {
        *out = dataset;
        return true;
    }
    if (dataset != NULL) {
        GDALClose(dataset);
    }
    return giq_fail(err, found.code, "job %s: %s", result->job_id, found.text);
}

/* Open the one dataset at `path` and hand it over. */
static bool open_file(const struct giq_result *result, const char *path,
                      GDALDatasetH *out, struct giq_error *err)
{
    GDALDatasetH dataset = NULL;
    if (!open_within(result, path, &dataset, err)) {
        return false;
    }
    if (dataset == NULL) {
        return fail_open(result, path, err);
    }
    giq_result_options_warn(dataset, result->options);
    *out = dataset;
    return true;
}

bool giq_result_open(const struct giq_result *result, GDALDatasetH *out,
                     struct giq_error *err)
{
    char *path = NULL;
    bool ok = resolve(result, &path, out, err) &&
              (path == NULL || open_file(result, path, out, err));
    CPLFree(path);
    CPLErrorReset();
    return ok;
}
