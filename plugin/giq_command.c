/* Runs the commands: opens the connection string, copies the result, prints the rows. */
#include "giq_command.h"

#include <cpl_error.h>
#include <ogr_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "giq_command_copy.h"
#include "giq_command_forget.h"
#include "giq_command_print.h"
#include "giq_open.h"
#include "giq_table.h"
#include "options/giq_gdal_cleanup.h"

/* Records that are read to complete a word, which must not take long in a large store. */
enum { RECORDS_READ_MAX = 1000 };

/* With --output, the open is this share of the progress, and the copy the rest: a job
 * takes longer than a copy. */
static const double open_share = 0.9;

/* What a command prints for people. */
static const char *const model_columns[] = {"id",   "name",   "version",
                                            "type", "labels", NULL};
static const char *const file_columns[] = {
    "file_id", "name", "datetime", "source_type", "layer_type", "collection", NULL};
static const char *const job_columns[] = {
    "job_id",       "state",       "model_id", "file_id", "upload",
    "submitted_at", "result_size", "area_km2", "key",     NULL};
static const char *const row_columns[] = {
    "job_id",      "state",       "status",   "model_id", "file_id", "upload", "label",
    "result_path", "result_size", "area_km2", "error",    "key",     NULL};
static const char *const batch_columns[] = {"row",     "job_id",   "state", "model_id",
                                            "file_id", "area_km2", "error", NULL};
static const char *const result_columns[] = {"name", "kind", "features", "bands", NULL};
static const char *const forgotten_columns[] = {"job_id", "state", "outcome", "bytes",
                                                "reason", "key",   NULL};

/* The layers that a command prints. */
struct output {
    GDALDatasetH *datasets; /* each with one layer */
    size_t count;
    size_t capacity;
    enum giq_code failure; /* of the last open */
};

/* ---- connection strings ---- */

/* What a name without keys begins with. */
static const char prefix_of_requests[] = "GIQ:";

/* The name with a key added, which the caller frees. NULL when out of memory, which is
 * then the error. */
static char *add_key(const char *name, const char *key, const char *value,
                     struct giq_error *err)
{
    char *text = NULL;
    char *quoted = giq_conn_quote(value);
    /* A value may end in ':' too. */
    const char *separator = strcmp(name, prefix_of_requests) == 0 ? "" : ";";
    if (quoted == NULL ||
        asprintf(&text, "%s%s%s=%s", name, separator, key, quoted) < 0) {
        text = NULL;
        (void)giq_fail_memory(err);
    }
    free(quoted);
    return text;
}

/* The prefix with all keys of the command, as add_key(). */
static char *make_name(const char *prefix, char **keys, struct giq_error *err)
{
    char *name = strdup(prefix);
    if (name == NULL) {
        (void)giq_fail_memory(err);
    }
    for (int i = 0; name != NULL && keys != NULL && keys[i] != NULL; i++) {
        /* Not CPLParseNameValue(), which skips blanks before the value. */
        GIQ_AUTO_CPL char *key = CPLStrdup(keys[i]);
        char *equals = strchr(key, '=');
        *equals = '\0';
        char *longer = add_key(name, key, equals + 1, err);
        free(name);
        name = longer;
    }
    return name;
}

/* ---- opening ---- */

/* Open a name with these open options. The command's progress function is called from 0
 * to `share`. NULL after an error, whose code is `output->failure`. */
static GDALDatasetH open_name(const struct giq_command *command, const char *name,
                              char **options, double share, struct output *output)
{
    void *scaled =
        GDALCreateScaledProgress(0, share, command->progress, command->progress_data);
    const struct giq_open_info info = {
        .name = name,
        .flags = GDAL_OF_RASTER | GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR,
        .options = options,
        .progress = scaled == NULL ? NULL : GDALScaledProgress,
        .progress_data = scaled,
        .code = &output->failure,
    };
    GDALDatasetH dataset = giq_open_dataset(&info);
    GDALDestroyScaledProgress(scaled);
    return dataset;
}

