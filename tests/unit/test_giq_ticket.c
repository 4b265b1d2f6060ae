/* Tickets: one owner each, what became of them, and who counts as alive. */
#include "store/giq_ticket.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env_kit.h"

enum { PRIVATE = 0700 };

/* ---- system calls that a test replaces ---- */

static int link_errno;         /* of each call; 0: it works */
static const char *other_host; /* NULL: the real one */
static const char *other_boot; /* a file with the id of another boot */
static bool is_read_only;      /* no file can be created */
static bool sync_fails;

UNIT_WRAPS(link);

int __wrap_link(const char *from, const char *to)
{
    errno = link_errno;
    return link_errno == 0 ? __real_link(from, to) : -1;
}

UNIT_WRAPS(gethostname);

int __wrap_gethostname(char *out, size_t size)
{
    if (other_host == NULL) {
        return __real_gethostname(out, size);
    }
    (void)snprintf(out, size, "%s", other_host);
    return 0;
}

UNIT_WRAPS(open);

int __wrap_open(const char *path, int flags, ...)
{
    UNIT_OPTIONAL_ARG(mode_t, mode, flags);
    if (is_read_only && (flags & O_CREAT) != 0) {
        errno = EROFS;
        return -1;
    }
    bool is_boot = strcmp(path, "/proc/sys/kernel/random/boot_id") == 0;
    return __real_open(is_boot && other_boot != NULL ? other_boot : path, flags, mode);
}

UNIT_WRAPS(giq_os_sync_path);

bool __wrap_giq_os_sync_path(const char *path, struct giq_error *err)
{
    if (sync_fails) {
        sync_fails = false;
        return giq_fail_sys(err, GIQ_E_STORE, EIO, "cannot sync");
    }
    return __real_giq_os_sync_path(path, err);
}

/* ---- tickets ---- */

