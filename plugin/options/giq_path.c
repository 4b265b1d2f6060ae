/* Paths made absolute, or printable without secrets. */
#include "options/giq_path.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdlib.h>
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

/* Whether the path, once its links are resolved, is `folder` or below it. `folder` is
 * resolved already. Sets `*out_exists`. */
static bool is_resolved_below(const char *path, const char *folder, bool *out_exists)
{
    char *resolved = realpath(path, NULL);
    size_t len = strlen(folder);
    bool is_below = resolved != NULL && strncmp(resolved, folder, len) == 0 &&
                    (resolved[len] == '/' || resolved[len] == '\0');
    *out_exists = resolved != NULL;
    free(resolved);
    return is_below;
}

/* The same for a path on disk or its parent, as a link in the folder may lead out of it;
 * if neither exists, for the nearest parent that does. */
static bool is_on_disk_below(const char *path, const char *folder)
{
    bool exists = false;
    bool is_below = is_resolved_below(path, folder, &exists);
    char *parent = CPLStrdup(CPLGetDirname(path));
    is_below = is_below || is_resolved_below(parent, folder, &exists);
    while (!exists && strchr(parent, '/') != NULL) {
        char *next = CPLStrdup(CPLGetDirname(parent));
        CPLFree(parent);
        parent = next;
        is_below = is_resolved_below(parent, folder, &exists);
    }
    CPLFree(parent);
    return is_below;
}

/* Whether a name of GDAL's virtual file systems has a path on disk that is below. Such a
 * path may begin at each '/', and after each character that separates parts of a name. */
static bool is_virtual_below(const char *name, const char *folder)
{
    for (const char *at = name; at != NULL; at = strpbrk(at + 1, "/,={")) {
        if (is_on_disk_below(at, folder) || is_on_disk_below(at + 1, folder)) {
            return true;
        }
    }
    return false;
}

bool giq_path_is_below(const char *path, const char *folder)
{
    char *resolved = realpath(folder, NULL);
    if (resolved == NULL) {
        return false;
    }
    bool is_below = STARTS_WITH(path, "/vsi") ? is_virtual_below(path, resolved)
                                              : is_on_disk_below(path, resolved);
    free(resolved);
    return is_below;
}

bool giq_path_is_same(const char *a, const char *b)
{
    char *first = realpath(a, NULL);
    char *second = realpath(b, NULL);
    bool is_same = first != NULL && second != NULL && strcmp(first, second) == 0;
    free(first);
    free(second);
    return is_same;
}
