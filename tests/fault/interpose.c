/*
 * A library for LD_PRELOAD that stands between the driver and the system: it counts
 * the calls that concern the store or a connection, and at one of them does what the
 * environment says.
 *
 *   GIQ_FAULT_STORE    the store's path; calls on it and on its files are counted
 *   GIQ_FAULT_AT       the number of the call, from 1; 0 or absent: none
 *   GIQ_FAULT_ON       or a pattern (as of file names) of the call's line in the log:
 *                      the first such call, or that of this number
 *   GIQ_FAULT_WON      calls are counted from when this process has given a file a name
 * of this pattern, by link() or exclusive creation GIQ_FAULT_ACTION   kill-before,
 * kill-after, stop-before, stop-after (until SIGCONT), or a number: fail with this errno
 *   GIQ_FAULT_LEAP     after a stop the clocks that nobody sets are so many seconds later
 *   GIQ_FAULT_ROOM     so many bytes can be written to the store, as by a quota
 *   GIQ_FAULT_SPACE    the store's file system does not report its room: 0 for zeros in
 *                      its place, or this errno
 *   GIQ_FAULT_LOCKS    locks in the store: 0 for ones that lock nothing, or this errno
 *   GIQ_FAULT_LINKS    links in the store: lost for ones that are made and yet fail with
 *                      EIO, or this errno
 *   GIQ_FAULT_HOST     the name of this host
 *   GIQ_FAULT_BOOT     the boot id of this host
 *   GIQ_FAULT_CLOCK    seconds by which the clock of this host is wrong
 *   GIQ_FAULT_NAMES    so often the resolver cannot be reached for a name that ends in
 *                      .test; then each is this machine. -1: it never responds
 *   GIQ_FAULT_ALLOC    the number of the plugin's allocation that fails; 0: none
 *   GIQ_FAULT_LOG      a file that gets a line for each counted call
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <link.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 4096 };

static atomic_int calls;
static atomic_int allocations;
static atomic_bool has_won;
static atomic_bool was_stopped;
static atomic_bool is_ours[FDS]; /* descriptors of the store, and connections */

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static int number(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : atoi(text);
}

static bool is_in_store(const char *path)
{
    const char *store = getenv("GIQ_FAULT_STORE");
    return store != NULL && store[0] != '\0' && strncmp(path, store, strlen(store)) == 0;
}

static bool is_counted(int fd)
{
    return fd >= 0 && fd < FDS && is_ours[fd];
}

static void mark(int fd, bool ours)
{
    if (fd >= 0 && fd < FDS) {
        is_ours[fd] = ours;
    }
}

static void note(const char *call)
{
    const char *log = getenv("GIQ_FAULT_LOG");
    char line[1024];
    int fd = log == NULL ? -1 : REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (fd >= 0) {
        int len = snprintf(line, sizeof line, "%s\n", call);
        (void)!REAL(write)(fd, line, (size_t)len);
        (void)REAL(close)(fd);
    }
}

static bool is_action(const char *name)
{
    const char *action = getenv("GIQ_FAULT_ACTION");
    return action != NULL && strcmp(action, name) == 0;
}

static void kill_or_stop(void)
{
    bool stops = is_action("stop-before") || is_action("stop-after");
    was_stopped = stops;
    (void)kill(getpid(), stops ? SIGSTOP : SIGKILL);
}

/* Count a call: whether it is the one that gets the fault. */
static bool is_chosen(const char *function, const char *what)
{
    static atomic_int found;
    const char *on = getenv("GIQ_FAULT_ON");
    char call[1000];
    (void)snprintf(call, sizeof call, "%s %s", function, what);
    note(call);
    if (getenv("GIQ_FAULT_WON") != NULL && !has_won) {
        return false;
    }
    int count = ++calls;
    int at = number("GIQ_FAULT_AT");
    return on == NULL ? count == at
                      : fnmatch(on, call, 0) == 0 && ++found == (at == 0 ? 1 : at);
}

/* True where the call is to fail, errno is set then; `*last` says that the process
 * ends or stops after it. */
