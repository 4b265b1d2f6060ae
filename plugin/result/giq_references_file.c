#include <cpl_vsi.h>
#include <string.h>

#include "result/giq_references.h"

enum { BLOCK_LEN = 1 << 20 };

/* Whether what begins so holds no text that a driver reads as JSON or as a coordinate
 * system: big formats of bytes, whose text is found otherwise. */
static bool is_bytes(const char *head, size_t len)
{
    static const struct {
        const char *bytes;
        size_t len;
    } starts[] = {
        {"II*\0", 4},
        {"MM\0*", 4},
        {"II+\0", 4},
        {"MM\0+", 4},
        {"\x89PNG", 4},
        {"\xff\xd8\xff", 3},
        {"\0\0\0\x0cjP", 6},
        {"\xff\x4f\xff\x51", 4},
        {"SQLite format 3", 15},
        {"CDF", 3},
        {"\x89HDF", 4},
        {"PK\3\4", 4},
        {"\0\0\x27\x0a", 4},
    };
    for (size_t i = 0; i < GIQ_COUNT(starts); i++) {
        if (len >= starts[i].len && memcmp(head, starts[i].bytes, starts[i].len) == 0) {
            return true;
        }
    }
    return false;
}

/* Read the file through `scan`: of a FlatGeobuf its head, of bytes nothing. */
static void scan_file(VSILFILE *file, char *block, struct giq_external *scan)
{
    enum { FLATGEOBUF_HEAD = 12 << 20 };
    uint64_t most = UINT64_MAX;
    size_t len = 0;
    VSIRewindL(file);
    for (uint64_t at = 0; at < most && !scan->names_file &&
                          (len = VSIFReadL(block, 1, BLOCK_LEN, file)) > 0;
         at += len) {
        if (at == 0 && is_bytes(block, len)) {
            return;
        }
        if (at == 0 && len > 3 && memcmp(block, "fgb", 3) == 0) {
            most = FLATGEOBUF_HEAD;
        }
        giq_external_take(scan, block, len);
    }
}

static bool check_text(struct giq_references *reach, VSILFILE *file,
                       struct giq_error *err)
{
    char *block = VSIMalloc(BLOCK_LEN);
    struct giq_external *scan = VSICalloc(1, sizeof *scan);
    bool ok =
        (block != NULL && scan != NULL) || giq_fail(err, GIQ_E_MEMORY, "out of memory");
    if (ok) {
        scan_file(file, block, scan);
        reach->may_fetch = reach->may_fetch || (scan->has_crs && scan->has_link);
        ok = !scan->names_file ||
             giq_fail(err, GIQ_E_RESULT,
                      "the result gives a file for its coordinate system, and is "
                      "refused");
    }
    VSIFree(scan);
    VSIFree(block);
    return ok;
}

bool giq_references_check_file(struct giq_references *reach, const char *path,
                               struct giq_error *err)
{
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        return giq_fail(err, GIQ_E_STORE, "the result cannot be read at %.300s", path);
    }
    bool ok = check_text(reach, file, err);
    (void)VSIFCloseL(file);
    return ok;
}
