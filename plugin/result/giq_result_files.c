#include "result/giq_result_files.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>

#include "giq/giq.h"
#include "result/giq_sidecar.h"

bool giq_result_is_folder(const char *path)
{
    VSIStatBufL st;
    return VSIStatL(path, &st) == 0 && VSI_ISDIR(st.st_mode);
}

/* Whether there is the file whose name is the first `len` bytes of `name` and `tail`. */
static bool is_there(const char *folder, const char *name, size_t len, const char *tail)
{
    VSIStatBufL st;
    char *path = CPLStrdup(CPLSPrintf("%s/%.*s%s", folder, (int)len, name, tail));
    bool found = VSIStatL(path, &st) == 0;
    CPLFree(path);
    return found;
}

/* Files that are parts of another, which lies beside them. */
static bool is_part(const char *folder, const char *name)
{
    static const char *const parts[] = {".shx", ".dbf", ".prj", ".cpg",    ".sbn",
                                        ".sbx", ".qix", ".qpj", ".shp.xml"};
    for (size_t i = 0; i < GIQ_COUNT(parts); i++) {
        size_t len = strlen(name);
        size_t tail = strlen(parts[i]);
        if (len > tail && EQUAL(name + len - tail, parts[i])) {
            return is_there(folder, name, len - tail, ".shp") ||
                   is_there(folder, name, len - tail, ".SHP");
        }
    }
    return false;
}

char **giq_result_files(const char *folder)
{
    char **files = NULL;
    char **names = VSIReadDirRecursive(folder);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        char *path = CPLStrdup(CPLFormFilename(folder, names[i], NULL));
        VSIStatBufL st;
        bool is_file = VSIStatL(path, &st) == 0 && VSI_ISREG(st.st_mode);
        if (is_file && !is_part(folder, names[i]) && !giq_sidecar_is_one(path)) {
            files = CSLAddString(files, names[i]);
        }
        CPLFree(path);
    }
    CSLDestroy(names);
    return files;
}
