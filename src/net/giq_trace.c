#include "net/giq_trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_text.h"

/* Headers whose values are shown. */
static bool is_told(const char *name, size_t len)
{
    static const char *const told[] = {"Accept",
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
    for (size_t i = 0; i < GIQ_COUNT(told); i++) {
        if (strlen(told[i]) == len && giq_text_begins(name, told[i])) {
            return true;
        }
    }
    return false;
}

/* How much of a line may be shown. */
static size_t shown_length(enum giq_trace_kind kind, bool is_home, const char *line)
{
    if (kind == GIQ_TRACE_TEXT) {
        /* HTTP/2 notes each header in brackets; the address of a proxy, which may
         * hold a password, stands in quotes. */
        return strcspn(line, strchr(line, '@') == NULL ? "?[" : "?['");
    }
    size_t name = strcspn(line, ": ");
    if (line[name] == ':') {
        return is_told(line, name) ? strlen(line) : name;
    }
    if (kind == GIQ_TRACE_HEADER_OUT) {
        return is_home ? strcspn(line, "?") : name;
    }
    /* What is neither a header nor a status line may be the rest of a value. */
    return giq_text_begins(line, "HTTP/") ? strlen(line) : 0;
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
    line[shown_length(kind, cred != NULL, line)] = '\0';
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
