/* Compares rasters, and writes them as the sources of a VRTDataset. */
#include "giq_batch_mosaic.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <limits.h>
#include <math.h>
#include <ogr_srs_api.h>

#include "options/giq_gdal_cleanup.h"

/* In pixels. Two resolutions are the same if the width or height of a raster changes by
 * no more than this from one to the other; an offset that is this near to a whole number
 * is rounded to it. */
static const double pixel_tolerance = 0.001;

static const char alpha[] = "Alpha";

/* What is kept of each raster. */
struct source {
    const char *name;
    double x, y; /* the upper left corner */
    int64_t width, height;
    bool has_mask;
    char **nodata; /* of each band, "" for none; NULL: no band has one */
    int64_t block_width, block_height; /* of the first band */
};

struct giq_batch_mosaic {
    char *first_id;
    struct giq_summary_raster first; /* a copy, with the no-data values of later rows */
    double pixel_width, pixel_height;
    struct source *sources;
    size_t count;
    size_t capacity;
    bool has_mask; /* of any raster */
    double left, top, right, bottom;
    struct giq_error mismatch; /* {0}: all rasters agree */
};

struct giq_batch_mosaic *giq_batch_mosaic_new(void)
{
    return CPLCalloc(1, sizeof(struct giq_batch_mosaic));
}

/* The copies are freed with CPLFree(), unlike the texts of a summary. */
static void free_band(struct giq_summary_band *band)
{
    CPLFree(band->type);
    CPLFree(band->interpretation);
    CPLFree(band->nodata);
    CPLFree(band->offset);
    CPLFree(band->scale);
    CPLFree(band->unit);
    CPLFree(band->description);
    CPLFree(band->colors);
}

void giq_batch_mosaic_free(struct giq_batch_mosaic *mosaic)
{
    if (mosaic == NULL) {
        return;
    }
    for (size_t i = 0; i < mosaic->count; i++) {
        CSLDestroy(mosaic->sources[i].nodata);
    }
    for (size_t i = 0; i < mosaic->first.band_count; i++) {
        free_band(&mosaic->first.bands[i]);
    }
    CPLFree(mosaic->first.bands);
    CPLFree(mosaic->first.srs);
    CPLFree(mosaic->sources);
    CPLFree(mosaic->first_id);
    CPLFree(mosaic);
}

/* ---- comparing ---- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_srs(const char *a, const char *b)
{
    if (a == NULL || b == NULL || strcmp(a, b) == 0) {
        return same_text(a, b);
    }
    OGRSpatialReferenceH one = OSRNewSpatialReference(NULL);
    OGRSpatialReferenceH other = OSRNewSpatialReference(NULL);
    bool is_same = OSRSetFromUserInput(one, a) == OGRERR_NONE &&
                   OSRSetFromUserInput(other, b) == OGRERR_NONE && OSRIsSame(one, other);
    OSRDestroySpatialReference(one);
    OSRDestroySpatialReference(other);
    return is_same;
}

static bool same_band(const struct giq_summary_band *a, const struct giq_summary_band *b)
{
    return same_text(a->interpretation, b->interpretation) &&
           same_text(a->offset, b->offset) && same_text(a->scale, b->scale) &&
           same_text(a->unit, b->unit) && same_text(a->colors, b->colors);
}

static bool same_resolution(double a, double b, int64_t pixels)
{
    return fabs(a - b) * (double)pixels <= fabs(a) * pixel_tolerance;
}

/* What differs between the first raster and another; NULL if nothing does. */
static const char *find_difference(const struct giq_batch_mosaic *mosaic,
                                   const struct giq_summary_raster *raster,
                                   const double transform[6])
{
    const struct giq_summary_raster *first = &mosaic->first;
    if (!same_srs(first->srs, raster->srs)) {
        return "coordinate systems";
    }
    if (!same_resolution(mosaic->pixel_width, transform[1], raster->width) ||
        !same_resolution(mosaic->pixel_height, transform[5], raster->height)) {
        return "resolutions";
    }
    if (first->band_count != raster->band_count) {
        return "numbers of bands";
    }
    for (size_t i = 0; i < raster->band_count; i++) {
        if (!same_text(first->bands[i].type, raster->bands[i].type)) {
            return "types of pixels";
        }
        if (!same_band(&first->bands[i], &raster->bands[i])) {
            return "meanings of bands (colours, scale or unit)";
        }
    }
    return NULL;
}

