/*
 * Unpacks into a folder of the process and checks the files.
 */
#include "unpacking.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "result/giq_name.h"

enum { BYTES_MAX = 1 << 22 }; /* of disk */

static const char *folder;
static size_t written;
static int files;

bool __real_giq_os_create(const char *path, unsigned access, struct giq_os_file **out,
                          struct giq_error *err);
bool __wrap_giq_os_create(const char *path, unsigned access, struct giq_os_file **out,
                          struct giq_error *err);
bool __real_giq_os_make_folders(const char *path, unsigned access, struct giq_error *err);
bool __wrap_giq_os_make_folders(const char *path, unsigned access, struct giq_error *err);
bool __real_giq_os_write(struct giq_os_file *file, const void *bytes, size_t len,
                         struct giq_error *err);
bool __wrap_giq_os_write(struct giq_os_file *file, const void *bytes, size_t len,
                         struct giq_error *err);

/* Check that the path is below the folder and each part of it is a cleaned name. */
static void check_path(const char *path)
{
    size_t folder_len = strlen(folder);
    MUST(strncmp(path, folder, folder_len) == 0 && path[folder_len] == '/');
    for (const char *at = path + folder_len; *at == '/';) {
        char part[GIQ_NAME_SIZE];
        char name[GIQ_NAME_SIZE];
        size_t len = strcspn(++at, "/");
        MUST(len > 0 && len <= GIQ_NAME_MAX);
        memcpy(part, at, len);
        part[len] = '\0';
        giq_name_clean(part, name);
        MUST(strcmp(name, part) == 0);
        at += len;
    }
}

bool __wrap_giq_os_create(const char *path, unsigned access, struct giq_os_file **out,
                          struct giq_error *err)
{
    struct stat st;
    check_path(path);
    MUST(lstat(path, &st) != 0 && errno == ENOENT);
    return __real_giq_os_create(path, access, out, err);
}

bool __wrap_giq_os_make_folders(const char *path, unsigned access, struct giq_error *err)
{
    check_path(path);
    return __real_giq_os_make_folders(path, access, err);
}

bool __wrap_giq_os_write(struct giq_os_file *file, const void *bytes, size_t len,
                         struct giq_error *err)
{
    written += len;
    return written <= BYTES_MAX ? __real_giq_os_write(file, bytes, len, err)
                                : giq_fail(err, GIQ_E_STORE, "the disk is full");
}

static int check_file(const char *path, const struct stat *st, int type,
                      struct FTW *place)
{
    (void)type;
    if (place->level > 0) {
        MUST(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode));
        MUST((st->st_mode & 07077) == 0);
        check_path(path);
        files += S_ISREG(st->st_mode);
    }
    return 0;
}

void unpacking_check(enum giq_archive_kind kind, const void *bytes, size_t len)
{
    struct giq_error err = {0};
    char *archive = giq_os_join(fuzz_folder(), "archive");
    char *out = giq_os_join(fuzz_folder(), "out");
    MUST(archive != NULL && out != NULL && mkdir(out, 0700) == 0);
    fuzz_write(archive, bytes, len);
    folder = out;
    written = 0;
    files = 0;
    bool ok = giq_archive_unpack(archive, kind, out, GIQ_OS_PRIVATE, NULL, NULL, &err);
    MUST(nftw(out, check_file, 8, FTW_PHYS) == 0);
    MUST(files <= GIQ_ARCHIVE_MEMBERS_MAX);
    if (ok) {
        MUST(files > 0);
    } else {
        MUST(err.code == GIQ_E_RESULT || err.code == GIQ_E_STORE);
        MUST(err.text[0] != '\0' && fuzz_is_plain(err.text));
    }
    MUST(giq_tree_remove(out, &err) && giq_os_remove(archive, &err));
    free(out);
    free(archive);
}

void unpacking_check_gzip(const void *bytes, size_t len)
{
    struct giq_error err = {0};
    char *gzip = giq_os_join(fuzz_folder(), "gzip");
    char *out = giq_os_join(fuzz_folder(), "file");
    MUST(gzip != NULL && out != NULL);
    fuzz_write(gzip, bytes, len);
    folder = fuzz_folder();
    written = 0;
    bool ok = giq_archive_gunzip(gzip, out, GIQ_OS_PRIVATE, NULL, &err);
    bool is_full = written > BYTES_MAX;
    struct giq_os_stat st;
    struct giq_error ignored = {0};
    MUST(ok || (err.text[0] != '\0' && fuzz_is_plain(err.text)));
    MUST(ok || err.code == GIQ_E_RESULT || (is_full && err.code == GIQ_E_STORE));
    MUST(!ok || (giq_os_stat(out, &st, &ignored) && (size_t)st.size == written));
    MUST(giq_os_remove(gzip, &ignored) && giq_os_remove(out, &ignored));
    free(gzip);
    free(out);
}
