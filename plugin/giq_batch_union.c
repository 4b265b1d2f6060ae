/* Merges the descriptions of layers, and writes them as OGRVRTUnionLayer elements. */
#include "giq_batch_union.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include "options/giq_gdal_cleanup.h"

enum { ROW_FIELD_SIZE = 32 }; /* holds "row_" and any number */

/* A layer of one result. */
struct source {
    const char *id;
    const char *name;
    bool has_geometry;
};

struct field {
    char *name;
    OGRFieldType type;
    char *subtype; /* NULL: none, or not the same in all results that have the field */
};

/* The layers with one name. */
struct layer {
    char *name;
    struct source *sources;
    size_t source_count;
    size_t source_capacity;
    struct field *fields;
    size_t field_count;
    OGRwkbGeometryType type; /* wkbNone until a layer with geometry is added */
    char *srs;               /* of the first layer with geometry; NULL: none */
    int64_t features;        /* -1: not known */
    bool has_extent;         /* of some features */
    bool lacks_extent;       /* of other features */
    OGREnvelope extent;      /* in `srs` */
};

struct giq_batch_union {
    struct layer *layers;
    size_t count;
};

struct giq_batch_union *giq_batch_union_new(void)
{
    return CPLCalloc(1, sizeof(struct giq_batch_union));
}

void giq_batch_union_free(struct giq_batch_union *all)
{
    if (all == NULL) {
        return;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct layer *layer = &all->layers[i];
        for (size_t j = 0; j < layer->field_count; j++) {
            CPLFree(layer->fields[j].name);
            CPLFree(layer->fields[j].subtype);
        }
        CPLFree(layer->fields);
        CPLFree(layer->sources);
        CPLFree(layer->name);
        CPLFree(layer->srs);
    }
    CPLFree(all->layers);
    CPLFree(all);
}

/* ---- fields ---- */

static OGRFieldType type_of(const char *name)
{
    for (int type = 0; type <= OFTMaxType; type++) {
        if (strcmp(OGR_GetFieldTypeName((OGRFieldType)type), name) == 0) {
            return (OGRFieldType)type;
        }
    }
    return OFTString;
}

/* The position of a type of numbers in the order of widening; 0: another type. */
static int width_of(OGRFieldType type)
{
    static const OGRFieldType numbers[] = {OFTInteger, OFTInteger64, OFTReal};
    for (int i = 0; i < (int)GIQ_COUNT(numbers); i++) {
        if (numbers[i] == type) {
            return i + 1;
        }
    }
    return 0;
}

static OGRFieldType widen(OGRFieldType a, OGRFieldType b)
{
    if (a == b) {
        return a;
    }
    if (width_of(a) == 0 || width_of(b) == 0) {
        return OFTString;
    }
    return width_of(a) > width_of(b) ? a : b;
}

/* As GDAL finds fields: without case. `guess` is where the field probably is. */
static struct field *find_field(const struct layer *layer, const char *name, size_t guess)
{
    if (guess < layer->field_count && EQUAL(layer->fields[guess].name, name)) {
        return &layer->fields[guess];
    }
    for (size_t i = 0; i < layer->field_count; i++) {
        if (EQUAL(layer->fields[i].name, name)) {
            return &layer->fields[i];
        }
    }
    return NULL;
}

static void merge_field(struct layer *layer, const struct giq_summary_field *added,
                        size_t index)
{
    struct field *field = find_field(layer, added->name, index);
    OGRFieldType type = type_of(added->type);
    if (field == NULL) {
        layer->fields =
            CPLRealloc(layer->fields, (layer->field_count + 1) * sizeof *layer->fields);
        layer->fields[layer->field_count++] = (struct field){
            .name = CPLStrdup(added->name),
            .type = type,
            .subtype = added->subtype == NULL ? NULL : CPLStrdup(added->subtype),
        };
        return;
    }
    bool is_same = field->type == type && field->subtype != NULL &&
                   added->subtype != NULL && strcmp(field->subtype, added->subtype) == 0;
    if (!is_same) {
        CPLFree(field->subtype);
        field->subtype = NULL;
    }
    field->type = widen(field->type, type);
}

/* "row", or "row_2" and so on if a result has a field of that name: GDAL would overwrite
 * its values. */
static void name_row_field(const struct layer *layer, char out[ROW_FIELD_SIZE])
{
    (void)CPLStrlcpy(out, "row", ROW_FIELD_SIZE);
    for (int n = 2; find_field(layer, out, 0) != NULL; n++) {
        (void)CPLsnprintf(out, ROW_FIELD_SIZE, "row_%d", n);
    }
}

/* ---- geometry ---- */

