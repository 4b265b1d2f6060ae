/* Lists of names: in messages, and of the files of a folder. */
#include "options/giq_list.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdlib.h>
#include <string.h>

const char *giq_list_join(char **names, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        if (strlen(out) + strlen(names[i]) + sizeof ", ..." > size) {
            (void)CPLStrlcat(out, ", ...", size);
            break;
        }
        (void)CPLStrlcat(out, i == 0 ? "" : ", ", size);
        (void)CPLStrlcat(out, names[i], size);
    }
    return out;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **giq_list_folder(const char *folder)
{
    char **names = VSIReadDirRecursive(folder);
    if (names != NULL) {
        qsort(names, (size_t)CSLCount(names), sizeof *names, compare_names);
    }
    return names;
}
