/* Reads the summaries of the rows, writes the file and opens it. */
#include "giq_batch_vrt.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "giq/batch_file.h"
#include "giq_batch_failing.h"
#include "giq_batch_mosaic.h"
#include "giq_batch_sources.h"
#include "giq_batch_union.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_kept_options.h"
#include "result/giq_inner.h"
#include "result/giq_result_check.h"
#include "result/giq_result_open.h"
#include "result/giq_result_summary.h"

struct giq_batch_vrt {
    struct giq_batch_vrt_args args;
    unsigned kind;  /* GDAL_OF_RASTER or GDAL_OF_VECTOR; 0 until the first row */
    char **options; /* open options of each source: a GDAL string list */
    struct giq_batch_file *file;
    struct giq_batch_union *layers;
    struct giq_batch_mosaic *mosaic;
    struct giq_batch_sources *sources; /* NULL once they are kept */
};

/* ---- the dataset ---- */

bool giq_batch_vrt_new(const struct giq_batch_vrt_args *args, struct giq_batch_vrt **out,
                       struct giq_error *err)
{
    struct giq_batch_vrt *vrt = CPLCalloc(1, sizeof *vrt);
    vrt->args = *args;
    vrt->options = CSLDuplicate(args->config->request_options);
    vrt->options = CSLSetNameValue(vrt->options, "SUBMIT", "NO");
    vrt->layers = giq_batch_union_new();
    vrt->mosaic = giq_batch_mosaic_new();
    vrt->sources = giq_batch_sources_new();
    if (!giq_batch_file_new(&vrt->file, err)) {
        giq_batch_vrt_free(vrt);
        return false;
    }
    for (int i = 0; vrt->options[i] != NULL; i++) {
        if (!giq_batch_file_add(vrt->file, vrt->options[i], err)) {
            giq_batch_vrt_free(vrt);
            return false;
        }
    }
    *out = vrt;
    return true;
}

void giq_batch_vrt_free(struct giq_batch_vrt *vrt)
{
    if (vrt != NULL) {
        giq_batch_file_free(vrt->file);
        giq_batch_union_free(vrt->layers);
        giq_batch_mosaic_free(vrt->mosaic);
        giq_batch_sources_free(vrt->sources);
        CSLDestroy(vrt->options);
        CPLFree(vrt);
    }
}

/* ---- one row ---- */

static struct giq_result result_of(const struct giq_batch_vrt *vrt,
                                   const struct giq_batch_vrt_row *row)
{
    unsigned kinds = vrt->kind != 0 ? vrt->kind : vrt->args.flags & GIQ_INNER_KINDS;
    return (struct giq_result){
        .path = row->result_path,
        .job_id = row->job_id,
        .member = vrt->args.member,
        .shared_name = row->name,
        .drivers = vrt->args.config->result_drivers,
        .options = vrt->args.config->result_options,
        .flags = (vrt->args.flags & ~(GIQ_INNER_KINDS | (unsigned)GDAL_OF_SHARED)) |
                 (kinds == 0 ? GIQ_INNER_KINDS : kinds),
    };
}

/* The error of a result that no driver opens now; it has no summary. */
static bool fail_unopened(const struct giq_result *result, struct giq_error *err)
{
    GIQ_AUTO_DATASET GDALDatasetH dataset = NULL;
    return giq_result_open(result, &dataset, err) &&
           giq_fail(err, GIQ_E_RESULT,
                    "the result of the job %s changed while it was read", result->job_id);
}

/* The recorded summary, or that of the result itself: an older version recorded none, or
 * the result is now opened by other drivers or with options. */
static bool get_summary(const struct giq_batch_vrt *vrt,
                        const struct giq_batch_vrt_row *row,
                        const struct giq_result *result, struct giq_summary *out,
                        struct giq_error *err)
{
    bool is_found = false;
    if (result->options == NULL &&
        !giq_summary_read(vrt->args.store, row->key, out, &is_found, err)) {
        return false;
    }
    if (is_found && giq_result_summary_refused_driver(out, result->drivers) == NULL) {
        return true;
    }
    giq_summary_release(out);
    if (!giq_result_summarize(result, out, err)) {
        return false;
    }
    if (out->file_count == 0) {
        return fail_unopened(result, err);
    }
    if (result->options == NULL) {
        giq_summary_record(vrt->args.store, row->key, row->job_id, out);
    }
    return true;
}

