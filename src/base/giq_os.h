/*
 * The operating system: with giq_os_lock and giq_thread, the only module of the core that
 * makes system calls. A port to another system is a port of these three.
 *
 * Failures of files and folders are GIQ_E_STORE with `sys_errno` set, unless a function
 * documents another error; their texts name the path. Any function that returns an error
 * may fail with GIQ_E_MEMORY. Every descriptor is close-on-exec, and none is 0, 1 or 2
 * except during giq_os_list(). Opens, reads, writes and syncs that a signal
 * interrupts are repeated. Thread-safe.
 */
#ifndef GIQ_OS_H
#define GIQ_OS_H

#include "base/giq_buf.h"
#include "base/giq_error.h"
#include "giq/giq.h"

/* ---- this process ---- */

long giq_os_pid(void);

/* The name of this host, for which Linux allows 64 bytes; "" if it is not known. */
enum { GIQ_OS_HOST_SIZE = 65 };
void giq_os_host(char out[GIQ_OS_HOST_SIZE]);

/* What distinguishes a process from those of other hosts and of earlier boots. Members
 * that are not known are "" or 0. */
enum { GIQ_OS_BOOT_SIZE = 37 };
struct giq_os_identity {
    char host[GIQ_OS_HOST_SIZE];
    char boot[GIQ_OS_BOOT_SIZE]; /* a UUID that is new at each boot of the host */
    int64_t pidns;               /* the number of the pid namespace that `pid` is in */
    long pid;
    int64_t start; /* when the process began, in clock ticks since the boot */
};

/* The identity of this process. It is read anew each time: a process may have forked. */
void giq_os_identity(struct giq_os_identity *out);

enum giq_os_process {
    GIQ_OS_PROCESS_GONE,
    GIQ_OS_PROCESS_ALIVE,
    GIQ_OS_PROCESS_STOPPED, /* by a signal or a debugger: it may continue */
};

/* The state of the process `pid` of this host and pid namespace that began at `start`, as
 * in struct giq_os_identity. A process that cannot be checked counts as alive. */
enum giq_os_process giq_os_process_state(long pid, int64_t start);

/* A random text of hexadecimal digits that no other call, process or host gets. */
enum { GIQ_OS_TOKEN_SIZE = 33 };
void giq_os_token(char out[GIQ_OS_TOKEN_SIZE]);

/* ---- folders and whole files ---- */

enum giq_os_kind { GIQ_OS_NOTHING, GIQ_OS_FILE, GIQ_OS_FOLDER, GIQ_OS_OTHER };

struct giq_os_stat {
    enum giq_os_kind kind;
    int64_t size;
    unsigned access;     /* permission bits, as enum giq_os_access */
    int64_t modified_ns; /* since 1970-01-01 UTC, by the clock of the file's server */
    int64_t links;       /* how many hard links it has */
};

/* Permission bits. New folders get `access`, new files `access` without the bits to
 * execute; the umask applies. */
enum giq_os_access {
    GIQ_OS_PRIVATE = 0700,
    GIQ_OS_SHARED = 0775,
    GIQ_OS_OTHERS_READ = 0044, /* group or others */
    GIQ_OS_WORLD_WRITE = 0002,
    GIQ_OS_WORLD_SEARCH = 0001,
    GIQ_OS_UNSYNCED = 010000, /* not a permission: do not sync the new file */
};

/* stat() `path`; the kind is GIQ_OS_NOTHING if it does not exist. Follows links. */
bool giq_os_stat(const char *path, struct giq_os_stat *out, struct giq_error *err);

/* The same for a file or folder that is opened first: the client of a file server then
 * asks for its current status, where stat() may return one that is a minute old. Fails if
 * `path` is a link, or if a part of it before the last is not a folder. */
bool giq_os_stat_now(const char *path, struct giq_os_stat *out, struct giq_error *err);

/* Overwrite the first bytes of an existing file, and sync it. It needs no space on the
 * disk, but the file may be half written after a crash, or when another process reads it.
 * Fails if `path` is a link. */
bool giq_os_overwrite(const char *path, const char *bytes, size_t len,
                      struct giq_error *err);

/* Set the time at which a file or folder was modified to now, by the clock of its server.
 * Does not follow links. */
bool giq_os_touch(const char *path, struct giq_error *err);

/* Now, in nanoseconds since 1970-01-01 UTC, by the clock of the server that `folder` is
 * on. Creates and removes a file in it. */
bool giq_os_server_time(const char *folder, unsigned access, int64_t *out_ns,
                        struct giq_error *err);

/* Make `path` and the folders above it that are missing. They are not synced. */
bool giq_os_make_folders(const char *path, unsigned access, struct giq_error *err);
/* The same, and sync the parent of each folder that was made, and of `path` also if it
 * exists: another process may have made it and not synced its parent yet. */
bool giq_os_make_durable_folders(const char *path, unsigned access,
                                 struct giq_error *err);

/* Append the contents of a regular file to `out`, which then has at most `max` bytes.
 * `*out_found` is false (and the call succeeds) if there is no file. If the file is not
 * regular or is larger, `sys_errno` of the error is 0. Follows links. */
bool giq_os_read_file(const char *path, size_t max, struct giq_buf *out, bool *out_found,
                      struct giq_error *err);

/* The path of a temporary file, "<folder>/<name>.<token>.tmp", which the caller frees.
 * NULL when out of memory. */
