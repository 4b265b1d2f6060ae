/* The tables of formats and magic numbers. */
#include "result/giq_format.h"

#include <assert.h>
#include <string.h>

#include "base/giq_error.h"
#include "base/giq_text.h"

/* The columns `kind` and `text` of formats for GDAL's drivers: where text is scanned. */
#define TEXT        GIQ_FORMAT_DATA, GIQ_FORMAT_TEXT_ANYWHERE
#define TEXT_HEADER GIQ_FORMAT_DATA, GIQ_FORMAT_TEXT_AT_START
#define BINARY      GIQ_FORMAT_DATA, GIQ_FORMAT_TEXT_NONE

static const struct giq_format formats[] = {
    {"arrow", "Arrow", "Arrow", TEXT, {"feather", "arrows", "ipc"}},
    {"csv", "CSV", "CSV", TEXT, {"tsv", "psv", "txt"}},
    {"dxf", "DXF", "DXF", TEXT, {NULL}},
    {"fgb", "FlatGeobuf", "FlatGeobuf", TEXT_HEADER, {NULL}},
    {"geojson", "GeoJSON", "GeoJSON", TEXT, {"json"}},
    {"geojsonl",
     "GeoJSONSeq",
     "GeoJSONSeq",
     TEXT,
     {"geojsons", "jsonl", "ndjson", "geojsonseq", "nlgeojson"}},
    {"geojsons", "GeoJSONSeq", "GeoJSONSeq", TEXT, {"geojsonl", "geojsonseq"}},
    {"gif", "GIF", "GIF", TEXT, {NULL}},
    {"gml", "GML", "GML", TEXT, {"xml"}},
    {"gpkg", "GeoPackage", "GPKG", BINARY, {NULL}},
    {"gpx", "GPX", "GPX", TEXT, {NULL}},
    {"grib2", "GRIB", "GRIB", TEXT, {"grib", "grb", "grb2"}},
    {"gti", "tile index", NULL, TEXT, {NULL}},
    {"h5", "HDF5", "HDF5", BINARY, {"hdf5", "he5", "hdf"}},
    {"hdf", "HDF4", "HDF4", TEXT, {NULL}},
    {"j2k", "JPEG 2000", "JP2OpenJPEG", BINARY, {"jp2", "jpx", "jpf", "j2c", "jpc"}},
    {"jp2", "JPEG 2000", "JP2OpenJPEG", BINARY, {"j2k", "jpx", "jpf", "j2c", "jpc"}},
    {"jpg", "JPEG", "JPEG", BINARY, {"jpeg", "jpe", "jfif"}},
    {"kml", "KML", "KML", TEXT, {NULL}},
    {"kmz", "KMZ", "LIBKML", BINARY, {NULL}},
    {"mbtiles", "MBTiles", "MBTiles", BINARY, {NULL}},
    {"mif", "MapInfo", "MapInfo File", TEXT, {NULL}},
    {"mrf", "MRF", NULL, TEXT, {NULL}},
    {"nc", "netCDF", "netCDF", BINARY, {"nc4", "cdf", "netcdf"}},
    {"ods", "spreadsheet", "ODS", BINARY, {NULL}},
    {"parquet", "Parquet", "Parquet", TEXT, {"geoparquet", "pq"}},
    {"pdf", "PDF", "PDF", TEXT, {NULL}},
    {"pmtiles", "PMTiles", "PMTiles", TEXT, {NULL}},
    {"png", "PNG", "PNG", BINARY, {NULL}},
    {"shp", "Shapefile", "ESRI Shapefile", BINARY, {"shx"}},
    {"shz", "zipped Shapefile", "ESRI Shapefile", BINARY, {NULL}},
    {"sqlite", "SQLite", "SQLite", BINARY, {"sqlite3", "db", "db3"}},
    {"tab", "MapInfo", "MapInfo File", TEXT, {NULL}},
    {"tif", "TIFF", "GTiff", BINARY, {"tiff", "gtiff", "geotiff", "btf", "tf8"}},
    {"topojson", "TopoJSON", "TopoJSON", TEXT, {"json"}},
    {"vrt", "VRT", NULL, TEXT, {NULL}},
    {"webp", "WEBP", "WEBP", TEXT, {NULL}},
    {"xlsx", "spreadsheet", "XLSX", BINARY, {NULL}},
    {"xml", "XML", NULL, TEXT, {NULL}},

    {"gz", "gzip", NULL, GIQ_FORMAT_GZIP, GIQ_FORMAT_TEXT_ANYWHERE, {"tgz"}},
    {"html",
     "web page",
     NULL,
     GIQ_FORMAT_HTML,
     GIQ_FORMAT_TEXT_ANYWHERE,
     {"htm", "xhtml"}},
    {"tar", "tar", NULL, GIQ_FORMAT_TAR, GIQ_FORMAT_TEXT_ANYWHERE, {NULL}},
    {"zip", "zip", NULL, GIQ_FORMAT_ZIP, GIQ_FORMAT_TEXT_NONE, {NULL}},
};

/* Other extensions that are replaced by that of the identified format: they have no
 * meaning, or are those of a part of a format. */
static const char *const other_extensions[] = {"bin", "dat", "dbf", "mid", "tmp"};

/* ---- extensions ---- */

