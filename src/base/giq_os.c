/* System calls: files, folders, locks, sockets and clocks of POSIX and Linux. */
#include "base/giq_os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { FOLDER_BITS = 0777, FILE_BITS = 0666 };

static bool fail_path(struct giq_error *err, const char *doing, const char *path)
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

static int open_file(const char *path, int flags, mode_t mode)
{
    int fd = -1;
    do {
        fd = open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return above_standard(fd);
}

static ssize_t read_some(int fd, char *out, size_t max)
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

static bool truncate_fd(int fd)
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

/* ---- folders and whole files ---- */

bool giq_os_stat(const char *path, struct giq_os_stat *out, struct giq_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            return fail_path(err, "stat", path);
        }
        *out = (struct giq_os_stat){.kind = GIQ_OS_NOTHING};
        return true;
    }
    *out = (struct giq_os_stat){
        .kind = S_ISREG(st.st_mode)   ? GIQ_OS_FILE
                : S_ISDIR(st.st_mode) ? GIQ_OS_FOLDER
                                      : GIQ_OS_OTHER,
        .size = st.st_size,
        .access = st.st_mode & FOLDER_BITS,
    };
    return true;
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

/* Make a folder unless it exists. With `syncs`, durably. */
static bool make_folder(const char *path, unsigned access, bool syncs,
                        struct giq_error *err)
{
    /* POSIX allows mkdir() to fail with EROFS or EACCES although the folder exists. */
    struct giq_os_stat st;
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    if (st.kind != GIQ_OS_NOTHING) {
        return true;
    }
    if (mkdir(path, access & FOLDER_BITS) != 0 && errno != EEXIST) {
        return fail_path(err, "make the folder", path);
    }
    return !syncs || giq_os_sync_parent(path, err);
}

