#include "base/giq_os.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/giq_os_lock.h"
#include "base/giq_tree.h"
#include "env_kit.h"

static void test_stat_of_paths(void **state)
{
    char *folder = *state;
    char *pipe_path = giq_os_join(folder, "pipe");
    char *file = giq_os_join(folder, "file");
    char *below = giq_os_join(file, "below");
    env_kit_write(folder, "file", "abc");
    assert_int_equal(chmod(file, 0640), 0);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    const struct {
        const char *path;
        enum giq_os_kind kind;
        unsigned access;
        int64_t size; /* of files */
    } cases[] = {
        {file, GIQ_OS_FILE, 0640, 3},
        {folder, GIQ_OS_FOLDER, 0700, 0},
        {pipe_path, GIQ_OS_OTHER, 0600, 0},
        {below, GIQ_OS_NOTHING, 0, 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_os_stat st;
        struct giq_error err = {0};
        assert_true(giq_os_stat(cases[i].path, &st, &err));
        assert_int_equal(st.kind, cases[i].kind);
        assert_true(st.kind != GIQ_OS_FILE || st.size == cases[i].size);
        assert_int_equal(st.access, cases[i].access);
    }
    free(below);
    free(file);
    free(pipe_path);
}

static void test_folders_are_made_with_those_above(void **state)
{
    static const struct {
        unsigned access;
        mode_t umask, folder, file;
    } cases[] = {
        {GIQ_OS_PRIVATE, 0, 0700, 0600},  {GIQ_OS_PRIVATE, 077, 0700, 0600},
        {GIQ_OS_SHARED, 022, 0755, 0644}, {GIQ_OS_SHARED, 002, 0775, 0664},
        {GIQ_OS_SHARED, 0, 0775, 0664},   {0750, 0, 0750, 0640},
    };
    char *folder = *state;
    char *path = giq_os_join(folder, "a/b/c");
    char *file = giq_os_join(folder, "a/b/c/f");
    char *top = giq_os_join(folder, "a");
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct stat st;
        struct giq_error err = {0};
        mode_t before = umask(cases[i].umask);
        assert_true(giq_os_make_folders(path, cases[i].access, &err));
        assert_true(giq_os_make_folders(path, cases[i].access, &err));
        assert_true(giq_os_replace_file(path, "f", cases[i].access, "x", 1, &err));
        (void)umask(before);
        assert_int_equal(stat(top, &st), 0);
        assert_int_equal(st.st_mode & 0777, cases[i].folder);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 0777, cases[i].file);
        assert_true(giq_tree_remove(top, &err));
    }
    free(top);
    free(file);
    free(path);
}

static void test_a_file_in_the_way_of_folders_is_an_error(void **state)
{
    static const char *const paths[] = {"file", "file/below"};
    env_kit_write(*state, "file", "");
    for (size_t i = 0; i < GIQ_COUNT(paths); i++) {
        struct giq_error err = {0};
        char *path = giq_os_join(*state, paths[i]);
        assert_false(giq_os_make_folders(path, GIQ_OS_SHARED, &err));
        assert_int_equal(err.code, GIQ_E_STORE);
        assert_int_equal(err.sys_errno, ENOTDIR);
        assert_non_null(strstr(err.text, path));
        free(path);
    }
}