/* Open the rows of a request without waiting for its job. With `submits` the request is
 * submitted first, otherwise only its record is read. NULL after an error, which was
 * raised unless it is in `*err`. */
static GDALDatasetH open_rows(const struct giq_command *command, const char *name,
                              bool submits, struct output *output, struct giq_error *err)
{
    char *row_name = add_key(name, "wait", "no", err);
    GIQ_AUTO_CSL char **options = CSLDuplicate(command->options);
    if (!submits) {
        options = CSLSetNameValue(options, "SUBMIT", "NO");
        /* It asks for a new job, which is an error with SUBMIT=NO. */
        options = CSLSetNameValue(options, "RETRY", NULL);
    }
    GDALDatasetH dataset =
        row_name == NULL ? NULL : open_name(command, row_name, options, 1, output);
    free(row_name);
    return dataset;
}

/* ---- output ---- */

/* Takes the dataset. */
static void add_output(struct output *output, GDALDatasetH dataset)
{
    if (output->count == output->capacity) {
        output->capacity = output->capacity == 0 ? 4 : 2 * output->capacity;
        output->datasets =
            CPLRealloc(output->datasets, output->capacity * sizeof *output->datasets);
    }
    output->datasets[output->count++] = dataset;
}

static void release_output(struct output *output)
{
    for (size_t i = 0; i < output->count; i++) {
        GDALClose(output->datasets[i]);
    }
    CPLFree(output->datasets);
}

static void print_json(FILE *out, const struct output *output)
{
    OGRLayerH *layers = CPLCalloc(output->count + 1, sizeof *layers);
    for (size_t i = 0; i < output->count; i++) {
        layers[i] = GDALDatasetGetLayer(output->datasets[i], 0);
    }
    giq_command_print_json(out, layers, output->count);
    CPLFree(layers);
}

static void print_text(FILE *out, const struct giq_command *command,
                       const struct output *output)
{
    static const char *const *const columns[] = {
        [GIQ_COMMAND_MODELS] = model_columns,     [GIQ_COMMAND_FILES] = file_columns,
        [GIQ_COMMAND_JOBS] = job_columns,         [GIQ_COMMAND_RUN] = row_columns,
        [GIQ_COMMAND_FETCH] = row_columns,        [GIQ_COMMAND_BATCH] = batch_columns,
        [GIQ_COMMAND_FORGET] = forgotten_columns,
    };
    bool is_list = command->kind == GIQ_COMMAND_RUN || command->kind == GIQ_COMMAND_FETCH;
    bool is_result =
        command->kind == GIQ_COMMAND_BATCH && !command->is_dry_run && !command->no_wait;
    for (size_t i = 0; i < output->count; i++) {
        OGRLayerH layer = GDALDatasetGetLayer(output->datasets[i], 0);
        (void)fputs(is_list && i > 0 ? "\n" : "", out);
        giq_command_print(out, layer, is_result ? result_columns : columns[command->kind],
                          is_list);
        if (command->kind == GIQ_COMMAND_FORGET) {
            giq_command_forget_sum_up(out, layer, command->is_dry_run);
        }
    }
}

static bool print_output(const struct giq_command *command, const struct output *output,
                         char **out_text, struct giq_error *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return giq_fail_memory(err);
    }
    if (command->is_json) {
        print_json(out, output);
    } else {
        print_text(out, command, output);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return giq_fail_memory(err);
    }
    *out_text = text;
    return true;
}

/* ---- requests ---- */