const struct giq_format *giq_format_get(const char *extension)
{
    for (size_t i = 0; i < GIQ_COUNT(formats); i++) {
        if (strcmp(extension, formats[i].extension) == 0) {
            return &formats[i];
        }
    }
    assert(false);
    return NULL;
}

bool giq_format_has_extension(const struct giq_format *format, const char *extension)
{
    bool found = giq_text_equal_nocase(extension, format->extension);
    for (size_t i = 0; i < GIQ_COUNT(format->aliases) && format->aliases[i] != NULL;
         i++) {
        found = found || giq_text_equal_nocase(extension, format->aliases[i]);
    }
    return found;
}

bool giq_format_is_extension(const char *extension)
{
    for (size_t i = 0; i < GIQ_COUNT(formats); i++) {
        if (giq_format_has_extension(&formats[i], extension)) {
            return true;
        }
    }
    for (size_t i = 0; i < GIQ_COUNT(other_extensions); i++) {
        if (giq_text_equal_nocase(extension, other_extensions[i])) {
            return true;
        }
    }
    return false;
}

/* ---- magic numbers ---- */

struct magic {
    size_t at;
    const char *bytes;
    size_t len;
};

#define BYTES(at, text)                                                                  \
    {                                                                                    \
        at, text, sizeof(text) - 1                                                       \
    }
#define ANY    BYTES(0, "")
#define SQLITE BYTES(0, "SQLite format 3\0")
#define HDF5   BYTES(0, "\x89HDF\r\n\x1a\n")
#define ZIP    BYTES(0, "PK\3\4")

/* The first row that matches decides. An SQLite file has its application id at 68. */
static const struct {
    const char *extension;
    struct magic first;
    struct magic second;
    bool by_name; /* only if the name has an extension of the format */
} rules[] = {
    {"gpkg", SQLITE, BYTES(68, "GPKG"), false},
    {"gpkg", SQLITE, BYTES(68, "GP1"), false},
    {"mbtiles", SQLITE, BYTES(68, "MPBX"), false},
    {"mbtiles", SQLITE, ANY, true},
    {"gpkg", SQLITE, ANY, true},
    {"sqlite", SQLITE, ANY, false},
    {"fgb", BYTES(0, "fgb\3fgb"), ANY, false},
    {"tif", BYTES(0, "II*\0"), ANY, false},
    {"tif", BYTES(0, "MM\0*"), ANY, false},
    {"tif", BYTES(0, "II+\0"), ANY, false},
    {"tif", BYTES(0, "MM\0+"), ANY, false},
    {"png", BYTES(0, "\x89PNG\r\n\x1a\n"), ANY, false},
    {"jpg", BYTES(0, "\xff\xd8\xff"), ANY, false},
    {"jp2", BYTES(0, "\0\0\0\x0cjP  \r\n\x87\n"), ANY, false},
    {"j2k", BYTES(0, "\xff\x4f\xff\x51"), ANY, false},
    {"gif", BYTES(0, "GIF8"), ANY, false},
    {"webp", BYTES(0, "RIFF"), BYTES(8, "WEBP"), false},
    {"pdf", BYTES(0, "%PDF-"), ANY, false},
    {"nc", BYTES(0, "CDF\1"), ANY, false},
    {"nc", BYTES(0, "CDF\2"), ANY, false},
    {"nc", BYTES(0, "CDF\5"), ANY, false},
    {"h5", HDF5, ANY, true},
    {"nc", HDF5, ANY, false},
    {"hdf", BYTES(0, "\x0e\x03\x13\x01"), ANY, false},
    {"grib2", BYTES(0, "GRIB"), ANY, false},
    {"parquet", BYTES(0, "PAR1"), ANY, false},
    {"arrow", BYTES(0, "ARROW1"), ANY, false},
    {"arrow", BYTES(0, "\xff\xff\xff\xff"), ANY, true},
    {"pmtiles", BYTES(0, "PMTiles"), ANY, false},
    {"dxf", BYTES(0, "AutoCAD Binary DXF\r\n\x1a\0"), ANY, false},
    {"shp", BYTES(0, "\0\0\x27\x0a"), ANY, false},
    {"kmz", ZIP, ANY, true},
    {"shz", ZIP, ANY, true},
    {"xlsx", ZIP, ANY, true},
    {"ods", ZIP, ANY, true},
    {"zip", ZIP, ANY, false},
    {"zip", BYTES(0, "PK\5\6"), ANY, false},
    {"zip", BYTES(0, "PK00PK\3\4"), ANY, false},
    {"zip", BYTES(0, "PK\7\x08PK\3\4"), ANY, false},
    {"gz", BYTES(0, "\x1f\x8b\x08"), ANY, false},
    {"tar", BYTES(257, "ustar"), ANY, false},
};

static bool has_magic(const char *bytes, size_t len, const struct magic *magic)
{
    return len >= magic->at + magic->len &&
           memcmp(bytes + magic->at, magic->bytes, magic->len) == 0;
}

const struct giq_format *giq_format_by_magic(const char *extension, const char *bytes,
                                             size_t len)
{
    for (size_t i = 0; i < GIQ_COUNT(rules); i++) {
        if (!has_magic(bytes, len, &rules[i].first) ||
            !has_magic(bytes, len, &rules[i].second)) {
            continue;
        }
        const struct giq_format *format = giq_format_get(rules[i].extension);
        if (!rules[i].by_name || giq_format_has_extension(format, extension)) {
            return format;
        }
    }
    return NULL;
}
