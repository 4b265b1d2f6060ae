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

#include "catalogue.h"
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
    "  --workers N           how many jobs are computed at once (default 2)\n"
    "  --offer-wait          offer the model wait too, whose jobs only take their time;\n"
    "                        hundreds of them may run at once\n"
    "  --journal FILE        one JSON line a request (default STATE/journal.jsonl)\n"
    "  --fault SPEC          what goes wrong, see below; may be repeated\n"
    "  --stac-items N        list N made-up files of about 2 KiB each, not FOLDER's\n"
    "  --data-port N         port on 127.0.0.1 in the presigned addresses of files,\n"
    "                        where nothing needs to listen (default 9)\n"
    "  --help, --version\n"
    "\n"
    "SPEC is CALL:KIND[,retry-after=SECONDS][@N[-M]] with CALL one of models, run,\n"
    "status, download, upload, and of STAC: collections, items, item, search; @ limits\n"
    "it to the n-th requests of the call. KIND:\n"
    "  status=CODE, body=TEXT       answer so, and do nothing\n"
    "  lost                         do the work, close without a response\n"
    "  reset-before, reset-after    close before or after the body is read\n"
    "  late=SECONDS, hang           answer late, or never\n"
    "  state=WORD                   report this state of a job\n"
    "  cut=BYTES                    end a download after so many bytes\n"
    "  odd=WORD[+WORD...]           an odd response of a STAC call. Pages: repeat,\n"
    "      short, half, wrapped, next. Items: bare, no-geometry, bad-geometry, bow-tie,\n"
    "      no-box, box-3d, box-180, no-zone, null-properties. odd.h explains them\n"
    "POST /control/faults with a JSON list of them replaces all; it needs no key.\n"
    "\n"
    "The first line on standard output is the address, the log is on standard error.\n"
    "SIGTERM or Ctrl-C ends it; started again on the same state it knows its jobs.\n";

static const char version[] = "giq_sandbox " GIQ_VERSION "\n";

enum option_id {
    OPTION_FILES,
    OPTION_STATE,
    OPTION_JOURNAL,
    OPTION_API_KEY,
    OPTION_BEARER_TOKEN,
    OPTION_PORT,
    OPTION_JOB_SECONDS,
    OPTION_WORKERS,
    OPTION_STAC_ITEMS,
    OPTION_DATA_PORT,
    OPTION_FAULT, /* the last one; all are in the faults */
    OPTION_COUNT, /* of those with a value */
    OPTION_OFFER_WAIT,
    OPTION_HELP,
    OPTION_VERSION,
};

struct options {
    const char *text[OPTION_COUNT];
    double number[OPTION_COUNT]; /* of the options that are one */
    bool offers_wait;
    struct faults *faults;
};

static int refuse(const char *what)
{
    (void)fprintf(stderr, "giq_sandbox: %s\nTry giq_sandbox --help\n", what);
    return 2;
}

