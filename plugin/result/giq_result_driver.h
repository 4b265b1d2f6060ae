/*
 * Which GDAL driver a file of a result needs, by its content: errors name it if no
 * allowed driver opened the file, and a result with a known driver is kept. Thread-safe.
 */
#ifndef GIQ_RESULT_DRIVER_H
#define GIQ_RESULT_DRIVER_H

#include <gdal.h>

enum giq_result_driver_state {
    GIQ_RESULT_DRIVER_NONE,        /* no driver is known for the file */
    GIQ_RESULT_DRIVER_ALLOWED,     /* in the list of drivers */
    GIQ_RESULT_DRIVER_NOT_ALLOWED, /* known, but not in the list of drivers */
    GIQ_RESULT_DRIVER_REFERENCES,  /* not in the list; the file only refers to others */
    GIQ_RESULT_DRIVER_MISSING,     /* this GDAL does not have it */
};

struct giq_result_driver {
    enum giq_result_driver_state state;
    char name[64]; /* the driver's short name, or "" */
};

/* Find the driver for the file `path`, which every driver of `drivers`, a GDAL string
 * list of those that may open results, failed to open. */
struct giq_result_driver giq_result_driver_of(const char *path, char **drivers);

#endif
