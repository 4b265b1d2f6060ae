#include "giq_area.h"

#include <cpl_vsi.h>
#include <string.h>

/* The text of a file, to be freed with VSIFree(). */
static char *read_file(const char *path, struct giq_error *err)
{
    VSIStatBufL st;
    if (VSIStatExL(path, &st, VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG) != 0) {
        (void)giq_fail(err, GIQ_E_AREA, "the file of the area cannot be found: %s", path);
        return NULL;
    }
    if (!VSI_ISREG(st.st_mode)) {
        (void)giq_fail(err, GIQ_E_AREA, "the area's %s is not a regular file", path);
        return NULL;
    }
    GByte *bytes = NULL;
    vsi_l_offset size = 0;
    if (!VSIIngestFile(NULL, path, &bytes, &size, GIQ_AREA_FILE_MAX)) {
        (void)giq_fail(err, GIQ_E_AREA,
                       "the file of the area cannot be read or is larger than %d MiB: %s",
                       GIQ_AREA_FILE_MAX / (1024 * 1024), path);
        return NULL;
    }
    if (memchr(bytes, '\0', (size_t)size) != NULL) {
        VSIFree(bytes);
        (void)giq_fail(err, GIQ_E_AREA, "the file of the area is no text: %s", path);
        return NULL;
    }
    return (char *)bytes;
}

bool giq_area_read(const char *text, unsigned flags, char **out, struct giq_error *err)
{
    if (text[0] != '@') {
        return giq_geom_area(text, flags, out, err);
    }
    char *from_file = read_file(text + 1, err);
    if (from_file == NULL) {
        return false;
    }
    bool ok = giq_geom_area(from_file, flags, out, err);
    VSIFree(from_file);
    return ok;
}
