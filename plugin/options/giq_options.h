/*
 * The table of the driver's options: names, types, values, defaults and descriptions.
 *
 * X(name, type, values, default_value, is_config, fallback, minimum, maximum,
 * description): `values` is a list macro of the allowed words; `is_config` states whether
 * GIQ_<NAME> is a configuration option too; `fallback` is GDAL's own configuration
 * option, read if neither the open option nor GIQ_<NAME> is set, or NULL; `minimum` and
 * `maximum` bound a number, in its unit: a time in seconds must fit an int in
 * milliseconds.
 *
 * Constant and thread-safe.
 */
#ifndef GIQ_OPTIONS_H
#define GIQ_OPTIONS_H

#include "giq/batch.h"
#include "giq/giq.h"

enum {
    GIQ_AREA_FILE_MAX = 64 * 1024 * 1024,
    GIQ_ROWS_MAX = 100000, /* rows of a batch */
};

/* The ways to give an area; a request has at most one area. */
enum giq_area_kind {
    GIQ_AREA_GEOMETRY, /* WKT or EWKT, or `@` and the path of a regular file of at
                          most GIQ_AREA_FILE_MAX bytes that contains it */
    GIQ_AREA_AOI,      /* a vector dataset, as for giq_aoi_read() */
    GIQ_AREA_BBOX,     /* "minx,miny,maxx,maxy" */
    GIQ_AREA_KINDS,
};

/* The values of the options of type string-select, and enums in the same order. */
#define GIQ_NO_VALUES(X)
#define GIQ_GEOMETRY_CRS_VALUES(X) X("EPSG:4326") X("AS_IS")
#define GIQ_SUBMIT_VALUES(X)       X("IF_MISSING") X("NO")
#define GIQ_PROGRESS_VALUES(X)     X("AUTO") X("YES") X("NO")
#define GIQ_ON_FAILED_VALUES(X)    X("ERROR") X("SKIP")

enum giq_geometry_crs { GIQ_GEOMETRY_CRS_EPSG_4326, GIQ_GEOMETRY_CRS_AS_IS };
enum giq_submit_mode { GIQ_SUBMIT_IF_MISSING, GIQ_SUBMIT_NO };
enum giq_progress_mode { GIQ_PROGRESS_AUTO, GIQ_PROGRESS_YES, GIQ_PROGRESS_NO };
enum giq_on_failed { GIQ_ON_FAILED_ERROR, GIQ_ON_FAILED_SKIP };

#define GIQ_OPEN_OPTIONS(X)                                                              \
    X(GEOMETRY, "string", GIQ_NO_VALUES, "", false, NULL, 0, 0,                          \
      "Area of interest: WKT in longitude and latitude, EWKT (SRID=32640;POLYGON...), "  \
      "or @ and the path of a file that contains one of these")                          \
    X(AOI, "string", GIQ_NO_VALUES, "", false, NULL, 0, 0,                               \
      "Area of interest: a vector dataset, as path or path,layer")                       \
    X(BBOX, "string", GIQ_NO_VALUES, "", false, NULL, 0, 0,                              \
      "Area of interest: minx,miny,maxx,maxy in degrees")                                \
    X(GEOMETRY_CRS, "string-select", GIQ_GEOMETRY_CRS_VALUES, "EPSG:4326", true, NULL,   \
      0, 0,                                                                              \
      "Coordinate system in which the area is sent. AS_IS: its coordinates are sent "    \
      "unchanged")                                                                       \
    X(MAKE_VALID, "boolean", GIQ_NO_VALUES, "NO", true, NULL, 0, 0,                      \
      "Whether to repair an invalid area instead of refusing it")                        \
    X(WAIT, "boolean", GIQ_NO_VALUES, "YES", false, NULL, 0, 0,                          \
      "Whether to wait for the job. NO: submit or check it, and return the one-row "     \
      "table job at once")                                                               \
    X(TIMEOUT, "float", GIQ_NO_VALUES, "3600", true, NULL, 0, 2000000,                   \
      "Seconds to wait for the job; opening again resumes waiting. 0: check once")       \
    X(POLL_INTERVAL, "float", GIQ_NO_VALUES, "", true, NULL, 0.05, 3600,                 \
      "Seconds between status calls. Default: adaptive")                                 \
    X(SUBMIT, "string-select", GIQ_SUBMIT_VALUES, "IF_MISSING", true, NULL, 0, 0,        \
      "Whether to start a job where none is recorded. NO: use only what is recorded")    \
    X(RETRY, "string", GIQ_NO_VALUES, "", true, NULL, 0, 0,                              \
      "A label: starts one new job, once per label, for a request that is recorded as "  \
      "failed, unknown or gone, or whose record is damaged")                             \
    X(CONCURRENCY, "int", GIQ_NO_VALUES, "16", true, NULL, 1, GIQ_BATCH_CONCURRENCY_MAX, \
      "How many rows of a batch are submitted, awaited and fetched at a time")           \
    X(MAX_NEW_JOBS, "int", GIQ_NO_VALUES, "1000", true, NULL, 0, GIQ_ROWS_MAX,           \
      "Most new jobs that a batch may start. The value of the configuration is the "     \
      "upper limit")                                                                     \
    X(USE_GEOMETRY, "boolean", GIQ_NO_VALUES, "YES", false, NULL, 0, 0,                  \
      "Whether the geometry of a row of a batch is its area of interest. NO: each row "  \
      "is for the whole file")                                                           \
    X(ON_FAILED, "string-select", GIQ_ON_FAILED_VALUES, "ERROR", false, NULL, 0, 0,      \
      "Whether rows of a batch that failed are an error. SKIP: the other rows are read") \
    X(SOURCE_TYPE, "string-select", GIQ_SOURCE_TYPES, "UNKNOWN", true, NULL, 0, 0,       \
      "Kind of the uploaded file")                                                       \
    X(RESULT_OPTIONS, "string", GIQ_NO_VALUES, "", false, NULL, 0, 0,                    \
      "Open options for the driver that reads the result: KEY=VALUE,...")                \
    X(MAX_RETRY, "int", GIQ_NO_VALUES, "5", true, "GDAL_HTTP_MAX_RETRY", 0, 1000,        \
      "Maximum number of retries of a call that is safe to repeat")                      \
    X(RETRY_DELAY, "float", GIQ_NO_VALUES, "1", true, "GDAL_HTTP_RETRY_DELAY", 0, 3600,  \
      "Seconds before the first retry; doubled for each further one")                    \
    X(HTTP_TIMEOUT, "float", GIQ_NO_VALUES, "60", true, NULL, 0.001, 86400,              \
      "Maximum seconds for one call that gets the list of models or files, or the "      \
      "state of a job")                                                                  \
    X(CONNECT_TIMEOUT, "float", GIQ_NO_VALUES, "10", true, "GDAL_HTTP_CONNECTTIMEOUT",   \
      0.001, 86400, "Maximum seconds to connect")                                        \
    X(LOW_SPEED_TIME, "int", GIQ_NO_VALUES, "30", true, "GDAL_HTTP_LOW_SPEED_TIME", 1,   \
      86400, "Seconds below LOW_SPEED_LIMIT after which a transfer is aborted")          \
    X(LOW_SPEED_LIMIT, "int", GIQ_NO_VALUES, "1", true, "GDAL_HTTP_LOW_SPEED_LIMIT", 1,  \
      1000000000, "Minimum speed of a transfer in bytes per second; see LOW_SPEED_TIME") \
    X(PROGRESS, "string-select", GIQ_PROGRESS_VALUES, "AUTO", true, NULL, 0, 0,          \
      "Status line on stderr while waiting. AUTO: if stderr is a terminal")

