/* Makes tables with GDAL's in-memory driver. */
#include "giq_table.h"

#include <cpl_string.h>
#include <ogr_srs_api.h>

#include "options/giq_gdal_cleanup.h"
#include "options/giq_gdal_compat.h"

/* NULL if this GDAL has no in-memory driver, or memory is exhausted. */
static GDALDatasetH make_dataset(void)
{
    GDALDriverH driver = GDALGetDriverByName(GIQ_GDAL_MEMORY_VECTOR);
    return driver == NULL ? NULL : GDALCreate(driver, "", 0, 0, 0, GDT_Unknown, NULL);
}

static OGRLayerH make_layer(GDALDatasetH dataset, const char *name,
                            OGRwkbGeometryType geometry,
                            const struct giq_table_column *columns, size_t count)
{
    OGRSpatialReferenceH srs = NULL;
    if (geometry != wkbNone) {
        srs = OSRNewSpatialReference(NULL);
        (void)OSRImportFromEPSG(srs, 4326);
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    }
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, name, srs, geometry, NULL);
    if (srs != NULL) {
        OSRRelease(srs);
    }
    for (size_t i = 0; layer != NULL && i < count; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(columns[i].name, columns[i].type);
        (void)OGR_L_CreateField(layer, field, TRUE);
        OGR_Fld_Destroy(field);
    }
    return layer;
}

GDALDatasetH giq_table_new(const char *name, OGRwkbGeometryType geometry,
                           const struct giq_table_column *columns, size_t count,
                           OGRLayerH *out_layer, struct giq_error *err)
{
    GIQ_AUTO_DATASET GDALDatasetH dataset = make_dataset();
    if (dataset == NULL) {
        (void)giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a table in memory");
        return NULL;
    }
    OGRLayerH layer = make_layer(dataset, name, geometry, columns, count);
    if (layer == NULL) {
        (void)giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a layer in memory");
        return NULL;
    }
    GDALDatasetH made = dataset;
    dataset = NULL;
    *out_layer = layer;
    return made;
}

bool giq_table_add_row(OGRLayerH layer, OGRFeatureH row, struct giq_error *err)
{
    OGRErr result = OGR_L_CreateFeature(layer, row);
    OGR_F_Destroy(row);
    if (result != OGRERR_NONE) {
        return giq_fail(err, GIQ_E_MEMORY, "GDAL cannot create a row in memory");
    }
    return true;
}

void giq_table_set_text(OGRFeatureH row, int column, const char *text)
{
    if (text == NULL) {
        OGR_F_SetFieldNull(row, column);
    } else {
        OGR_F_SetFieldString(row, column, text);
    }
}

void giq_table_set_time(OGRFeatureH row, int column, int64_t ms)
{
    enum { UTC = 100 }; /* GDAL's flag of that time zone */
    if (ms == GIQ_TIME_NONE) {
        OGR_F_SetFieldNull(row, column);
        return;
    }
    const struct giq_civil at = giq_text_civil_from_ms(ms);
    OGR_F_SetFieldDateTimeEx(row, column, at.year, at.month, at.day, at.hour, at.minute,
                             (float)((at.second * 1000 + at.ms) / 1000.0), UTC);
}

void giq_table_set_area(OGRFeatureH row, const char *wkt)
{
    OGRGeometryH area = NULL;
    char *text = (char *)wkt; /* GDAL moves the pointer and does not write to the text */
    if (wkt != NULL && OGR_G_CreateFromWkt(&text, NULL, &area) == OGRERR_NONE) {
        (void)OGR_F_SetGeometryDirectly(row, OGR_G_ForceToMultiPolygon(area));
    }
}
