/* Draws the status line, or prints a line each minute. */
#include "giq_progress.h"

#include <stdio.h>
#include <string.h>

enum {
    MINUTE_MS = 60 * 1000,
    CHANGES_MAX = 5, /* of the state that are printed at once beside a progress bar */
};

/* Escape sequences of terminals. */
#define CLEAR_LINE "\r\033[K"
#define WRAP_OFF   "\033[?7l"
#define WRAP_ON    "\033[?7h"

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

void giq_progress_init(struct giq_progress *progress, enum giq_progress_mode mode)
{
    bool is_terminal = giq_env_is_terminal();
    *progress = (struct giq_progress){
        .is_terminal = is_terminal,
        .is_enabled =
            mode == GIQ_PROGRESS_YES || (mode == GIQ_PROGRESS_AUTO && is_terminal),
        .began_ms = now_ms(),
    };
}

void giq_progress_share(struct giq_progress *progress)
{
    progress->is_shared = progress->is_terminal;
    progress->is_terminal = false;
}

/* Leave the line of GDAL's progress bar. */
static void end_bar(const struct giq_progress *progress)
{
    if (progress->is_shared) {
        (void)fputc('\n', stderr);
    }
}

static void print(struct giq_progress *progress, int64_t now)
{
    long long seconds = (long long)(now - progress->began_ms) / 1000;
    /* Without wrapping, the terminal cuts the line at its edge; a wrapped line could not
     * be cleared. */
    const char *format = progress->is_terminal ? CLEAR_LINE WRAP_OFF
                             "GIQ: %s, %lld:%02lld%s%s%s%s" WRAP_ON
                                               : "GIQ: %s, %lld:%02lld%s%s%s%s\n";
    end_bar(progress);
    bool has_detail = progress->detail[0] != '\0';
    bool has_hint = progress->hint != NULL;
    (void)fprintf(stderr, format, progress->text, seconds / 60, seconds % 60,
                  has_detail ? "; " : "", progress->detail, has_hint ? "; " : "",
                  has_hint ? progress->hint : "");
    (void)fflush(stderr);
    progress->is_drawn = progress->is_terminal;
    progress->printed_ms = now;
}

void giq_progress_tick(struct giq_progress *progress)
{
    int64_t now = now_ms();
    if (progress->is_enabled && progress->text[0] != '\0' &&
        (progress->is_terminal || now - progress->printed_ms >= MINUTE_MS)) {
        print(progress, now);
    }
}

void giq_progress_set(struct giq_progress *progress, const char *text, const char *detail)
{
    bool is_first = progress->text[0] == '\0';
    bool is_change = progress->is_shared && progress->changes < CHANGES_MAX &&
                     strcmp(progress->text, text) != 0;
    (void)snprintf(progress->text, sizeof progress->text, "%s", text);
    (void)snprintf(progress->detail, sizeof progress->detail, "%s", detail);
    progress->changes += is_change ? 1 : 0;
    if ((is_first || is_change) && progress->is_enabled) {
        print(progress, now_ms());
    } else {
        giq_progress_tick(progress);
    }
}

void giq_progress_clear(struct giq_progress *progress)
{
    if (progress->is_drawn) {
        (void)fputs(CLEAR_LINE, stderr);
        (void)fflush(stderr);
        progress->is_drawn = false;
    }
}

void giq_progress_print_line(struct giq_progress *progress, const char *text)
{
    giq_progress_clear(progress);
    end_bar(progress);
    (void)fprintf(stderr, "GIQ: %s\n", text);
    (void)fflush(stderr);
}