static bool make_folders(const char *path, unsigned access, bool syncs,
                         struct giq_error *err)
{
    GIQ_AUTO_FREE char *part = strdup(path);
    if (part == NULL) {
        return giq_fail_memory(err);
    }
    for (char *at = strchr(part + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (!make_folder(part, access, syncs, err)) {
            return false;
        }
        *at = '/';
    }
    struct giq_os_stat st;
    if (!make_folder(path, access, syncs, err) || !giq_os_stat(path, &st, err)) {
        return false;
    }
    return st.kind == GIQ_OS_FOLDER ||
           giq_fail_sys(err, GIQ_E_STORE, ENOTDIR, "cannot use %s as a folder", path);
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
    char block[16384];
    size_t before = out->len;
    do {
        ssize_t n = read_some(fd, block, sizeof block);
        if (n <= 0) {
            return n == 0 || fail_path(err, "read", path);
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

bool giq_os_read_file(const char *path, size_t max, struct giq_buf *out, bool *out_found,
                      struct giq_error *err)
{
    /* O_NONBLOCK: opening a pipe must not wait for its writer. */
    int fd = open_file(path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            return fail_path(err, "open", path);
        }
        *out_found = false;
        return true;
    }
    struct stat st;
    bool ok = false;
    if (fstat(fd, &st) != 0) {
        (void)fail_path(err, "stat", path);
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

bool giq_os_sync_path(const char *path, struct giq_error *err)
{
    int fd = open_file(path, O_RDONLY, 0);
    if (fd < 0) {
        return fail_path(err, "sync", path);
    }
    bool ok = sync_fd(fd) || fail_path(err, "sync", path);
    (void)close(fd);
    return ok;
}

bool giq_os_create_new(const char *path, unsigned access, const char *bytes, size_t len,
                       bool *out_exists, struct giq_error *err)
{
    int fd =
        open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, access & FILE_BITS);
    if (fd < 0 && errno == EEXIST) {
        *out_exists = true;
        return true;
    }
    if (fd < 0) {
        return fail_path(err, "write", path);
    }
    bool ok = (write_fd(fd, bytes, len) && sync_fd(fd)) || fail_path(err, "write", path);
    if (close(fd) != 0 && ok) {
        ok = fail_path(err, "write", path);
    }
    if (!ok) {
        (void)unlink(path);
        return false;
    }
    *out_exists = false;
    return true;
}

static bool write_new_file(const char *path, unsigned access, const char *bytes,
                           size_t len, struct giq_error *err)
{
    bool exists = false;
    /* A file that an interrupted writer left may belong to another user of the store. */
    (void)unlink(path);
    if (!giq_os_create_new(path, access, bytes, len, &exists, err)) {
        return false;
    }
    return !exists || giq_fail_sys(err, GIQ_E_STORE, EEXIST, "cannot write %s", path);
}

bool giq_os_replace_file(const char *folder, const char *name, unsigned access,
                         const char *bytes, size_t len, struct giq_error *err)
{
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    GIQ_AUTO_FREE char *part = path == NULL ? NULL : malloc(strlen(path) + sizeof ".tmp");
    if (part == NULL) {
        return giq_fail_memory(err);
    }
    (void)stpcpy(stpcpy(part, path), ".tmp");
    return write_new_file(part, access, bytes, len, err) &&
           giq_os_rename(part, path, err) && giq_os_sync_path(folder, err);
}

/* Opening the file makes the client of a file server ask for the number of its names;
 * stat() may return an older one. */
static bool has_two_names(const char *path)
{
    struct stat st;
    int fd = open_file(path, O_RDONLY | O_NOFOLLOW, 0);
    bool has_two = fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink > 1;
    if (fd >= 0) {
        (void)close(fd);
    }
    return has_two;
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
    if (sys_errno == 0 || has_two_names(from)) {
        *out = GIQ_OS_LINKED;
    } else if (sys_errno == EEXIST) {
        *out = GIQ_OS_LINK_EXISTS;
    } else if (has_no_links(sys_errno)) {
        *out = GIQ_OS_LINK_UNSUPPORTED;
    } else {
        errno = sys_errno;
        return fail_path(err, "make the link", to);
    }
    return true;
}

bool giq_os_rename(const char *from, const char *to, struct giq_error *err)
{
    return rename(from, to) == 0 || fail_path(err, "rename to", to);
}

bool giq_os_list(const char *folder,
                 bool (*each)(void *ctx, const char *name, struct giq_error *err),
                 void *ctx, struct giq_error *err)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT || fail_path(err, "list", folder);
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
    ok = ok && (errno == 0 || fail_path(err, "list", folder));
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
    return remove(path) == 0 || errno == ENOENT || fail_path(err, "remove", path);
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
        return fail_path(err, doing, path);
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
    int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, access & FILE_BITS);
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
        return fail_path(err, "write", file->path);
    }
    file->written += (off_t)len;
    start_writeback(file);
    return true;
}

bool giq_os_sync(struct giq_os_file *file, struct giq_error *err)
{
    return sync_fd(file->fd) || fail_path(err, "sync", file->path);
}

bool giq_os_truncate(struct giq_os_file *file, struct giq_error *err)
{
    file->written = 0;
    file->writeback_end = 0;
    return (truncate_fd(file->fd) && lseek(file->fd, 0, SEEK_SET) == 0) ||
           fail_path(err, "empty", file->path);
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
    return wrap_file(open_file(path, O_RDONLY, 0), "open", path, out, err);
}

bool giq_os_seek(struct giq_os_file *file, uint64_t at, struct giq_error *err)
{
    return lseek(file->fd, (off_t)at, SEEK_SET) >= 0 ||
           fail_path(err, "seek in", file->path);
}

bool giq_os_read(struct giq_os_file *file, char *out, size_t max, size_t *out_len,
                 struct giq_error *err)
{
    ssize_t n = read_some(file->fd, out, max);
    if (n < 0) {
        return fail_path(err, "read", file->path);
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

/* ---- locks ---- */

struct giq_os_lock {
    int fd;        /* -1 in a child that was forked while the lock was held */
    bool is_flock; /* where the system has no open-file-description locks */
    struct giq_os_lock *next;
};

/* The locks that this process holds or tries to acquire, and how often it forked. A
 * forked child closes its copies of the descriptors: otherwise a lock would be held until
 * the child exits. */
static struct {
    pthread_mutex_t mutex;
    struct giq_os_lock *first;
    unsigned forks;
} locks = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t fork_handlers_once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
    (void)pthread_mutex_lock(&locks.mutex);
    locks.forks++;
}

static void after_fork(void)
{
    (void)pthread_mutex_unlock(&locks.mutex);
}

static void close_in_child(void)
{
    for (struct giq_os_lock *lock = locks.first; lock != NULL; lock = lock->next) {
        (void)close(lock->fd);
        lock->fd = -1;
    }
    locks.first = NULL;
    (void)pthread_mutex_unlock(&locks.mutex);
}

static void register_fork_handlers(void)
{
    (void)pthread_atfork(before_fork, after_fork, close_in_child);
}

static unsigned count_forks(void)
{
    (void)pthread_mutex_lock(&locks.mutex);
    unsigned forks = locks.forks;
    (void)pthread_mutex_unlock(&locks.mutex);
    return forks;
}

/* Add the lock to the list, unless the process forked after `forks` was counted: then a
 * child may have the descriptor. */
static bool register_lock(struct giq_os_lock *lock, unsigned forks)
{
    (void)pthread_mutex_lock(&locks.mutex);
    bool ok = locks.forks == forks;
    if (ok) {
        lock->next = locks.first;
        locks.first = lock;
    }
    (void)pthread_mutex_unlock(&locks.mutex);
    return ok;
}

static void unregister_lock(struct giq_os_lock *lock)
{
    (void)pthread_mutex_lock(&locks.mutex);
    struct giq_os_lock **at = &locks.first;
    while (*at != NULL && *at != lock) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = lock->next;
    }
    (void)pthread_mutex_unlock(&locks.mutex);
}

/* Open the file of a lock, with a descriptor that no child shares. */
static bool open_lock(struct giq_os_lock *lock, const char *path, unsigned access)
{
    (void)pthread_once(&fork_handlers_once, register_fork_handlers);
    for (;;) {
        unsigned forks = count_forks();
        lock->fd = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, access & FILE_BITS);
        if (lock->fd < 0 || register_lock(lock, forks)) {
            return lock->fd >= 0;
        }
        (void)close(lock->fd);
    }
}

