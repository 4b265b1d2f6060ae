#include "giq_path.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <string.h>

char *giq_path_absolute(const char *typed)
{
    char *here = CPLIsFilenameRelative(typed) ? CPLGetCurrentDir() : NULL;
    char *path = CPLStrdup(here == NULL ? typed : CPLFormFilename(here, typed, NULL));
    CPLFree(here);
    return path;
}

char *giq_path_shown(const char *typed)
{
    char *shown = CPLStrdup(typed);
    char *address = strstr(shown, "://");
    if (address != NULL) {
        /* A password may hold any character. */
        char *host = address + strlen("://");
        char *at = strrchr(host, '@');
        if (at != NULL) {
            (void)memmove(host, at + 1, strlen(at + 1) + 1);
        }
    }
    if (address != NULL || STARTS_WITH(shown, "/vsi")) {
        shown[strcspn(shown, "?")] = '\0';
    }
    return shown;
}
