#include "options/giq_path.h"

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

/* A password may hold any character, and so may a query: where it cannot be told which an
 * at sign is in, nothing is left. */
static void leave_out_user(char *host)
{
    const char *at = strrchr(host, '@');
    const char *query = strchr(host, '?');
    if (at != NULL && query != NULL && at > query) {
        host[0] = '\0';
    } else if (at != NULL) {
        (void)memmove(host, at + 1, strlen(at + 1) + 1);
    }
}

char *giq_path_printable(const char *typed)
{
    char *shown = CPLStrdup(typed);
    char *address = strstr(shown, "://");
    if (address != NULL) {
        leave_out_user(address + strlen("://"));
    }
    if (address != NULL || STARTS_WITH(shown, "/vsi")) {
        shown[strcspn(shown, "?")] = '\0';
    }
    return shown;
}
