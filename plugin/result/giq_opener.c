#include "result/giq_opener.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>

#include "giq/external.h"
#include "result/giq_identify.h"
#include "result/giq_inner.h"

static struct giq_opener opener(enum giq_opener_state state, const char *driver)
{
    struct giq_opener made = {.state = state};
    (void)CPLStrlcpy(made.driver, driver, sizeof made.driver);
    return made;
}

/* What it means that a driver of this GDAL is for the file. */
static struct giq_opener present(const char *driver, char **drivers)
{
    bool is_listed = CSLFindString(drivers, driver) >= 0;
    return opener(is_listed ? GIQ_OPENER_REFUSES : GIQ_OPENER_NOT_ALLOWED, driver);
}

/* The drivers for kinds of files, whether this GDAL has them or not. */
static const struct {
    const char *kind; /* as giq_sniff_known() gives it */
    const char *driver;
} known[] = {
    {"arrow", "Arrow"},
    {"csv", "CSV"},
    {"dxf", "DXF"},
    {"fgb", "FlatGeobuf"},
    {"geojson", "GeoJSON"},
    {"geojsonl", "GeoJSONSeq"},
    {"geojsons", "GeoJSONSeq"},
    {"gif", "GIF"},
    {"gml", "GML"},
    {"gpkg", "GPKG"},
    {"gpx", "GPX"},
    {"grib2", "GRIB"},
    {"h5", "HDF5"},
    {"hdf", "HDF4"},
    {"j2k", "JP2OpenJPEG"},
    {"jp2", "JP2OpenJPEG"},
    {"jpg", "JPEG"},
    {"kml", "KML"},
    {"kmz", "LIBKML"},
    {"mbtiles", "MBTiles"},
    {"mif", "MapInfo File"},
    {"nc", "netCDF"},
    {"ods", "ODS"},
    {"parquet", "Parquet"},
    {"pdf", "PDF"},
    {"pmtiles", "PMTiles"},
    {"png", "PNG"},
    {"shp", "ESRI Shapefile"},
    {"shz", "ESRI Shapefile"},
    {"sqlite", "SQLite"},
    {"tab", "MapInfo File"},
    {"tif", "GTiff"},
    {"topojson", "TopoJSON"},
    {"webp", "WEBP"},
    {"xlsx", "XLSX"},
};

static const char *driver_for(const char *kind)
{
    for (size_t i = 0; kind != NULL && i < GIQ_COUNT(known); i++) {
        if (EQUAL(kind, known[i].kind)) {
            return known[i].driver;
        }
    }
    return NULL;
}

/* The kind of a file by its content, or NULL. */
static const char *kind_of(const char *path)
{
    char head[GIQ_SNIFF_BYTES];
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t len = VSIFReadL(head, 1, sizeof head, file);
    (void)VSIFCloseL(file);
    return giq_sniff_known(CPLGetFilename(path), head, len);
}

struct giq_opener giq_opener_of(const char *path, char **drivers)
{
    const char *source = giq_inner_source(path, drivers);
    if (source != NULL) {
        return opener(GIQ_OPENER_SOURCE, source);
    }
    const char *expected = driver_for(kind_of(path));
    bool is_listed = expected != NULL && CSLFindString(drivers, expected) >= 0;
    if (expected != NULL && GDALGetDriverByName(expected) == NULL) {
        return opener(GIQ_OPENER_MISSING, expected);
    }
    GDALDriverH found = is_listed ? NULL : giq_identify_driver(path);
    if (found != NULL) {
        return present(GDALGetDriverShortName(found), drivers);
    }
    return expected == NULL ? opener(GIQ_OPENER_NONE, "") : present(expected, drivers);
}