/* ---- adding ---- */

static bool read_transform(const char *text, double out[6])
{
    GIQ_AUTO_CSL char **numbers = CSLTokenizeString2(text == NULL ? "" : text, " ", 0);
    if (CSLCount(numbers) != 6) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        out[i] = CPLAtof(numbers[i]);
    }
    return out[1] > 0.0 && out[5] < 0.0 && out[2] == 0.0 && out[4] == 0.0;
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : CPLStrdup(text);
}

static void keep_first(struct giq_batch_mosaic *mosaic, const char *id,
                       const struct giq_summary_raster *raster, const double transform[6])
{
    mosaic->first_id = CPLStrdup(id);
    mosaic->first = (struct giq_summary_raster){
        .srs = copy(raster->srs),
        .band_count = raster->band_count,
        .bands = CPLCalloc(raster->band_count, sizeof *raster->bands),
    };
    for (size_t i = 0; i < raster->band_count; i++) {
        const struct giq_summary_band *band = &raster->bands[i];
        mosaic->first.bands[i] = (struct giq_summary_band){
            .type = copy(band->type),
            .interpretation = copy(band->interpretation),
            .nodata = copy(band->nodata),
            .offset = copy(band->offset),
            .scale = copy(band->scale),
            .unit = copy(band->unit),
            .description = copy(band->description),
            .colors = copy(band->colors),
        };
    }
    mosaic->pixel_width = transform[1];
    mosaic->pixel_height = transform[5];
    mosaic->left = transform[0];
    mosaic->right = transform[0];
    mosaic->top = transform[3];
    mosaic->bottom = transform[3];
}

static char **list_nodata(struct giq_batch_mosaic *mosaic,
                          const struct giq_summary_raster *raster)
{
    char **list = NULL;
    bool has_any = false;
    for (size_t i = 0; i < raster->band_count; i++) {
        const char *value = raster->bands[i].nodata;
        has_any = has_any || value != NULL;
        if (value != NULL && mosaic->first.bands[i].nodata == NULL) {
            mosaic->first.bands[i].nodata = CPLStrdup(value);
        }
    }
    for (size_t i = 0; has_any && i < raster->band_count; i++) {
        const char *value = raster->bands[i].nodata;
        list = CSLAddString(list, value == NULL ? "" : value);
    }
    return list;
}

static void add_source(struct giq_batch_mosaic *mosaic, const char *name,
                       const struct giq_summary_raster *raster, const double transform[6])
{
    if (mosaic->count == mosaic->capacity) {
        mosaic->capacity = mosaic->capacity == 0 ? 8 : mosaic->capacity * 2;
        mosaic->sources =
            CPLRealloc(mosaic->sources, mosaic->capacity * sizeof *mosaic->sources);
    }
    mosaic->sources[mosaic->count++] = (struct source){
        .name = name,
        .x = transform[0],
        .y = transform[3],
        .width = raster->width,
        .height = raster->height,
        .has_mask = raster->has_mask,
        .nodata = list_nodata(mosaic, raster),
        .block_width = raster->bands[0].block_width,
        .block_height = raster->bands[0].block_height,
    };
    mosaic->has_mask = mosaic->has_mask || raster->has_mask;
    mosaic->left = fmin(mosaic->left, transform[0]);
    mosaic->top = fmax(mosaic->top, transform[3]);
    mosaic->right =
        fmax(mosaic->right, transform[0] + transform[1] * (double)raster->width);
    mosaic->bottom =
        fmin(mosaic->bottom, transform[3] + transform[5] * (double)raster->height);
}