/* The type of both, with Z and M if one has them; unknown if they differ otherwise. */
static OGRwkbGeometryType merge_types(OGRwkbGeometryType a, OGRwkbGeometryType b)
{
    if (a == b || b == wkbNone) {
        return a;
    }
    if (a == wkbNone) {
        return b;
    }
    OGRwkbGeometryType flat =
        OGR_GT_Flatten(a) == OGR_GT_Flatten(b) ? OGR_GT_Flatten(a) : wkbUnknown;
    return OGR_GT_SetModifier(flat, OGR_GT_HasZ(a) || OGR_GT_HasZ(b),
                              OGR_GT_HasM(a) || OGR_GT_HasM(b));
}

static OGRSpatialReferenceH srs_of(const char *wkt)
{
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (srs != NULL && OSRSetFromUserInput(srs, wkt) == OGRERR_NONE) {
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
        return srs;
    }
    OSRDestroySpatialReference(srs);
    return NULL;
}

/* Transform a box as GDAL transforms the features. */
static bool transform_box(const char *from, const char *to, OGREnvelope *box)
{
    enum { POINTS_A_SIDE = 21 };
    OGRSpatialReferenceH source = srs_of(from);
    OGRSpatialReferenceH target = srs_of(to);
    bool ok = source != NULL && target != NULL;
    if (ok && !OSRIsSame(source, target)) {
        OGRCoordinateTransformationH transformation =
            OCTNewCoordinateTransformation(source, target);
        OGREnvelope out = *box;
        ok =
            transformation != NULL &&
            OCTTransformBounds(transformation, box->MinX, box->MinY, box->MaxX, box->MaxY,
                               &out.MinX, &out.MinY, &out.MaxX, &out.MaxY, POINTS_A_SIDE);
        /* Across the antimeridian the minimum is greater. */
        ok = ok && out.MinX <= out.MaxX;
        *box = out;
        if (transformation != NULL) {
            OCTDestroyCoordinateTransformation(transformation);
        }
    }
    OSRDestroySpatialReference(source);
    OSRDestroySpatialReference(target);
    return ok;
}

static bool parse_box(const char *text, OGREnvelope *box)
{
    GIQ_AUTO_CSL char **numbers = CSLTokenizeString2(text, " ", 0);
    if (CSLCount(numbers) != 4) {
        return false;
    }
    box->MinX = CPLAtof(numbers[0]);
    box->MinY = CPLAtof(numbers[1]);
    box->MaxX = CPLAtof(numbers[2]);
    box->MaxY = CPLAtof(numbers[3]);
    return true;
}

/* The extent of a layer in the coordinate system of the union. */
static bool read_extent(const struct layer *layer, const struct giq_summary_layer *added,
                        OGREnvelope *box)
{
    if (added->extent == NULL || !parse_box(added->extent, box)) {
        return false;
    }
    if (layer->srs == NULL || added->srs == NULL || strcmp(layer->srs, added->srs) == 0) {
        return true;
    }
    return transform_box(added->srs, layer->srs, box);
}

static void merge_extent(struct layer *layer, const struct giq_summary_layer *added)
{
    OGREnvelope box;
    if (added->features == 0) {
        return;
    }
    if (!read_extent(layer, added, &box)) {
        layer->lacks_extent = true;
        return;
    }
    if (!layer->has_extent) {
        layer->extent = box;
        layer->has_extent = true;
        return;
    }
    layer->extent.MinX = fmin(layer->extent.MinX, box.MinX);
    layer->extent.MinY = fmin(layer->extent.MinY, box.MinY);
    layer->extent.MaxX = fmax(layer->extent.MaxX, box.MaxX);
    layer->extent.MaxY = fmax(layer->extent.MaxY, box.MaxY);
}

static void merge_geometry(struct layer *layer, const struct giq_summary_layer *added)
{
    OGRwkbGeometryType type = (OGRwkbGeometryType)added->geometry_type;
    if (type == wkbNone) {
        return;
    }
    if (layer->type == wkbNone && added->srs != NULL) {
        layer->srs = CPLStrdup(added->srs);
    }
    layer->type = merge_types(layer->type, type);
    merge_extent(layer, added);
}

/* ---- layers ---- */

static struct layer *find_layer(struct giq_batch_union *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->layers[i].name, name) == 0) {
            return &all->layers[i];
        }
    }
    all->layers = CPLRealloc(all->layers, (all->count + 1) * sizeof *all->layers);
    struct layer *layer = &all->layers[all->count++];
    *layer = (struct layer){.name = CPLStrdup(name), .type = wkbNone};
    return layer;
}

static void add_source(struct layer *layer, const struct source *source)
{
    if (layer->source_count == layer->source_capacity) {
        layer->source_capacity =
            layer->source_capacity == 0 ? 8 : layer->source_capacity * 2;
        layer->sources =
            CPLRealloc(layer->sources, layer->source_capacity * sizeof *layer->sources);
    }
    layer->sources[layer->source_count++] = *source;
}

