/*
 * Every option of this version, once. X(name, type, values, default, config,
 * fallback, least, most, description): `config` says whether GIQ_<NAME> counts too,
 * `fallback` is the option of GDAL's that stands in; `least` and `most` bound a
 * number.
 */
#ifndef GIQ_OPTIONS_H
#define GIQ_OPTIONS_H

#include "giq/giq.h"

enum { GIQ_AREA_FILE_MAX = 64 * 1024 * 1024 };

/* The ways to give an area; at most one of them counts. */
enum giq_area_kind {
    GIQ_AREA_GEOMETRY, /* WKT or EWKT, or `@` and the path of a regular file of at
                          most GIQ_AREA_FILE_MAX bytes that holds it */
    GIQ_AREA_AOI,      /* a vector dataset, as giq_aoi_read() takes it */
    GIQ_AREA_BBOX,     /* "minx,miny,maxx,maxy" */
    GIQ_AREA_KINDS,
};

#define GIQ_VALUE_OF(name) "<Value>" #name "</Value>"

#define GIQ_OPEN_OPTIONS(X)                                                              \
    X(GEOMETRY, "string", "", "", false, NULL, 0, 0,                                     \
      "Area of interest: WKT in longitude and latitude, EWKT (SRID=32640;POLYGON...), "  \
      "or @file holding it")                                                             \
    X(AOI, "string", "", "", false, NULL, 0, 0,                                          \
      "Area of interest from a vector dataset: path, or path,layer")                     \
    X(BBOX, "string", "", "", false, NULL, 0, 0,                                         \
      "Area of interest: minx,miny,maxx,maxy in degrees")                                \
    X(GEOMETRY_CRS, "string-select", "<Value>EPSG:4326</Value><Value>AS_IS</Value>",     \
      "EPSG:4326", true, NULL, 0, 0,                                                     \
      "AS_IS: send coordinates as they are, for a service that wants another system")    \
    X(MAKE_VALID, "boolean", "", "NO", true, NULL, 0, 0,                                 \
      "Repair an invalid area instead of refusing it")                                   \
    X(WAIT, "boolean", "", "YES", false, NULL, 0, 0,                                     \
      "NO: submit or check, and return at once with a one-row job layer")                \
    X(TIMEOUT, "float", "", "3600", true, NULL, 0, 2000000,                              \
      "Seconds to wait for the job; opening again goes on waiting. 0 checks once")       \
    X(POLL_INTERVAL, "float", "", "", true, NULL, 0.05, 3600,                            \
      "Fixed seconds between status calls; adaptive by default")                         \
    X(SUBMIT, "string-select", "<Value>IF_MISSING</Value><Value>NO</Value>",             \
      "IF_MISSING", true, NULL, 0, 0,                                                    \
      "NO: never start a job, use only what is recorded")                                \
    X(RETRY, "string", "", "", true, NULL, 0, 0,                                         \
      "A label: what is recorded as failed, unknown, gone or damaged gets one new job "  \
      "for each label")                                                                  \
    X(SOURCE_TYPE, "string-select", GIQ_SOURCE_TYPES(GIQ_VALUE_OF), "UNKNOWN", true,     \
      NULL, 0, 0, "Kind of an uploaded file")                                            \
    X(RESULT_OPTIONS, "string", "", "", false, NULL, 0, 0,                               \
      "KEY=VALUE,... open options for the driver that opens the result")                 \
    X(MAX_RETRY, "int", "", "5", true, "GDAL_HTTP_MAX_RETRY", 0, 1000,                   \
      "Retries of a call that is safe to repeat")                                        \
    X(RETRY_DELAY, "float", "", "1", true, "GDAL_HTTP_RETRY_DELAY", 0, 3600,             \
      "Seconds before the first retry; doubled for each further one")                    \
    X(HTTP_TIMEOUT, "float", "", "60", true, NULL, 0.001, 86400,                         \
      "Seconds for one small request")                                                   \
    X(CONNECT_TIMEOUT, "float", "", "10", true, "GDAL_HTTP_CONNECTTIMEOUT", 0.001,       \
      86400, "Seconds to connect")                                                       \
    X(LOW_SPEED_TIME, "int", "", "30", true, "GDAL_HTTP_LOW_SPEED_TIME", 1, 86400,       \
      "Seconds below LOW_SPEED_LIMIT that end a transfer")                               \
    X(LOW_SPEED_LIMIT, "int", "", "1", true, "GDAL_HTTP_LOW_SPEED_LIMIT", 1, 1000000000, \
      "Bytes a second, see LOW_SPEED_TIME")                                              \
    X(PROGRESS, "string-select",                                                         \
      "<Value>AUTO</Value><Value>YES</Value><Value>NO</Value>", "AUTO", true, NULL, 0,   \
      0, "Status line on stderr while waiting: AUTO when it is a terminal")

/* What decides where secrets go and who may read a result is never an open
 * option: a VRT or project of a stranger can carry those. */
#define GIQ_CONFIG_OPTIONS(X)                                                            \
    X(API_KEY)                                                                           \
    X(BEARER_TOKEN)                                                                      \
    X(API_KEY_FILE)                                                                      \
    X(BASE_URL)                                                                          \
    X(ALLOW_HTTP)                                                                        \
    X(ALLOW_UNVERIFIED_LENGTH)                                                           \
    X(STORE_DIR)                                                                         \
    X(RESULT_DRIVERS)

#endif