static bool meet(const char *function, const char *what, bool *last)
{
    const char *action = getenv("GIQ_FAULT_ACTION");
    *last = false;
    if (!is_chosen(function, what) || action == NULL) {
        return false;
    }
    if (is_action("kill-before") || is_action("stop-before")) {
        kill_or_stop();
        return false;
    }
    *last = is_action("kill-after") || is_action("stop-after");
    if (!*last) {
        errno = atoi(action);
    }
    return !*last;
}

/* Stand before a function: `concerns` says whether the call counts. */
#define STAND_BEFORE(type, failure, function, what, concerns, call)                      \
    do {                                                                                 \
        bool last = false;                                                               \
        if (!(concerns)) {                                                               \
            return call;                                                                 \
        }                                                                                \
        if (meet(#function, what, &last)) {                                              \
            return failure;                                                              \
        }                                                                                \
        type result = call;                                                              \
        if (last) {                                                                      \
            kill_or_stop();                                                              \
        }                                                                                \
        return result;                                                                   \
    } while (0)

/* ---- files ---- */

static int marked(int fd, bool ours)
{
    mark(fd, ours);
    return fd;
}

/* This process has created the file, which did not exist. */
static void win(const char *path)
{
    const char *pattern = getenv("GIQ_FAULT_WON");
    if (pattern != NULL && fnmatch(pattern, path, 0) == 0) {
        has_won = true;
    }
}

static int open_in_store(const char *path, int flags, mode_t mode)
{
    int fd = marked(REAL(open)(path, flags, mode), true);
    if (fd >= 0 && (flags & O_EXCL)) {
        win(path);
    }
    return fd;
}

static int open_text(const char *text)
{
    int fd = memfd_create("text", MFD_CLOEXEC);
    (void)!REAL(write)(fd, text, strlen(text));
    (void)lseek(fd, 0, SEEK_SET);
    return marked(fd, false);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    const char *boot = getenv("GIQ_FAULT_BOOT");
    if (boot != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
        return open_text(boot);
    }
    if (!is_in_store(path)) {
        return marked(REAL(open)(path, flags, mode), false);
    }
    STAND_BEFORE(int, -1, open, path, true, open_in_store(path, flags, mode));
}

int close(int fd)
{
    bool counted = is_counted(fd);
    mark(fd, false);
    STAND_BEFORE(int, (REAL(close)(fd), -1), close, "", counted, REAL(close)(fd));
}

ssize_t read(int fd, void *out, size_t len)
{
    STAND_BEFORE(ssize_t, -1, read, "", is_counted(fd), REAL(read)(fd, out, len));
}

static ssize_t write_in_room(int fd, const void *bytes, size_t len)
{
    static atomic_size_t used;
    size_t room =
        getenv("GIQ_FAULT_ROOM") == NULL ? SIZE_MAX : (size_t)number("GIQ_FAULT_ROOM");
    size_t left = used < room ? room - used : 0;
    if (!is_counted(fd)) {
        return REAL(write)(fd, bytes, len);
    }
    if (left == 0) {
        errno = EDQUOT;
        return -1;
    }
    ssize_t n = REAL(write)(fd, bytes, len < left ? len : left);
    used += n > 0 ? (size_t)n : 0;
    return n;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    char size[32];
    (void)snprintf(size, sizeof size, "%zu", len);
    STAND_BEFORE(ssize_t, -1, write, size, is_counted(fd), write_in_room(fd, bytes, len));
}

int fsync(int fd)
{
    STAND_BEFORE(int, -1, fsync, "", is_counted(fd), REAL(fsync)(fd));
}

int ftruncate(int fd, off_t len)
{
    STAND_BEFORE(int, -1, ftruncate, "", is_counted(fd), REAL(ftruncate)(fd, len));
}

static bool is_lock(int command)
{
    return command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_SETLK ||
           command == F_SETLKW;
}

/* What locks in the store return in place of the system's, where it is replaced. */
static int replaced_lock(void)
{
    errno = number("GIQ_FAULT_LOCKS");
    return errno == 0 ? 0 : -1;
}

static int lock_or(int fd, int command, void *argument)
{
    return getenv("GIQ_FAULT_LOCKS") != NULL ? replaced_lock()
                                             : REAL(fcntl)(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    if (!is_counted(fd) || !is_lock(command)) {
        int result = REAL(fcntl)(fd, command, argument);
        return command == F_DUPFD_CLOEXEC ? marked(result, is_counted(fd)) : result;
    }
    STAND_BEFORE(int, -1, fcntl, "", true, lock_or(fd, command, argument));
}

int flock(int fd, int operation)
{
    STAND_BEFORE(int, -1, flock, "", is_counted(fd),
                 getenv("GIQ_FAULT_LOCKS") != NULL ? replaced_lock()
                                                   : REAL(flock)(fd, operation));
}

int rename(const char *from, const char *to)
{
    STAND_BEFORE(int, -1, rename, to, is_in_store(to), REAL(rename)(from, to));
}

static int link_or(const char *from, const char *to)
{
    const char *links = getenv("GIQ_FAULT_LINKS");
    bool is_lost = links != NULL && strcmp(links, "lost") == 0;
    if (links != NULL && !is_lost) {
        errno = atoi(links);
        return -1;
    }
    int result = REAL(link)(from, to);
    if (result == 0) {
        win(to);
    }
    if (result == 0 && is_lost) {
        errno = EIO;
        return -1;
    }
    return result;
}

int link(const char *from, const char *to)
{
    STAND_BEFORE(int, -1, link, to, is_in_store(to), link_or(from, to));
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    STAND_BEFORE(int, -1, utimensat, path, is_in_store(path),
                 REAL(utimensat)(folder, path, times, flags));
}

int unlink(const char *path)
{
    STAND_BEFORE(int, -1, unlink, path, is_in_store(path), REAL(unlink)(path));
}

int remove(const char *path)
{
    STAND_BEFORE(int, -1, remove, path, is_in_store(path), REAL(remove)(path));
}

int mkdir(const char *path, mode_t mode)
{
    STAND_BEFORE(int, -1, mkdir, path, is_in_store(path), REAL(mkdir)(path, mode));
}

int stat(const char *path, struct stat *out)
{
    STAND_BEFORE(int, -1, stat, path, is_in_store(path), REAL(stat)(path, out));
}

int lstat(const char *path, struct stat *out)
{
    STAND_BEFORE(int, -1, lstat, path, is_in_store(path), REAL(lstat)(path, out));
}

int fstat(int fd, struct stat *out)
{
    STAND_BEFORE(int, -1, fstat, "", is_counted(fd), REAL(fstat)(fd, out));
}

int statvfs(const char *path, struct statvfs *out)
{
    if (getenv("GIQ_FAULT_SPACE") != NULL && is_in_store(path)) {
        *out = (struct statvfs){.f_bsize = 512, .f_frsize = 512};
        errno = number("GIQ_FAULT_SPACE");
        return errno == 0 ? 0 : -1;
    }
    STAND_BEFORE(int, -1, statvfs, path, is_in_store(path), REAL(statvfs)(path, out));
}

DIR *opendir(const char *path)
{
    STAND_BEFORE(DIR *, NULL, opendir, path, is_in_store(path), REAL(opendir)(path));
}

/* ---- the host and its clocks ---- */

int gethostname(char *out, size_t size)
{
    const char *host = getenv("GIQ_FAULT_HOST");
    if (host == NULL) {
        return REAL(gethostname)(out, size);
    }
    (void)snprintf(out, size, "%s", host);
    return 0;
}

int uname(struct utsname *out)
{
    int result = REAL(uname)(out);
    if (result == 0 && getenv("GIQ_FAULT_HOST") != NULL) {
        result = gethostname(out->nodename, sizeof out->nodename);
    }
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = REAL(clock_gettime)(clock, out);
    if (result == 0 && clock == CLOCK_REALTIME) {
        out->tv_sec += number("GIQ_FAULT_CLOCK");
    }
    bool leaps = clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
    if (result == 0 && leaps && was_stopped) {
        out->tv_sec += number("GIQ_FAULT_LEAP");
    }
    return result;
}

time_t time(time_t *out)
{
    struct timespec now = {.tv_sec = -1};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(struct timeval *out, void *zone)
{
    int result = REAL(gettimeofday)(out, zone);
    if (result == 0) {
        out->tv_sec += number("GIQ_FAULT_CLOCK");
    }
    return result;
}

/* ---- connections ---- */

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    static atomic_int looked_up;
    static const char domain[] = ".test";
    size_t len = name == NULL ? 0 : strlen(name);
    bool is_test =
        len > sizeof domain - 1 && strcmp(name + len - (sizeof domain - 1), domain) == 0;
    /* Some libcurls ask for both kinds of addresses at once, others one by one. */
    if (is_test && hints != NULL && hints->ai_family == AF_INET6) {
        return EAI_NONAME;
    }
    while (is_test && number("GIQ_FAULT_NAMES") < 0) {
        (void)pause();
    }
    if (is_test && looked_up++ < number("GIQ_FAULT_NAMES")) {
        return EAI_AGAIN;
    }
    return REAL(getaddrinfo)(is_test ? "127.0.0.1" : name, service, hints, out);
}

int socket(int domain, int type, int protocol)
{
    STAND_BEFORE(int, -1, socket, "", domain == AF_INET,
                 marked(REAL(socket)(domain, type, protocol), domain == AF_INET));
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    STAND_BEFORE(int, -1, connect, "", is_counted(fd), REAL(connect)(fd, address, len));
}

/* Only what keeps an idle connection alive. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    bool concerns =
        is_counted(fd) && len == sizeof(int) &&
        ((level == SOL_SOCKET && option == SO_KEEPALIVE) ||
         (level == IPPROTO_TCP && (option == TCP_KEEPIDLE || option == TCP_KEEPINTVL)));
    const char *name = level == SOL_SOCKET      ? "KEEPALIVE"
                       : option == TCP_KEEPIDLE ? "KEEPIDLE"
                                                : "KEEPINTVL";
    char what[32];
    (void)snprintf(what, sizeof what, "%s %d", name, concerns ? *(const int *)value : 0);
    STAND_BEFORE(int, -1, setsockopt, what, concerns,
                 REAL(setsockopt)(fd, level, option, value, len));
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    STAND_BEFORE(ssize_t, -1, send, "", is_counted(fd),
                 REAL(send)(fd, bytes, len, flags));
}

ssize_t recv(int fd, void *out, size_t len, int flags)
{
    STAND_BEFORE(ssize_t, -1, recv, "", is_counted(fd), REAL(recv)(fd, out, len, flags));
}

/* ---- the plugin's allocations ---- */

static uintptr_t plugin_from;
static uintptr_t plugin_to;

static int find_plugin(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    if (strstr(info->dlpi_name, "gdal_GIQ") == NULL) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            plugin_from = info->dlpi_addr + part->p_vaddr;
            plugin_to = plugin_from + part->p_memsz;
        }
    }
    return 1;
}

/* Whether this allocation is to fail. */
static bool meet_allocation(const void *caller)
{
    static atomic_bool looking;
    if (number("GIQ_FAULT_ALLOC") == 0) {
        return false;
    }
    if (plugin_to == 0 && !looking) {
        looking = true;
        (void)dl_iterate_phdr(find_plugin, NULL);
        looking = false;
    }
    uintptr_t at = (uintptr_t)caller;
    if (at < plugin_from || at >= plugin_to) {
        return false;
    }
    if (getenv("GIQ_FAULT_LOG") != NULL) {
        note("allocation ");
    }
    if (++allocations != number("GIQ_FAULT_ALLOC")) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return meet_allocation(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return meet_allocation(__builtin_return_address(0)) ? NULL
                                                        : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return meet_allocation(__builtin_return_address(0)) ? NULL
                                                        : __libc_realloc(old, size);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy =
        meet_allocation(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}
