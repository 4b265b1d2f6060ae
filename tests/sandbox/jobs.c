#include "jobs.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { TICK_MS = 10 };

struct job {
    char id[JOBS_ID_SIZE];
    const struct model *model;
    char *file_id;
    int64_t started_ms;
    pid_t worker; /* 0 where none runs */
    bool is_begun;
    bool is_ended;
    char *error;
    char *result_name;
    struct job *next;
};

struct jobs {
    char *folder;
    char *program;
    struct files *files;
    int64_t job_ms;
    int workers;
    struct job *first;
    struct job *last;
    unsigned count;
    int running;
    bool stops;
    pthread_t ticker;
    pthread_mutex_t lock;
};

void job_view_release(struct job_view *view)
{
    free(view->error);
    free(view->result_path);
    view->error = NULL;
    view->result_path = NULL;
}

/* ---- on disk ---- */

static char *path_of(const struct jobs *jobs, const char *id, const char *name)
{
    return text_make("%s/%s%s%s", jobs->folder, id, name[0] == '\0' ? "" : "/", name);
}

static cJSON *load(const struct jobs *jobs, const char *id, const char *name)
{
    char *path = path_of(jobs, id, name);
    char *text = text_load(path);
    cJSON *json = text == NULL ? NULL : cJSON_Parse(text);
    free(text);
    free(path);
    return json;
}

static const char *member(const cJSON *json, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : text_make("%s", text);
}

/* Take over what a worker wrote down. */
static bool take_outcome(const struct jobs *jobs, struct job *job)
{
    cJSON *json = load(jobs, job->id, "outcome.json");
    if (json == NULL) {
        return false;
    }
    job->error = copy(member(json, "error"));
    job->result_name = copy(member(json, "result"));
    job->is_ended = true;
    cJSON_Delete(json);
    return true;
}

static bool save(const struct jobs *jobs, const struct job *job, const char *area)
{
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "id", job->id);
    (void)cJSON_AddStringToObject(json, "modelId", job->model->id);
    (void)cJSON_AddStringToObject(json, "fileId", job->file_id);
    (void)cJSON_AddNumberToObject(json, "startedMs", (double)job->started_ms);
    if (area != NULL) {
        (void)cJSON_AddStringToObject(json, "geometry", area);
    }
    char *text = cJSON_Print(json);
    char *folder = path_of(jobs, job->id, "");
    char *path = path_of(jobs, job->id, "job.json");
    bool ok = text != NULL && (mkdir(folder, 0777) == 0 || errno == EEXIST) &&
              text_save(path, text);
    free(path);
    free(folder);
    cJSON_free(text);
    cJSON_Delete(json);
    return ok;
}

/* ---- workers ---- */