char *giq_os_temporary(const char *folder, const char *name);

/* Replace the file `folder`/`name` so that after a crash it is the complete old or the
 * complete new file: giq_os_temporary(), fsync, rename, fsync of the folder. Of several
 * callers at a time the last one wins. */
bool giq_os_replace_file(const char *folder, const char *name, unsigned access,
                         const char *bytes, size_t len, struct giq_error *err);

/* The same, but the folder is not synced: until it is, a crash may also bring back the
 * old file. */
bool giq_os_put_file(const char *folder, const char *name, unsigned access,
                     const char *bytes, size_t len, struct giq_error *err);

/* Create a file with these bytes, synced unless `access` has GIQ_OS_UNSYNCED; its folder
 * is not. `*out_exists` is true, and the call succeeds, if the path exists already: of
 * several callers one creates it. After a failure the file is removed, unless `len` is 0.
 */
bool giq_os_create_new(const char *path, unsigned access, const char *bytes, size_t len,
                       bool *out_exists, struct giq_error *err);

enum giq_os_link_outcome {
    GIQ_OS_LINKED,
    GIQ_OS_LINK_EXISTS,      /* there is a file at `to` */
    GIQ_OS_LINK_UNSUPPORTED, /* the file system cannot make this hard link */
};

/* Make the hard link `to` to the file `from`, which must have no other name: of several
 * callers with the same `to` one succeeds. A link that was made although the call failed,
 * because the reply of a file server was lost, counts as made. Not synced. */
bool giq_os_link(const char *from, const char *to, enum giq_os_link_outcome *out,
                 struct giq_error *err);

/* Rename within a file system; replaces a file at `to`. Not synced. */
bool giq_os_rename(const char *from, const char *to, struct giq_error *err);

/* Whether `path` is a folder, not a link to one; also false if it cannot be checked. */
bool giq_os_is_folder(const char *path);

/* Whether `path` is a symbolic link; also false if it cannot be checked. */
bool giq_os_is_link(const char *path);

/* Remove a file or an empty folder; succeeds if the path does not exist. Does not follow
 * links. */
bool giq_os_remove(const char *path, struct giq_error *err);

/* fsync a folder or a regular file. Follows links. */
bool giq_os_sync_path(const char *path, struct giq_error *err);

/* fsync the folder that `path` is in. A '/' at the end of `path` makes no difference. */
bool giq_os_sync_parent(const char *path, struct giq_error *err);

/* Call `each` for every entry except "." and "..". If `each` fails, the call fails with
 * its error. A missing folder has no entries. */
bool giq_os_list(const char *folder,
                 bool (*each)(void *ctx, const char *name, struct giq_error *err),
                 void *ctx, struct giq_error *err);

/* Bytes that an ordinary user may still write below `path`; false if the file system
 * does not report them. */
bool giq_os_free_space(const char *path, int64_t *out_bytes);

/* ---- open files ---- */

struct giq_os_file;

/* Create a file, or empty the file that exists. Fails if `path` is a link. The caller
 * passes `*out` to giq_os_close(). */
bool giq_os_create(const char *path, unsigned access, struct giq_os_file **out,
                   struct giq_error *err);
/* Write all `len` bytes. */
bool giq_os_write(struct giq_os_file *file, const void *bytes, size_t len,
                  struct giq_error *err);
/* fsync(); it also reports errors of earlier writes. */
bool giq_os_sync(struct giq_os_file *file, struct giq_error *err);
/* Empty the file and continue to write at its start. */
bool giq_os_truncate(struct giq_os_file *file, struct giq_error *err);
/* NULL is allowed. */
void giq_os_close(struct giq_os_file *file);
GIQ_AUTO_DEFINE(giq_os_close, struct giq_os_file)
#define GIQ_AUTO_FILE GIQ_AUTO(giq_os_close_auto)

/* Open `path` to read it from its start. The caller passes `*out` to giq_os_close(). */
bool giq_os_open(const char *path, struct giq_os_file **out, struct giq_error *err);
/* The next read begins with the byte `at`. */
bool giq_os_seek(struct giq_os_file *file, uint64_t at, struct giq_error *err);
/* Read at least 1 and at most `max` bytes; `*out_len` is 0 only at the end of the file.
 */
bool giq_os_read(struct giq_os_file *file, char *out, size_t max, size_t *out_len,
                 struct giq_error *err);

/* Read the first bytes of a file: `max`, or fewer if it is shorter. */
bool giq_os_read_head(const char *path, char *out, size_t max, size_t *out_len,
                      struct giq_error *err);

/* ---- sockets, clocks and others ---- */

/* socket(), close-on-exec and never 0 to 2; -1 on failure. */
int giq_os_socket(int family, int type, int protocol);

/* Clocks, a sleep and a random number, as in struct giq_env. A sleep may end early. The
 * random number is not for secrets: if the system has none yet, it is the time. */
int64_t giq_os_now_ms(void);
int64_t giq_os_boot_ms(void);
int64_t giq_os_wall_ms(void);
void giq_os_sleep_ms(int64_t ms);
uint32_t giq_os_random(void);

/* Whether standard error is a terminal. */
bool giq_os_is_terminal(void);

/* "<a>/<b>", which the caller frees; NULL when out of memory. */
char *giq_os_join(const char *a, const char *b);

/* Overwrite memory in a way that the compiler keeps. */
void giq_os_wipe(void *bytes, size_t len);

#endif