/* An option that is not given keeps its default. False after refusing one. */
static bool read_numbers(struct options *out)
{
    static const struct {
        enum option_id id;
        double least;
        double most;
        const char *words;
    } numbers[] = {
        {OPTION_PORT, 0, 65535, "--port is a number from 0 to 65535"},
        {OPTION_JOB_SECONDS, 0, 86400, "--job-seconds is a number from 0 to 86400"},
        {OPTION_WORKERS, 1, 256, "--workers is a number from 1 to 256"},
        {OPTION_STAC_ITEMS, 0, 1000000, "--stac-items is a number from 0 to 1000000"},
        {OPTION_DATA_PORT, 0, 65535, "--data-port is a number from 0 to 65535"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *text = out->text[numbers[i].id];
        double *number = &out->number[numbers[i].id];
        char *end = NULL;
        if (text == NULL) {
            continue;
        }
        *number = strtod(text, &end);
        bool is_number = end != text && *end == '\0';
        if (!is_number || !(*number >= numbers[i].least && *number <= numbers[i].most)) {
            (void)refuse(numbers[i].words);
            return false;
        }
    }
    return true;
}

/* The exit status, or -1 to go on. */
static int read_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {
        {"files", 1, NULL, OPTION_FILES},
        {"state", 1, NULL, OPTION_STATE},
        {"journal", 1, NULL, OPTION_JOURNAL},
        {"api-key", 1, NULL, OPTION_API_KEY},
        {"bearer-token", 1, NULL, OPTION_BEARER_TOKEN},
        {"port", 1, NULL, OPTION_PORT},
        {"job-seconds", 1, NULL, OPTION_JOB_SECONDS},
        {"workers", 1, NULL, OPTION_WORKERS},
        {"offer-wait", 0, NULL, OPTION_OFFER_WAIT},
        {"stac-items", 1, NULL, OPTION_STAC_ITEMS},
        {"data-port", 1, NULL, OPTION_DATA_PORT},
        {"fault", 1, NULL, OPTION_FAULT},
        {"help", 0, NULL, OPTION_HELP},
        {"version", 0, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == OPTION_HELP || option == OPTION_VERSION) {
            (void)fputs(option == OPTION_HELP ? usage : version, stdout);
            return 0;
        }
        if (option == OPTION_OFFER_WAIT) {
            out->offers_wait = true;
            continue;
        }
        if (option >= OPTION_COUNT) {
            return refuse("unknown or incomplete option");
        }
        out->text[option] = optarg;
        if (option == OPTION_FAULT && !faults_add(out->faults, optarg)) {
            return refuse("a fault cannot be read");
        }
    }
    if (!read_numbers(out)) {
        return 2;
    }
    if (optind < argc || out->text[OPTION_FILES] == NULL ||
        out->text[OPTION_STATE] == NULL) {
        return refuse("--files and --state are needed, and nothing else but options");
    }
    return -1;
}

/* Print the address, then wait for the signal that ends the service. */
static void wait_for_signal(const struct server *server)
{
    int ended = 0;
    sigset_t signals;
    (void)printf("http://127.0.0.1:%d/public\n", server_port(server));
    (void)fflush(stdout);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigwait(&signals, &ended);
    text_log("ending");
}

static int serve(const struct options *options)
{
    char *journal_path = options->text[OPTION_JOURNAL] == NULL
                             ? text_make("%s/journal.jsonl", options->text[OPTION_STATE])
                             : text_make("%s", options->text[OPTION_JOURNAL]);
    struct server_settings settings = {
        .port = (int)options->number[OPTION_PORT],
        .api_key = options->text[OPTION_API_KEY],
        .bearer_token = options->text[OPTION_BEARER_TOKEN],
        .data_port = (int)options->number[OPTION_DATA_PORT],
        .offers_wait = options->offers_wait,
        .faults = options->faults,
        .files = files_new(options->text[OPTION_FILES], options->text[OPTION_STATE]),
        .journal = journal_open(journal_path),
    };
    free(journal_path);
    if (settings.journal == NULL) {
        return 1;
    }
    settings.catalogue =
        catalogue_new(settings.files, (int)options->number[OPTION_STAC_ITEMS]);
    settings.jobs =
        jobs_new(options->text[OPTION_STATE], "/proc/self/exe", settings.files,
                 (int64_t)(options->number[OPTION_JOB_SECONDS] * 1000),
                 (int)options->number[OPTION_WORKERS]);
    struct server *server = server_start(&settings);
    int rc = server == NULL ? 1 : 0;
    if (server != NULL) {
        wait_for_signal(server);
        server_stop(server);
    }
    jobs_free(settings.jobs);
    journal_close(settings.journal);
    catalogue_free(settings.catalogue);
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

static int run(const struct options *options)
{
    struct stat st;
    if (stat(options->text[OPTION_FILES], &st) != 0 || !S_ISDIR(st.st_mode)) {
        return refuse("--files is no folder");
    }
    if (mkdir(options->text[OPTION_STATE], 0777) != 0 && errno != EEXIST) {
        return refuse("--state cannot be made");
    }
    /* Taken by sigwait(); blocked in every thread before the first is made. */
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return serve(options);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--work") == 0) {
        return work(argv[2], argv[3]);
    }
    struct options options = {
        .text = {[OPTION_API_KEY] = "sandbox"},
        .number =
            {[OPTION_JOB_SECONDS] = 1, [OPTION_WORKERS] = 2, [OPTION_DATA_PORT] = 9},
        .faults = faults_new(),
    };
    int rc = read_options(argc, argv, &options);
    if (rc < 0) {
        rc = run(&options);
    }
    faults_free(options.faults);
    return rc;
}
