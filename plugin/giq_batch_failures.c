/* Words the errors and warnings of a batch. */
#include "giq_batch_failures.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ID_MAX = 40,      /* bytes of the id of a row */
    REASON_MAX = 150, /* bytes of its reason */
    STOP_MAX = 200,   /* bytes of why a run stopped */
    COUNTS_SIZE = 400,
    ADVICE_SIZE = 600,
    SHOWN_SIZE = GIQ_BATCH_FAILURES_SIZE + 40, /* with "; and 99995 more" */
    SENTENCE_SIZE = COUNTS_SIZE + 60,          /* counts, and the words around them */
    STOP_SIZE = STOP_MAX + 100,                /* the same of why a run stopped */
};

/* ---- parts of a message ---- */

/* Append to a text of `size` bytes; what does not fit is cut. */
static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + len, size - len, format, args);
    va_end(args);
}

void giq_batch_failures_add(struct giq_batch_failures *failures, const char *id,
                            enum giq_code code, const char *text)
{
    failures->by_code[code]++;
    if (failures->count++ < GIQ_BATCH_FAILURES_SHOWN) {
        int id_len = giq_text_cut_len(id, ID_MAX);
        int len = giq_text_cut_len(text, REASON_MAX);
        append(failures->shown, sizeof failures->shown, "; row %.*s: [%s] %.*s%s", id_len,
               id, giq_code_tag(code), len, text, text[len] == '\0' ? "" : "...");
    }
}

/* "; row a: ...; and 3 more" */
static void append_shown(const struct giq_batch_failures *failures, char *text,
                         size_t size)
{
    append(text, size, "%s", failures->shown);
    if (failures->count > GIQ_BATCH_FAILURES_SHOWN) {
        append(text, size, "; and %zu more", failures->count - GIQ_BATCH_FAILURES_SHOWN);
    }
}

/* "2 failed, 1 unknown" */
static void list_counts(const struct giq_batch_failures *failures, char out[COUNTS_SIZE])
{
    out[0] = '\0';
    for (enum giq_code code = 0; code < (enum giq_code)GIQ_CODE_COUNT; code++) {
        if (failures->by_code[code] > 0) {
            append(out, COUNTS_SIZE, "%s%zu %s", out[0] == '\0' ? "" : ", ",
                   failures->by_code[code], giq_code_tag(code));
        }
    }
}

/* Whether opening the batch again, as it is, may read rows that failed. */
static bool has_transient(const struct giq_batch_failures *failures)
{
    static const enum giq_code transient[] = {GIQ_E_CREDENTIALS, GIQ_E_NETWORK,
                                              GIQ_E_SERVICE,     GIQ_E_INCOMPLETE,
                                              GIQ_E_STORE,       GIQ_E_MEMORY};
    for (size_t i = 0; i < GIQ_COUNT(transient); i++) {
        if (failures->by_code[transient[i]] > 0) {
            return true;
        }
    }
    return false;
}

static void list_advice(const struct giq_batch_failures *failures,
                        const struct giq_batch_end *end, char out[ADVICE_SIZE])
{
    const size_t *by_code = failures->by_code;
    out[0] = '\0';
    if (by_code[GIQ_E_FAILED] > 0 || by_code[GIQ_E_GONE] > 0) {
        append(out, ADVICE_SIZE,
               "; RETRY=<label> starts one new job for each row that is failed or gone");
    }
    if (by_code[GIQ_E_UNKNOWN] > 0) {
        append(out, ADVICE_SIZE,
               "; RETRY leaves rows alone that are unknown: look for the job of each on "
               "the service and adopt it, by ;job=<id> after the \"location\" of the row "
               "in the table of wait=no with SUBMIT=NO");
    }
    if (end->pending > 0 || has_transient(failures)) {
        append(out, ADVICE_SIZE,
               "; opening the batch again goes on with the other rows, and pays for none "
               "twice");
    }
    if (end->may_skip && failures->count < end->rows) {
        append(out, ADVICE_SIZE, "; ON_FAILED=SKIP reads the other %zu",
               end->rows - failures->count);
    }
    append(out, ADVICE_SIZE, "; GIQ:jobs lists all jobs");
}

/* ---- messages ---- */