static void test_reading_is_limited_to_regular_files_of_a_size(void **state)
{
    char *folder = *state;
    char *pipe_path = giq_os_join(folder, "pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    env_kit_write(folder, "file", "12345");
    const struct {
        const char *name;
        size_t max;
        bool ok, found;
    } cases[] = {{"file", 5, true, true},     {"file", 4, false, false},
                 {"missing", 5, true, false}, {"file/below", 5, true, false},
                 {"pipe", 5, false, false},   {".", 5, false, false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_buf buf;
        struct giq_error err = {0};
        bool found = false;
        char *path = giq_os_join(folder, cases[i].name);
        giq_buf_init(&buf, 100);
        assert_int_equal(giq_os_read_file(path, cases[i].max, &buf, &found, &err),
                         cases[i].ok);
        assert_int_equal(err.code, cases[i].ok ? GIQ_E_NONE : GIQ_E_STORE);
        assert_int_equal(found, cases[i].found);
        giq_buf_release(&buf);
        free(path);
    }
    free(pipe_path);
}

/* ---- a file that another machine replaces while it is read ---- */

static int stale_reads; /* so many reads of a second block fail */

UNIT_WRAPS(read);
ssize_t __wrap_read(int fd, void *out, size_t max)
{
    if (stale_reads > 0 && lseek(fd, 0, SEEK_CUR) > 0) {
        stale_reads--;
        errno = ESTALE;
        return -1;
    }
    return __real_read(fd, out, max);
}

static void test_file_that_is_replaced_while_it_is_read_is_read_again(void **state)
{
    enum { BYTES = 40000 };
    static char bytes[BYTES];
    char *folder = *state;
    struct giq_error err = {0};
    bool found = false;
    (void)memset(bytes, 'x', sizeof bytes);
    assert_true(giq_os_replace_file(folder, "f", 0600, bytes, sizeof bytes, &err));
    char *path = giq_os_join(folder, "f");
    for (int failures = 0; failures <= 5; failures++) {
        GIQ_AUTO_BUF struct giq_buf buf;
        giq_buf_init(&buf, BYTES + 4);
        assert_true(giq_buf_add_text(&buf, "head"));
        stale_reads = failures;
        bool ok = failures < 5;
        assert_int_equal(giq_os_read_file(path, BYTES + 4, &buf, &found, &err), ok);
        assert_int_equal(stale_reads, 0);
        if (ok) {
            assert_true(found);
            assert_int_equal(buf.len, BYTES + 4);
            assert_memory_equal(buf.data, "head", 4);
            assert_memory_equal(buf.data + 4, bytes, BYTES);
        } else {
            assert_int_equal(err.sys_errno, ESTALE);
        }
    }
    free(path);
}

static void test_replacing_leaves_the_new_file_alone(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    env_kit_write(folder, "f", "old");
    assert_true(giq_os_replace_file(folder, "f", 0600, "new", 3, &err));
    env_kit_expect(folder, "f", "new");
    assert_int_equal(env_kit_count(folder, ""), 1);
    char *path = giq_os_join(folder, "in-the-way");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(giq_os_replace_file(folder, "in-the-way", 0600, "new", 3, &err));
    assert_int_equal(err.sys_errno, EISDIR);
    assert_non_null(strstr(err.text, path));
    free(path);
    assert_int_equal(env_kit_count(folder, ""), 2);
    assert_false(giq_os_replace_file("/nonexistent-giq", "f", 0, "x", 1, &err));
    assert_int_equal(err.sys_errno, ENOENT);
}

static void test_replacing_does_not_follow_a_planted_link(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    char *victim = giq_os_join(folder, "victim");
    char *file = giq_os_join(folder, "f");
    env_kit_write(folder, "victim", "whole");
    assert_int_equal(symlink(victim, file), 0);
    assert_true(giq_os_replace_file(folder, "f", 0600, "new", 3, &err));
    env_kit_expect(folder, "victim", "whole");
    env_kit_expect(folder, "f", "new");
    free(file);
    free(victim);
}

/* Each text is whole, and none of the writers fails. */
static void test_several_may_replace_a_file_at_once(void **state)
{
    enum { WRITERS = 4, ROUNDS = 50, BYTES = 5000 };
    char *folder = *state;
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        if (writers[i] == 0) {
            char bytes[BYTES];
            struct giq_error err = {0};
            bool ok = true;
            (void)memset(bytes, 'a' + i, sizeof bytes);
            for (int round = 0; ok && round < ROUNDS; round++) {
                ok = giq_os_replace_file(folder, "f", 0600, bytes, sizeof bytes, &err);
            }
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, 0);
        char *text = env_kit_read(folder, "f");
        assert_int_equal(strlen(text), BYTES);
        assert_int_equal(strspn(text, (char[]){text[0], '\0'}), BYTES);
        free(text);
    }
    assert_int_equal(env_kit_count(folder, ""), 1);
}

/* ---- identities and times ---- */

static void test_identity_is_of_this_process_and_boot(void **state)
{
    struct giq_os_identity parent;
    char host[GIQ_OS_HOST_SIZE];
    (void)state;
    giq_os_identity(&parent);
    assert_int_equal(gethostname(host, sizeof host), 0);
    assert_string_equal(parent.host, host);
    assert_int_equal(strlen(parent.boot), GIQ_OS_BOOT_SIZE - 1);
    assert_int_equal(strspn(parent.boot, "0123456789abcdef-"), GIQ_OS_BOOT_SIZE - 1);
    assert_true(parent.pidns != 0 && parent.start > 0);
    assert_int_equal(parent.pid, getpid());
    assert_int_equal(giq_os_process_state(parent.pid, parent.start),
                     GIQ_OS_PROCESS_ALIVE);
    assert_int_equal(giq_os_process_state(parent.pid, 0), GIQ_OS_PROCESS_ALIVE);
    assert_int_equal(giq_os_process_state(parent.pid, parent.start + 1),
                     GIQ_OS_PROCESS_GONE);
    pid_t child = fork();
    if (child == 0) {
        struct giq_os_identity self;
        giq_os_identity(&self);
        _exit(self.pid == getpid() && self.pidns == parent.pidns &&
                      self.start >= parent.start &&
                      giq_os_process_state(parent.pid, parent.start) ==
                          GIQ_OS_PROCESS_ALIVE
                  ? 0
                  : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(giq_os_process_state(child, 0), GIQ_OS_PROCESS_GONE);
}

/* A name with brackets and spaces does not shift the fields. */
static void test_process_is_stopped_continued_and_dead(void **state)
{
    siginfo_t info;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_NAME, ") Z 1 (");
        (void)raise(SIGSTOP);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WSTOPPED), 0);
    assert_int_equal(giq_os_process_state(child, 0), GIQ_OS_PROCESS_STOPPED);
    assert_int_equal(kill(child, SIGCONT), 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WCONTINUED), 0);
    assert_int_equal(giq_os_process_state(child, 0), GIQ_OS_PROCESS_ALIVE);
    assert_int_equal(kill(child, SIGKILL), 0);
    /* Not waited for, it is a zombie. */
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(giq_os_process_state(child, 0), GIQ_OS_PROCESS_GONE);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED), 0);
    assert_int_equal(giq_os_process_state(child, 0), GIQ_OS_PROCESS_GONE);
}