/* A worker that cannot be started fails its job like one that crashed. */
static void begin(struct jobs *jobs, struct job *job)
{
    extern char **environ;
    char *folder = path_of(jobs, job->id, "");
    char *input = files_find(jobs->files, job->file_id);
    char *arguments[] = {jobs->program, "--work", folder, input == NULL ? "" : input,
                         NULL};
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    /* Whoever reads our standard output must not wait for a worker's end. */
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
    job->is_begun = true;
    if (posix_spawn(&job->worker, jobs->program, &actions, NULL, arguments, environ) ==
        0) {
        jobs->running++;
    } else {
        job->worker = 0;
        job->is_ended = true;
        job->error = copy("the worker could not be started");
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    free(input);
    free(folder);
}

static void reap(struct jobs *jobs, struct job *job)
{
    if (waitpid(job->worker, NULL, WNOHANG) != job->worker) {
        return;
    }
    job->worker = 0;
    jobs->running--;
    if (!take_outcome(jobs, job)) {
        job->is_ended = true;
        job->error = copy("the worker ended without a result");
    }
    text_log("%s %s: %s", job->id, job->error == NULL ? "computed" : "failed",
             job->error == NULL ? job->result_name : job->error);
}

static void *tick(void *ctx)
{
    struct jobs *jobs = ctx;
    const struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};
    for (bool stops = false; !stops;) {
        (void)pthread_mutex_lock(&jobs->lock);
        for (struct job *job = jobs->first; job != NULL; job = job->next) {
            if (job->worker != 0) {
                reap(jobs, job);
            } else if (!job->is_begun && !job->is_ended &&
                       jobs->running < jobs->workers) {
                begin(jobs, job);
            }
        }
        stops = jobs->stops;
        (void)pthread_mutex_unlock(&jobs->lock);
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Write down the outcome of a job: "result" or "error". */
static int write_outcome(const char *path, const char *what, const char *text)
{
    cJSON *outcome = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(outcome, what, text);
    char *line = cJSON_Print(outcome);
    bool ok = line != NULL && text_save(path, line);
    cJSON_free(line);
    cJSON_Delete(outcome);
    return ok ? 0 : 1;
}

/* The worker of a server that was killed may still be at it: each computes in a
 * folder of its own, and whoever is first puts it in place. */
static bool compute(const struct model_task *task, const char *result,
                    char name[MODEL_NAME_SIZE], char error[MODEL_ERROR_SIZE])
{
    (void)mkdir(task->folder, 0777);
    if (!model_run(task, name, error)) {
        return false;
    }
    if (rename(task->folder, result) == 0 || errno == ENOTEMPTY || errno == EEXIST) {
        return true;
    }
    (void)snprintf(error, MODEL_ERROR_SIZE, "the result cannot be put in place");
    return false;
}

int jobs_work(const char *folder, const char *input)
{
    char *work = text_make("%s/work.%ld", folder, (long)getpid());
    char *record = text_make("%s/job.json", folder);
    char *result = text_make("%s/result", folder);
    char *path = text_make("%s/outcome.json", folder);
    char *text = text_load(record);
    cJSON *json = text == NULL ? NULL : cJSON_Parse(text);
    const char *model_id = json == NULL ? NULL : member(json, "modelId");
    const struct model_task task = {
        .model = model_id == NULL ? NULL : model_find(model_id),
        .input = input,
        .area = json == NULL ? NULL : member(json, "geometry"),
        .folder = work,
    };
    char name[MODEL_NAME_SIZE] = "";
    char error[MODEL_ERROR_SIZE] = "";
    int rc = 1;
    if (task.model == NULL) {
        rc = write_outcome(path, "error", "the model is not known");
    } else if (!compute(&task, result, name, error)) {
        rc = write_outcome(path, "error", error);
    } else {
        rc = write_outcome(path, "result", name);
    }
    cJSON_Delete(json);
    free(text);
    free(path);
    free(result);
    free(record);
    free(work);
    return rc;
}

/* Compute the job at once: its model only waits. */
static void compute_here(const struct jobs *jobs, struct job *job)
{
    char *folder = path_of(jobs, job->id, "");
    job->is_begun = true;
    (void)jobs_work(folder, "");
    if (!take_outcome(jobs, job)) {
        job->is_ended = true;
        job->error = copy("the outcome cannot be read");
    }
    free(folder);
}

/* ---- the list ---- */

static void link_job(struct jobs *jobs, struct job *job)
{
    *(jobs->last == NULL ? &jobs->first : &jobs->last->next) = job;
    jobs->last = job;
    jobs->count++;
}

static void free_job(struct job *job)
{
    free(job->file_id);
    free(job->error);
    free(job->result_name);
    free(job);
}

static struct job *new_job(const char *id, const struct model *model, const char *file_id,
                           int64_t started_ms)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        abort();
    }
    (void)memccpy(job->id, id, '\0', sizeof job->id - 1);
    job->model = model;
    job->file_id = text_make("%s", file_id);
    job->started_ms = started_ms;
    return job;
}

static void load_job(struct jobs *jobs, const char *id)
{
    cJSON *json = load(jobs, id, "job.json");
    const char *model_id = json == NULL ? NULL : member(json, "modelId");
    const char *file_id = json == NULL ? NULL : member(json, "fileId");
    const struct model *model = model_id == NULL ? NULL : model_find(model_id);
    if (model != NULL && file_id != NULL) {
        double started =
            cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, "startedMs"));
        struct job *job = new_job(id, model, file_id, (int64_t)started);
        (void)take_outcome(jobs, job);
        link_job(jobs, job);
    }
    cJSON_Delete(json);
}