void giq_batch_mosaic_add(struct giq_batch_mosaic *mosaic, const char *id,
                          const char *name, const struct giq_summary_raster *raster)
{
    double transform[6];
    if (mosaic->mismatch.code != GIQ_E_NONE) {
        return;
    }
    if (!read_transform(raster->geotransform, transform) || raster->band_count == 0) {
        (void)giq_fail(&mosaic->mismatch, GIQ_E_BATCH,
                       "the results cannot be one raster: that of the row \"%.200s\" has "
                       "no georeference, or is not north up; open it by its own GIQ: "
                       "string",
                       id);
        return;
    }
    if (mosaic->first_id == NULL) {
        keep_first(mosaic, id, raster, transform);
    }
    const char *difference = find_difference(mosaic, raster, transform);
    if (difference != NULL) {
        (void)giq_fail(&mosaic->mismatch, GIQ_E_BATCH,
                       "the results cannot be one raster: the rows \"%.200s\" and "
                       "\"%.200s\" have different %s; open them by their own GIQ: "
                       "strings, or as batches of rows that agree",
                       mosaic->first_id, id, difference);
        return;
    }
    add_source(mosaic, name, raster, transform);
}

/* ---- writing ---- */

/* The offset in pixels of a coordinate. */
static double offset_of(double coordinate, double origin, double pixel)
{
    double offset = (coordinate - origin) / pixel;
    double rounded = round(offset);
    return fabs(offset - rounded) < pixel_tolerance ? rounded : offset;
}

static void write_rectangles(const struct giq_batch_mosaic *mosaic,
                             const struct source *source, struct giq_batch_xml *xml)
{
    giq_batch_xml_addf(xml,
                       "<SrcRect xOff=\"0\" yOff=\"0\" xSize=\"%lld\" ySize=\"%lld\"/>",
                       (long long)source->width, (long long)source->height);
    giq_batch_xml_addf(
        xml, "<DstRect xOff=\"%.15g\" yOff=\"%.15g\" xSize=\"%lld\" ySize=\"%lld\"/>",
        offset_of(source->x, mosaic->left, mosaic->pixel_width),
        offset_of(source->y, mosaic->top, mosaic->pixel_height), (long long)source->width,
        (long long)source->height);
}

/* The elements that all kinds of sources begin with. `band` is its number or a mask. */
static void write_origin(const struct giq_batch_mosaic *mosaic,
                         const struct source *source, const char *band, const char *type,
                         char **options, struct giq_batch_xml *xml)
{
    giq_batch_xml_add(xml, "<SourceFilename relativeToVRT=\"0\">");
    giq_batch_xml_add_text(xml, source->name);
    giq_batch_xml_add(xml, "</SourceFilename>");
    giq_batch_xml_add_options(xml, options);
    giq_batch_xml_addf(xml, "<SourceBand>%s</SourceBand>", band);
    giq_batch_xml_addf(xml,
                       "<SourceProperties RasterXSize=\"%lld\" RasterYSize=\"%lld\" "
                       "DataType=\"%s\" BlockXSize=\"%lld\" BlockYSize=\"%lld\"/>",
                       (long long)source->width, (long long)source->height, type,
                       (long long)source->block_width, (long long)source->block_height);
    write_rectangles(mosaic, source, xml);
}

static bool has_alpha(const struct giq_batch_mosaic *mosaic)
{
    const struct giq_summary_raster *first = &mosaic->first;
    return strcmp(first->bands[first->band_count - 1].interpretation, alpha) == 0;
}

static void write_source(const struct giq_batch_mosaic *mosaic,
                         const struct source *source, size_t band, char **options,
                         struct giq_batch_xml *xml)
{
    const char *nodata = source->nodata == NULL ? "" : source->nodata[band];
    bool uses_mask = source->has_mask || has_alpha(mosaic);
    bool is_simple = nodata[0] == '\0' && !uses_mask;
    giq_batch_xml_add(xml, is_simple ? "<SimpleSource>" : "<ComplexSource>");
    write_origin(mosaic, source, CPLSPrintf("%d", (int)band + 1),
                 mosaic->first.bands[band].type, options, xml);
    giq_batch_xml_add_element(xml, "NODATA", nodata[0] == '\0' ? NULL : nodata);
    giq_batch_xml_add(xml, uses_mask ? "<UseMaskBand>true</UseMaskBand>" : "");
    giq_batch_xml_add(xml, is_simple ? "</SimpleSource>\n" : "</ComplexSource>\n");
}

