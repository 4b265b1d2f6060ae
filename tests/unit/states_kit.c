/* The processes of states_kit: what they call, replaced. */
#include "states_kit.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "env_kit.h"
#include "wrap_kit.h"

struct states_kit_play *states_kit_play;

static char *store_path;
static struct giq_store *the_store;
static struct giq_cred *cred;
static struct giq_service *the_service;
static struct env_kit clock_kit;

enum { NAMES_MAX = 64 };

/* The open of this process. */
static struct {
    bool is_running;
    int who;
    struct states_kit_state first; /* when it began */
    char own[NAMES_MAX][48];       /* names that it made */
    size_t own_count;
    struct states_kit_payment ticket; /* the last one that it took */
} self;

/* ---- names ---- */

static void note_own(const char *name)
{
    assert_true(self.own_count < NAMES_MAX);
    (void)snprintf(self.own[self.own_count++], sizeof self.own[0], "%s", name);
}

static bool is_own(const char *name)
{
    for (size_t i = 0; i < self.own_count; i++) {
        if (strcmp(self.own[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* A name that was looked up before another host made it stays missing for a while. */
static bool is_hidden(const char *path)
{
    const char *name = states_kit_name(path);
    return self.is_running && states_kit_play->is_stale[self.who] && name != NULL &&
           states_kit_text(&self.first, name) == NULL && !is_own(name);
}

/* ---- points: between two changes of the folder ---- */

static int choose(int choices)
{
    struct states_kit_play *play = states_kit_play;
    assert_true(play->made < STATES_KIT_CHOICES_MAX);
    play->choices[play->made] = choices;
    return play->choice[play->made++];
}

static void wait_for_turn(void)
{
    struct states_kit_play *play = states_kit_play;
    int who = self.who;
    play->is_stopped[who] = true;
    (void)sem_post(&play->done);
    while (sem_wait(&play->go[who]) != 0) {
    }
    play->is_stopped[who] = false;
    if (play->ages && who == 0) {
        env_kit_advance(&clock_kit, 61000);
        play->is_stale[who] = false; /* no name stays missing for so long */
    }
}

/* An open alone may crash here; one of two may have to wait for the other. */
static void pass_point(void)
{
    struct states_kit_play *play = states_kit_play;
    if (!play->is_pair) {
        if (choose(2) == 1) {
            _exit(STATES_KIT_CRASHED);
        }
        return;
    }
    play->points[self.who]++;
    if (play->points[self.who] == play->stop_at[self.who]) {
        wait_for_turn();
    }
}

/* How the tickets of this run before this one ended, as the open that took it may see it
 * once more before it sends. */
static void note_ticket(int n)
{
    self.ticket =
        (struct states_kit_payment){.who = self.who, .n = n, .may_follow = true};
    self.is_running = false;
    for (int k = states_kit_play->newest + 1; k < n; k++) {
        char name[24];
        (void)snprintf(name, sizeof name, "sent.%d", k);
        GIQ_AUTO_FREE char *text = env_kit_read(states_kit_folder, name);
        const char *bytes = text == NULL ? "" : text;
        GIQ_AUTO_JSON struct giq_json *json = giq_json_parse(bytes, strlen(bytes));
        const char *outcome = giq_json_text(giq_json_get(json, "outcome"));
        bool is_bad =
            outcome == NULL ? states_kit_play->ages : strcmp(outcome, "unknown") == 0;
        if (outcome == NULL || strcmp(outcome, "nothing") != 0) {
            self.ticket.follows = true;
            self.ticket.may_follow = self.ticket.may_follow && is_bad;
        }
    }
    self.is_running = true;
}

/* ---- libc, replaced ---- */

UNIT_WRAPS(link);
int __wrap_link(const char *from, const char *to)
{
    const char *name = states_kit_name(to);
    if (!self.is_running || name == NULL) {
        return __real_link(from, to);
    }
    pass_point();
    int rc = __real_link(from, to);
    int failure = errno;
    if (rc == 0) {
        bool is_ticket = strncmp(name, "sent.", 5) == 0;
        note_own(name);
        states_kit_play->has_ticket[self.who] |= is_ticket;
        if (states_kit_play->is_pair) {
            pass_point();
        }
        if (is_ticket) {
            note_ticket(atoi(name + 5));
        }
    }
    errno = failure;
    return rc;
}

UNIT_WRAPS(rename);
int __wrap_rename(const char *from, const char *to)
{
    const char *name = states_kit_name(to);
    if (!self.is_running || name == NULL) {
        return __real_rename(from, to);
    }
    pass_point();
    int rc = __real_rename(from, to);
    int failure = errno;
    if (rc == 0) {
        note_own(name);
        if (states_kit_play->is_pair) {
            pass_point();
        }
    }
    errno = failure;
    return rc;
}

UNIT_WRAPS(remove);
int __wrap_remove(const char *path)
{
    if (self.is_running && states_kit_name(path) != NULL) {
        pass_point();
    }
    return __real_remove(path);
}

UNIT_WRAPS(open);
int __wrap_open(const char *path, int flags, ...)
{
    UNIT_OPTIONAL_ARG(mode_t, mode, flags);
    if ((flags & O_CREAT) == 0 && is_hidden(path)) {
        errno = ENOENT;
        return -1;
    }
    return __real_open(path, flags, mode);
}

UNIT_WRAPS(stat);
int __wrap_stat(const char *path, struct stat *out)
{
    if (is_hidden(path)) {
        errno = ENOENT;
        return -1;
    }
    return __real_stat(path, out);
}

static bool is_listing; /* the folder of the key */

UNIT_WRAPS(opendir);
DIR *__wrap_opendir(const char *path)
{
    is_listing = states_kit_folder != NULL && strcmp(path, states_kit_folder) == 0;
    return __real_opendir(path);
}

UNIT_WRAPS(readdir);
struct dirent *__wrap_readdir(DIR *dir)
{
    for (;;) {
        char path[512];
        struct dirent *entry = __real_readdir(dir);
        if (entry == NULL || !is_listing) {
            return entry;
        }
        (void)snprintf(path, sizeof path, "%s/%.100s", states_kit_folder, entry->d_name);
        if (!is_hidden(path)) {
            return entry;
        }
    }
}

UNIT_WRAPS(fsync);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}

/* A lock that locks nothing. */
UNIT_WRAPS(fcntl);
int __wrap_fcntl(int fd, int command, ...)
{
    UNIT_OPTIONAL_ARG(void *, value, command);
    return command == F_OFD_SETLK ? 0 : __real_fcntl(fd, command, value);
}

UNIT_WRAPS(gethostname);
int __wrap_gethostname(char *out, size_t size)
{
    bool is_remote = self.is_running && states_kit_play->is_remote[self.who];
    (void)snprintf(out, size, "%s", is_remote ? "n2" : "n1");
    return 0;
}

/* ---- the calls of the service, replaced ---- */

enum giq_api_run_outcome __wrap_giq_api_run(struct giq_service *service,
                                            const struct giq_request *request,
                                            const struct giq_api_run_hooks *hooks,
                                            struct giq_api_job *job, int64_t *later_ms,
                                            struct giq_error *err)
{
    struct states_kit_play *play = states_kit_play;
    char id[24];
    (void)service;
    (void)request;
    enum states_kit_run run = play->is_pair
                                  ? play->run[self.who]
                                  : (enum states_kit_run)choose(STATES_KIT_RUNS);
    *later_ms = -1;
    (void)giq_fail(err, GIQ_E_REFUSED, "no");
    if (run == STATES_KIT_RUN_NOT_SENT || !hooks->before_send(hooks->ctx, err)) {
        return GIQ_API_RUN_NO_JOB;
    }
    (void)giq_fail(err, GIQ_E_REFUSED, "no");
    if (run == STATES_KIT_RUN_REFUSED || run == STATES_KIT_RUN_THROTTLED) {
        return run == STATES_KIT_RUN_THROTTLED ? GIQ_API_RUN_THROTTLED
                                               : GIQ_API_RUN_NO_JOB;
    }
    assert_true(play->paid < (int)GIQ_COUNT(play->payment) && self.ticket.n > 0);
    self.ticket.has_id = run == STATES_KIT_RUN_SUBMITTED;
    play->payment[play->paid++] = self.ticket;
    play->is_paid_gone = play->is_gone;
    if (run == STATES_KIT_RUN_UNKNOWN) {
        return GIQ_API_RUN_UNKNOWN;
    }
    (void)snprintf(id, sizeof id, "j%d", self.ticket.n);
    *job = (struct giq_api_job){.id = strdup(id), .started_ms = GIQ_TIME_NONE};
    return GIQ_API_RUN_SUBMITTED;
}

enum giq_api_status_outcome
__wrap_giq_api_status(struct giq_service *service, const char *job_id,
                      struct giq_api_job *job, int64_t *later_ms, struct giq_error *err)
{
    enum { DONE, RUNNING, FAILED, NO_JOB, CHOICES };
    static const char *const words[] = {"DONE", "RUNNING", "FAILED"};
    struct states_kit_play *play = states_kit_play;
    (void)service;
    (void)job_id;
    int choice = play->is_pair ? RUNNING : choose(CHOICES);
    *job = (struct giq_api_job){.started_ms = GIQ_TIME_NONE};
    *later_ms = -1;
    /* One poll more would only be the same again. */
    env_kit_advance(&clock_kit, INT64_C(24) * 3600 * 1000);
    play->misses = choice == NO_JOB ? play->misses + 1 : 0;
    play->is_gone = play->misses >= 2;
    if (choice == NO_JOB) {
        (void)giq_fail(err, GIQ_E_GONE, "not known");
        return GIQ_API_STATUS_NOT_FOUND;
    }
    job->status = strdup(words[choice]);
    return GIQ_API_STATUS_OK;
}

bool __wrap_giq_fetch(struct giq_service *service, const struct giq_store *store,
                      const char *folder, const char *job_id,
                      const struct giq_job_host *host, struct giq_claim *out,
                      struct giq_error *err)
{
    enum { DONE, GONE, CUT, CHOICES };
    (void)service;
    (void)store;
    (void)host;
    int choice = choose(CHOICES);
    states_kit_play->is_gone = choice == GONE;
    if (choice != DONE) {
        return giq_fail(err, choice == GONE ? GIQ_E_GONE : GIQ_E_INCOMPLETE, "no");
    }
    env_kit_write(folder, states_kit_result, "data");
    *out = (struct giq_claim){
        .job_id = strdup(job_id), .folder = strdup(states_kit_result), .size = 4};
    return true;
}

/* Claims are left out: each one more would be another state. */
UNIT_WRAPS(giq_claim_make);
bool __wrap_giq_claim_make(const char *folder, unsigned access,
                           const struct giq_claim *claim, bool *out_made,
                           struct giq_claim *out_other, struct giq_error *err)
{
    (void)folder;
    (void)access;
    (void)claim;
    (void)out_other;
    (void)err;
    *out_made = true;
    return true;
}

/* ---- opens ---- */

static bool accept_all(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    return true;
}

/* Step the job until the open ends. */
static void run(struct giq_job *job)
{
    struct giq_error err = {0};
    enum giq_step step = GIQ_STEP_AGAIN;
    for (int64_t due = 0; step != GIQ_STEP_DONE;) {
        if (!giq_job_step(job, &step, &due, &err)) {
            break;
        }
        if (due > clock_kit.now_ms) {
            /* Waiting for another open would only be the same again and again. */
            env_kit_advance(&clock_kit, due - clock_kit.now_ms + 7000);
        }
    }
}

static struct giq_job *new_job(const struct states_kit_kind *kind)
{
    struct giq_error err = {0};
    struct giq_job *job = NULL;
    const struct giq_request request = {
        .model = "m", .file = "f", .job = kind->job, .retry = kind->retry};
    const struct giq_job_host host = {.accept = accept_all};
    env_kit_init(&clock_kit);
    assert_true(
        giq_job_new(the_service, the_store, &request, kind->flags, &host, &job, &err));
    return job;
}

void states_kit_open(const struct states_kit_kind *kind, int who)
{
    self.who = who;
    self.first = states_kit_read_back();
    self.own_count = 0;
    struct giq_job *job = new_job(kind);
    self.is_running = true;
    run(job);
    self.is_running = false;
    giq_job_free(job);
}

bool states_kit_next_choices(void)
{
    struct states_kit_play *play = states_kit_play;
    for (int i = play->made - 1; i >= 0; i--) {
        if (++play->choice[i] < play->choices[i]) {
            for (int j = i + 1; j < STATES_KIT_CHOICES_MAX; j++) {
                play->choice[j] = 0;
            }
            return true;
        }
    }
    return false;
}

void states_kit_start(void)
{
    static const struct states_kit_kind plain = {.name = "plain"};
    const struct giq_settings settings = {
        .base_url = "http://127.0.0.1:1", .timeout_ms = 60000, .max_retry = 1};
    struct giq_error err = {0};
    states_kit_play = mmap(NULL, sizeof *states_kit_play, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(states_kit_play != MAP_FAILED);
    store_path = env_kit_folder();
    env_kit_init(&clock_kit);
    assert_true(giq_cred_new("key", NULL, &cred, &err));
    assert_true(giq_service_new(&settings, cred, &clock_kit.env, &the_service, &err));
    assert_true(giq_store_open(store_path, 0, &the_store, &err));
    struct giq_job *job = new_job(&plain);
    assert_true(giq_store_make(the_store, job->folder, &err));
    assert_true(giq_record_write_request(job->folder, 0, job->canonical, &err));
    states_kit_folder = strdup(job->folder);
    states_kit_request = strdup(job->canonical);
    giq_job_free(job);
}

void states_kit_end(void)
{
    giq_store_close(the_store);
    giq_service_free(the_service);
    giq_cred_free(cred);
    free(states_kit_folder);
    free(states_kit_request);
    env_kit_remove(store_path);
    (void)munmap(states_kit_play, sizeof *states_kit_play);
}
