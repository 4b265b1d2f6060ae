/*
 * Areas as text: WKT of POLYGON and MULTIPOLYGON, and boxes of four numbers.
 * Numbers have a decimal point, whatever the host's locale. Pure.
 */
#ifndef GIQ_WKT_H
#define GIQ_WKT_H

#include "area/giq_rings.h"
#include "base/giq_error.h"
#include "giq/geom.h"

enum { GIQ_WKT_BYTES_MAX = 64 * 1024 * 1024 };

/*
 * Parse WKT and add its polygons to `rings`. Z and M are dropped, and empty polygons are
 * skipped. A polygon whose shell encloses nothing is dropped and counted in
 * `rings->collapsed`. Coordinates may have any finite value. On failure some polygons may
 * have been added. Errors: GIQ_E_AREA, also for more than GIQ_WKT_BYTES_MAX bytes;
 * GIQ_E_MEMORY.
 */
bool giq_wkt_read(const char *text, struct giq_rings *rings, struct giq_error *err);

/* Read "minx,miny,maxx,maxy"; spaces around the numbers are allowed. Errors:
 * GIQ_E_AREA, GIQ_E_MEMORY. */
bool giq_wkt_read_box(const char *text, double out[4], struct giq_error *err);

/* Write polygons with rounded coordinates, without optional spaces: a single polygon as
 * POLYGON, several as MULTIPOLYGON. For no polygons the text is "MULTIPOLYGON()", which
 * is not WKT. The caller frees the text. NULL when out of memory, or if the text would be
 * longer than GIQ_WKT_BYTES_MAX. */
char *giq_wkt_write(const struct giq_rings *rings);

/* Room for a location as text. */
struct giq_location {
    char text[64];
};

/* Print a location for messages, "x y", with at most 7 decimals; with an exponent from
 * 1e21 on. Returns `out->text`. */
const char *giq_wkt_print_location(double x, double y, struct giq_location *out);

/* Print a box, "minx,miny,maxx,maxy", rounded to 7 decimals; giq_wkt_read_box() reads it.
 * The coordinates must be degrees. Returns `out->text`. */
const char *giq_wkt_print_box(const double box[4], struct giq_geom_box *out);

#endif
