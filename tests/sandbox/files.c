#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

struct files {
    char *folder;
    char *uploads;
};

struct files *files_new(const char *folder, const char *state)
{
    struct files *files = calloc(1, sizeof *files);
    if (files == NULL) {
        abort();
    }
    files->folder = text_make("%s", folder);
    files->uploads = text_make("%s/uploads", state);
    if (mkdir(files->uploads, 0777) != 0 && errno != EEXIST) {
        text_log("cannot make %s: %s", files->uploads, strerror(errno));
    }
    return files;
}

void files_free(struct files *files)
{
    free(files->folder);
    free(files->uploads);
    free(files);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The only file of an upload's folder, to be freed, or NULL. */
static char *only_file(const char *folder)
{
    DIR *dir = opendir(folder);
    char *path = NULL;
    const struct dirent *entry = NULL;
    while (dir != NULL && path == NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            path = text_make("%s/%s", folder, entry->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return path;
}

/* FNV-1a of 64 bits. */
static uint64_t hash(const char *text, uint64_t start)
{
    for (; *text != '\0'; text++) {
        start = (start ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return start;
}

void files_uuid(const char *name, char out[FILES_UUID_SIZE])
{
    const uint64_t high = hash(name, UINT64_C(14695981039346656037));
    const uint64_t low = hash(name, high);
    (void)snprintf(out, FILES_UUID_SIZE, "%08x-%04x-8%03x-8%03x-%012llx",
                   (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xFFFF),
                   (unsigned)(high & 0xFFF), (unsigned)(low >> 48 & 0xFFF),
                   (unsigned long long)(low & UINT64_C(0xFFFFFFFFFFFF)));
}

static int is_listed(const struct dirent *entry)
{
    return text_is_plain_name(entry->d_name);
}

char **files_list(struct files *files, size_t *count)
{
    struct dirent **entry = NULL;
    int found = scandir(files->folder, &entry, is_listed, alphasort);
    char **name = calloc(found > 0 ? (size_t)found : 1, sizeof *name);
    *count = 0;
    if (name == NULL) {
        abort();
    }
    for (int i = 0; i < found; i++) {
        char *path = text_make("%s/%s", files->folder, entry[i]->d_name);
        if (is_file(path)) {
            name[(*count)++] = text_make("%s", entry[i]->d_name);
        }
        free(path);
        free(entry[i]);
    }
    free(entry);
    return name;
}

/* The path of the file of the folder with this UUID, to be freed, or NULL. */
static char *find_uuid(struct files *files, const char *uuid)
{
    size_t count = 0;
    char **name = files_list(files, &count);
    char *path = NULL;
    for (size_t i = 0; i < count; i++) {
        char own[FILES_UUID_SIZE];
        files_uuid(name[i], own);
        if (path == NULL && strcmp(own, uuid) == 0) {
            path = text_make("%s/%s", files->folder, name[i]);
        }
        free(name[i]);
    }
    free(name);
    return path;
}

char *files_find(struct files *files, const char *id)
{
    if (!text_is_plain_name(id)) {
        return NULL;
    }
    char *path = text_make("%s/%s", files->folder, id);
    if (is_file(path)) {
        return path;
    }
    free(path);
    path = find_uuid(files, id);
    if (path != NULL) {
        return path;
    }
    char *folder = text_make("%s/%s", files->uploads, id);
    path = only_file(folder);
    free(folder);
    return path;
}

char *files_new_id(void)
{
    char chance[TEXT_CHANCE_SIZE];
    text_chance(chance);
    return text_make("file-%lld-%s", (long long)text_now_ms(), chance);
}

char *files_part(struct files *files, const char *id)
{
    return text_make("%s/.%s.part", files->uploads, id);
}

bool files_keep(struct files *files, const char *id, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash == NULL ? name : slash + 1;
    char *part = files_part(files, id);
    char *folder = text_make("%s/%s", files->uploads, id);
    char *path = text_make("%s/%s", folder, text_is_plain_name(base) ? base : "file");
    bool ok = mkdir(folder, 0777) == 0 && rename(part, path) == 0;
    if (!ok) {
        text_log("cannot keep %s: %s", path, strerror(errno));
    }
    free(path);
    free(folder);
    free(part);
    return ok;
}

bool files_is_source_type(const char *type)
{
    static const char *const types[] = {
        "MULTISPECTRAL",
        "HYPERSPECTRAL",
        "SAR",
        "PANCHROMATIC",
        "THERMAL",
        "IMAGE",
        "FULL_MOTION_VIDEO",
        "COMPLEX",
        "HEIGHTMAP",
        "POINT",
        "LINESTRING",
        "POLYGON",
        "TILES3D",
        "ANNOTATION",
        "NETCDF",
        "PDF",
        "LAND_SUBSIDENCE",
        "CZML",
        "UNKNOWN",
        "GEOMETRYCOLLECTION",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}