/* The layers and the bands of a batch's dataset, as rows. */
static GDALDatasetH describe(GDALDatasetH dataset, struct giq_error *err)
{
    enum { NAME, KIND, FEATURES, BANDS, COLUMNS };
    static const struct giq_table_column columns[COLUMNS] = {
        [NAME] = {"name", OFTString},
        [KIND] = {"kind", OFTString},
        [FEATURES] = {"features", OFTInteger64},
        [BANDS] = {"bands", OFTInteger64},
    };
    OGRLayerH table = NULL;
    GIQ_AUTO_DATASET GDALDatasetH made =
        giq_table_new("results", wkbNone, columns, COLUMNS, &table, err);
    int layers = GDALDatasetGetLayerCount(dataset);
    int bands = GDALGetRasterCount(dataset);
    for (int i = 0; made != NULL && i < layers + (bands > 0 ? 1 : 0); i++) {
        OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(table));
        if (i < layers) {
            OGRLayerH layer = GDALDatasetGetLayer(dataset, i);
            giq_table_set_text(row, NAME, OGR_L_GetName(layer));
            giq_table_set_text(row, KIND, "vector");
            OGR_F_SetFieldInteger64(row, FEATURES, OGR_L_GetFeatureCount(layer, TRUE));
        } else {
            giq_table_set_text(row, KIND, "raster");
            OGR_F_SetFieldInteger64(row, BANDS, bands);
        }
        if (!giq_table_add_row(table, row, err)) {
            return NULL;
        }
    }
    GDALDatasetH out = made;
    made = NULL;
    return out;
}

/* Copy a result that was opened, and add what is printed of it. `*err` stays {0} if the
 * error was raised already. */
static bool use_result(const struct giq_command *command, const char *name,
                       GDALDatasetH dataset, struct output *output, struct giq_error *err)
{
    if (command->output != NULL && !giq_command_copy(dataset, command, open_share, err)) {
        return false;
    }
    GDALDatasetH rows = command->kind == GIQ_COMMAND_BATCH
                            ? describe(dataset, err)
                            : open_rows(command, name, false, output, err);
    if (rows == NULL) {
        return false;
    }
    add_output(output, rows);
    return true;
}

/* Run one request or one batch, or report its state. */
static bool run_request(const struct giq_command *command, const char *name,
                        struct output *output, struct giq_error *err)
{
    if (command->is_dry_run || command->no_wait) {
        GDALDatasetH rows = open_rows(command, name, !command->is_dry_run, output, err);
        if (rows != NULL) {
            add_output(output, rows);
        }
        return rows != NULL;
    }
    GIQ_AUTO_DATASET GDALDatasetH dataset =
        open_name(command, name, command->options,
                  command->output == NULL ? 1 : open_share, output);
    return dataset != NULL && use_result(command, name, dataset, output, err);
}

/* Whether the next job is fetched after an open that failed in this way. */
static bool goes_on_after(enum giq_code failure)
{
    return failure != GIQ_E_CANCELLED && failure != GIQ_E_CREDENTIALS &&
           failure != GIQ_E_STORE && failure != GIQ_E_MEMORY;
}

static bool fetch(const struct giq_command *command, struct output *output,
                  struct giq_error *err)
{
    int count = CSLCount(command->names);
    if (count > 1 && command->output != NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "--output can hold the result of one job only; %d jobs are to be "
                        "fetched. Fetch them one at a time, or without --output",
                        count);
    }
    bool ok = true;
    for (int i = 0;
         i < count && err->code == GIQ_E_NONE && goes_on_after(output->failure); i++) {
        char *job_name = add_key(prefix_of_requests, "job", command->names[i], err);
        char *name = job_name == NULL ? NULL : make_name(job_name, command->keys, err);
        struct giq_command one = *command;
        one.progress_data =
            GDALCreateScaledProgress((double)i / count, (double)(i + 1) / count,
                                     command->progress, command->progress_data);
        one.progress = one.progress_data == NULL ? NULL : GDALScaledProgress;
        if (name == NULL || !run_request(&one, name, output, err)) {
            ok = false;
        }
        GDALDestroyScaledProgress(one.progress_data);
        free(name);
        free(job_name);
    }
    return ok;
}