static void close_lock(struct giq_os_lock *lock)
{
    unregister_lock(lock);
    if (lock->fd >= 0) {
        (void)close(lock->fd);
    }
    free(lock);
}

static bool has_no_ofd_locks(int sys_errno)
{
    return sys_errno == EINVAL || sys_errno == EPERM || sys_errno == ENOSYS;
}

static int set_lock(struct giq_os_lock *lock, bool locked)
{
    struct flock whole = {.l_type = (short)(locked ? F_WRLCK : F_UNLCK)};
    int rc = -1;
    if (!lock->is_flock) {
        do {
            rc = fcntl(lock->fd, F_OFD_SETLK, &whole);
        } while (rc != 0 && errno == EINTR);
        if (rc == 0 || !has_no_ofd_locks(errno)) {
            return rc;
        }
        lock->is_flock = true;
    }
    do {
        rc = flock(lock->fd, locked ? LOCK_EX | LOCK_NB : LOCK_UN);
    } while (rc != 0 && errno == EINTR);
    return rc;
}

/* The holder writes "<pid> <host>" and spaces, which overwrite the previous holder's
 * text. If that fails, the holder is not known. */
enum { HOLDER_BYTES = 96 };

static void write_holder(const struct giq_os_lock *lock)
{
    char text[HOLDER_BYTES + 1];
    char host[GIQ_OS_HOST_SIZE];
    giq_os_host(host);
    if (host[0] != '\0') {
        int len = snprintf(text, sizeof text, "%ld %s", giq_os_pid(), host);
        (void)snprintf(text + len, sizeof text - (size_t)len, "%*s\n",
                       HOLDER_BYTES - len - 1, "");
        ssize_t written = pwrite(lock->fd, text, HOLDER_BYTES, 0);
        (void)written;
    }
}

static bool is_host(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_";
    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

bool giq_os_lock_holder(const char *path, struct giq_os_holder *out)
{
    char text[HOLDER_BYTES + 1] = "";
    char host[GIQ_OS_HOST_SIZE];
    int fd = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd >= 0) {
        ssize_t len = read_some(fd, text, HOLDER_BYTES);
        text[len > 0 ? len : 0] = '\0';
        (void)close(fd);
    }
    struct giq_os_holder holder = {.pid = 0};
    if (sscanf(text, "%9ld %64s", &holder.pid, holder.host) != 2 || holder.pid <= 0 ||
        !is_host(holder.host)) {
        return false;
    }
    giq_os_host(host);
    holder.is_this_process = holder.pid == giq_os_pid() && strcmp(holder.host, host) == 0;
    *out = holder;
    return true;
}

bool giq_os_lock_try(const char *path, unsigned access, struct giq_os_lock **out,
                     struct giq_error *err)
{
    struct giq_os_lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL) {
        return giq_fail_memory(err);
    }
    if (!open_lock(lock, path, access)) {
        (void)fail_path(err, "open the lock", path);
        free(lock);
        return false;
    }
    if (set_lock(lock, true) == 0) {
        write_holder(lock);
        *out = lock;
        return true;
    }
    bool is_held = errno == EAGAIN || errno == EACCES;
    if (!is_held) {
        (void)giq_fail_sys(
            err, GIQ_E_STORE, errno,
            "cannot lock %s (the store needs a file system that supports locks)", path);
    }
    close_lock(lock);
    if (is_held) {
        *out = NULL;
    }
    return is_held;
}

void giq_os_lock_release(struct giq_os_lock *lock)
{
    if (lock != NULL) {
        /* A child that was not made by fork() may share the file description, so that
         * closing it would not release the lock. */
        if (lock->fd >= 0) {
            (void)truncate_fd(lock->fd); /* else messages would still name the holder */
            (void)set_lock(lock, false);
        }
        close_lock(lock);
    }
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
    (void)clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t giq_os_now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
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
