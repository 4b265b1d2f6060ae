/*
 * Logging the lines of a transfer without secrets.
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

/* The length of the part of a libcurl message that is logged. It ends before a query;
 * before a '[', since messages about HTTP/2 have each header in brackets; and, if there
 * is a '@', before a quote, since a quoted URL of a proxy may have a password. */
static size_t message_length(const char *line)
{
    bool may_have_password = strchr(line, '@') != NULL;
    return strcspn(line, may_have_password ? "?['" : "?[");
}

/* The length of the part of a line of a request or response that is logged. */
static size_t header_length(enum giq_trace_kind kind, bool is_same_origin,
                            const char *line)
{
    size_t name_len = strcspn(line, ": ");
    if (line[name_len] == ':') {
        return is_logged(line, name_len) ? strlen(line) : name_len;
    }
    if (kind == GIQ_TRACE_HEADER_OUT) { /* the request line */
        return is_same_origin ? strcspn(line, "?") : name_len;
    }
    /* A line that is not a header or a status line may be the rest of a value. */
    return giq_text_begins_nocase(line, "HTTP/") ? strlen(line) : 0;
}

static void trace_line(const struct giq_env *env, const struct giq_cred *cred,
                       enum giq_trace_kind kind, char *line)
{
    static const char prefixes[] = {[GIQ_TRACE_TEXT] = '*',
                                    [GIQ_TRACE_HEADER_OUT] = '>',
                                    [GIQ_TRACE_HEADER_IN] = '<'};
    struct giq_printable printable;
    giq_cred_mask(cred, line);
    giq_text_mask_addresses(line);
    size_t len = kind == GIQ_TRACE_TEXT ? message_length(line)
                                        : header_length(kind, cred != NULL, line);
    line[len] = '\0';
    if (len > 0) {
        giq_env_debug(env, "%c %s", prefixes[kind], giq_text_printable(line, &printable));
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
