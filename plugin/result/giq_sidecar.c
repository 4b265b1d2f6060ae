#include "result/giq_sidecar.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <string.h>

#include "result/giq_inner.h"

enum { PAM_BYTES_MAX = 8 << 20 };

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);
    return len > end_len && EQUAL(name + len - end_len, end);
}

static bool is_pam(const char *name)
{
    return ends_with(name, ".aux.xml");
}

static bool is_mask(const char *name)
{
    return ends_with(name, ".msk");
}

/* Names that make GDAL read the file for another one, whatever it holds. */
static bool is_never_kept(const char *name)
{
    static const char *const ends[] = {".ovr", ".aux", ".rrd",     ".rde",
                                       ".ige", "-wal", "-journal", "-shm"};
    for (size_t i = 0; i < GIQ_COUNT(ends); i++) {
        if (ends_with(name, ends[i])) {
            return true;
        }
    }
    return false;
}

bool giq_sidecar_is_one(const char *path)
{
    size_t tail = is_pam(path) ? strlen(".aux.xml") : is_mask(path) ? strlen(".msk") : 0;
    if (tail == 0) {
        return false;
    }
    VSIStatBufL st;
    char *other = CPLStrdup(path);
    other[strlen(path) - tail] = '\0';
    bool found = VSIStatL(other, &st) == 0 && VSI_ISREG(st.st_mode);
    CPLFree(other);
    return found;
}

/* ---- .aux.xml ---- */

/* The whole text of a file of a sensible size, to be freed with CPLFree(), or NULL. */
static char *read_text(const char *path, size_t *out_len)
{
    GByte *bytes = NULL;
    vsi_l_offset len = 0;
    if (!VSIIngestFile(NULL, path, &bytes, &len, PAM_BYTES_MAX)) {
        return NULL;
    }
    *out_len = (size_t)len;
    return (char *)bytes;
}

static bool is_plain_pam_file(const char *path)
{
    size_t len = 0;
    char *text = read_text(path, &len);
    bool is_plain = text != NULL && giq_sidecar_is_plain_pam(text, len);
    CPLFree(text);
    return is_plain;
}

/* ---- .msk ---- */

/* GDAL opens a mask with whatever driver takes it. */
static bool is_plain_mask(const struct giq_references *reach, const char *path)
{
    char *drivers[] = {"GTiff", NULL};
    struct giq_error ignored = {0};
    GDALDatasetH dataset = giq_inner_open(path, GDAL_OF_RASTER, drivers, NULL);
    bool is_plain =
        dataset != NULL && giq_references_check(reach, dataset, path, drivers, &ignored);
    if (dataset != NULL) {
        GDALClose(dataset);
    }
    return is_plain;
}

/* ---- a folder ---- */

static bool must_go_by_name_or_text(const struct giq_references *reach, const char *path)
{
    (void)reach;
    return is_never_kept(path) || (is_pam(path) && !is_plain_pam_file(path));
}

/* Called when all that GDAL reads beside a mask was decided on. */
static bool must_go_by_dataset(const struct giq_references *reach, const char *path)
{
    return is_mask(path) && !is_plain_mask(reach, path);
}

static bool remove_those(bool (*must_go)(const struct giq_references *, const char *),
                         const struct giq_references *reach, const char *folder,
                         char ***removed, struct giq_error *err)
{
    bool ok = true;
    char **names = VSIReadDirRecursive(folder);
    for (int i = 0; ok && names != NULL && names[i] != NULL; i++) {
        VSIStatBufL st;
        char *path = CPLStrdup(CPLFormFilename(folder, names[i], NULL));
        bool is_file = VSIStatL(path, &st) == 0 && VSI_ISREG(st.st_mode);
        if (is_file && must_go(reach, path)) {
            *removed = CSLAddString(*removed, names[i]);
            ok = VSIUnlink(path) == 0 ||
                 giq_fail(err, GIQ_E_STORE, "cannot remove %.300s", path);
        }
        CPLFree(path);
    }
    CSLDestroy(names);
    return ok;
}

bool giq_sidecar_remove(const struct giq_references *reach, const char *folder,
                        char ***removed, struct giq_error *err)
{
    return remove_those(must_go_by_name_or_text, reach, folder, removed, err) &&
           remove_those(must_go_by_dataset, reach, folder, removed, err);
}