static bool take(const char *folder, int n)
{
    struct giq_error err = {0};
    bool is_taken = false;
    GIQ_AUTO(giq_ticket_release) struct giq_ticket ticket;
    giq_ticket_init(&ticket);
    ticket.n = n;
    assert_true(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
    return is_taken;
}

static void read_ticket(const char *folder, int n, struct giq_ticket *out)
{
    struct giq_error err = {0};
    bool found = false;
    giq_ticket_init(out);
    assert_true(giq_ticket_read(folder, n, out, &found, &err));
    assert_true(found);
}

static bool is_alive_to(const struct giq_ticket_check *check, int n)
{
    struct giq_error err = {0};
    bool alive = false;
    GIQ_AUTO(giq_ticket_release) struct giq_ticket ticket;
    read_ticket(check->folder, n, &ticket);
    assert_true(giq_ticket_is_alive(check, &ticket, &alive, &err));
    return alive;
}

/* By one check. */
static bool is_alive(const char *folder, int n)
{
    const struct giq_ticket_check check = {.folder = folder, .access = PRIVATE};
    return is_alive_to(&check, n);
}

static int count_entries(const char *folder)
{
    int count = 0;
    char command[4200];
    (void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *pipe = popen(command, "r");
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    assert_int_equal(pclose(pipe), 0);
    return count;
}

static void test_ticket_states_its_owner_and_what_it_was_taken_for(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_os_identity self;
    struct giq_ticket read;
    bool is_taken = false;
    struct giq_ticket ticket = {
        .n = 12,
        .label = "again",
        .time_ms = 1714521600000,
        .model_id = "m-17",
        .file_id = "f-1",
        .upload = "/data/a \"b\".tif",
        .geometry_crs = "EPSG:32640",
        .replaces = "job-0",
        .started_ms = GIQ_TIME_NONE,
    };
    assert_true(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
    assert_true(is_taken);
    assert_int_equal(count_entries(folder), 1);
    giq_os_identity(&self);
    read_ticket(folder, 12, &read);
    assert_int_equal(read.n, 12);
    assert_int_equal(read.outcome, GIQ_TICKET_NONE);
    assert_string_equal(read.label, "again");
    assert_string_equal(read.model_id, "m-17");
    assert_string_equal(read.file_id, "f-1");
    assert_string_equal(read.upload, "/data/a \"b\".tif");
    assert_string_equal(read.geometry_crs, "EPSG:32640");
    assert_string_equal(read.replaces, "job-0");
    assert_true(read.time_ms == 1714521600000 && read.started_ms == GIQ_TIME_NONE);
    assert_int_equal(strlen(read.token), GIQ_OS_TOKEN_SIZE - 1);
    assert_string_equal(read.token, ticket.token);
    assert_string_equal(read.owner.host, self.host);
    assert_string_equal(read.owner.boot, self.boot);
    assert_true(read.owner.pid == getpid() && read.owner.pidns == self.pidns &&
                read.owner.start == self.start);
    assert_null(read.job_id);
    giq_ticket_release(&read);
    char *text = env_kit_read(folder, "sent.12");
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_int_equal(strncmp(text, "{\"format\":1,\"n\":12,", 19), 0);
    free(text);
}

static void test_outcomes_replace_the_ticket(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    const struct giq_ticket outcomes[] = {
        {.outcome = GIQ_TICKET_JOB,
         .job_id = "job-1",
         .status = "QUEUED",
         .type = "vector",
         .started_ms = 1714521600000},
        {.outcome = GIQ_TICKET_NOTHING,
         .started_ms = GIQ_TIME_NONE,
         .retry_after_ms = 7000},
        {.outcome = GIQ_TICKET_NOTHING, .started_ms = GIQ_TIME_NONE},
        {.outcome = GIQ_TICKET_UNKNOWN,
         .started_ms = GIQ_TIME_NONE,
         .error = "no response"},
    };
    for (size_t i = 0; i < GIQ_COUNT(outcomes); i++) {
        struct giq_ticket ticket = outcomes[i];
        struct giq_ticket read;
        bool is_taken = false;
        ticket.n = (int)i + 1;
        ticket.outcome = GIQ_TICKET_NONE;
        assert_true(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
        assert_true(is_taken);
        ticket.outcome = outcomes[i].outcome;
        assert_true(giq_ticket_end(folder, PRIVATE, &ticket, &err));
        read_ticket(folder, ticket.n, &read);
        assert_int_equal(read.outcome, outcomes[i].outcome);
        assert_string_equal(read.token, ticket.token);
        assert_true(read.retry_after_ms == outcomes[i].retry_after_ms);
        assert_true(read.started_ms == outcomes[i].started_ms);
        assert_int_equal(read.job_id == NULL, i != 0);
        assert_int_equal(read.error == NULL, i != 3);
        giq_ticket_release(&read);
        assert_false(take(folder, ticket.n));
    }
    assert_int_equal(count_entries(folder), GIQ_COUNT(outcomes));
}

static void test_tickets_are_listed_in_the_order_of_their_numbers(void **state)
{
    static const int numbers[] = {10, 2, 1, 9999999, 9};
    static const int sorted[] = {1, 2, 9, 10, 9999999};
    static const char *const others[] = {
        "sent.0", "sent.03", "sent.4.tmp", "sent.x", "sent.10000000", "sent", "job.json"};
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_tickets tickets = {0};
    assert_true(giq_ticket_list(folder, &tickets, &err));
    assert_int_equal(tickets.len, 0);
    assert_true(giq_ticket_list("/nonexistent-giq", &tickets, &err));
    assert_int_equal(tickets.len, 0);
    for (size_t i = 0; i < GIQ_COUNT(numbers); i++) {
        assert_true(take(folder, numbers[i]));
    }
    for (size_t i = 0; i < GIQ_COUNT(others); i++) {
        env_kit_write(folder, others[i], "{}");
    }
    assert_true(giq_ticket_list(folder, &tickets, &err));
    assert_int_equal(tickets.len, GIQ_COUNT(sorted));
    for (size_t i = 0; i < GIQ_COUNT(sorted); i++) {
        assert_int_equal(tickets.items[i].n, sorted[i]);
        assert_int_equal(tickets.items[i].owner.pid, getpid());
    }
    giq_tickets_release(&tickets);
    giq_tickets_release(&tickets);
}

static void test_numbers_out_of_range_are_not_taken(void **state)
{
    static const int numbers[] = {0, -1, GIQ_TICKET_MAX + 1};
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(numbers); i++) {
        struct giq_error err = {0};
        struct giq_ticket ticket = {.n = numbers[i]};
        bool is_taken = false;
        assert_false(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
        assert_int_equal(err.code, GIQ_E_STORE);
    }
    assert_int_equal(count_entries(folder), 0);
}

/* ---- damaged files ---- */

static void test_damaged_ticket_has_neither_owner_nor_outcome(void **state)
{
    static const char *const texts[] = {
        "",
        "{\"format\":1,\"n\":1,\"host\":\"a\",\"pid\":12",
        "[]",
        "{}",
        "{\"format\":0}",
        "{\"format\":1}",
        "{\"format\":1,\"outcome\":\"job\"}",
        "{\"format\":1,\"outcome\":\"job\",\"job_id\":\"\"}",
        "{\"format\":1,\"outcome\":\"job\",\"job_id\":7}",
        "{\"format\":1,\"outcome\":\"other\"}",
        "{\"format\":1,\"outcome\":true}",
        "{\"format\":1,\"pid\":0,\"host\":\"a\"}",
        "{\"format\":1,\"pid\":-5}",
        "{\"format\":1,\"pid\":99999999999}",
        "{\"format\":1,\"pid\":\"12\"}",
    };
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(texts); i++) {
        struct giq_error err = {0};
        struct giq_tickets tickets = {0};
        struct giq_ticket read;
        env_kit_write(folder, "sent.1", texts[i]);
        read_ticket(folder, 1, &read);
        assert_int_equal(read.n, 1);
        assert_int_equal(read.outcome, GIQ_TICKET_NONE);
        assert_int_equal(read.owner.pid, 0);
        giq_ticket_release(&read);
        assert_true(giq_ticket_list(folder, &tickets, &err));
        assert_int_equal(tickets.len, 1);
        giq_tickets_release(&tickets);
        assert_false(take(folder, 1));
        assert_true(is_alive(folder, 1));
        env_kit_set_age(folder, "sent.1", GIQ_TICKET_ABANDONED_MS + 1000);
        assert_false(is_alive(folder, 1));
    }
}

static void test_texts_of_an_owner_that_are_too_long_are_not_known(void **state)
{
    const char *folder = *state;
    char text[400];
    struct giq_ticket read;
    (void)snprintf(text, sizeof text,
                   "{\"format\":1,\"pid\":5,\"host\":\"%065d\",\"boot\":\"%037d\","
                   "\"token\":\"%033d\"}",
                   0, 0, 0);
    env_kit_write(folder, "sent.1", text);
    read_ticket(folder, 1, &read);
    assert_int_equal(read.owner.pid, 5);
    assert_string_equal(read.owner.host, "");
    assert_string_equal(read.owner.boot, "");
    assert_string_equal(read.token, "");
    giq_ticket_release(&read);
}

static void test_ticket_that_is_missing_newer_or_no_file_is_told(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_tickets tickets = {0};
    struct giq_ticket read;
    bool found = true;
    giq_ticket_init(&read);
    assert_true(giq_ticket_read(folder, 1, &read, &found, &err));
    assert_false(found);
    env_kit_write(folder, "sent.1", "{\"format\":2}");
    assert_false(giq_ticket_read(folder, 1, &read, &found, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_non_null(strstr(err.text, "/sent.1 was written by a newer version"));
    assert_false(giq_ticket_list(folder, &tickets, &err));
    char *path = giq_os_join(folder, "sent.1");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(giq_ticket_list(folder, &tickets, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_non_null(strstr(err.text, "sent.1 is not a regular file"));
    free(path);
}

/* ---- taking ---- */

static void test_one_of_several_processes_takes_each_ticket(void **state)
{
    enum { PROCESSES = 8, TICKETS = 40 };
    static const int errors[] = {0, EPERM};
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(errors); i++) {
        int first = (int)i * TICKETS + 1;
        pid_t takers[PROCESSES];
        int taken = 0;
        link_errno = errors[i];
        for (int k = 0; k < PROCESSES; k++) {
            takers[k] = fork();
            if (takers[k] == 0) {
                int mine = 0;
                for (int n = first; n < first + TICKETS; n++) {
                    mine += take(folder, n);
                }
                _exit(mine);
            }
        }
        for (int k = 0; k < PROCESSES; k++) {
            int status = -1;
            assert_int_equal(waitpid(takers[k], &status, 0), takers[k]);
            assert_true(WIFEXITED(status));
            taken += WEXITSTATUS(status);
        }
        link_errno = 0;
        assert_int_equal(taken, TICKETS);
        assert_int_equal(count_entries(folder), ((int)i + 1) * TICKETS);
    }
}

/* It may have reached the disk, so its number stays used: as one that nothing was sent
 * with. */
static void test_ticket_whose_folder_cannot_be_synced_sends_nothing(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_ticket ticket;
    struct giq_ticket read;
    bool is_taken = false;
    giq_ticket_init(&ticket);
    ticket.n = 1;
    sync_fails = true;
    assert_false(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
    assert_int_equal(err.sys_errno, EIO);
    read_ticket(folder, 1, &read);
    assert_int_equal(read.outcome, GIQ_TICKET_NOTHING);
    giq_ticket_release(&read);
    assert_int_equal(count_entries(folder), 1);
}

static void test_ticket_is_not_taken_where_nothing_can_be_written(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_ticket ticket;
    bool is_taken = false;
    giq_ticket_init(&ticket);
    ticket.n = 1;
    is_read_only = true;
    assert_false(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
    is_read_only = false;
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_int_equal(err.sys_errno, EROFS);
    assert_int_equal(count_entries(folder), 0);
}

/* ---- whether the owner lives ---- */

/* A process that takes the ticket `n` and then waits for a signal. */
static pid_t start_owner(const char *folder, int n)
{
    pid_t owner = fork();
    if (owner == 0) {
        bool is_taken = take(folder, n);
        (void)raise(SIGSTOP);
        _exit(is_taken ? 0 : 1);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)owner, &info, WSTOPPED), 0);
    return owner;
}

static void end_owner(pid_t owner)
{
    siginfo_t info;
    assert_int_equal(kill(owner, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)owner, &info, WEXITED), 0);
}

static const int64_t too_old_ms = GIQ_TICKET_ABANDONED_MS + 1000;

static void test_dead_owner_of_this_host_is_found_at_once(void **state)
{
    const char *folder = *state;
    pid_t owner = start_owner(folder, 1);
    assert_true(is_alive(folder, 1));
    end_owner(owner);
    assert_false(is_alive(folder, 1));
    assert_int_equal(count_entries(folder), 1);
}

/* Its process may end at once. */
static void test_owner_that_has_ended_its_ticket_meanwhile_is_not_dead(void **state)
{
    const char *folder = *state;
    const struct giq_ticket_check check = {.folder = folder, .access = PRIVATE};
    struct giq_error err = {0};
    struct giq_ticket ticket;
    bool alive = true;
    pid_t owner = start_owner(folder, 1);
    read_ticket(folder, 1, &ticket);
    end_owner(owner);
    assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
    assert_false(alive);
    env_kit_write(folder, "sent.1",
                  "{\"format\":1,\"outcome\":\"job\",\"job_id\":\"j1\"}");
    assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
    assert_true(alive);
    giq_ticket_release(&ticket);
}

static void test_stopped_owner_of_this_host_is_alive_at_any_age(void **state)
{
    const char *folder = *state;
    pid_t owner = start_owner(folder, 1);
    env_kit_set_age(folder, "sent.1", 100 * too_old_ms);
    assert_true(is_alive(folder, 1));
    end_owner(owner);
}

/* Its open ended, and it could not write the outcome. */
static void test_owner_that_lives_and_does_not_touch_its_ticket_is_dead(void **state)
{
    const char *folder = *state;
    assert_true(take(folder, 1));
    assert_true(is_alive(folder, 1));
    env_kit_set_age(folder, "sent.1", too_old_ms);
    assert_false(is_alive(folder, 1));
    giq_ticket_touch(folder, 1);
    assert_true(is_alive(folder, 1));
    giq_ticket_touch(folder, 2);
    assert_int_equal(count_entries(folder), 1);
}

static void test_pid_that_another_process_has_now_is_dead(void **state)
{
    const char *folder = *state;
    struct giq_ticket ticket;
    struct giq_error err = {0};
    bool alive = true;
    const struct giq_ticket_check check = {.folder = folder, .access = PRIVATE};
    assert_true(take(folder, 1));
    read_ticket(folder, 1, &ticket);
    ticket.owner.start--;
    assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
    assert_false(alive);
    giq_ticket_release(&ticket);
}

/* On another host, after another boot or in another namespace its pid says nothing. */
static void test_remote_owner_is_alive_while_its_ticket_is_touched(void **state)
{
    const char *folder = *state;
    char *boot = giq_os_join(folder, "boot_id");
    env_kit_write(folder, "boot_id", "11111111-2222-3333-4444-555555555555\n");
    for (int way = 0; way < 4; way++) {
        struct giq_ticket ticket;
        struct giq_error err = {0};
        const struct giq_ticket_check check = {.folder = folder, .access = PRIVATE};
        char name[sizeof "sent." + 11];
        int n = way + 1;
        pid_t owner = start_owner(folder, n);
        end_owner(owner);
        (void)snprintf(name, sizeof name, "sent.%d", n);
        read_ticket(folder, n, &ticket);
        other_host = way == 0 ? "elsewhere" : NULL;
        other_boot = way == 1 ? boot : NULL;
        ticket.owner.pidns += way == 2;
        ticket.owner.pid = way == 3 ? 0 : ticket.owner.pid;
        static const struct {
            int64_t age_ms;
            bool alive;
        } cases[] = {{0, true},
                     {GIQ_TICKET_ABANDONED_MS - 5000, true},
                     {GIQ_TICKET_ABANDONED_MS + 1000, false},
                     {-3600000, true}};
        for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
            bool alive = !cases[i].alive;
            env_kit_set_age(folder, name, cases[i].age_ms);
            assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
            assert_int_equal(alive, cases[i].alive);
        }
        other_host = NULL;
        other_boot = NULL;
        giq_ticket_release(&ticket);
    }
    free(boot);
}

static void test_age_in_a_store_that_cannot_be_written_is_by_the_local_clock(void **state)
{
    const char *folder = *state;
    assert_true(take(folder, 1));
    is_read_only = true;
    other_host = "elsewhere";
    assert_true(is_alive(folder, 1));
    env_kit_set_age(folder, "sent.1", too_old_ms);
    assert_false(is_alive(folder, 1));
    is_read_only = false;
    other_host = NULL;
}

/* ---- several checks ---- */

/* Looks of which each is `ms` after the one before. */
static bool stays_alive(const struct giq_ticket_check *check, int count, int64_t ms)
{
    bool alive = true;
    for (int i = 0; i < count; i++) {
        check->watch->now_ms += ms;
        alive = is_alive_to(check, 1);
    }
    return alive;
}

static void test_old_ticket_is_abandoned_once_it_stays_as_it_is(void **state)
{
    const char *folder = *state;
    struct giq_ticket_watch watch = {.now_ms = 1000};
    const struct giq_ticket_check check = {folder, PRIVATE, NULL, &watch};
    env_kit_write(folder, "sent.1", "");
    env_kit_set_age(folder, "sent.1", too_old_ms);
    assert_true(stays_alive(&check, 1, 0));
    assert_true(watch.suspect_ms == GIQ_TICKET_CONFIRM_MS);
    assert_true(stays_alive(&check, 1, 4999));
    assert_true(stays_alive(&check, 1, 5000));
    assert_true(watch.suspect_ms == 1);
    /* Touched, and abandoned since. */
    env_kit_set_age(folder, "sent.1", 2 * too_old_ms);
    assert_true(stays_alive(&check, 2, 5000));
    assert_false(stays_alive(&check, 1, 5000));
    assert_true(watch.suspect_ms == 0);
    giq_ticket_touch(folder, 1);
    assert_true(stays_alive(&check, 1, 5000));
    assert_true(watch.suspect_ms == 0);
}

/* The file server may have answered nobody, the owner neither. */
static void test_time_between_two_checks_hardly_counts(void **state)
{
    const char *folder = *state;
    struct giq_ticket_watch watch = {.now_ms = 1000};
    const struct giq_ticket_check check = {folder, PRIVATE, NULL, &watch};
    env_kit_write(folder, "sent.1", "");
    env_kit_set_age(folder, "sent.1", too_old_ms);
    assert_true(stays_alive(&check, 2, 3600000));
    assert_false(stays_alive(&check, 1, 3600000));
}

static void test_owner_that_was_stopped_has_time_to_touch_its_ticket(void **state)
{
    const char *folder = *state;
    struct giq_ticket_watch watch = {.now_ms = 1000};
    const struct giq_ticket_check check = {folder, PRIVATE, NULL, &watch};
    siginfo_t info;
    pid_t owner = start_owner(folder, 1);
    env_kit_set_age(folder, "sent.1", too_old_ms);
    assert_true(stays_alive(&check, 100, 5000));
    assert_int_equal(kill(owner, SIGCONT), 0);
    assert_int_equal(waitid(P_PID, (id_t)owner, &info, WEXITED | WNOWAIT), 0);
    assert_false(stays_alive(&check, 1, 0));
    assert_int_equal(waitid(P_PID, (id_t)owner, &info, WEXITED), 0);
}

static void test_ticket_of_no_known_age_is_abandoned_after_a_minute(void **state)
{
    static const struct {
        const char *name; /* of the only file */
        const char *later;
        int64_t age_ms;
        int checks; /* of 5 s each, in all of which it is alive */
    } cases[] = {
        {"sent.1", NULL, -3600000, 12},    {"other", NULL, too_old_ms, 12},
        {"later", "later", 0, 12},         {"later", "later", -3600000, 12},
        {"later", "later", too_old_ms, 2},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_ticket_watch watch = {.now_ms = 1000};
        struct giq_ticket_check check = {env_kit_folder(), PRIVATE, cases[i].later,
                                         &watch};
        struct giq_ticket ticket;
        struct giq_error err = {0};
        bool alive = false;
        giq_ticket_init(&ticket);
        ticket.n = 1;
        env_kit_write(check.folder, cases[i].name, "");
        env_kit_set_age(check.folder, cases[i].name, cases[i].age_ms);
        for (int k = 0; k < cases[i].checks; k++) {
            assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
            assert_true(alive);
            watch.now_ms += 5000;
        }
        assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
        assert_false(alive);
        check.watch = NULL;
        assert_true(giq_ticket_is_alive(&check, &ticket, &alive, &err));
        assert_int_equal(alive, cases[i].checks != 2);
        env_kit_remove((char *)check.folder);
    }
    (void)state;
}

/* ---- the pause after a refusal ---- */

static void test_pause_ends_by_the_clock_of_the_file_server(void **state)
{
    static const struct {
        int64_t retry_after_ms, age_ms, min_ms, max_ms;
    } cases[] = {
        {0, 0, 0, 0},         {60000, 0, 50000, 60000}, {60000, 20000, 30000, 41000},
        {60000, 61000, 0, 0}, {60000, 3600000, 0, 0},   {60000, -3600000, 60000, 60000},
    };
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_ticket ticket;
        int64_t left_ms = -1;
        bool is_taken = false;
        char name[24];
        giq_ticket_init(&ticket);
        ticket.n = (int)i + 1;
        assert_true(giq_ticket_take(folder, PRIVATE, &ticket, &is_taken, &err));
        ticket.outcome = GIQ_TICKET_NOTHING;
        ticket.retry_after_ms = cases[i].retry_after_ms;
        assert_true(giq_ticket_end(folder, PRIVATE, &ticket, &err));
        (void)snprintf(name, sizeof name, "sent.%d", ticket.n);
        env_kit_set_age(folder, name, cases[i].age_ms);
        assert_true(giq_ticket_pause_left(folder, PRIVATE, &ticket, &left_ms, &err));
        assert_true(left_ms >= cases[i].min_ms && left_ms <= cases[i].max_ms);
    }
    assert_int_equal(count_entries(folder), GIQ_COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_ticket_states_its_owner_and_what_it_was_taken_for),
        ENV_KIT_TEST(test_outcomes_replace_the_ticket),
        ENV_KIT_TEST(test_tickets_are_listed_in_the_order_of_their_numbers),
        ENV_KIT_TEST(test_numbers_out_of_range_are_not_taken),
        ENV_KIT_TEST(test_damaged_ticket_has_neither_owner_nor_outcome),
        ENV_KIT_TEST(test_texts_of_an_owner_that_are_too_long_are_not_known),
        ENV_KIT_TEST(test_ticket_that_is_missing_newer_or_no_file_is_told),
        ENV_KIT_TEST(test_one_of_several_processes_takes_each_ticket),
        ENV_KIT_TEST(test_ticket_whose_folder_cannot_be_synced_sends_nothing),
        ENV_KIT_TEST(test_ticket_is_not_taken_where_nothing_can_be_written),
        ENV_KIT_TEST(test_dead_owner_of_this_host_is_found_at_once),
        ENV_KIT_TEST(test_owner_that_has_ended_its_ticket_meanwhile_is_not_dead),
        ENV_KIT_TEST(test_stopped_owner_of_this_host_is_alive_at_any_age),
        ENV_KIT_TEST(test_owner_that_lives_and_does_not_touch_its_ticket_is_dead),
        ENV_KIT_TEST(test_pid_that_another_process_has_now_is_dead),
        ENV_KIT_TEST(test_remote_owner_is_alive_while_its_ticket_is_touched),
        ENV_KIT_TEST(test_age_in_a_store_that_cannot_be_written_is_by_the_local_clock),
        ENV_KIT_TEST(test_old_ticket_is_abandoned_once_it_stays_as_it_is),
        ENV_KIT_TEST(test_time_between_two_checks_hardly_counts),
        ENV_KIT_TEST(test_owner_that_was_stopped_has_time_to_touch_its_ticket),
        cmocka_unit_test(test_ticket_of_no_known_age_is_abandoned_after_a_minute),
        ENV_KIT_TEST(test_pause_ends_by_the_clock_of_the_file_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