struct jobs *jobs_new(const char *state, const char *program, struct files *files,
                      int64_t job_ms, int workers)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL) {
        abort();
    }
    jobs->folder = text_make("%s/jobs", state);
    jobs->program = text_make("%s", program);
    jobs->files = files;
    jobs->job_ms = job_ms;
    jobs->workers = workers;
    (void)mkdir(jobs->folder, 0777);
    struct dirent **names = NULL;
    int count = scandir(jobs->folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (text_is_plain_name(names[i]->d_name) &&
            strlen(names[i]->d_name) < JOBS_ID_SIZE) {
            load_job(jobs, names[i]->d_name);
        }
        free(names[i]);
    }
    free(names);
    (void)pthread_mutex_init(&jobs->lock, NULL);
    if (pthread_create(&jobs->ticker, NULL, tick, jobs) != 0) {
        abort();
    }
    return jobs;
}

void jobs_free(struct jobs *jobs)
{
    (void)pthread_mutex_lock(&jobs->lock);
    jobs->stops = true;
    (void)pthread_mutex_unlock(&jobs->lock);
    (void)pthread_join(jobs->ticker, NULL);
    for (struct job *job = jobs->first, *next = NULL; job != NULL; job = next) {
        next = job->next;
        if (job->worker != 0) {
            (void)kill(job->worker, SIGKILL);
            (void)waitpid(job->worker, NULL, 0);
        }
        free_job(job);
    }
    (void)pthread_mutex_destroy(&jobs->lock);
    free(jobs->program);
    free(jobs->folder);
    free(jobs);
}

/* ---- reading ---- */

/* A job goes through its states in its time, whatever the computation took. */
static const char *status_of(const struct jobs *jobs, const struct job *job)
{
    int64_t age_ms = text_now_ms() - job->started_ms;
    if (job->is_ended && age_ms >= jobs->job_ms) {
        return job->error == NULL ? "COMPLETED" : "FAILED";
    }
    if (age_ms < jobs->job_ms / 10) {
        return "SUBMITTED";
    }
    return !job->is_begun || age_ms < jobs->job_ms / 5 ? "PENDING" : "RUNNING";
}

static void view_job(const struct jobs *jobs, const struct job *job, struct job_view *out)
{
    *out = (struct job_view){
        .status = status_of(jobs, job),
        .type = job->model->type,
        .started_ms = job->started_ms,
    };
    (void)memcpy(out->id, job->id, sizeof out->id);
    if (strcmp(out->status, "FAILED") == 0) {
        out->error = copy(job->error);
    } else if (strcmp(out->status, "COMPLETED") == 0) {
        out->result_path =
            text_make("%s/%s/result/%s", jobs->folder, job->id, job->result_name);
    }
}

bool jobs_add(struct jobs *jobs, const struct model *model, const char *file_id,
              const char *area, struct job_view *out)
{
    char chance[TEXT_CHANCE_SIZE];
    char id[JOBS_ID_SIZE];
    (void)pthread_mutex_lock(&jobs->lock);
    text_chance(chance);
    (void)snprintf(id, sizeof id, "job-%06u-%s", jobs->count + 1, chance);
    struct job *job = new_job(id, model, file_id, text_now_ms());
    bool ok = save(jobs, job, area);
    if (ok && model->only_waits) {
        compute_here(jobs, job);
    }
    if (ok) {
        link_job(jobs, job);
        view_job(jobs, job, out);
        out->status = "SUBMITTED";
    } else {
        free_job(job);
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return ok;
}

bool jobs_look(struct jobs *jobs, const char *id, struct job_view *out)
{
    bool found = false;
    (void)pthread_mutex_lock(&jobs->lock);
    for (const struct job *job = jobs->first; job != NULL && !found; job = job->next) {
        if (strcmp(job->id, id) == 0) {
            view_job(jobs, job, out);
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return found;
}
