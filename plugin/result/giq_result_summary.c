/* Describes datasets for summaries, and chooses files of a summary. */
#include "result/giq_result_summary.h"

#include <cpl_string.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"
#include "result/giq_inner.h"

enum { COLORS_MAX = 256 }; /* larger palettes are not recorded */

/* ---- texts ---- */

/* Replace an owned text; NULL and "" make it NULL. */
static bool set(char **slot, const char *text)
{
    bool is_absent = text == NULL || text[0] == '\0';
    char *copy = is_absent ? NULL : strdup(text);
    free(*slot);
    *slot = copy;
    return is_absent || copy != NULL;
}

/* As set(), but "" stays. */
static bool set_name(char **slot, const char *text)
{
    free(*slot);
    *slot = strdup(text);
    return *slot != NULL;
}

static bool set_numbers(char **slot, const double *numbers, size_t count)
{
    GIQ_AUTO_CPL char *text = CPLStrdup("");
    for (size_t i = 0; i < count; i++) {
        char *longer =
            CPLStrdup(CPLSPrintf("%s%s%.17g", text, i == 0 ? "" : " ", numbers[i]));
        CPLFree(text);
        text = longer;
    }
    return set(slot, text);
}

static bool set_srs(char **slot, OGRSpatialReferenceH srs)
{
    static const char *const options[] = {"FORMAT=WKT2_2019", NULL};
    GIQ_AUTO_CPL char *wkt = NULL;
    if (srs == NULL || OSRExportToWktEx(srs, &wkt, options) != OGRERR_NONE) {
        return set(slot, NULL);
    }
    return set(slot, wkt);
}

/* ---- layers ---- */

static bool add_fields(struct giq_summary_layer *layer, OGRFeatureDefnH defn)
{
    for (int i = 0; i < OGR_FD_GetFieldCount(defn); i++) {
        OGRFieldDefnH definition = OGR_FD_GetFieldDefn(defn, i);
        OGRFieldSubType subtype = OGR_Fld_GetSubType(definition);
        struct giq_summary_field *field = giq_summary_add_field(layer);
        if (field == NULL || !set_name(&field->name, OGR_Fld_GetNameRef(definition)) ||
            !set(&field->type, OGR_GetFieldTypeName(OGR_Fld_GetType(definition))) ||
            !set(&field->subtype,
                 subtype == OFSTNone ? NULL : OGR_GetFieldSubTypeName(subtype))) {
            return false;
        }
    }
    return true;
}

static bool add_layer(struct giq_summary_file *file, OGRLayerH source, bool may_read)
{
    struct giq_summary_layer *layer = giq_summary_add_layer(file);
    if (layer == NULL) {
        return false;
    }
    OGREnvelope box;
    layer->geometry_type = (int64_t)(uint32_t)OGR_L_GetGeomType(source);
    layer->features = OGR_L_GetFeatureCount(source, may_read ? TRUE : FALSE);
    bool has_extent =
        OGR_L_GetGeomType(source) != wkbNone && layer->features != 0 &&
        OGR_L_GetExtent(source, &box, may_read ? TRUE : FALSE) == OGRERR_NONE;
    if (has_extent) {
        const double extent[] = {box.MinX, box.MinY, box.MaxX, box.MaxY};
        if (!set_numbers(&layer->extent, extent, GIQ_COUNT(extent))) {
            return false;
        }
    }
    return set_name(&layer->name, OGR_L_GetName(source)) &&
           set_srs(&layer->srs, OGR_L_GetSpatialRef(source)) &&
           add_fields(layer, OGR_L_GetLayerDefn(source));
}

static bool add_layers(struct giq_summary_file *file, GDALDatasetH dataset,
                       const char *path)
{
    VSIStatBufL st;
    bool may_read =
        VSIStatL(path, &st) == 0 && (int64_t)st.st_size <= GIQ_RESULT_SUMMARY_READ_MAX;
    bool ok = true;
    for (int i = 0; ok && i < GDALDatasetGetLayerCount(dataset); i++) {
        ok = add_layer(file, GDALDatasetGetLayer(dataset, i), may_read);
    }
    return ok;
}

/* ---- rasters ---- */

static bool set_colors(struct giq_summary_band *band, GDALRasterBandH source)
{
    GDALColorTableH table = GDALGetRasterColorTable(source);
    int count = table == NULL ? 0 : GDALGetColorEntryCount(table);
    if (count == 0 || count > COLORS_MAX) {
        return true;
    }
    char colors[COLORS_MAX * 8 + 1] = "";
    for (int i = 0; i < count; i++) {
        const GDALColorEntry *entry = GDALGetColorEntry(table, i);
        (void)snprintf(colors + (size_t)i * 8, 9, "%02x%02x%02x%02x",
                       (unsigned)entry->c1 & 255u, (unsigned)entry->c2 & 255u,
                       (unsigned)entry->c3 & 255u, (unsigned)entry->c4 & 255u);
    }
    return set(&band->colors, colors);
}

/* The no-data value as the VRT driver reads it: 64-bit integers keep all digits. */
static bool set_nodata(struct giq_summary_band *band, GDALRasterBandH source)
{
    int has = FALSE;
    if (GDALGetRasterDataType(source) == GDT_Int64) {
        int64_t value = GDALGetRasterNoDataValueAsInt64(source, &has);
        return !has || set(&band->nodata, CPLSPrintf("%lld", (long long)value));
    }
    if (GDALGetRasterDataType(source) == GDT_UInt64) {
        uint64_t value = GDALGetRasterNoDataValueAsUInt64(source, &has);
        return !has || set(&band->nodata, CPLSPrintf("%llu", (unsigned long long)value));
    }
    double value = GDALGetRasterNoDataValue(source, &has);
    return !has || set_numbers(&band->nodata, &value, 1);
}