static bool open_table(const struct giq_command *command, const char *name,
                       struct output *output)
{
    GDALDatasetH dataset = open_name(command, name, command->options, 1, output);
    if (dataset != NULL) {
        add_output(output, dataset);
    }
    return dataset != NULL;
}

static bool forget(const struct giq_command *command, struct output *output,
                   struct giq_error *err)
{
    struct giq_session session = {0};
    GDALDatasetH dataset = NULL;
    bool ok = giq_session_open(&session, NULL, err) &&
              giq_command_forget(&session, command, &dataset, err);
    giq_session_close(&session);
    if (ok) {
        add_output(output, dataset);
    }
    return ok;
}

static bool run(const struct giq_command *command, struct output *output,
                struct giq_error *err)
{
    static const char *const prefixes[] = {
        [GIQ_COMMAND_MODELS] = "GIQ:models",      [GIQ_COMMAND_FILES] = "GIQ:files",
        [GIQ_COMMAND_JOBS] = "GIQ:jobs",          [GIQ_COMMAND_RUN] = prefix_of_requests,
        [GIQ_COMMAND_BATCH] = prefix_of_requests,
    };
    if (command->kind == GIQ_COMMAND_FORGET) {
        return forget(command, output, err);
    }
    if (!giq_command_copy_check(command, err)) {
        return false;
    }
    if (command->kind == GIQ_COMMAND_FETCH) {
        return fetch(command, output, err);
    }
    char *name = make_name(prefixes[command->kind], command->keys, err);
    if (name == NULL) {
        return false;
    }
    bool is_request =
        command->kind == GIQ_COMMAND_RUN || command->kind == GIQ_COMMAND_BATCH;
    bool ok = is_request ? run_request(command, name, output, err)
                         : open_table(command, name, output);
    free(name);
    return ok;
}

bool giq_command_run(const struct giq_command *command, char **out_text)
{
    struct giq_report report = {0};
    struct giq_error err = {0};
    struct output output = {0};
    bool ok =
        run(command, &output, &err) && print_output(command, &output, out_text, &err);
    if (ok && command->progress != NULL) {
        (void)command->progress(1, "", command->progress_data);
    }
    /* An open has raised its own error. */
    if (!ok && err.code != GIQ_E_NONE) {
        giq_report_error(&report, &err);
    }
    release_output(&output);
    return ok;
}

/* ---- completion ---- */

struct completion {
    const char *(*get)(const struct giq_job_view *job);
    char **words;
    int records;
};

static const char *get_model(const struct giq_job_view *job)
{
    return job->model_id;
}

static const char *get_job(const struct giq_job_view *job)
{
    return job->job_id;
}

/* A shell prints the words: a text of the service must not control the terminal. */
static bool is_printable(const char *word)
{
    GIQ_AUTO_CPL char *copy = CPLStrdup(word);
    giq_text_make_printable(copy);
    return strcmp(copy, word) == 0;
}

static bool add_word(void *ctx, const struct giq_job_view *job, struct giq_error *err)
{
    struct completion *completion = ctx;
    const char *word = completion->get(job);
    (void)err;
    if (word != NULL && is_printable(word) &&
        CSLFindStringCaseSensitive(completion->words, word) < 0) {
        completion->words = CSLAddString(completion->words, word);
    }
    return ++completion->records < RECORDS_READ_MAX;
}

static char **complete(const char *(*get)(const struct giq_job_view *job))
{
    struct giq_session session = {0};
    struct giq_error ignored = {0};
    struct completion completion = {.get = get};
    CPLPushErrorHandler(CPLQuietErrorHandler);
    if (giq_session_open(&session, NULL, &ignored) &&
        giq_session_open_store(&session, &ignored)) {
        (void)giq_jobs_each(session.store, add_word, &completion, &ignored);
    }
    giq_session_close(&session);
    CPLPopErrorHandler();
    return completion.words;
}

char **giq_command_complete_models(void)
{
    return complete(get_model);
}

char **giq_command_complete_jobs(void)
{
    return complete(get_job);
}
