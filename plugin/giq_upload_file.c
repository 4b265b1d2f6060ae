/* Checks a file to upload and reads it through GDAL's virtual file systems. */
#include "giq_upload_file.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <ctype.h>
#include <string.h>

#include "options/giq_path.h"

#define NS_PER_S INT64_C(1000000000)

enum { PRINTED_MAX = 200 }; /* bytes of a path in a message */

struct giq_upload_file {
    char *typed;     /* the path as the user gave it */
    char *printable; /* from giq_path_printable() */
    char *absolute_path;
    bool is_clone;    /* the paths are borrowed */
    VSILFILE *handle; /* NULL while closed */
    struct giq_source source;
};

/* Suppress GDAL's own messages, which may quote a URL with a secret in it. Ends with
 * CPLPopErrorHandler(). */
static void silence_gdal(void)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
}

/* ---- checks ---- */

/* Files that cannot be used without the other files of their dataset. */
static const struct {
    const char *extension;
    const char *sibling; /* only if a file with this extension exists; NULL: always */
    const char *dataset;
} dataset_files[] = {
    {"shp", NULL, "a Shapefile"},
    {"shx", NULL, "a Shapefile"},
    {"dbf", "shp", "a Shapefile"},
    {"prj", "shp", "a Shapefile"},
    {"cpg", "shp", "a Shapefile"},
    {"sbn", "shp", "a Shapefile"},
    {"sbx", "shp", "a Shapefile"},
    {"qix", "shp", "a Shapefile"},
    {"qpj", "shp", "a Shapefile"},
    {"tab", NULL, "a MapInfo table"},
    {"dat", "tab", "a MapInfo table"},
    {"map", "tab", "a MapInfo table"},
    {"id", "tab", "a MapInfo table"},
    {"mif", NULL, "a MapInfo interchange file"},
    {"mid", "mif", "a MapInfo interchange file"},
    {"hdr", NULL, "a raster with a header file"},
    {"img", "hdr", "a raster with a header file"},
    {"dat", "hdr", "a raster with a header file"},
    {"bil", "hdr", "a raster with a header file"},
    {"bip", "hdr", "a raster with a header file"},
    {"bsq", "hdr", "a raster with a header file"},
    {"raw", "hdr", "a raster with a header file"},
    {"bin", "hdr", "a raster with a header file"},
    {"flt", "hdr", "a raster with a header file"},
    {"", "hdr", "a raster with a header file"}, /* no extension */
};

static bool exists(const char *path)
{
    VSIStatBufL st = {0};
    return VSIStatExL(path, &st, VSI_STAT_EXISTS_FLAG) == 0;
}

/* Whether a file exists whose name has this extension, in lower or upper case, in place
 * of the extension of `path` or after it. */
static bool has_sibling(const char *path, const char *extension)
{
    bool found = false;
    char *upper = CPLStrdup(extension);
    for (char *c = upper; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    const char *const cases[] = {extension, upper};
    for (size_t i = 0; i < 2 && !found; i++) {
        found = exists(CPLResetExtension(path, cases[i])) ||
                exists(CPLSPrintf("%s.%s", path, cases[i]));
    }
    CPLFree(upper);
    return found;
}

/* Siblings are searched only for local files: over a network that costs time. */
static bool check_is_single_file(const struct giq_upload_file *file,
                                 struct giq_error *err)
{
    /* Not the path as typed: the query of a URL would count as part of the extension. */
    const char *extension = CPLGetExtension(file->printable);
    bool is_local = VSIIsLocal(file->typed);
    for (size_t i = 0; i < GIQ_COUNT(dataset_files); i++) {
        const char *sibling = dataset_files[i].sibling;
        if (EQUAL(extension, dataset_files[i].extension) &&
            (sibling == NULL || (is_local && has_sibling(file->typed, sibling)))) {
            return giq_fail(err, GIQ_E_USAGE,
                            "%.*s is one of the files of %s; zip them all, and give "
                            "the zip as \"upload\"",
                            giq_text_cut_len(file->printable, PRINTED_MAX),
                            file->printable, dataset_files[i].dataset);
        }
    }
    return true;
}

static bool fail_not_regular(const struct giq_upload_file *file, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "%.*s is not a regular file; only a regular file can be uploaded",
                    giq_text_cut_len(file->printable, PRINTED_MAX), file->printable);
}