static bool add_band(struct giq_summary_raster *raster, GDALRasterBandH source)
{
    struct giq_summary_band *band = giq_summary_add_band(raster);
    if (band == NULL) {
        return false;
    }
    int block_width = 0;
    int block_height = 0;
    GDALGetBlockSize(source, &block_width, &block_height);
    band->block_width = block_width;
    band->block_height = block_height;
    double offset = GDALGetRasterOffset(source, NULL);
    double scale = GDALGetRasterScale(source, NULL);
    return set(&band->type, GDALGetDataTypeName(GDALGetRasterDataType(source))) &&
           set(&band->interpretation, GDALGetColorInterpretationName(
                                          GDALGetRasterColorInterpretation(source))) &&
           set_nodata(band, source) && set_colors(band, source) &&
           (offset == 0.0 || set_numbers(&band->offset, &offset, 1)) &&
           (scale == 1.0 || set_numbers(&band->scale, &scale, 1)) &&
           set(&band->unit, GDALGetRasterUnitType(source)) &&
           set(&band->description, GDALGetDescription(source));
}

static bool set_raster(struct giq_summary_raster *raster, GDALDatasetH dataset)
{
    double transform[6];
    int count = GDALGetRasterCount(dataset);
    raster->width = GDALGetRasterXSize(dataset);
    raster->height = GDALGetRasterYSize(dataset);
    raster->has_mask = GDALGetMaskFlags(GDALGetRasterBand(dataset, 1)) == GMF_PER_DATASET;
    if (GDALGetGeoTransform(dataset, transform) == CE_None &&
        !set_numbers(&raster->geotransform, transform, 6)) {
        return false;
    }
    bool ok = set_srs(&raster->srs, GDALGetSpatialRef(dataset));
    for (int i = 1; ok && i <= count; i++) {
        ok = add_band(raster, GDALGetRasterBand(dataset, i));
    }
    return ok;
}

/* ---- one dataset ---- */

bool giq_result_summary_describe(struct giq_summary_file *file, GDALDatasetH dataset,
                                 unsigned kinds, const char *path, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    bool is_raster = GDALGetRasterCount(dataset) > 0;
    bool is_list = !is_raster && GDALGetMetadata(dataset, "SUBDATASETS") != NULL;
    bool ok = set(file->driver == NULL ? &file->driver : &file->other_driver, driver);
    if (ok && is_raster && file->raster.width == 0) {
        ok = set_raster(&file->raster, dataset);
    }
    if (ok && (kinds & GDAL_OF_VECTOR) && file->layer_count == 0) {
        file->is_vector = file->is_vector || GDALDatasetGetLayerCount(dataset) > 0 ||
                          (!is_raster && !is_list);
        ok = add_layers(file, dataset, path);
    }
    return ok || giq_fail_memory(err);
}

/* ---- choosing files ---- */

static bool is_refused(const char *driver, char **drivers)
{
    return driver != NULL &&
           (CSLFindString(drivers, driver) < 0 || GDALGetDriverByName(driver) == NULL);
}

const char *giq_result_summary_refused_driver(const struct giq_summary *summary,
                                              char **drivers)
{
    for (size_t i = 0; i < summary->file_count; i++) {
        const struct giq_summary_file *file = &summary->files[i];
        if (is_refused(file->driver, drivers)) {
            return file->driver;
        }
        if (is_refused(file->other_driver, drivers)) {
            return file->other_driver;
        }
    }
    return NULL;
}

static bool has_kind(const struct giq_summary_file *file, unsigned kinds)
{
    return ((kinds & GDAL_OF_RASTER) && file->raster.width > 0) ||
           ((kinds & GDAL_OF_VECTOR) && file->is_vector);
}

/* The names of the chosen files; with `chosen` NULL of all. */
static char **names_of(const struct giq_summary *summary, const bool *chosen)
{
    char **names = NULL;
    for (size_t i = 0; i < summary->file_count; i++) {
        if (chosen == NULL || chosen[i]) {
            names = CSLAddString(names, summary->files[i].name);
        }
    }
    return names;
}

static bool fail_kind(const struct giq_result *result, struct giq_error *err)
{
    bool wants_raster = giq_inner_is_raster_only(result->flags);
    return giq_fail(err, GIQ_E_RESULT, "the result of the job %s is not a %s",
                    result->job_id, wants_raster ? "raster" : "vector dataset");
}

static bool choose_named(const struct giq_summary *summary,
                         const struct giq_result *result, bool *chosen,
                         struct giq_error *err)
{
    GIQ_AUTO_CSL char **names = names_of(summary, NULL);
    int at = giq_result_find_member(names, result->member);
    if (at < 0) {
        return giq_result_fail_member(result, names, err);
    }
    chosen[at] = true;
    return has_kind(&summary->files[at], giq_result_kinds(result)) ||
           fail_kind(result, err);
}

bool giq_result_summary_choose(const struct giq_summary *summary,
                               const struct giq_result *result, bool *chosen,
                               struct giq_error *err)
{
    size_t count = 0;
    unsigned kinds = giq_result_kinds(result);
    memset(chosen, 0, summary->file_count * sizeof *chosen);
    if (result->member != NULL) {
        return choose_named(summary, result, chosen, err);
    }
    for (size_t i = 0; i < summary->file_count; i++) {
        chosen[i] = has_kind(&summary->files[i], kinds);
        count += chosen[i];
    }
    if (count == 0) {
        return fail_kind(result, err);
    }
    if (count == 1) {
        return true;
    }
    GIQ_AUTO_CSL char **names = names_of(summary, chosen);
    return giq_result_are_shapefiles(names) || giq_result_fail_member(result, names, err);
}