/* Options that decide which credentials are sent and where, where results are stored,
 * what is accepted as a result, how much may be spent, and how the host program follows
 * and ends an open. They are never open options, because VRT and project files from
 * others can contain open options. X(name, type, default_value, minimum, maximum): as
 * above. */
#define GIQ_CONFIG_OPTIONS(X)                                                            \
    X(API_KEY, "string", "", 0, 0)                                                       \
    X(BEARER_TOKEN, "string", "", 0, 0)                                                  \
    X(API_KEY_FILE, "string", "", 0, 0)                                                  \
    X(BASE_URL, "string", "", 0, 0)                                                      \
    X(ALLOW_HTTP, "boolean", "NO", 0, 0)                                                 \
    X(ALLOW_UNVERIFIED_LENGTH, "boolean", "NO", 0, 0)                                    \
    X(STORE_DIR, "string", "", 0, 0)                                                     \
    X(RESULT_DRIVERS, "string", "", 0, 0)                                                \
    X(CANCEL_FILE, "string", "", 0, 0)                                                   \
    X(PROGRESS_FILE, "string", "", 0, 0)                                                 \
    X(FETCH, "boolean", "YES", 0, 0)                                                     \
    X(MAX_AREA, "float", "", 0.0001, 1000000000)                                         \
    X(MAX_JOBS, "int", "", 0, GIQ_JOBS_A_DAY_MAX)

#define GIQ_OPTION_ID_OF(name, ...) GIQ_OPTION_##name,
enum giq_option_id {
    GIQ_OPEN_OPTIONS(GIQ_OPTION_ID_OF) GIQ_CONFIG_OPTIONS(GIQ_OPTION_ID_OF)
        GIQ_OPTION_COUNT
};

/* A row of the table. */
struct giq_option {
    const char *name;
    const char *type;          /* as GDAL calls it */
    const char *values;        /* the allowed words, each followed by ", " */
    const char *config_name;   /* "GIQ_" and the name */
    const char *default_value; /* "" where there is none */
    const char *fallback;      /* the option of GDAL's own, or NULL */
    double minimum;
    double maximum;
    bool is_open;   /* whether it is an open option */
    bool is_config; /* whether it is a configuration option */
};

extern const struct giq_option giq_options[GIQ_OPTION_COUNT];

/* The XML that declares the open options, for GDAL_DMD_OPENOPTIONLIST. */
extern const char giq_options_xml[];

/* Declare the configuration options to GDAL, which otherwise warns of unknown ones. */
void giq_options_declare(void);

#endif