bool giq_batch_failures_invalid(const struct giq_batch_failures *failures, size_t rows,
                                struct giq_error *err)
{
    char shown[SHOWN_SIZE] = "";
    append_shown(failures, shown, sizeof shown);
    return giq_fail(err, GIQ_E_BATCH,
                    "%zu of %zu rows of the batch %s not valid, so no job was started; "
                    "correct or remove them: %s",
                    failures->count, rows, failures->count == 1 ? "is" : "are",
                    shown + strlen("; "));
}

/* Append why rows were not begun. */
static void append_stop(const struct giq_batch_end *end, char *text, size_t size)
{
    if (end->stop == NULL || end->pending == 0) {
        return;
    }
    int len = giq_text_cut_len(end->stop->text, STOP_MAX);
    append(text, size, "; %zu further rows were not begun, because of [%s] %.*s%s",
           end->pending, giq_code_tag(end->stop->code), len, end->stop->text,
           end->stop->text[len] == '\0' ? "" : "...");
}

static bool fail_timeout(const struct giq_batch_failures *failures,
                         const struct giq_batch_end *end, struct giq_error *err)
{
    size_t running = failures->by_code[GIQ_E_TIMEOUT];
    size_t failed = failures->count - running;
    char others[SENTENCE_SIZE] = "";
    char counts[COUNTS_SIZE];
    struct giq_batch_failures rest = *failures;
    rest.by_code[GIQ_E_TIMEOUT] = 0;
    list_counts(&rest, counts);
    if (failed > 0) {
        append(others, sizeof others, " and %zu have failed (%s)", failed, counts);
    }
    char shown[SHOWN_SIZE] = "";
    append_shown(failures, shown, sizeof shown);
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "%zu of %zu rows are not finished%s; %zu were not begun; the jobs "
                    "that were started continue, and opening the batch again resumes the "
                    "wait%s",
                    running + end->pending, end->rows, others, end->pending, shown);
}

bool giq_batch_failures_fail(const struct giq_batch_failures *failures,
                             const struct giq_batch_end *end, struct giq_error *err)
{
    char counts[COUNTS_SIZE];
    char advice[ADVICE_SIZE];
    char failed[SENTENCE_SIZE];
    char shown[SHOWN_SIZE] = "";
    char stop[STOP_SIZE] = "";
    bool is_refused = failures->by_code[GIQ_E_CREDENTIALS] > 0 ||
                      (end->stop != NULL && end->stop->code == GIQ_E_CREDENTIALS);
    bool is_late = failures->by_code[GIQ_E_TIMEOUT] > 0 ||
                   (end->stop != NULL && end->stop->code == GIQ_E_TIMEOUT);
    if (is_late && !is_refused) {
        return fail_timeout(failures, end, err);
    }
    list_counts(failures, counts);
    list_advice(failures, end, advice);
    append_shown(failures, shown, sizeof shown);
    append_stop(end, stop, sizeof stop);
    (void)snprintf(failed, sizeof failed, "%zu of %zu rows of the batch failed%s%s%s",
                   failures->count, end->rows, failures->count > 0 ? " (" : "", counts,
                   failures->count > 0 ? ")" : "");
    /* The advice is never cut, however long the reasons are. */
    int room =
        GIQ_ERROR_TEXT_SIZE - 1 - (int)(strlen(failed) + strlen(stop) + strlen(advice));
    return giq_fail(err, is_refused ? GIQ_E_CREDENTIALS : GIQ_E_BATCH, "%s%s%.*s%s",
                    failed, stop, giq_text_cut_len(shown, room), shown, advice);
}

void giq_batch_failures_warning(const struct giq_batch_failures *failures,
                                const struct giq_batch_end *end, bool is_table,
                                char out[GIQ_BATCH_WARNING_SIZE])
{
    char counts[COUNTS_SIZE];
    list_counts(failures, counts);
    (void)snprintf(out, GIQ_BATCH_WARNING_SIZE, "%zu of %zu rows of the batch %s (%s)%s",
                   failures->count, end->rows,
                   is_table ? "have an error" : "failed and are left out", counts,
                   is_table ? "; see the column error" : "");
    append_stop(end, out, GIQ_BATCH_WARNING_SIZE);
    append_shown(failures, out, GIQ_BATCH_WARNING_SIZE);
}