void giq_batch_union_add(struct giq_batch_union *all, const char *id, const char *name,
                         const struct giq_summary_layer *layer)
{
    struct layer *merged = find_layer(all, layer->name);
    const struct source source = {
        .id = id,
        .name = name,
        .has_geometry = (OGRwkbGeometryType)layer->geometry_type != wkbNone,
    };
    add_source(merged, &source);
    for (size_t i = 0; i < layer->field_count; i++) {
        merge_field(merged, &layer->fields[i], i);
    }
    bool is_known = merged->features >= 0 && layer->features >= 0;
    merged->features = is_known ? merged->features + layer->features : -1;
    merge_geometry(merged, layer);
}

/* ---- writing ---- */

/* The name of a geometry type in VRT files. */
static void write_type(struct giq_batch_xml *xml, OGRwkbGeometryType type)
{
    if (type == wkbNone) {
        giq_batch_xml_add(xml, "<GeometryType>wkbNone</GeometryType>");
        return;
    }
    GIQ_AUTO_CPL char *name = CPLStrdup(OGRGeometryTypeToName(OGR_GT_Flatten(type)));
    const char *modifier = OGR_GT_HasZ(type) ? (OGR_GT_HasM(type) ? "ZM" : "25D")
                                             : (OGR_GT_HasM(type) ? "M" : "");
    giq_batch_xml_add(xml, "<GeometryType>wkb");
    if (OGR_GT_Flatten(type) == wkbUnknown) {
        giq_batch_xml_add(xml, "Unknown");
    } else {
        for (const char *at = name; *at != '\0'; at++) {
            const char one[] = {*at, '\0'};
            giq_batch_xml_add(xml, *at == ' ' ? "" : one);
        }
    }
    giq_batch_xml_addf(xml, "%s</GeometryType>", modifier);
}

static void write_source(const struct layer *layer, const struct source *source,
                         char **options, struct giq_batch_xml *xml)
{
    giq_batch_xml_add(xml, "<OGRVRTLayer name=\"");
    giq_batch_xml_add_text(xml, source->id);
    giq_batch_xml_add(xml, "\"><SrcDataSource relativeToVRT=\"0\" shared=\"0\">");
    giq_batch_xml_add_text(xml, source->name);
    giq_batch_xml_add(xml, "</SrcDataSource>");
    giq_batch_xml_add_options(xml, options);
    giq_batch_xml_add_element(xml, "SrcLayer", layer->name);
    write_type(xml, source->has_geometry ? layer->type : wkbNone);
    giq_batch_xml_add(xml, "</OGRVRTLayer>\n");
}

static void write_fields(const struct layer *layer, struct giq_batch_xml *xml)
{
    for (size_t i = 0; i < layer->field_count; i++) {
        const struct field *field = &layer->fields[i];
        giq_batch_xml_add(xml, "<Field name=\"");
        giq_batch_xml_add_text(xml, field->name);
        giq_batch_xml_addf(xml, "\" type=\"%s\"", OGR_GetFieldTypeName(field->type));
        if (field->subtype != NULL) {
            giq_batch_xml_add(xml, " subtype=\"");
            giq_batch_xml_add_text(xml, field->subtype);
            giq_batch_xml_add(xml, "\"");
        }
        giq_batch_xml_add(xml, "/>\n");
    }
}

static void write_layer(const struct layer *layer, char **options,
                        struct giq_batch_xml *xml)
{
    char row_field[ROW_FIELD_SIZE];
    name_row_field(layer, row_field);
    giq_batch_xml_add(xml, "<OGRVRTUnionLayer name=\"");
    giq_batch_xml_add_text(xml, layer->name);
    giq_batch_xml_add(xml, "\">\n");
    giq_batch_xml_add_element(xml, "SourceLayerFieldName", row_field);
    write_type(xml, layer->type);
    giq_batch_xml_add_element(xml, "LayerSRS", layer->srs == NULL ? "NULL" : layer->srs);
    if (layer->features >= 0) {
        giq_batch_xml_addf(xml, "<FeatureCount>%lld</FeatureCount>",
                           (long long)layer->features);
    }
    if (layer->has_extent && !layer->lacks_extent) {
        const OGREnvelope *box = &layer->extent;
        giq_batch_xml_addf(xml,
                           "<ExtentXMin>%.17g</ExtentXMin><ExtentYMin>%.17g</ExtentYMin>"
                           "<ExtentXMax>%.17g</ExtentXMax><ExtentYMax>%.17g</ExtentYMax>",
                           box->MinX, box->MinY, box->MaxX, box->MaxY);
    }
    giq_batch_xml_add(xml, "\n");
    write_fields(layer, xml);
    for (size_t i = 0; i < layer->source_count; i++) {
        write_source(layer, &layer->sources[i], options, xml);
    }
    giq_batch_xml_add(xml, "</OGRVRTUnionLayer>\n");
}

void giq_batch_union_write(const struct giq_batch_union *all, char **options,
                           struct giq_batch_xml *xml)
{
    giq_batch_xml_add(xml, "<OGRVRTDataSource>\n");
    for (size_t i = 0; i < all->count; i++) {
        write_layer(&all->layers[i], options, xml);
    }
    giq_batch_xml_add(xml, "</OGRVRTDataSource>\n");
}
