/* Raises errors and warnings as CPL errors, without secrets. */
#include "giq_report.h"

#include <cpl_error.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_SIZE = GIQ_ERROR_TEXT_SIZE, /* holds the whole text of an error */
    TICK_MS = 250,                   /* the longest sleep */
    CANCEL_TICK_MS = 100, /* the same if a cancel file or a callback may end the open */
};

static CPLErrorNum cpl_number_of(enum giq_code code)
{
    static const CPLErrorNum numbers[] = {
        [GIQ_E_NONE] = CPLE_AppDefined,       [GIQ_E_USAGE] = CPLE_IllegalArg,
        [GIQ_E_AREA] = CPLE_IllegalArg,       [GIQ_E_CREDENTIALS] = CPLE_HttpResponse,
        [GIQ_E_NETWORK] = CPLE_HttpResponse,  [GIQ_E_SERVICE] = CPLE_HttpResponse,
        [GIQ_E_REFUSED] = CPLE_HttpResponse,  [GIQ_E_FAILED] = CPLE_AppDefined,
        [GIQ_E_UNKNOWN] = CPLE_AppDefined,    [GIQ_E_TIMEOUT] = CPLE_AppDefined,
        [GIQ_E_CANCELLED] = CPLE_AppDefined,  [GIQ_E_GONE] = CPLE_HttpResponse,
        [GIQ_E_INCOMPLETE] = CPLE_FileIO,     [GIQ_E_RESULT] = CPLE_OpenFailed,
        [GIQ_E_STORE] = CPLE_FileIO,          [GIQ_E_BATCH] = CPLE_AppDefined,
        [GIQ_E_READONLY] = CPLE_NotSupported, [GIQ_E_MEMORY] = CPLE_OutOfMemory,
    };
    return numbers[code];
}

/* Copy `text` to `out`; a text that is too long is cut between characters and ends in
 * "...". */
static void copy_line(const char *text, char out[LINE_SIZE])
{
    static const char dots[] = "...";
    bool fits = strlen(text) < LINE_SIZE;
    int len = giq_text_cut_len(text, fits ? LINE_SIZE : LINE_SIZE - (int)sizeof dots);
    (void)snprintf(out, LINE_SIZE, "%.*s%s", len, text, fits ? "" : dots);
}

/* Copy `text` to `out` without secrets; returns `out`. */
static const char *copy_masked(const struct giq_report *report, const char *text,
                               char out[LINE_SIZE])
{
    copy_line(text, out);
    if (report->cred != NULL) {
        giq_cred_mask_message(report->cred, out);
    }
    return out;
}

static void warn(void *ctx, const char *text)
{
    struct giq_report *report = ctx;
    char line[LINE_SIZE];
    giq_progress_clear(&report->progress);
    CPLError(CE_Warning, CPLE_AppDefined, "GIQ: %s", copy_masked(report, text, line));
}

static void debug(void *ctx, const char *text)
{
    char line[LINE_SIZE];
    CPLDebug("GIQ", "%s", copy_masked(ctx, text, line));
}

/* Once the file was found the open stays cancelled. Until then each call checks for it,
 * because no run request may begin after it was made. */
static bool has_cancel_file(struct giq_report *report)
{
    if (report->cancel_file == NULL) {
        return false;
    }
    VSIStatBufL st;
    if (!atomic_load(&report->found_cancel_file) &&
        VSIStatExL(report->cancel_file, &st, VSI_STAT_EXISTS_FLAG) == 0) {
        atomic_store(&report->found_cancel_file, true);
    }
    return atomic_load(&report->found_cancel_file);
}

static bool has_host_cancelled(struct giq_report *report)
{
    if (giq_host_progress_is_due(&report->host)) {
        giq_host_progress_call(&report->host, giq_activity_share(&report->activity),
                               report->progress.text);
    }
    return giq_host_progress_is_cancelled(&report->host);
}

const char *giq_report_canceller(struct giq_report *report)
{
    if (giq_interrupt_received(&report->interrupt)) {
        return "Ctrl-C";
    }
    if (has_host_cancelled(report)) {
        return "the program";
    }
    return has_cancel_file(report) ? "the file of GIQ_CANCEL_FILE" : NULL;
}

static bool cancelled(void *ctx)
{
    return giq_report_canceller(ctx) != NULL;
}

static void begin(void *ctx, enum giq_activity activity)
{
    struct giq_report *report = ctx;
    giq_activity_begin(&report->activity, activity);
}

static void transferred(void *ctx, int64_t bytes, int64_t total)
{
    struct giq_report *report = ctx;
    giq_activity_transferred(&report->activity, bytes, total);
}

/* Sleeps are short: the elapsed time on the terminal is updated, and a signal that
 * another thread received, the cancel file, or the callback, is noticed. */
static void sleep_ms(void *ctx, int64_t ms)
{
    struct giq_report *report = ctx;
    bool is_simple = report->cancel_file == NULL && report->host.function == NULL;
    int64_t most_ms = is_simple ? TICK_MS : CANCEL_TICK_MS;
    giq_env_system.sleep_ms(giq_env_system.ctx, ms < most_ms ? ms : most_ms);
    giq_progress_tick(&report->progress);
    giq_activity_tick(&report->activity);
}

struct giq_env giq_report_env(struct giq_report *report)
{
    struct giq_env env = giq_env_system;
    env.sleep_ms = sleep_ms;
    env.cancelled = cancelled;
    env.warn = warn;
    env.debug = debug;
    env.begin = begin;
    env.transferred = transferred;
    env.ctx = report;
    return env;
}

void giq_report_error(struct giq_report *report, const struct giq_error *err)
{
    char line[LINE_SIZE];
    giq_progress_clear(&report->progress);
    CPLError(CE_Failure, cpl_number_of(err->code), "GIQ[%s] %s", giq_code_tag(err->code),
             copy_masked(report, err->text, line));
}
