/*
 * Finds the driver for a file by its content, or by what GDAL's drivers identify.
 */
#include "result/giq_result_driver.h"

#include <cpl_string.h>

#include "giq/external.h"
#include "options/giq_gdal_cleanup.h"
#include "result/giq_identify.h"
#include "result/giq_inner.h"

static struct giq_result_driver make_driver(enum giq_result_driver_state state,
                                            const char *name)
{
    struct giq_result_driver made = {.state = state};
    (void)CPLStrlcpy(made.name, name, sizeof made.name);
    return made;
}

/* The driver for a file by its content, whether or not this GDAL has it; or NULL. */
static const char *expected_driver(const char *path)
{
    char head[GIQ_SNIFF_BYTES];
    GIQ_AUTO_VSI VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    return giq_sniff_driver(CPLGetFilename(path), head,
                            VSIFReadL(head, 1, sizeof head, file));
}

struct giq_result_driver giq_result_driver_of(const char *path, char **drivers)
{
    const char *reader = giq_inner_reference_driver(path, drivers);
    if (reader != NULL) {
        return make_driver(GIQ_RESULT_DRIVER_REFERENCES, reader);
    }
    const char *expected = expected_driver(path);
    if (expected != NULL && GDALGetDriverByName(expected) == NULL) {
        return make_driver(GIQ_RESULT_DRIVER_MISSING, expected);
    }
    if (expected != NULL && CSLFindString(drivers, expected) >= 0) {
        return make_driver(GIQ_RESULT_DRIVER_ALLOWED, expected);
    }
    GDALDriverH found = giq_identify_driver(path);
    if (found != NULL) {
        const char *name = GDALGetDriverShortName(found);
        bool is_allowed = CSLFindString(drivers, name) >= 0;
        return make_driver(
            is_allowed ? GIQ_RESULT_DRIVER_ALLOWED : GIQ_RESULT_DRIVER_NOT_ALLOWED, name);
    }
    return expected == NULL ? make_driver(GIQ_RESULT_DRIVER_NONE, "")
                            : make_driver(GIQ_RESULT_DRIVER_NOT_ALLOWED, expected);
}
