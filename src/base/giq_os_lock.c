/* Locks on files, which a forked child does not inherit. */
#include "base/giq_os_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/giq_os_internal.h"

enum { INTERRUPTED_MAX = 100 };

struct giq_os_lock {
    int fd;        /* -1 in a child that was forked while the lock was held */
    bool is_flock; /* where the system has no open-file-description locks */
    bool is_void;  /* the system has no locks at all: it locks nothing */
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
        lock->fd = giq_os_open_fd(path, O_RDWR | O_CREAT | O_NOFOLLOW, access);
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

/* Repeat the call while it is interrupted: 0, or the error. */
static int set_lock_once(const struct giq_os_lock *lock, bool locked)
{
    struct flock whole = {.l_type = (short)(locked ? F_WRLCK : F_UNLCK)};
    for (int tries = 0; tries < INTERRUPTED_MAX; tries++) {
        int rc = lock->is_flock ? flock(lock->fd, locked ? LOCK_EX | LOCK_NB : LOCK_UN)
                                : fcntl(lock->fd, F_OFD_SETLK, &whole);
        if (rc == 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
    return EINTR;
}

static int set_lock(struct giq_os_lock *lock, bool locked)
{
    int sys_errno = set_lock_once(lock, locked);
    if (!lock->is_flock && has_no_ofd_locks(sys_errno)) {
        lock->is_flock = true;
        sys_errno = set_lock_once(lock, locked);
    }
    return sys_errno;
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
    int fd = giq_os_open_fd(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd >= 0) {
        ssize_t len = giq_os_read_some(fd, text, HOLDER_BYTES);
        text[len > 0 ? len : 0] = '\0';
        (void)close(fd);
    }
    struct giq_os_holder holder = {.pid = 0};
    /* 64 is GIQ_OS_HOST_SIZE - 1; nine digits are enough for a pid, and fit a long. */
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
        (void)giq_os_fail_path(err, "open the lock", path);
        free(lock);
        return false;
    }
    int sys_errno = set_lock(lock, true);
    if (sys_errno == EAGAIN || sys_errno == EACCES) {
        close_lock(lock);
        *out = NULL;
        return true;
    }
    lock->is_void = sys_errno != 0;
    if (!lock->is_void) {
        write_holder(lock);
    }
    *out = lock;
    return true;
}

void giq_os_lock_release(struct giq_os_lock *lock)
{
    if (lock != NULL) {
        /* A child that was not made by fork() may share the file description, so that
         * closing it would not release the lock. */
        if (lock->fd >= 0 && !lock->is_void) {
            /* Otherwise messages would still name the holder. */
            (void)giq_os_truncate_fd(lock->fd);
            (void)set_lock(lock, false);
        }
        close_lock(lock);
    }
}