/* The kind that the first row decides. */
static unsigned kind_of(const struct giq_summary *summary, const bool *chosen)
{
    for (size_t i = 0; i < summary->file_count; i++) {
        if (chosen[i] && summary->files[i].raster.width > 0) {
            return GDAL_OF_RASTER;
        }
    }
    return GDAL_OF_VECTOR;
}

static void add_files(struct giq_batch_vrt *vrt, const struct giq_batch_vrt_row *row,
                      const struct giq_summary *summary, const bool *chosen)
{
    for (size_t i = 0; i < summary->file_count; i++) {
        const struct giq_summary_file *file = &summary->files[i];
        if (chosen[i] && vrt->kind == GDAL_OF_RASTER) {
            giq_batch_mosaic_add(vrt->mosaic, row->id, row->name, &file->raster);
        } else if (chosen[i]) {
            for (size_t j = 0; j < file->layer_count; j++) {
                giq_batch_union_add(vrt->layers, row->id, row->name, &file->layers[j]);
            }
        }
    }
}

/* A result with a proof is one file, which every open of its row reads, unless a member
 * or options for its driver were chosen. */
static void add_source(struct giq_batch_vrt *vrt, const struct giq_batch_vrt_row *row,
                       const struct giq_summary *summary)
{
    const struct giq_batch_source source = {.name = (char *)row->name,
                                            .path = (char *)row->result_path,
                                            .job_id = (char *)row->job_id,
                                            .proof = summary->proof};
    if (summary->proof != NULL && vrt->args.member == NULL &&
        vrt->args.config->result_options == NULL) {
        giq_batch_sources_add(vrt->sources, &source);
    }
}

/* Choose the files that an open of the row reads, and add what they have. */
static bool add_summary(struct giq_batch_vrt *vrt, const struct giq_batch_vrt_row *row,
                        const struct giq_result *result,
                        const struct giq_summary *summary, struct giq_error *err)
{
    GIQ_AUTO_CPL bool *chosen = CPLCalloc(summary->file_count, sizeof *chosen);
    if (!giq_result_summary_choose(summary, result, chosen, err)) {
        return false;
    }
    const char *identity[] = {row->id, row->key, row->job_id, row->name};
    for (size_t i = 0; i < GIQ_COUNT(identity); i++) {
        if (!giq_batch_file_add(vrt->file, identity[i], err)) {
            return false;
        }
    }
    if (vrt->kind == 0) {
        vrt->kind = kind_of(summary, chosen);
    }
    add_files(vrt, row, summary, chosen);
    add_source(vrt, row, summary);
    return true;
}

bool giq_batch_vrt_add(struct giq_batch_vrt *vrt, const struct giq_batch_vrt_row *row,
                       struct giq_error *err)
{
    struct giq_summary summary = {0};
    const struct giq_result result = result_of(vrt, row);
    bool ok = get_summary(vrt, row, &result, &summary, err) &&
              add_summary(vrt, row, &result, &summary, err);
    giq_summary_release(&summary);
    return ok;
}

/* ---- the file ---- */

/* Whether the dataset gets the connection string as its description, and is a raster:
 * when it is closed, GDAL would write what a program has set on it to a file of that
 * name. */
static bool is_shared_mosaic(const struct giq_batch_vrt *vrt)
{
    return vrt->kind == GDAL_OF_RASTER && giq_inner_is_renamed(vrt->args.flags);
}

/* GDAL's check of the file against a schema is switched off: it takes as long as the
 * open, and prints errors about ids with control characters, which GDAL reads all the
 * same. GDAL never writes to a dataset that is opened by "vrt://". */
static GDALDatasetH open_file(const struct giq_batch_vrt *vrt, const char *path)
{
    static const char validation[] = "GDAL_XML_VALIDATION";
    char *drivers[] = {"VRT", "OGR_VRT", NULL};
    unsigned flags = (vrt->args.flags & ~GIQ_INNER_KINDS) | vrt->kind;
    GIQ_AUTO_CPL char *before = CPLStrdup(CPLGetThreadLocalConfigOption(validation, ""));
    GIQ_AUTO_CPL char *name =
        CPLStrdup(CPLSPrintf("%s%s", is_shared_mosaic(vrt) ? "vrt://" : "", path));
    CPLSetThreadLocalConfigOption(validation, "NO");
    GDALDatasetH dataset =
        giq_inner_is_renamed(flags)
            ? giq_inner_open_shared(name, flags, drivers, NULL, vrt->args.name)
            : giq_inner_open(name, flags, drivers, NULL);
    CPLSetThreadLocalConfigOption(validation, before[0] == '\0' ? NULL : before);
    return dataset;
}

