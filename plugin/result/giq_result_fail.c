#include "result/giq_result_fail.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>

#include "options/giq_list.h"
#include "result/giq_inner.h"
#include "result/giq_opener.h"
#include "result/giq_result_files.h"

enum { LISTED_MAX = 300 };

unsigned giq_result_kinds(const struct giq_result *result)
{
    unsigned kinds = result->flags & GIQ_INNER_KINDS;
    return kinds == 0 ? GIQ_INNER_KINDS : kinds;
}

const char *giq_result_title(const struct giq_result *result,
                             char out[GIQ_RESULT_TITLE_SIZE])
{
    (void)snprintf(out, GIQ_RESULT_TITLE_SIZE, "the result%s%s",
                   result->is_new ? "" : " of the job ",
                   result->is_new ? "" : result->job_id);
    return out;
}

static bool fail_other_kind(const struct giq_result *result, struct giq_error *err)
{
    char title[GIQ_RESULT_TITLE_SIZE];
    const char *member = result->member;
    return giq_fail(err, GIQ_E_RESULT,
                    giq_result_kinds(result) == GDAL_OF_RASTER
                        ? "%s%s%s%s is a vector dataset and was asked for as a raster: "
                          "use ogrinfo or ogr2ogr"
                        : "%s%s%s%s is a raster and was asked for as a vector dataset: "
                          "use gdalinfo or gdal_translate",
                    member == NULL ? "" : "member ", member == NULL ? "" : member,
                    member == NULL ? "" : " of ", giq_result_title(result, title));
}

void giq_result_reason(const char *path, char out[GIQ_RESULT_REASON_SIZE])
{
    const char *words = CPLGetLastErrorMsg();
    char *folder = CPLStrdup(CPLSPrintf("%s/", CPLGetPath(path)));
    size_t len = strlen(folder);
    const char *at = NULL;
    out[0] = '\0';
    if (strstr(words, "not recognized") != NULL) {
        words = "";
    }
    while (len > 1 && (at = strstr(words, folder)) != NULL) {
        char *before = CPLStrdup(words);
        before[at - words] = '\0';
        (void)CPLStrlcat(out, before, GIQ_RESULT_REASON_SIZE);
        CPLFree(before);
        words = at + len;
    }
    (void)CPLStrlcat(out, words, GIQ_RESULT_REASON_SIZE);
    CPLFree(folder);
}

/* The error of a text that names other sources. */
static bool fail_source(const char *title, const char *name, const char *driver,
                        struct giq_error *err)
{
    if (GDALGetDriverByName(driver) == NULL) {
        return giq_fail(
            err, GIQ_E_RESULT,
            "%s (%s) is for the driver %s, which reads other files and hosts; "
            "this GDAL does not have it",
            title, name, driver);
    }
    return giq_fail(err, GIQ_E_RESULT,
                    "%s (%s) is for the driver %s, which may not read results, because "
                    "they come from outside; if you trust it, GIQ_RESULT_DRIVERS=+%s "
                    "allows it",
                    title, name, driver, driver);
}

/* The error of a file called `name` within the result, which no allowed driver opened:
 * who would, or why it did not. */
static bool fail_opener(const struct giq_result *result, const struct giq_opener *opener,
                        const char *name, const char *reason, struct giq_error *err)
{
    char title[GIQ_RESULT_TITLE_SIZE];
    (void)giq_result_title(result, title);
    switch (opener->state) {
    case GIQ_OPENER_SOURCE:
        return fail_source(title, name, opener->driver, err);
    case GIQ_OPENER_NOT_ALLOWED:
        return giq_fail(err, GIQ_E_RESULT,
                        "%s (%s) is for the driver %s, which may not read results, "
                        "because they come from outside. It is kept; if you trust it, "
                        "open it again with GIQ_RESULT_DRIVERS=+%s",
                        title, name, opener->driver, opener->driver);
    case GIQ_OPENER_MISSING:
        return giq_fail(err, GIQ_E_RESULT,
                        "%s (%s) is for the driver %s, which this GDAL does not have. It "
                        "is kept; open it again with a GDAL that has the driver",
                        title, name, opener->driver);
    case GIQ_OPENER_REFUSES:
        return giq_fail(err, GIQ_E_RESULT,
                        "the driver %s cannot open %s (%s), which is kept for another "
                        "try%s%s",
                        opener->driver, title, name, reason[0] == '\0' ? "" : ": ",
                        reason);
    case GIQ_OPENER_NONE:
        break;
    }
    return giq_fail(err, GIQ_E_RESULT, "no driver is known for %s (%s)%s%s", title, name,
                    reason[0] == '\0' ? "" : ": ", reason);
}

bool giq_result_fail_file(const struct giq_result *result, const char *path,
                          const char *name, const char *reason, struct giq_error *err)
{
    unsigned kinds = giq_result_kinds(result);
    if (kinds != GIQ_INNER_KINDS &&
        giq_inner_can_open(path, GIQ_INNER_KINDS & ~kinds, result->drivers)) {
        return fail_other_kind(result, err);
    }
    const struct giq_opener opener = giq_opener_of(path, result->drivers);
    return fail_opener(result, &opener, name, reason, err);
}

/* The error of a file of an archive, whose reason is not known yet. */
static bool fail_member(const struct giq_result *result, const struct giq_opener *opener,
                        const char *path, const char *name, struct giq_error *err)
{
    char reason[GIQ_RESULT_REASON_SIZE];
    CPLErrorReset();
    (void)giq_inner_can_open(path, GIQ_INNER_KINDS, result->drivers);
    giq_result_reason(path, reason);
    return fail_opener(result, opener, name, reason, err);
}

bool giq_result_fail_archive(const struct giq_result *result, struct giq_error *err)
{
    char list[LISTED_MAX];
    char title[GIQ_RESULT_TITLE_SIZE];
    struct giq_opener opener = {.state = GIQ_OPENER_NONE};
    char **names = giq_result_files(result->path);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        char *path = CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        opener = giq_opener_of(path, result->drivers);
        if (opener.state != GIQ_OPENER_NONE) {
            (void)fail_member(result, &opener, path, names[i], err);
        }
        CPLFree(path);
        if (opener.state != GIQ_OPENER_NONE) {
            break;
        }
    }
    if (opener.state == GIQ_OPENER_NONE) {
        (void)giq_fail(err, GIQ_E_RESULT, "no driver is known for what %s holds: %s",
                       giq_result_title(result, title),
                       giq_list_join(names, list, LISTED_MAX));
    }
    CSLDestroy(names);
    return false;
}

static bool is_worth_keeping(const char *path, char **drivers)
{
    enum giq_opener_state state = giq_opener_of(path, drivers).state;
    return state != GIQ_OPENER_NONE && state != GIQ_OPENER_SOURCE;
}

bool giq_result_may_open(const struct giq_result *result)
{
    if (!giq_result_is_folder(result->path)) {
        return is_worth_keeping(result->path, result->drivers);
    }
    bool found = false;
    char **names = giq_result_files(result->path);
    for (int i = 0; !found && names != NULL && names[i] != NULL; i++) {
        char *path = CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        found = is_worth_keeping(path, result->drivers);
        CPLFree(path);
    }
    CSLDestroy(names);
    return found;
}
