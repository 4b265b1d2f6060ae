/*
 * Which driver a file of a result is for, where none opened it: so that a message says
 * what would, and a result that was paid for is kept for that. Thread-safe.
 */
#ifndef GIQ_OPENER_H
#define GIQ_OPENER_H

#include <gdal.h>

enum giq_opener_state {
    GIQ_OPENER_NONE,        /* no driver is known for the file */
    GIQ_OPENER_REFUSES,     /* it is allowed, and did not open it */
    GIQ_OPENER_NOT_ALLOWED, /* the list does not have it */
    GIQ_OPENER_SOURCE,  /* the same, and the file is a text that names other sources */
    GIQ_OPENER_MISSING, /* this GDAL does not have it */
};

struct giq_opener {
    enum giq_opener_state state;
    char driver[64]; /* its name, or "" */
};

/* `drivers`, a GDAL string list, are those that may open results. By the file's content.
 */
struct giq_opener giq_opener_of(const char *path, char **drivers);

#endif
