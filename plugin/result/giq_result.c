/*
 * What the check and the open of a result share: the dataset kinds that the caller
 * requested, how messages name the result, and its files.
 */
#include "result/giq_result.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>

#include "giq/external.h"
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
    if (result->is_new) {
        (void)CPLStrlcpy(out, "the result", GIQ_RESULT_DESCRIPTION_SIZE);
    } else {
        (void)snprintf(out, GIQ_RESULT_DESCRIPTION_SIZE, "the result of the job %s",
                       result->job_id);
    }
    return out;
}

bool giq_result_is_folder(const char *path)
{
    VSIStatBufL st;
    return VSIStatL(path, &st) == 0 && VSI_ISDIR(st.st_mode);
}

/* Whether the list has the .shp, in any case, whose stem is the first `len` bytes of
 * `name`. */
static bool has_shp(char **names, const char *name, size_t len)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strncmp(names[i], name, len) == 0 && EQUAL(names[i] + len, ".shp")) {
            return true;
        }
    }
    return false;
}

static bool is_part_of_shapefile(char **names, const char *name)
{
    static const char *const parts[] = {
        ".shx", ".dbf", ".prj", ".cpg", ".cst",     ".sbn", ".sbx",
        ".fbn", ".fbx", ".ain", ".aih", ".atx",     ".ixs", ".mxs",
        ".qix", ".qpj", ".qmd", ".qml", ".shp.xml",
    };
    size_t len = strlen(name);
    for (size_t i = 0; i < GIQ_COUNT(parts); i++) {
        size_t tail = strlen(parts[i]);
        if (len > tail && EQUAL(name + len - tail, parts[i])) {
            return has_shp(names, name, len - tail);
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
        if (is_file && !is_part_of_shapefile(names, names[i]) &&
            !giq_sidecar_is_sidecar(path)) {
            files = CSLAddString(files, names[i]);
        }
    }
    return files;
}

int giq_result_find_member(char **names, const char *member)
{
    int at = CSLFindStringCaseSensitive(names, member);
    for (int i = 0; at < 0 && names != NULL && names[i] != NULL; i++) {
        if (giq_norm_same(names[i], member)) {
            at = i;
        }
    }
    return at;
}

bool giq_result_are_shapefiles(char **names)
{
    GIQ_AUTO_CPL char *folder =
        CPLStrdup(CSLCount(names) == 0 ? "" : CPLGetPath(names[0]));
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        if (!EQUAL(CPLGetExtension(names[i]), "shp") ||
            strcmp(CPLGetPath(names[i]), folder) != 0) {
            return false;
        }
    }
    return true;
}

bool giq_result_fail_member(const struct giq_result *result, char **names,
                            struct giq_error *err)
{
    char list[GIQ_LIST_SIZE];
    char title[GIQ_RESULT_DESCRIPTION_SIZE];
    (void)giq_list_join(names, list, GIQ_LIST_SIZE);
    (void)giq_result_describe(result, title);
    if (result->member == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "%s has several members; choose one with member=<name>: %s",
                        title, list);
    }
    return giq_fail(err, GIQ_E_USAGE, "%s has no member \"%s\"; its members are: %s",
                    title, result->member, list);
}
