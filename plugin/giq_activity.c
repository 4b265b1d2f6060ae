/* Keeps the state of an open, writes it to the progress file, and estimates its share. */
#include "giq_activity.h"

#include <stdio.h>
#include <string.h>

#include "giq/progress_file.h"

enum { PAUSE_MS = 250 }; /* between two writes */

static const char *const phases[] = {
    [GIQ_ACTIVITY_AREA] = "area",     [GIQ_ACTIVITY_MODELS] = "models",
    [GIQ_ACTIVITY_UPLOAD] = "upload", [GIQ_ACTIVITY_SUBMIT] = "submit",
    [GIQ_ACTIVITY_WAIT] = "wait",     [GIQ_ACTIVITY_DOWNLOAD] = "download",
    [GIQ_ACTIVITY_UNPACK] = "unpack",
};

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

void giq_activity_init(struct giq_activity_log *log, const char *path)
{
    *log = (struct giq_activity_log){
        .path = path,
        .bytes = -1,
        .total = -1,
        .submitted_ms = GIQ_TIME_NONE,
        .expected_ms = -1,
        .batch_share = -1,
    };
}

static int64_t waited_ms(const struct giq_activity_log *log)
{
    if (log->submitted_ms == GIQ_TIME_NONE) {
        return -1;
    }
    int64_t waited = giq_env_system.wall_ms(giq_env_system.ctx) - log->submitted_ms;
    return waited > 0 ? waited : 0;
}

static void write_state(struct giq_activity_log *log)
{
    const struct giq_progress_state state = {
        .phase = log->phase,
        .bytes = log->bytes,
        .total = log->total,
        .job = log->job[0] == '\0' ? NULL : log->job,
        .status = log->status[0] == '\0' ? NULL : log->status,
        .waited_ms = waited_ms(log),
        .expected_ms = log->expected_ms,
    };
    log->has_changed = false;
    log->written_ms = now_ms();
    if (!log->has_failed && !giq_progress_file_write(log->path, &state, &log->failure)) {
        log->has_failed = true;
    }
}

void giq_activity_tick(struct giq_activity_log *log)
{
    bool is_waiting = log->phase == phases[GIQ_ACTIVITY_WAIT];
    if (log->path == NULL || log->phase == NULL || !(log->has_changed || is_waiting)) {
        return;
    }
    if (log->written_ms == 0 || now_ms() - log->written_ms >= PAUSE_MS) {
        write_state(log);
    }
}

void giq_activity_begin(struct giq_activity_log *log, enum giq_activity activity)
{
    if (log->phase == phases[activity]) {
        return;
    }
    log->phase = phases[activity];
    log->bytes = -1;
    log->total = -1;
    log->has_changed = true;
    giq_activity_tick(log);
}

void giq_activity_transferred(struct giq_activity_log *log, int64_t bytes, int64_t total)
{
    bool is_transfer = log->phase == phases[GIQ_ACTIVITY_UPLOAD] ||
                       log->phase == phases[GIQ_ACTIVITY_DOWNLOAD];
    if (is_transfer && bytes >= 0 && (log->bytes != bytes || log->total != total)) {
        log->bytes = bytes;
        log->total = total;
        log->has_changed = true;
    }
    giq_activity_tick(log);
}

static void set_text(char out[GIQ_ACTIVITY_TEXT_SIZE], const char *text)
{
    if (text != NULL) {
        (void)snprintf(out, GIQ_ACTIVITY_TEXT_SIZE, "%.*s",
                       giq_text_cut_len(text, GIQ_ACTIVITY_TEXT_SIZE - 1), text);
    }
}

void giq_activity_set_job(struct giq_activity_log *log, const struct giq_job_view *view)
{
    set_text(log->job, view->job_id);
    set_text(log->status, view->status);
    log->submitted_ms = view->submitted_ms;
    log->expected_ms = view->expected_ms > 0 ? view->expected_ms : -1;
    log->has_changed = true;
    giq_activity_tick(log);
}

void giq_activity_set_batch(struct giq_activity_log *log, const char *status,
                            double share)
{
    set_text(log->status, status);
    log->batch_share = share;
    log->has_changed = true;
    giq_activity_tick(log);
}

/* How much of `total` is `done`; 0 if either is not known. */
static double part_of(int64_t done, int64_t total)
{
    if (done <= 0 || total <= 0) {
        return 0;
    }
    return done < total ? (double)done / (double)total : 1;
}

double giq_activity_share(const struct giq_activity_log *log)
{
    /* Where each phase begins, the wait having most of an open. */
    static const double submit = 0.05;
    static const double download = 0.8;
    static const double unpack = 0.95;
    if (log->batch_share >= 0) {
        return log->batch_share;
    }
    if (log->phase == phases[GIQ_ACTIVITY_UPLOAD]) {
        return submit * part_of(log->bytes, log->total);
    }
    if (log->phase == phases[GIQ_ACTIVITY_SUBMIT]) {
        return submit;
    }
    if (log->phase == phases[GIQ_ACTIVITY_WAIT]) {
        return submit + (download - submit) * part_of(waited_ms(log), log->expected_ms);
    }
    if (log->phase == phases[GIQ_ACTIVITY_DOWNLOAD]) {
        return download + (unpack - download) * part_of(log->bytes, log->total);
    }
    return log->phase == phases[GIQ_ACTIVITY_UNPACK] ? unpack : 0;
}

void giq_activity_end(struct giq_activity_log *log, enum giq_code code)
{
    if (log->path == NULL) {
        return;
    }
    log->phase = code == GIQ_E_NONE        ? "done"
                 : code == GIQ_E_CANCELLED ? "cancelled"
                                           : "failed";
    write_state(log);
}
