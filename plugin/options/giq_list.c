/* Lists of names: in messages, and of the files of a folder. */
#include "options/giq_list.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *giq_list_join(char **names, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        const char *comma = i == 0 ? "" : ", ";
        /* After each name but the last, ", ..." must still fit. */
        const char *reserved = names[i + 1] == NULL ? "" : ", ...";
        bool fits = len + strlen(comma) + strlen(names[i]) + strlen(reserved) < size;
        (void)CPLStrlcat(out, comma, size);
        (void)CPLStrlcat(out, fits ? names[i] : "...", size);
        if (!fits) {
            break;
        }
        len = strlen(out);
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
