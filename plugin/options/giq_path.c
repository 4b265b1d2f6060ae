/* Paths made absolute, or printable without secrets. */
#include "options/giq_path.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <string.h>

char *giq_path_absolute(const char *typed)
{
    char *folder = CPLIsFilenameRelative(typed) ? CPLGetCurrentDir() : NULL;
    char *path = CPLStrdup(folder == NULL ? typed : CPLFormFilename(folder, typed, NULL));
    CPLFree(folder);
    return path;
}

/*
 * Remove "user:password@". Passwords may contain '/' and '?', so everything before the
 * last '@' counts as one, although that '@' may be part of the path. An '@' after a '?'
 * may belong to a password with a '?' in it or to a query, so everything is removed.
 */
static void remove_user(char *host)
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
    char *printable = CPLStrdup(typed);
    char *url = strstr(printable, "://");
    if (url != NULL) {
        remove_user(url + strlen("://"));
    }
    if (url != NULL || STARTS_WITH(printable, "/vsi")) {
        printable[strcspn(printable, "?")] = '\0';
    }
    return printable;
}