static bool stat_file(const struct giq_upload_file *file, VSIStatBufL *out,
                      struct giq_error *err)
{
    /* Some file systems of GDAL set only the size and the mode. The other members must be
     * defined, because they identify cached content. */
    *out = (VSIStatBufL){0};
    if (STARTS_WITH(file->typed, "/vsistdin")) {
        return fail_not_regular(file, err);
    }
    if (VSIStatExL(file->typed, out,
                   VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG | VSI_STAT_SIZE_FLAG) !=
        0) {
        return giq_fail(err, GIQ_E_USAGE, "the file to upload cannot be found: %.*s",
                        giq_text_cut_len(file->printable, PRINTED_MAX), file->printable);
    }
    if (VSI_ISDIR(out->st_mode)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "%.*s is a folder; zip it, and give the zip as \"upload\"",
                        giq_text_cut_len(file->printable, PRINTED_MAX), file->printable);
    }
    if (!VSI_ISREG(out->st_mode)) {
        return fail_not_regular(file, err);
    }
    return true;
}

/* ---- the functions of struct giq_source ---- */

static bool source_stat(void *ctx, struct giq_source_stat *out, struct giq_error *err)
{
    VSIStatBufL st;
    silence_gdal();
    bool ok = stat_file(ctx, &st, err);
    CPLPopErrorHandler();
    if (!ok) {
        return false;
    }
    *out = (struct giq_source_stat){
        .size = (int64_t)st.st_size,
        .modified_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec,
        .changed_ns = (int64_t)st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec,
        .device = st.st_dev,
        .inode = st.st_ino,
    };
    return true;
}

static bool source_open(void *ctx, struct giq_error *err)
{
    struct giq_upload_file *file = ctx;
    silence_gdal();
    if (file->handle == NULL) {
        file->handle = VSIFOpenL(file->typed, "rb");
    } else if (VSIFSeekL(file->handle, 0, SEEK_SET) != 0) {
        (void)VSIFCloseL(file->handle);
        file->handle = NULL;
    }
    CPLPopErrorHandler();
    if (file->handle == NULL) {
        return giq_fail(err, GIQ_E_USAGE, "the file to upload cannot be opened: %.*s",
                        giq_text_cut_len(file->printable, PRINTED_MAX), file->printable);
    }
    return true;
}

/* GDAL may return fewer bytes without an error; the core compares the total with the
 * size. */
static bool source_read(void *ctx, char *out, size_t max, size_t *out_len,
                        struct giq_error *err)
{
    struct giq_upload_file *file = ctx;
    silence_gdal();
    size_t len = VSIFReadL(out, 1, max, file->handle);
    bool ok = len == max || CPLGetLastErrorType() != CE_Failure;
    CPLPopErrorHandler();
    if (!ok) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the file to upload is damaged or cannot be read to its end: "
                        "%.*s",
                        giq_text_cut_len(file->printable, PRINTED_MAX), file->printable);
    }
    *out_len = len;
    return true;
}

static void source_close(void *ctx)
{
    struct giq_upload_file *file = ctx;
    if (file->handle != NULL) {
        (void)VSIFCloseL(file->handle);
        file->handle = NULL;
    }
}

/* ---- the file ---- */

bool giq_upload_file_new(const char *typed, struct giq_upload_file **out,
                         struct giq_error *err)
{
    struct giq_upload_file *file = CPLCalloc(1, sizeof *file);
    VSIStatBufL st;
    *file = (struct giq_upload_file){
        .typed = CPLStrdup(typed),
        .printable = giq_path_printable(typed),
        .absolute_path = giq_path_absolute(typed),
    };
    file->source = (struct giq_source){
        .path = file->printable,
        .absolute_path = file->absolute_path,
        .stat = source_stat,
        .open = source_open,
        .read = source_read,
        .close = source_close,
        .ctx = file,
    };
    silence_gdal();
    bool ok = stat_file(file, &st, err) && check_is_single_file(file, err);
    CPLPopErrorHandler();
    if (!ok) {
        giq_upload_file_free(file);
        return false;
    }
    *out = file;
    return true;
}

void giq_upload_file_free(struct giq_upload_file *file)
{
    if (file != NULL) {
        source_close(file);
        if (!file->is_clone) {
            CPLFree(file->absolute_path);
            CPLFree(file->printable);
            CPLFree(file->typed);
        }
        CPLFree(file);
    }
}

struct giq_upload_file *giq_upload_file_clone(const struct giq_upload_file *file)
{
    struct giq_upload_file *clone = CPLMalloc(sizeof *clone);
    *clone = *file;
    clone->is_clone = true;
    clone->handle = NULL;
    clone->source.ctx = clone;
    return clone;
}

const struct giq_source *giq_upload_file_source(const struct giq_upload_file *file)
{
    return &file->source;
}
