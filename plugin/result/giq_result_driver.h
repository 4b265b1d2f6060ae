/*
 * Which GDAL driver a file of a result needs, by its content: errors name it if no
 * allowed driver opened the file, and a result with a known driver is kept. Thread-safe.
 */
#ifndef GIQ_RESULT_DRIVER_H
#define GIQ_RESULT_DRIVER_H

#include <gdal.h>

enum giq_result_driver_state {
    GIQ_RESULT_DRIVER_NONE,        /* no driver is known for the file */
    GIQ_RESULT_DRIVER_ALLOWED,     /* it may open results, but did not open this one */
    GIQ_RESULT_DRIVER_NOT_ALLOWED, /* it may not open results */
    GIQ_RESULT_DRIVER_REFERENCES, /* the same, as the file is a text that names sources */
    GIQ_RESULT_DRIVER_MISSING,    /* this GDAL does not have it */
};

struct giq_result_driver {
    enum giq_result_driver_state state;
    char name[64]; /* the driver's short name, or "" */
};

/* The driver for the file `path`, which no driver of the GDAL string list `drivers`,
 * those that may open results, has opened. */
struct giq_result_driver giq_result_driver_of(const char *path, char **drivers);

#endif