/* Write the file in memory, for a store that cannot be written or whose path cannot be
 * opened. `*path`, of the file in the store, is replaced. Files in memory are shared by
 * all threads. */
static bool write_in_memory(const struct giq_batch_xml *xml, char **path,
                            struct giq_error *err)
{
    GIQ_AUTO_CPL char *folder = CPLStrdup(CPLGetFilename(CPLGetPath(*path)));
    GIQ_AUTO_CPL char *name = CPLStrdup(CPLSPrintf("/vsimem/giq_batch/%s.vrt", folder));
    GIQ_AUTO_CPL char *temporary =
        CPLStrdup(CPLSPrintf("%s.%p", name, (const void *)xml));
    free(*path);
    *path = strdup(name);
    if (*path == NULL) {
        return giq_fail_memory(err);
    }
    VSILFILE *file = VSIFOpenL(temporary, "wb");
    bool ok = file != NULL && VSIFWriteL(xml->text, 1, xml->len, file) == xml->len;
    if (file != NULL) {
        ok = VSIFCloseL(file) == 0 && ok;
    }
    if (!ok || VSIRename(temporary, name) != 0) {
        (void)VSIUnlink(temporary);
        return giq_fail_memory(err);
    }
    return true;
}

static bool write_xml(const struct giq_batch_vrt *vrt, struct giq_batch_xml *xml,
                      struct giq_error *err)
{
    if (vrt->kind == GDAL_OF_RASTER) {
        return giq_batch_mosaic_write(vrt->mosaic, vrt->options, xml, err);
    }
    giq_batch_union_write(vrt->layers, vrt->options, xml);
    return true;
}

/* Write the file in the store, unless it exists with this content. Fails also if its path
 * cannot be opened: what follows a "?" in a name of "vrt://" are options. */
static bool write_in_store(const struct giq_batch_vrt *vrt,
                           const struct giq_batch_xml *xml, const char *path)
{
    struct giq_error ignored = {0};
    return !(is_shared_mosaic(vrt) && strchr(path, '?') != NULL) &&
           (giq_batch_file_equals(path, xml->text, xml->len) ||
            giq_batch_file_write(vrt->args.store, path, xml->text, xml->len, &ignored));
}

static bool make_file(const struct giq_batch_vrt *vrt, char **path, struct giq_error *err)
{
    struct giq_batch_xml xml = {0};
    bool ok = write_xml(vrt, &xml, err) &&
              (write_in_store(vrt, &xml, *path) || write_in_memory(&xml, path, err));
    giq_batch_xml_release(&xml);
    return ok;
}

/* Keep the sources, and the options of this thread for them, under the name of the file's
 * folder. */
static void keep_sources(struct giq_batch_vrt *vrt, const char *path)
{
    GIQ_AUTO_CPL char *batch = CPLStrdup(CPLGetFilename(CPLGetPath(path)));
    vrt->options = CSLSetNameValue(vrt->options, GIQ_BATCH_VRT_OPTION, batch);
    giq_batch_failing_forget(batch);
    giq_kept_options_keep(batch);
    giq_batch_sources_keep(batch, vrt->sources);
    vrt->sources = NULL;
}

bool giq_batch_vrt_open(struct giq_batch_vrt *vrt, GDALDatasetH *out,
                        struct giq_error *err)
{
    char *path = NULL;
    if (!giq_batch_file_add(vrt->file, vrt->kind == GDAL_OF_RASTER ? "raster" : "vector",
                            err) ||
        !giq_batch_file_path(vrt->file, vrt->args.store, &path, err)) {
        return false;
    }
    keep_sources(vrt, path);
    if (!make_file(vrt, &path, err)) {
        free(path);
        return false;
    }
    GDALDatasetH dataset = open_file(vrt, path);
    bool ok = dataset != NULL || giq_fail(err, GIQ_E_RESULT,
                                          "GDAL does not open the file of the batch %s: "
                                          "%.200s",
                                          path, CPLGetLastErrorMsg());
    free(path);
    CPLErrorReset();
    *out = dataset;
    return ok;
}
