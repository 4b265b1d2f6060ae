/* System calls: processes, files, folders, sockets and clocks of POSIX and Linux. */
#include "base/giq_os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/giq_os_internal.h"

enum {
    FOLDER_BITS = 0777,
    FILE_BITS = 0666,
    PROC_STAT_BYTES_MAX = 1024,
    READ_BLOCK = 16384,  /* bytes, on the stack */
    STALE_READS_MAX = 5, /* of a file that is replaced meanwhile */
};
#define NS_PER_S INT64_C(1000000000)

bool giq_os_fail_path(struct giq_error *err, const char *doing, const char *path)
{
    int sys_errno = errno;
    if (sys_errno == ENOMEM) {
        return giq_fail_memory(err);
    }
    (void)giq_fail_sys(err, GIQ_E_STORE, sys_errno, "cannot %s %s", doing, path);
    return false;
}

/* Replace a descriptor from 0 to 2 by a higher one. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO) {
        return fd;
    }
    /* In a host without standard streams, output to them must not go to our files. */
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(fd);
    return above;
}

int giq_os_open_fd(const char *path, int flags, unsigned access)
{
    int fd = -1;
    do {
        fd = open(path, flags | O_CLOEXEC, access & FILE_BITS);
    } while (fd < 0 && errno == EINTR);
    return above_standard(fd);
}