static void write_colors(const char *colors, struct giq_batch_xml *xml)
{
    giq_batch_xml_add(xml, "<ColorTable>");
    for (; strlen(colors) >= 8; colors += 8) {
        unsigned rgba[4] = {0, 0, 0, 0};
        if (sscanf(colors, "%2x%2x%2x%2x", &rgba[0], &rgba[1], &rgba[2], &rgba[3]) == 4) {
            giq_batch_xml_addf(xml, "<Entry c1=\"%u\" c2=\"%u\" c3=\"%u\" c4=\"%u\"/>",
                               rgba[0], rgba[1], rgba[2], rgba[3]);
        }
    }
    giq_batch_xml_add(xml, "</ColorTable>");
}

static void write_band(const struct giq_batch_mosaic *mosaic, size_t index,
                       char **options, struct giq_batch_xml *xml)
{
    const struct giq_summary_band *band = &mosaic->first.bands[index];
    giq_batch_xml_addf(xml, "<VRTRasterBand dataType=\"%s\" band=\"%d\">", band->type,
                       (int)index + 1);
    giq_batch_xml_add_element(xml, "Description", band->description);
    giq_batch_xml_add_element(xml, "NoDataValue", band->nodata);
    giq_batch_xml_add_element(xml, "UnitType", band->unit);
    giq_batch_xml_add_element(xml, "Offset", band->offset);
    giq_batch_xml_add_element(xml, "Scale", band->scale);
    giq_batch_xml_add_element(xml, "ColorInterp", band->interpretation);
    if (band->colors != NULL) {
        write_colors(band->colors, xml);
    }
    giq_batch_xml_add(xml, "\n");
    for (size_t i = 0; i < mosaic->count; i++) {
        write_source(mosaic, &mosaic->sources[i], index, options, xml);
    }
    giq_batch_xml_add(xml, "</VRTRasterBand>\n");
}

/* A raster without a mask is valid everywhere. */
static void write_mask(const struct giq_batch_mosaic *mosaic, char **options,
                       struct giq_batch_xml *xml)
{
    giq_batch_xml_add(xml, "<MaskBand><VRTRasterBand dataType=\"Byte\">\n");
    for (size_t i = 0; i < mosaic->count; i++) {
        const struct source *source = &mosaic->sources[i];
        giq_batch_xml_add(xml, "<ComplexSource>");
        write_origin(mosaic, source, source->has_mask ? "mask,1" : "1", "Byte", options,
                     xml);
        giq_batch_xml_add(
            xml, source->has_mask
                     ? ""
                     : "<ScaleOffset>255</ScaleOffset><ScaleRatio>0</ScaleRatio>");
        giq_batch_xml_add(xml, "</ComplexSource>\n");
    }
    giq_batch_xml_add(xml, "</VRTRasterBand></MaskBand>\n");
}

bool giq_batch_mosaic_write(const struct giq_batch_mosaic *mosaic, char **options,
                            struct giq_batch_xml *xml, struct giq_error *err)
{
    double width = ceil(offset_of(mosaic->right, mosaic->left, mosaic->pixel_width));
    double height = ceil(offset_of(mosaic->bottom, mosaic->top, mosaic->pixel_height));
    if (mosaic->mismatch.code != GIQ_E_NONE) {
        *err = mosaic->mismatch;
        return false;
    }
    if (width > INT_MAX || height > INT_MAX) {
        return giq_fail(err, GIQ_E_BATCH,
                        "the results cannot be one raster: it would have %.0f x %.0f "
                        "pixels; open them by their own GIQ: strings, or as batches of "
                        "rows that are closer together",
                        width, height);
    }
    giq_batch_xml_addf(xml, "<VRTDataset rasterXSize=\"%.0f\" rasterYSize=\"%.0f\">\n",
                       width, height);
    giq_batch_xml_add_element(xml, "SRS", mosaic->first.srs);
    giq_batch_xml_addf(
        xml, "<GeoTransform>%.17g, %.17g, 0, %.17g, 0, %.17g</GeoTransform>\n",
        mosaic->left, mosaic->pixel_width, mosaic->top, mosaic->pixel_height);
    for (size_t i = 0; i < mosaic->first.band_count; i++) {
        write_band(mosaic, i, options, xml);
    }
    if (mosaic->has_mask) {
        write_mask(mosaic, options, xml);
    }
    giq_batch_xml_add(xml, "</VRTDataset>\n");
    return true;
}
