#include "result/giq_result_driver.h"

#include <cpl_string.h>

#include "giq/external.h"
#include "options/giq_gdal_cleanup.h"
#include "result/giq_identify.h"
#include "result/giq_inner.h"

static struct giq_result_driver driver_of(enum giq_result_driver_state state,
                                          const char *name)
{
    struct giq_result_driver made = {.state = state};
    (void)CPLStrlcpy(made.name, name, sizeof made.name);
    return made;
}

/* The drivers of kinds of files, whether or not this GDAL has them. */
static const struct {
    const char *kind; /* as giq_sniff_known() returns it */
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
    GIQ_AUTO_VSI VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    return giq_sniff_known(CPLGetFilename(path), head,
                           VSIFReadL(head, 1, sizeof head, file));
}

struct giq_result_driver giq_result_driver_of(const char *path, char **drivers)
{
    const char *source = giq_inner_source(path, drivers);
    if (source != NULL) {
        return driver_of(GIQ_RESULT_DRIVER_SOURCE, source);
    }
    const char *expected = driver_for(kind_of(path));
    if (expected != NULL && GDALGetDriverByName(expected) == NULL) {
        return driver_of(GIQ_RESULT_DRIVER_MISSING, expected);
    }
    if (expected != NULL && CSLFindString(drivers, expected) >= 0) {
        return driver_of(GIQ_RESULT_DRIVER_FAILED, expected);
    }
    GDALDriverH found = giq_identify_driver(path);
    if (found != NULL) {
        const char *name = GDALGetDriverShortName(found);
        bool is_allowed = CSLFindString(drivers, name) >= 0;
        return driver_of(
            is_allowed ? GIQ_RESULT_DRIVER_FAILED : GIQ_RESULT_DRIVER_NOT_ALLOWED, name);
    }
    return expected == NULL ? driver_of(GIQ_RESULT_DRIVER_NONE, "")
                            : driver_of(GIQ_RESULT_DRIVER_NOT_ALLOWED, expected);
}