ssize_t giq_os_read_some(int fd, char *out, size_t max)
{
    ssize_t n = 0;
    do {
        n = read(fd, out, max);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* fsync(). File systems that cannot sync folders report EINVAL or ENOTSUP, which does not
 * count as a failure. */
static bool sync_fd(int fd)
{
    int rc = 0;
    do {
        rc = fsync(fd);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 || errno == EINVAL || errno == ENOTSUP;
}

bool giq_os_truncate_fd(int fd)
{
    int rc = 0;
    do {
        rc = ftruncate(fd, 0);
    } while (rc != 0 && errno == EINTR);
    return rc == 0;
}

static bool write_fd(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

char *giq_os_join(const char *a, const char *b)
{
    char *path = malloc(strlen(a) + strlen(b) + 2);
    if (path != NULL) {
        (void)stpcpy(stpcpy(stpcpy(path, a), "/"), b);
    }
    return path;
}

char *giq_os_temporary(const char *folder, const char *name)
{
    char token[GIQ_OS_TOKEN_SIZE];
    char *path = NULL;
    giq_os_token(token);
    return asprintf(&path, "%s/%s.%s.tmp", folder, name, token) < 0 ? NULL : path;
}

/* ---- this process ---- */

long giq_os_pid(void)
{
    return (long)getpid();
}

void giq_os_host(char out[GIQ_OS_HOST_SIZE])
{
    if (gethostname(out, GIQ_OS_HOST_SIZE) != 0) {
        out[0] = '\0';
    }
}

/* Read the first line of a file in /proc, at most `size` - 1 bytes; "" on failure. */
static void read_proc(const char *path, char *out, size_t size)
{
    ssize_t len = -1;
    int fd = giq_os_open_fd(path, O_RDONLY, 0);
    if (fd >= 0) {
        len = giq_os_read_some(fd, out, size - 1);
        (void)close(fd);
    }
    out[len > 0 ? len : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* Fields of proc_pid_stat(5). */
struct proc_stat {
    char state;    /* field 3; 0: it cannot be read */
    long threads;  /* field 20 */
    int64_t start; /* field 22 */
};

static struct proc_stat read_proc_stat(long pid)
{
    char path[sizeof "/proc//stat" + 3 * sizeof pid];
    char line[PROC_STAT_BYTES_MAX];
    struct proc_stat stat = {.state = '\0'};
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    read_proc(path, line, sizeof line);
    /* The second field, a name in brackets, may have spaces and brackets itself. */
    const char *rest = strrchr(line, ')');
    if (rest == NULL ||
        sscanf(rest,
               ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
               "%*s %ld %*s %" SCNd64,
               &stat.state, &stat.threads, &stat.start) != 3) {
        return (struct proc_stat){.state = '\0'};
    }
    return stat;
}

void giq_os_identity(struct giq_os_identity *out)
{
    struct stat st;
    *out = (struct giq_os_identity){.pid = giq_os_pid()};
    giq_os_host(out->host);
    read_proc("/proc/sys/kernel/random/boot_id", out->boot, sizeof out->boot);
    out->pidns = stat("/proc/self/ns/pid", &st) == 0 ? (int64_t)st.st_ino : 0;
    out->start = read_proc_stat(out->pid).start;
}

enum giq_os_process giq_os_process_state(long pid, int64_t start)
{
    const struct proc_stat stat = read_proc_stat(pid);
    if (stat.state == '\0') {
        /* It may exist and be hidden: proc(5), hidepid. */
        bool is_gone = kill((pid_t)pid, 0) != 0 && errno == ESRCH;
        return is_gone ? GIQ_OS_PROCESS_GONE : GIQ_OS_PROCESS_ALIVE;
    }
    if (start != 0 && stat.start != start) {
        return GIQ_OS_PROCESS_GONE;
    }
    /* While other threads run, a process is alive although its first thread ended (Z). */
    if (stat.state == 'X' || (stat.state == 'Z' && stat.threads <= 1)) {
        return GIQ_OS_PROCESS_GONE;
    }
    bool is_stopped = stat.state == 'T' || stat.state == 't';
    return is_stopped ? GIQ_OS_PROCESS_STOPPED : GIQ_OS_PROCESS_ALIVE;
}

void giq_os_token(char out[GIQ_OS_TOKEN_SIZE])
{
    /* Without random numbers, this process and its clocks make a token unique. */
    uint64_t bits[2] = {(uint64_t)giq_os_wall_ms() << 20 ^ (uint64_t)giq_os_now_ms(),
                        (uint64_t)giq_os_pid() << 32 ^ giq_os_random()};
    ssize_t got = 0;
    do {
        got = getrandom(bits, sizeof bits, GRND_NONBLOCK);
    } while (got < 0 && errno == EINTR);
    (void)snprintf(out, GIQ_OS_TOKEN_SIZE, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
}

/* ---- folders and whole files ---- */

/* INT64_MAX for a time after the year 2262, which is a file server's mistake. */
static int64_t to_ns(const struct timespec *ts)
{
    int64_t ns = 0;
    return __builtin_mul_overflow((int64_t)ts->tv_sec, NS_PER_S, &ns) ||
                   __builtin_add_overflow(ns, ts->tv_nsec, &ns)
               ? INT64_MAX
               : ns;
}

static struct giq_os_stat convert_stat(const struct stat *st)
{
    return (struct giq_os_stat){
        .kind = S_ISREG(st->st_mode)   ? GIQ_OS_FILE
                : S_ISDIR(st->st_mode) ? GIQ_OS_FOLDER
                                       : GIQ_OS_OTHER,
        .size = st->st_size,
        .access = st->st_mode & FOLDER_BITS,
        .modified_ns = to_ns(&st->st_mtim),
        .links = (int64_t)st->st_nlink,
    };
}

bool giq_os_stat(const char *path, struct giq_os_stat *out, struct giq_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        *out = convert_stat(&st);
        return true;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return giq_os_fail_path(err, "stat", path);
    }
    *out = (struct giq_os_stat){.kind = GIQ_OS_NOTHING};
    return true;
}

bool giq_os_stat_now(const char *path, struct giq_os_stat *out, struct giq_error *err)
{
    struct stat st;
    int fd = giq_os_open_fd(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0 && errno == ENOENT) {
        *out = (struct giq_os_stat){.kind = GIQ_OS_NOTHING};
        return true;
    }
    if (fd < 0) {
        return giq_os_fail_path(err, "open", path);
    }
    bool ok = fstat(fd, &st) == 0 || giq_os_fail_path(err, "stat", path);
    (void)close(fd);
    if (ok) {
        *out = convert_stat(&st);
    }
    return ok;
}

bool giq_os_touch(const char *path, struct giq_error *err)
{
    return utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0 ||
           giq_os_fail_path(err, "touch", path);
}

bool giq_os_overwrite(const char *path, const char *bytes, size_t len,
                      struct giq_error *err)
{
    int fd = giq_os_open_fd(path, O_WRONLY | O_NOFOLLOW, 0);
    size_t done = 0;
    bool ok = fd >= 0;
    while (ok && done < len) {
        ssize_t n = pwrite(fd, bytes + done, len - done, (off_t)done);
        ok = n > 0 || (n < 0 && errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    ok = ok && sync_fd(fd);
    if (!ok) {
        (void)giq_os_fail_path(err, "overwrite", path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

bool giq_os_server_time(const char *folder, unsigned access, int64_t *out_ns,
                        struct giq_error *err)
{
    struct giq_os_stat st = {.kind = GIQ_OS_NOTHING};
    struct giq_error ignored = {0};
    bool exists = false;
    GIQ_AUTO_FREE char *path = giq_os_temporary(folder, "clock");
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_create_new(path, access | GIQ_OS_UNSYNCED, "", 0, &exists, err)) {
        return false;
    }
    /* A file is touched like the files whose times are compared with its time: an
     * exclusive creation may give it another time first. */
    bool ok = giq_os_touch(path, err) && giq_os_stat_now(path, &st, err);
    (void)giq_os_remove(path, &ignored);
    if (ok) {
        *out_ns = st.modified_ns;
    }
    return ok;
}

bool giq_os_sync_parent(const char *path, struct giq_error *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    const char *slash = memrchr(path, '/', len);
    GIQ_AUTO_FREE char *parent = slash == NULL   ? strdup(".")
                                 : slash == path ? strdup("/")
                                                 : strndup(path, (size_t)(slash - path));
    if (parent == NULL) {
        return giq_fail_memory(err);
    }
    return giq_os_sync_path(parent, err);
}

/* Make a folder unless it exists. `*out_is_new` is also true if another process has made
 * it meanwhile. */
static bool make_folder(const char *path, unsigned access, bool *out_is_new,
                        struct giq_error *err)
{
    /* POSIX allows mkdir() to fail with EROFS or EACCES although the folder exists. */
    struct giq_os_stat st;
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *out_is_new = st.kind == GIQ_OS_NOTHING;
    if (*out_is_new && mkdir(path, access & FOLDER_BITS) != 0 && errno != EEXIST) {
        return giq_os_fail_path(err, "make the folder", path);
    }
    return true;
}

static bool make_folders(const char *path, unsigned access, bool syncs,
                         struct giq_error *err)
{
    bool is_new = false;
    GIQ_AUTO_FREE char *part = strdup(path);
    if (part == NULL) {
        return giq_fail_memory(err);
    }
    for (char *at = strchr(part + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (!make_folder(part, access, &is_new, err) ||
            (syncs && is_new && !giq_os_sync_parent(part, err))) {
            return false;
        }
        *at = '/';
    }
    struct giq_os_stat st;
    if (!make_folder(path, access, &is_new, err) || !giq_os_stat(path, &st, err)) {
        return false;
    }
    if (st.kind != GIQ_OS_FOLDER) {
        return giq_fail_sys(err, GIQ_E_STORE, ENOTDIR, "cannot use %s as a folder", path);
    }
    return !syncs || giq_os_sync_parent(path, err);
}

bool giq_os_make_folders(const char *path, unsigned access, struct giq_error *err)
{
    return make_folders(path, access, false, err);
}

bool giq_os_make_durable_folders(const char *path, unsigned access, struct giq_error *err)
{
    return make_folders(path, access, true, err);
}

/* Read to the end of the file, or until `size` bytes, which fstat() reported, were read.
 */
static bool read_fd(int fd, size_t size, size_t max, struct giq_buf *out,
                    const char *path, struct giq_error *err)
{
    char block[READ_BLOCK];
    size_t before = out->len;
    do {
        ssize_t n = giq_os_read_some(fd, block, sizeof block);
        if (n <= 0) {
            return n == 0 || giq_os_fail_path(err, "read", path);
        }
        if (out->len + (size_t)n > max) {
            return giq_fail(err, GIQ_E_STORE, "%s is larger than %zu bytes", path, max);
        }
        if (!giq_buf_add(out, block, (size_t)n)) {
            return giq_fail_memory(err);
        }
    } while (out->len - before != size);
    return true;
}

static bool read_file_once(const char *path, size_t max, struct giq_buf *out,
                           bool *out_found, struct giq_error *err)
{
    /* O_NONBLOCK: opening a pipe must not wait for its writer. */
    int fd = giq_os_open_fd(path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            return giq_os_fail_path(err, "open", path);
        }
        *out_found = false;
        return true;
    }
    struct stat st;
    bool ok = false;
    if (fstat(fd, &st) != 0) {
        (void)giq_os_fail_path(err, "stat", path);
    } else if (!S_ISREG(st.st_mode)) {
        (void)giq_fail(err, GIQ_E_STORE, "%s is not a regular file", path);
    } else {
        ok = read_fd(fd, (size_t)st.st_size, max, out, path, err);
    }
    (void)close(fd);
    if (ok) {
        *out_found = true;
    }
    return ok;
}

bool giq_os_read_file(const char *path, size_t max, struct giq_buf *out, bool *out_found,
                      struct giq_error *err)
{
    const size_t before = out->len;
    bool ok = read_file_once(path, max, out, out_found, err);
    /* ESTALE: another machine replaced the file after it was opened here. */
    for (int i = 1; i < STALE_READS_MAX && !ok && err->sys_errno == ESTALE; i++) {
        giq_buf_truncate(out, before);
        ok = read_file_once(path, max, out, out_found, err);
    }
    return ok;
}

bool giq_os_sync_path(const char *path, struct giq_error *err)
{
    int fd = giq_os_open_fd(path, O_RDONLY, 0);
    if (fd < 0) {
        return giq_os_fail_path(err, "sync", path);
    }
    bool ok = sync_fd(fd) || giq_os_fail_path(err, "sync", path);
    (void)close(fd);
    return ok;
}

bool giq_os_create_new(const char *path, unsigned access, const char *bytes, size_t len,
                       bool *out_exists, struct giq_error *err)
{
    int fd = giq_os_open_fd(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, access);
    if (fd < 0 && errno == EEXIST) {
        *out_exists = true;
        return true;
    }
    if (fd < 0) {
        return giq_os_fail_path(err, "write", path);
    }
    bool syncs = (access & GIQ_OS_UNSYNCED) == 0;
    bool ok = (write_fd(fd, bytes, len) && (!syncs || sync_fd(fd))) ||
              giq_os_fail_path(err, "write", path);
    if (close(fd) != 0 && ok) {
        ok = giq_os_fail_path(err, "write", path);
    }
    if (!ok) {
        /* An empty file is kept: others may have seen it, and act on its existence. */
        if (len > 0) {
            (void)unlink(path);
        }
        return false;
    }
    *out_exists = false;
    return true;
}

bool giq_os_put_file(const char *folder, const char *name, unsigned access,
                     const char *bytes, size_t len, struct giq_error *err)
{
    struct giq_error ignored = {0};
    bool exists = false;
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    GIQ_AUTO_FREE char *part = giq_os_temporary(folder, name);
    if (path == NULL || part == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_create_new(part, access, bytes, len, &exists, err)) {
        return false;
    }
    if (exists) {
        return giq_fail_sys(err, GIQ_E_STORE, EEXIST, "cannot write %s", part);
    }
    if (!giq_os_rename(part, path, err)) {
        (void)giq_os_remove(part, &ignored);
        return false;
    }
    return true;
}

bool giq_os_replace_file(const char *folder, const char *name, unsigned access,
                         const char *bytes, size_t len, struct giq_error *err)
{
    return giq_os_put_file(folder, name, access, bytes, len, err) &&
           giq_os_sync_path(folder, err);
}

/* Whether the link of `from` to `to` was made although the call failed: `from` then has
 * two links. Another program may have made the second one, so `to` must be the same file.
 */
static bool was_linked(const char *from, const char *to)
{
    struct giq_os_stat st;
    struct giq_error ignored = {0};
    struct stat of_from;
    struct stat of_to;
    if (!giq_os_stat_now(from, &st, &ignored) || st.links < 2) {
        return false;
    }
    if (lstat(from, &of_from) != 0 || lstat(to, &of_to) != 0) {
        return true; /* the name may not be visible yet */
    }
    return of_from.st_dev == of_to.st_dev && of_from.st_ino == of_to.st_ino;
}

static bool has_no_links(int sys_errno)
{
    return sys_errno == EPERM || sys_errno == EOPNOTSUPP || sys_errno == ENOSYS ||
           sys_errno == EMLINK;
}

bool giq_os_link(const char *from, const char *to, enum giq_os_link_outcome *out,
                 struct giq_error *err)
{
    int sys_errno = link(from, to) == 0 ? 0 : errno;
    if (sys_errno == 0 || was_linked(from, to)) {
        *out = GIQ_OS_LINKED;
    } else if (sys_errno == EEXIST) {
        *out = GIQ_OS_LINK_EXISTS;
    } else if (has_no_links(sys_errno)) {
        *out = GIQ_OS_LINK_UNSUPPORTED;
    } else {
        errno = sys_errno;
        return giq_os_fail_path(err, "make the link", to);
    }
    return true;
}

bool giq_os_rename(const char *from, const char *to, struct giq_error *err)
{
    return rename(from, to) == 0 || giq_os_fail_path(err, "rename to", to);
}

bool giq_os_list(const char *folder,
                 bool (*each)(void *ctx, const char *name, struct giq_error *err),
                 void *ctx, struct giq_error *err)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT || giq_os_fail_path(err, "list", folder);
    }
    const struct dirent *entry = NULL;
    bool ok = true;
    errno = 0;
    while (ok && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ok = each(ctx, entry->d_name, err);
        }
        errno = 0;
    }
    ok = ok && (errno == 0 || giq_os_fail_path(err, "list", folder));
    (void)closedir(dir);
    return ok;
}

bool giq_os_is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool giq_os_is_link(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

bool giq_os_remove(const char *path, struct giq_error *err)
{
    return remove(path) == 0 || errno == ENOENT || giq_os_fail_path(err, "remove", path);
}

bool giq_os_free_space(const char *path, int64_t *out_bytes)
{
    struct statvfs vfs;
    int rc = 0;
    do {
        rc = statvfs(path, &vfs);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0 || vfs.f_blocks == 0) {
        return false;
    }
    if (__builtin_mul_overflow(vfs.f_bavail, vfs.f_frsize, out_bytes)) {
        *out_bytes = INT64_MAX;
    }
    return true;
}

/* ---- open files ---- */

enum { WRITEBACK_BYTES = 8 * 1024 * 1024 };

struct giq_os_file {
    int fd;
    off_t written;
    off_t writeback_end; /* writeback was started up to here */
    char path[];
};

/* Make a file that owns the descriptor of `path`; it is negative if opening failed, and
 * `errno` is then still set. */
static bool wrap_file(int fd, const char *doing, const char *path,
                      struct giq_os_file **out, struct giq_error *err)
{
    if (fd < 0) {
        return giq_os_fail_path(err, doing, path);
    }
    struct giq_os_file *file = calloc(1, sizeof *file + strlen(path) + 1);
    if (file == NULL) {
        (void)close(fd);
        return giq_fail_memory(err);
    }
    (void)memcpy(file->path, path, strlen(path) + 1);
    file->fd = fd;
    *out = file;
    return true;
}

bool giq_os_create(const char *path, unsigned access, struct giq_os_file **out,
                   struct giq_error *err)
{
    int fd = giq_os_open_fd(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, access);
    return wrap_file(fd, "create", path, out, err);
}

/* Start to write to the disk while more data arrives, so that giq_os_sync() has little
 * left to write. Errors are ignored here: giq_os_sync() reports them. */
static void start_writeback(struct giq_os_file *file)
{
    if (file->written - file->writeback_end >= WRITEBACK_BYTES) {
        (void)sync_file_range(file->fd, file->writeback_end,
                              file->written - file->writeback_end, SYNC_FILE_RANGE_WRITE);
        file->writeback_end = file->written;
    }
}

bool giq_os_write(struct giq_os_file *file, const void *bytes, size_t len,
                  struct giq_error *err)
{
    if (!write_fd(file->fd, bytes, len)) {
        return giq_os_fail_path(err, "write", file->path);
    }
    file->written += (off_t)len;
    start_writeback(file);
    return true;
}

bool giq_os_sync(struct giq_os_file *file, struct giq_error *err)
{
    return sync_fd(file->fd) || giq_os_fail_path(err, "sync", file->path);
}

bool giq_os_truncate(struct giq_os_file *file, struct giq_error *err)
{
    file->written = 0;
    file->writeback_end = 0;
    return (giq_os_truncate_fd(file->fd) && lseek(file->fd, 0, SEEK_SET) == 0) ||
           giq_os_fail_path(err, "empty", file->path);
}

void giq_os_close(struct giq_os_file *file)
{
    if (file != NULL) {
        (void)close(file->fd);
        free(file);
    }
}

bool giq_os_open(const char *path, struct giq_os_file **out, struct giq_error *err)
{
    return wrap_file(giq_os_open_fd(path, O_RDONLY, 0), "open", path, out, err);
}

bool giq_os_seek(struct giq_os_file *file, uint64_t at, struct giq_error *err)
{
    return lseek(file->fd, (off_t)at, SEEK_SET) >= 0 ||
           giq_os_fail_path(err, "seek in", file->path);
}

bool giq_os_read(struct giq_os_file *file, char *out, size_t max, size_t *out_len,
                 struct giq_error *err)
{
    ssize_t n = giq_os_read_some(file->fd, out, max);
    if (n < 0) {
        return giq_os_fail_path(err, "read", file->path);
    }
    *out_len = (size_t)n;
    return true;
}

bool giq_os_read_head(const char *path, char *out, size_t max, size_t *out_len,
                      struct giq_error *err)
{
    GIQ_AUTO_FILE struct giq_os_file *file = NULL;
    if (!giq_os_open(path, &file, err)) {
        return false;
    }
    size_t total = 0;
    for (size_t len = 1; len > 0 && total < max; total += len) {
        if (!giq_os_read(file, out + total, max - total, &len, err)) {
            return false;
        }
    }
    *out_len = total;
    return true;
}

/* ---- sockets, clocks and others ---- */

int giq_os_socket(int family, int type, int protocol)
{
    return above_standard(socket(family, type | SOCK_CLOEXEC, protocol));
}

void giq_os_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}

bool giq_os_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts) != 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    }
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t giq_os_now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int64_t giq_os_boot_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

int64_t giq_os_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

void giq_os_sleep_ms(int64_t ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&ts, NULL);
}

uint32_t giq_os_random(void)
{
    uint32_t value = 0;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != (ssize_t)sizeof value) {
        value = (uint32_t)giq_os_now_ms();
    }
    return value;
}
