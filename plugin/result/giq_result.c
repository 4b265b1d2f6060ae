/*
 * The kinds, the title and the files of a result.
 */
#include "result/giq_result.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>

#include "giq/giq.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"
#include "result/giq_inner.h"
#include "result/giq_sidecar.h"

unsigned giq_result_kinds(const struct giq_result *result)
{
    unsigned kinds = result->flags & GIQ_INNER_KINDS;
    return kinds == 0 ? GIQ_INNER_KINDS : kinds;
}

const char *giq_result_describe(const struct giq_result *result,
                                char out[GIQ_RESULT_DESCRIPTION_SIZE])
{
    (void)snprintf(out, GIQ_RESULT_DESCRIPTION_SIZE, "the result%s%s",
                   result->is_new ? "" : " of the job ",
                   result->is_new ? "" : result->job_id);
    return out;
}

bool giq_result_is_folder(const char *path)
{
    VSIStatBufL st;
    return VSIStatL(path, &st) == 0 && VSI_ISDIR(st.st_mode);
}

/* Whether the file exists whose name is the first `len` bytes of `name` and `tail`. */
static bool exists(const char *folder, const char *name, size_t len, const char *tail)
{
    VSIStatBufL st;
    GIQ_AUTO_CPL char *path =
        CPLStrdup(CPLSPrintf("%s/%.*s%s", folder, (int)len, name, tail));
    return VSIStatL(path, &st) == 0;
}

static bool is_part_of_shapefile(const char *folder, const char *name)
{
    static const char *const parts[] = {".shx", ".dbf", ".prj", ".cpg",    ".sbn",
                                        ".sbx", ".qix", ".qpj", ".shp.xml"};
    for (size_t i = 0; i < GIQ_COUNT(parts); i++) {
        size_t len = strlen(name);
        size_t tail = strlen(parts[i]);
        if (len > tail && EQUAL(name + len - tail, parts[i])) {
            return exists(folder, name, len - tail, ".shp") ||
                   exists(folder, name, len - tail, ".SHP");
        }
    }
    return false;
}

char **giq_result_files(const char *folder)
{
    char **files = NULL;
    GIQ_AUTO_CSL char **names = giq_list_folder(folder);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        GIQ_AUTO_CPL char *path = CPLStrdup(CPLFormFilename(folder, names[i], NULL));
        VSIStatBufL st;
        bool is_file = VSIStatL(path, &st) == 0 && VSI_ISREG(st.st_mode);
        if (is_file && !is_part_of_shapefile(folder, names[i]) &&
            !giq_sidecar_is_sidecar(path)) {
            files = CSLAddString(files, names[i]);
        }
    }
    return files;
}
