/*
 * giq_sandbox: a gIQ service for one machine.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "jobs.h"
#include "journal.h"
#include "server.h"
#include "text.h"

static const char usage[] =
    "Usage: giq_sandbox --files FOLDER --state FOLDER [options]\n"
    "\n"
    "A gIQ inference service for one machine, to develop against without a key and\n"
    "offline. Its models compute real results with GDAL on the files of a folder.\n"
    "\n"
    "  --files FOLDER        files that jobs may name as fileId, by their names\n"
    "  --state FOLDER        where jobs, results and uploads lie; made if missing\n"
    "  --port N              port on 127.0.0.1 (default 0: a free one)\n"
    "  --api-key KEY         what clients send as X-API-KEY (default: sandbox)\n"
    "  --bearer-token TOKEN  what clients may send as bearer token (default: none)\n"
    "  --job-seconds S       how long a job takes at least (default 1)\n"
    "  --journal FILE        one JSON line a request (default STATE/journal.jsonl)\n"
    "  --help, --version\n"
    "\n"
    "The first line on standard output is the address, the log is on standard error.\n"
    "SIGTERM or Ctrl-C ends it; started again on the same state it knows its jobs.\n";

struct options {
    const char *files;
    const char *state;
    const char *journal;
    const char *api_key;
    const char *bearer_token;
    long port;
    double job_seconds;
};

static int refuse(const char *what)
{
    (void)fprintf(stderr, "giq_sandbox: %s\nTry giq_sandbox --help\n", what);
    return 2;
}

static bool to_number(const char *text, double least, double most, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

/* The exit status, or -1 to go on. */
static int read_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {
        {"files", 1, NULL, 'f'},        {"state", 1, NULL, 's'},
        {"port", 1, NULL, 'p'},         {"api-key", 1, NULL, 'k'},
        {"bearer-token", 1, NULL, 'b'}, {"job-seconds", 1, NULL, 'j'},
        {"journal", 1, NULL, 'l'},      {"help", 0, NULL, 'h'},
        {"version", 0, NULL, 'v'},      {NULL, 0, NULL, 0},
    };
    double port = 0;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'f':
            out->files = optarg;
            break;
        case 's':
            out->state = optarg;
            break;
        case 'k':
            out->api_key = optarg;
            break;
        case 'b':
            out->bearer_token = optarg;
            break;
        case 'l':
            out->journal = optarg;
            break;
        case 'p':
            if (!to_number(optarg, 0, 65535, &port)) {
                return refuse("--port is a number from 0 to 65535");
            }
            out->port = (long)port;
            break;
        case 'j':
            if (!to_number(optarg, 0, 86400, &out->job_seconds)) {
                return refuse("--job-seconds is a number from 0 to 86400");
            }
            break;
        case 'h':
            (void)fputs(usage, stdout);
            return 0;
        case 'v':
            (void)puts("giq_sandbox " GIQ_VERSION);
            return 0;
        default:
            return refuse("unknown or incomplete option");
        }
    }
    if (optind < argc || out->files == NULL || out->state == NULL) {
        return refuse("--files and --state are needed, and nothing else but options");
    }
    return -1;
}

/* Serve until a signal ends it. */
static int serve(const struct options *options)
{
    char *journal_path = options->journal == NULL
                             ? text_make("%s/journal.jsonl", options->state)
                             : text_make("%s", options->journal);
    struct server_settings settings = {
        .port = (int)options->port,
        .api_key = options->api_key,
        .bearer_token = options->bearer_token,
        .files = files_new(options->files, options->state),
        .journal = journal_open(journal_path),
    };
    free(journal_path);
    if (settings.journal == NULL) {
        return 1;
    }
    settings.jobs = jobs_new(options->state, "/proc/self/exe", settings.files,
                             (int64_t)(options->job_seconds * 1000));
    struct server *server = server_start(&settings);
    int rc = server == NULL ? 1 : 0;
    if (server != NULL) {
        int ended = 0;
        sigset_t signals;
        (void)printf("http://127.0.0.1:%d/public\n", server_port(server));
        (void)fflush(stdout);
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigwait(&signals, &ended);
        text_log("ending");
        server_stop(server);
    }
    jobs_free(settings.jobs);
    journal_close(settings.journal);
    files_free(settings.files);
    return rc;
}

static int work(const char *folder, const char *input)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* A worker must not outlive a server that was killed. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    return jobs_work(folder, input);
}

int main(int argc, char **argv)
{
    struct options options = {.api_key = "sandbox", .job_seconds = 1};
    if (argc == 4 && strcmp(argv[1], "--work") == 0) {
        return work(argv[2], argv[3]);
    }
    int rc = read_options(argc, argv, &options);
    if (rc >= 0) {
        return rc;
    }
    struct stat st;
    if (stat(options.files, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return refuse("--files is no folder");
    }
    if (mkdir(options.state, 0777) != 0 && errno != EEXIST) {
        return refuse("--state cannot be made");
    }
    /* Taken by sigwait(); blocked in every thread before the first is made. */
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return serve(&options);
}
