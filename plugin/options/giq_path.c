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
 * Remove "user:password@". Passwords may contain '/', '?' and '#', so everything up to
 * the last '@' is removed, even if that '@' is part of the path. An '@' after a '?' or a
 * '#' may belong to a password with that character in it, or to a query or fragment, so
 * everything is removed.
 */
static void remove_user(char *host)
{
    const char *at = strrchr(host, '@');
    if (at != NULL && at > host + strcspn(host, "?#")) {
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
        printable[strcspn(printable, url != NULL ? "?#" : "?")] = '\0';
    }
    return printable;
}