static void test_tokens_differ(void **state)
{
    char one[GIQ_OS_TOKEN_SIZE];
    char two[GIQ_OS_TOKEN_SIZE];
    (void)state;
    giq_os_token(one);
    giq_os_token(two);
    assert_int_equal(strspn(one, "0123456789abcdef"), GIQ_OS_TOKEN_SIZE - 1);
    assert_int_equal(one[GIQ_OS_TOKEN_SIZE - 1], '\0');
    assert_string_not_equal(one, two);
}

static void test_touched_file_is_as_old_as_a_new_one(void **state)
{
    char *folder = *state;
    struct giq_os_stat st;
    struct giq_error err = {0};
    int64_t before_ns = 0;
    int64_t after_ns = 0;
    const struct timespec past[2] = {{.tv_sec = 1000000000, .tv_nsec = 5},
                                     {.tv_sec = 1000000000, .tv_nsec = 5}};
    env_kit_write(folder, "f", "x");
    char *path = giq_os_join(folder, "f");
    char *second = giq_os_join(folder, "g");
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    assert_true(giq_os_stat_now(path, &st, &err));
    assert_true(st.modified_ns == INT64_C(1000000000000000005));
    assert_int_equal(st.links, 1);
    assert_int_equal(link(path, second), 0);
    assert_true(giq_os_server_time(folder, 0700, &before_ns, &err));
    assert_true(giq_os_touch(path, &err));
    assert_true(giq_os_server_time(folder, 0700, &after_ns, &err));
    assert_true(giq_os_stat_now(second, &st, &err));
    assert_int_equal(st.kind, GIQ_OS_FILE);
    assert_int_equal(st.links, 2);
    assert_true(before_ns <= st.modified_ns && st.modified_ns <= after_ns);
    assert_int_equal(env_kit_count(folder, ""), 2);
    assert_int_equal(unlink(path), 0);
    assert_true(giq_os_stat_now(path, &st, &err));
    assert_int_equal(st.kind, GIQ_OS_NOTHING);
    assert_false(giq_os_touch(path, &err));
    assert_int_equal(err.sys_errno, ENOENT);
    assert_false(giq_os_server_time(path, 0700, &after_ns, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    free(path);
    free(second);
}

static bool count_entry(void *ctx, const char *name, struct giq_error *err)
{
    int *left = ctx;
    assert_int_not_equal(name[0], '.');
    return --*left >= 0 || giq_fail(err, GIQ_E_RESULT, "enough");
}

static void test_listing_stops_at_the_first_failure(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    int left = 3;
    env_kit_write(folder, "a", "");
    env_kit_write(folder, "b", "");
    env_kit_write(folder, "c", "");
    assert_true(giq_os_list(folder, count_entry, &left, &err));
    assert_int_equal(left, 0);
    left = 1;
    assert_false(giq_os_list(folder, count_entry, &left, &err));
    assert_int_equal(err.code, GIQ_E_RESULT);
    assert_int_equal(left, -1);
    assert_true(giq_os_list("/nonexistent-giq", count_entry, &left, &err));
}

static void test_writing_truncating_and_reading_heads(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    struct giq_os_file *file = NULL;
    char head[4];
    size_t len = 0;
    char *path = giq_os_join(folder, "f");
    env_kit_write(folder, "f", "something longer");
    assert_true(giq_os_create(path, GIQ_OS_PRIVATE, &file, &err));
    assert_true(giq_os_write(file, "abcdef", 6, &err));
    assert_true(giq_os_truncate(file, &err));
    assert_true(giq_os_write(file, "xyz", 3, &err));
    assert_true(giq_os_sync(file, &err));
    giq_os_close(file);
    giq_os_close(NULL);
    assert_true(giq_os_sync_path(folder, &err));
    assert_true(giq_os_read_head(path, head, 2, &len, &err));
    assert_int_equal(len, 2);
    assert_memory_equal(head, "xy", 2);
    assert_true(giq_os_read_head(path, head, 4, &len, &err));
    assert_int_equal(len, 3);
    assert_false(giq_os_read_head("/nonexistent-giq", head, 4, &len, &err));
    free(path);
}

static off_t begun; /* so far the system was asked to write */

UNIT_WRAPS(sync_file_range);

int __wrap_sync_file_range(int fd, off_t offset, off_t count, unsigned flags)
{
    assert_true(offset == 0 || offset == begun);
    begun = offset + count;
    return __real_sync_file_range(fd, offset, count, flags);
}

/* The disk takes it while it is written. */
static void test_large_file_is_as_it_was_written(void **state)
{
    enum { BLOCK = 1 << 20, BLOCKS = 20, SIZE = BLOCK * BLOCKS };
    struct giq_error err = {0};
    struct giq_os_file *file = NULL;
    struct giq_os_stat st = {.kind = GIQ_OS_NOTHING};
    char *path = giq_os_join(*state, "f");
    char *block = malloc(BLOCK);
    assert_non_null(block);
    assert_true(giq_os_create(path, GIQ_OS_SHARED, &file, &err));
    for (int round = 0; round < 2; round++) {
        assert_true(giq_os_truncate(file, &err));
        for (int i = 0; i < BLOCKS; i++) {
            memset(block, 'a' + i, BLOCK);
            assert_true(giq_os_write(file, block, BLOCK, &err));
        }
    }
    assert_true(begun >= SIZE / 2 && begun <= SIZE);
    assert_true(giq_os_sync(file, &err));
    giq_os_close(file);
    assert_true(giq_os_stat(path, &st, &err));
    assert_int_equal(st.size, SIZE);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    for (int i = 0; i < BLOCKS; i++) {
        assert_int_equal(fread(block, 1, BLOCK, in), BLOCK);
        assert_int_equal(block[0], 'a' + i);
        assert_int_equal(block[BLOCK - 1], 'a' + i);
    }
    (void)fclose(in);
    free(block);
    free(path);
}

/* ---- a sync that a signal interrupts ---- */

static int interrupted_syncs; /* so many calls of fsync() fail */

UNIT_WRAPS(fsync);

int __wrap_fsync(int fd)
{
    if (interrupted_syncs > 0) {
        interrupted_syncs--;
        errno = EINTR;
        return -1;
    }
    return __real_fsync(fd);
}

static void test_sync_that_is_interrupted_is_repeated(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    GIQ_AUTO_FREE char *path = giq_os_join(folder, "f");
    env_kit_write(folder, "f", "old text");
    interrupted_syncs = 2;
    assert_true(giq_os_overwrite(path, "new", 3, &err));
    assert_int_equal(interrupted_syncs, 0);
    env_kit_expect(folder, "f", "new text");
    interrupted_syncs = 2;
    assert_true(giq_os_sync_path(path, &err));
    assert_int_equal(interrupted_syncs, 0);
}

static void test_messages_of_a_host_without_standard_error_miss_the_files(void **state)
{
    struct giq_error err = {0};
    struct giq_os_file *file = NULL;
    struct giq_os_lock *lock = NULL;
    char head[8];
    size_t len = 0;
    char *path = giq_os_join(*state, "f");
    char *lock_path = giq_os_join(*state, "lock");
    int kept = dup(STDERR_FILENO);
    (void)close(STDERR_FILENO);
    bool ok = giq_os_create(path, GIQ_OS_SHARED, &file, &err) &&
              giq_os_lock_try(lock_path, GIQ_OS_SHARED, &lock, &err) &&
              giq_os_write(file, "abc", 3, &err);
    ssize_t written = write(STDERR_FILENO, "rubbish", 7);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    assert_true(ok);
    assert_int_equal(written, -1);
    giq_os_close(file);
    giq_os_lock_release(lock);
    assert_true(giq_os_read_head(path, head, sizeof head, &len, &err));
    assert_int_equal(len, 3);
    free(lock_path);
    free(path);
}

static void test_sockets_are_no_standard_streams_and_close_on_exec(void **state)
{
    (void)state;
    int kept = dup(STDIN_FILENO);
    (void)close(STDIN_FILENO);
    int fd = giq_os_socket(AF_INET, SOCK_STREAM, 0);
    (void)dup2(kept, STDIN_FILENO);
    (void)close(kept);
    assert_true(fd > STDERR_FILENO);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    (void)close(fd);
    assert_int_equal(giq_os_socket(-1, SOCK_STREAM, 0), -1);
}

static void test_locks_exclude_within_a_process(void **state)
{
    struct giq_error err = {0};
    struct giq_os_lock *first = NULL;
    struct giq_os_lock *second = NULL;
    char *path = giq_os_join(*state, "lock");
    assert_true(giq_os_lock_try(path, GIQ_OS_SHARED, &first, &err));
    assert_non_null(first);
    assert_true(giq_os_lock_try(path, GIQ_OS_SHARED, &second, &err));
    assert_null(second);
    giq_os_lock_release(first);
    assert_true(giq_os_lock_try(path, GIQ_OS_SHARED, &second, &err));
    assert_non_null(second);
    giq_os_lock_release(second);
    giq_os_lock_release(NULL);
    assert_false(giq_os_lock_try("/nonexistent-giq/lock", 0, &first, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    free(path);
}

static void test_free_space_and_memory(void **state)
{
    int64_t bytes = -1;
    char text[] = "abc";
    assert_true(giq_os_free_space(*state, &bytes));
    assert_true(bytes >= 0);
    assert_false(giq_os_free_space("/nonexistent-giq", &bytes));
    assert_false(giq_os_free_space("/proc", &bytes));
    giq_os_wipe(text, 2);
    assert_memory_equal(text, "\0\0c", 4);
    char *joined = giq_os_join("a", "b");
    assert_string_equal(joined, "a/b");
    free(joined);
}

static void test_new_file_is_created_by_one_of_two(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    bool exists = true;
    GIQ_AUTO_FREE char *path = giq_os_join(folder, "a");
    assert_true(giq_os_create_new(path, 0640, "one", 3, &exists, &err));
    assert_false(exists);
    assert_true(giq_os_create_new(path, 0640, "two", 3, &exists, &err));
    assert_true(exists);
    env_kit_expect(folder, "a", "one");
    struct giq_os_stat st;
    assert_true(giq_os_stat(path, &st, &err));
    assert_int_equal(st.access, 0640);
    GIQ_AUTO_FREE char *below = giq_os_join(path, "below");
    assert_false(giq_os_create_new(below, 0640, "x", 1, &exists, &err));
    assert_int_equal(err.sys_errno, ENOTDIR);
}

static void test_link_is_made_once(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    enum giq_os_link_outcome outcome = GIQ_OS_LINK_UNSUPPORTED;
    GIQ_AUTO_FREE char *to = giq_os_join(folder, "to");
    GIQ_AUTO_FREE char *one = giq_os_join(folder, "one");
    GIQ_AUTO_FREE char *two = giq_os_join(folder, "two");
    env_kit_write(folder, "one", "one");
    env_kit_write(folder, "two", "two");
    assert_true(giq_os_link(one, to, &outcome, &err));
    assert_int_equal(outcome, GIQ_OS_LINKED);
    assert_true(giq_os_link(two, to, &outcome, &err));
    assert_int_equal(outcome, GIQ_OS_LINK_EXISTS);
    /* A backup has made a link of the file that is to be linked. */
    GIQ_AUTO_FREE char *backup = giq_os_join(folder, "backup");
    assert_int_equal(link(two, backup), 0);
    assert_true(giq_os_link(two, to, &outcome, &err));
    assert_int_equal(outcome, GIQ_OS_LINK_EXISTS);
    env_kit_expect(folder, "to", "one");
    GIQ_AUTO_FREE char *none = giq_os_join(folder, "none");
    assert_false(giq_os_link(none, two, &outcome, &err));
    assert_int_equal(err.sys_errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_stat_of_paths),
        ENV_KIT_TEST(test_folders_are_made_with_those_above),
        ENV_KIT_TEST(test_a_file_in_the_way_of_folders_is_an_error),
        ENV_KIT_TEST(test_reading_is_limited_to_regular_files_of_a_size),
        ENV_KIT_TEST(test_file_that_is_replaced_while_it_is_read_is_read_again),
        ENV_KIT_TEST(test_replacing_leaves_the_new_file_alone),
        ENV_KIT_TEST(test_replacing_does_not_follow_a_planted_link),
        ENV_KIT_TEST(test_several_may_replace_a_file_at_once),
        ENV_KIT_TEST(test_identity_is_of_this_process_and_boot),
        ENV_KIT_TEST(test_process_is_stopped_continued_and_dead),
        ENV_KIT_TEST(test_tokens_differ),
        ENV_KIT_TEST(test_touched_file_is_as_old_as_a_new_one),
        ENV_KIT_TEST(test_listing_stops_at_the_first_failure),
        ENV_KIT_TEST(test_writing_truncating_and_reading_heads),
        ENV_KIT_TEST(test_large_file_is_as_it_was_written),
        ENV_KIT_TEST(test_sync_that_is_interrupted_is_repeated),
        ENV_KIT_TEST(test_messages_of_a_host_without_standard_error_miss_the_files),
        cmocka_unit_test(test_sockets_are_no_standard_streams_and_close_on_exec),
        ENV_KIT_TEST(test_locks_exclude_within_a_process),
        ENV_KIT_TEST(test_free_space_and_memory),
        ENV_KIT_TEST(test_new_file_is_created_by_one_of_two),
        ENV_KIT_TEST(test_link_is_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
