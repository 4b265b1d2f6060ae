#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <string.h>

#include "giq_reach.h"

/* ---- HDF5 ---- */

static bool read_source(void *ctx, uint64_t at, void *bytes, size_t len)
{
    VSILFILE *file = ctx;
    return VSIFSeekL(file, at, SEEK_SET) == 0 && VSIFReadL(bytes, 1, len, file) == len;
}

static bool check_hdf5(VSILFILE *file, struct giq_error *err)
{
    if (VSIFSeekL(file, 0, SEEK_END) != 0) {
        return giq_fail(err, GIQ_E_STORE, "the result cannot be read");
    }
    const struct giq_hdf5_source source = {read_source, file, VSIFTellL(file)};
    return giq_hdf5_check(&source, err);
}

/* ---- MapInfo ---- */

/* A view and a seamless table are lists of other tables, which the driver looks for in
 * whatever folder they name. */
static bool check_mapinfo(VSILFILE *file, struct giq_error *err)
{
    enum { LINE_LEN_MAX = 1 << 20 };
    static const char *const lists[] = {"create view", "\"\\IsSeamless\" = \"TRUE\""};
    VSIRewindL(file);
    const char *line = NULL;
    while ((line = CPLReadLine2L(file, LINE_LEN_MAX, NULL)) != NULL) {
        line += strspn(line, " \t\v\f\r");
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
            if (EQUALN(line, lists[i], strlen(lists[i]))) {
                return giq_fail(err, GIQ_E_RESULT,
                                "the result is a MapInfo table that names other tables, "
                                "which could be any of yours, and is refused");
            }
        }
    }
    return VSIFEofL(file) ||
           giq_fail(err, GIQ_E_RESULT,
                    "the result is a MapInfo table with too long a line, and is refused");
}

/* ---- the whole ---- */

bool giq_reach_check_file(const char *path, struct giq_error *err)
{
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        return giq_fail(err, GIQ_E_STORE, "the result cannot be read at %.300s", path);
    }
    bool is_table = EQUAL(CPLGetExtension(path), "tab");
    bool ok = check_hdf5(file, err) && (!is_table || check_mapinfo(file, err));
    (void)VSIFCloseL(file);
    return ok;
}
