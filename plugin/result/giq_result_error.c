/*
 * Writes the errors of results that no driver opened.
 */
#include "result/giq_result_error.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"
#include "result/giq_inner.h"
#include "result/giq_result_driver.h"

/* Whether the text is GDAL's error for a file that no driver identified. It gives no
 * reason. */
static bool is_not_identified(const char *text)
{
    static const char *const parts[] = {
        "' not recognized as a supported file format",
        "' not recognized as being in a supported file format",
        "not recognized as a supported dataset name",
    };
    for (size_t i = 0; i < GIQ_COUNT(parts); i++) {
        if (strstr(text, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

void giq_result_error_reason(const char *path, char out[GIQ_RESULT_REASON_SIZE])
{
    const char *text = CPLGetLastErrorMsg();
    GIQ_AUTO_CPL char *folder = CPLStrdup(CPLSPrintf("%s/", CPLGetPath(path)));
    size_t len = strlen(folder);
    const char *at = NULL;
    out[0] = '\0';
    if (is_not_identified(text)) {
        return;
    }
    while (len > 1 && (at = strstr(text, folder)) != NULL) {
        GIQ_AUTO_CPL char *before = CPLStrdup(text);
        before[at - text] = '\0';
        (void)CPLStrlcat(out, before, GIQ_RESULT_REASON_SIZE);
        text = at + len;
    }
    (void)CPLStrlcat(out, text, GIQ_RESULT_REASON_SIZE);
}

static bool fail_other_kind(const struct giq_result *result, struct giq_error *err)
{
    char title[GIQ_RESULT_DESCRIPTION_SIZE];
    (void)giq_result_describe(result, title);
    GIQ_AUTO_CPL char *subject = CPLStrdup(
        result->member == NULL ? title
                               : CPLSPrintf("member %s of %s", result->member, title));
    if (giq_result_kinds(result) == GDAL_OF_RASTER) {
        return giq_fail(err, GIQ_E_RESULT,
                        "%s is a vector dataset, not a raster: use ogrinfo or ogr2ogr",
                        subject);
    }
    return giq_fail(err, GIQ_E_RESULT,
                    "%s is a raster, not a vector dataset: use gdalinfo or "
                    "gdal_translate",
                    subject);
}

/* The error of a text that only refers to other files or hosts. */
static bool fail_references(const char *title, const char *name, const char *driver,
                            struct giq_error *err)
{
    if (GDALGetDriverByName(driver) == NULL) {
        return giq_fail(err, GIQ_E_RESULT,
                        "%s (%s) needs the driver %s, which reads other files and hosts; "
                        "this GDAL does not have it",
                        title, name, driver);
    }
    return giq_fail(err, GIQ_E_RESULT,
                    "%s (%s) needs the driver %s, which reads other files and hosts and "
                    "is not allowed to open results. If you trust the service, open it "
                    "again with GIQ_RESULT_DRIVERS=+%s",
                    title, name, driver, driver);
}

/* The error of the file `name` of the result, by the driver that it needs. */
static bool fail_driver(const struct giq_result *result,
                        const struct giq_result_driver *driver, const char *name,
                        const char *reason, struct giq_error *err)
{
    char title[GIQ_RESULT_DESCRIPTION_SIZE];
    (void)giq_result_describe(result, title);
    switch (driver->state) {
    case GIQ_RESULT_DRIVER_REFERENCES:
        return fail_references(title, name, driver->name, err);
    case GIQ_RESULT_DRIVER_NOT_ALLOWED:
        return giq_fail(err, GIQ_E_RESULT,
                        "%s (%s) needs the driver %s, which is not allowed to open "
                        "results. The result is kept; if you trust the service, open it "
                        "again with GIQ_RESULT_DRIVERS=+%s",
                        title, name, driver->name, driver->name);
    case GIQ_RESULT_DRIVER_MISSING:
        return giq_fail(err, GIQ_E_RESULT,
                        "%s (%s) needs the driver %s, which this GDAL does not have. The "
                        "result is kept; open it again with a GDAL that has the driver",
                        title, name, driver->name);
    case GIQ_RESULT_DRIVER_ALLOWED:
        return giq_fail(err, GIQ_E_RESULT,
                        "the driver %s cannot open %s (%s), which is kept and can be "
                        "opened again%s%s",
                        driver->name, title, name, reason[0] == '\0' ? "" : ": ", reason);
    case GIQ_RESULT_DRIVER_NONE:
        break;
    }
    return giq_fail(err, GIQ_E_RESULT, "no driver is known for %s (%s)%s%s", title, name,
                    reason[0] == '\0' ? "" : ": ", reason);
}

/* The name of a file within the result. */
static const char *name_within(const struct giq_result *result, const char *path)
{
    size_t len = strlen(result->path);
    bool is_below = strncmp(path, result->path, len) == 0 && path[len] == '/';
    return is_below ? path + len + 1 : CPLGetFilename(path);
}

bool giq_result_error_file(const struct giq_result *result, const char *path,
                           const char *reason, struct giq_error *err)
{
    unsigned kinds = giq_result_kinds(result);
    if (kinds != GIQ_INNER_KINDS &&
        giq_inner_can_open(path, GIQ_INNER_KINDS & ~kinds, result->drivers)) {
        return fail_other_kind(result, err);
    }
    const struct giq_result_driver driver = giq_result_driver_of(path, result->drivers);
    return fail_driver(result, &driver, name_within(result, path), reason, err);
}

bool giq_result_error_archive(const struct giq_result *result, struct giq_error *err)
{
    GIQ_AUTO_CSL char **names = giq_result_files(result->path);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        GIQ_AUTO_CPL char *path =
            CPLStrdup(CPLFormFilename(result->path, names[i], NULL));
        const struct giq_result_driver driver =
            giq_result_driver_of(path, result->drivers);
        if (driver.state != GIQ_RESULT_DRIVER_NONE) {
            char reason[GIQ_RESULT_REASON_SIZE];
            CPLErrorReset();
            (void)giq_inner_can_open(path, GIQ_INNER_KINDS, result->drivers);
            giq_result_error_reason(path, reason);
            return fail_driver(result, &driver, names[i], reason, err);
        }
    }
    char list[GIQ_LIST_SIZE];
    char title[GIQ_RESULT_DESCRIPTION_SIZE];
    return giq_fail(err, GIQ_E_RESULT, "no driver is known for any file of %s: %s",
                    giq_result_describe(result, title),
                    giq_list_join(names, list, GIQ_LIST_SIZE));
}
