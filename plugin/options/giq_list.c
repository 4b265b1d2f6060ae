/* Lists of names in messages. */
#include "options/giq_list.h"

#include <cpl_string.h>
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
