/*
 * Which parts of a line of the trace are logged.
 */
#include "net/giq_trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_text.h"

/* Whether the value of the header is logged. */
static bool is_logged(const char *name, size_t len)
{
    static const char *const logged[] = {"Accept",
                                         "Connection",
                                         "Content-Encoding",
                                         "Content-Length",
                                         "Content-Range",
                                         "Content-Type",
                                         "Date",
                                         "Host",
                                         "If-Range",
                                         "ETag",
                                         "Range",
                                         "Retry-After",
                                         "Server",
                                         "Transfer-Encoding"};
    for (size_t i = 0; i < GIQ_COUNT(logged); i++) {
        if (strlen(logged[i]) == len && giq_text_begins_nocase(name, logged[i])) {
            return true;
        }
    }
    return false;
}

/* The length of the part of a line that is logged. */
static size_t logged_length(enum giq_trace_kind kind, bool is_same_origin,
                            const char *line)
{
    if (kind == GIQ_TRACE_TEXT) {
        /* Messages about HTTP/2 have each header in brackets. The URL of a proxy, which
         * may have a password, is in quotes. */
        return strcspn(line, strchr(line, '@') == NULL ? "?[" : "?['");
    }
    size_t name = strcspn(line, ": ");
    if (line[name] == ':') {
        return is_logged(line, name) ? strlen(line) : name;
    }
    if (kind == GIQ_TRACE_HEADER_OUT) {
        return is_same_origin ? strcspn(line, "?") : name;
    }
    /* A line that is not a header or a status line may be the rest of a value. */
    return giq_text_begins_nocase(line, "HTTP/") ? strlen(line) : 0;
}

static void trace_line(const struct giq_env *env, const struct giq_cred *cred,
                       enum giq_trace_kind kind, char *line)
{
    static const char marks[] = {[GIQ_TRACE_TEXT] = '*',
                                 [GIQ_TRACE_HEADER_OUT] = '>',
                                 [GIQ_TRACE_HEADER_IN] = '<'};
    struct giq_printable shown;
    giq_cred_mask(cred, line);
    giq_text_mask_addresses(line);
    line[logged_length(kind, cred != NULL, line)] = '\0';
    if (line[0] != '\0') {
        giq_env_debug(env, "%c %s", marks[kind], giq_text_printable(line, &shown));
    }
}

void giq_trace(const struct giq_env *env, const struct giq_cred *cred,
               enum giq_trace_kind kind, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    while (bytes < end) {
        const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
        line_end = line_end == NULL ? end : line_end;
        char *line = giq_text_trim(bytes, (size_t)(line_end - bytes));
        if (line != NULL) {
            trace_line(env, cred, kind, line);
            giq_cred_wipe(line);
            free(line);
        }
        bytes = line_end + 1;
    }
}
