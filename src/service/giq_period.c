/* Parsing and printing periods. */
#include "service/giq_period.h"

#include <stdio.h>
#include <string.h>

#include "base/giq_text.h"

enum {
    MS_PER_DAY = 24 * 60 * 60 * 1000,
    END_SIZE = 64, /* room for one end; a longer text is not a time */
};

/* Whether the text has only characters of times. Any other text may be a key that was
 * typed in the wrong place. */
static bool may_be_quoted(const char *text)
{
    return text[strspn(text, "0123456789-:.,TZ+/ ")] == '\0';
}

static bool fail_form(const char *text, struct giq_error *err)
{
    static const char form[] = "\"datetime\" must be an instant (2024-05-01T10:20:30Z), "
                               "a day (2024-05-01), or two "
                               "of them as <from>/<to>, with \"..\" for an open end";
    struct giq_printable printable;
    if (!may_be_quoted(text)) {
        return giq_fail(err, GIQ_E_USAGE, "%s", form);
    }
    return giq_fail(err, GIQ_E_USAGE, "%s; got \"%s\"", form,
                    giq_text_printable(text, &printable));
}

/* Parse one end of `len` bytes into the first and last millisecond that it stands for;
 * both are GIQ_TIME_NONE for "..". False if it is not an instant, a day or "..". */
static bool parse_end(const char *text, size_t len, struct giq_period *out)
{
    char end[END_SIZE];
    if (len >= sizeof end) {
        return false;
    }
    (void)memcpy(end, text, len);
    end[len] = '\0';
    if (strcmp(end, "..") == 0) {
        *out = (struct giq_period){GIQ_TIME_NONE, GIQ_TIME_NONE};
        return true;
    }
    if (giq_text_to_date(end, &out->from_ms)) {
        out->to_ms = out->from_ms + MS_PER_DAY - 1;
        return true;
    }
    out->to_ms = GIQ_TIME_NONE;
    if (!giq_text_to_time(end, &out->from_ms)) {
        return false;
    }
    out->to_ms = out->from_ms;
    return true;
}

bool giq_period_parse(const char *text, struct giq_period *out, struct giq_error *err)
{
    struct giq_period from;
    struct giq_period to;
    const char *slash = strchr(text, '/');
    if (slash == NULL) {
        if (!parse_end(text, strlen(text), &from) || from.from_ms == GIQ_TIME_NONE) {
            return fail_form(text, err);
        }
        *out = from;
        return true;
    }
    if (!parse_end(text, (size_t)(slash - text), &from) ||
        !parse_end(slash + 1, strlen(slash + 1), &to)) {
        return fail_form(text, err);
    }
    bool has_both = from.from_ms != GIQ_TIME_NONE && to.to_ms != GIQ_TIME_NONE;
    if (has_both && to.to_ms < from.from_ms) {
        struct giq_printable printable;
        return giq_fail(err, GIQ_E_USAGE,
                        "\"datetime\" ends before it starts: got \"%s\"; the order is "
                        "<from>/<to>",
                        giq_text_printable(text, &printable));
    }
    *out = (struct giq_period){from.from_ms, to.to_ms};
    return true;
}

/* Whole seconds are printed without a fraction. */
static void print_end(int64_t ms, char out[GIQ_TEXT_TIME_SIZE])
{
    static const char zeros[] = ".000Z";
    if (ms == GIQ_TIME_NONE) {
        (void)snprintf(out, GIQ_TEXT_TIME_SIZE, "..");
        return;
    }
    giq_text_from_time(ms, out);
    char *fraction = strstr(out, zeros);
    if (fraction != NULL) {
        (void)snprintf(fraction, sizeof zeros, "Z");
    }
}

const char *giq_period_print(const struct giq_period *period, struct giq_period_text *out)
{
    char from[GIQ_TEXT_TIME_SIZE];
    char to[GIQ_TEXT_TIME_SIZE];
    if (period->from_ms == GIQ_TIME_NONE && period->to_ms == GIQ_TIME_NONE) {
        return NULL;
    }
    print_end(period->from_ms, from);
    print_end(period->to_ms, to);
    (void)snprintf(out->text, sizeof out->text, "%.*s/%.*s", GIQ_TEXT_TIME_SIZE - 1, from,
                   GIQ_TEXT_TIME_SIZE - 1, to);
    return out->text;
}
