/* The debug log. Input: '*', '>' or '<' for the kind of the lines, '-' for a cross-origin
 * request or ' ', then the lines as libcurl reports them. */
#include "fuzz.h"

#include "net/giq_trace.h"

struct log {
    struct giq_env env;
    enum giq_trace_kind kind;
    bool is_same_origin;
    bool is_plain; /* the input has only printable ASCII, which is logged unchanged */
    size_t lines;
};

/* Check that no query is logged, no value of a secret header, and no path of a
 * cross-origin request. */
static void check_logged(const struct log *log, const char *text)
{
    static const char *const secret[] = {"Cookie", "Set-Cookie", "Location", "X-API-KEY",
                                         "Authorization"};
    size_t name = strcspn(text, ": ");
    bool has_query = strchr(text, '?') != NULL;
    bool is_header = log->kind != GIQ_TRACE_TEXT && text[name] == ':';
    for (size_t i = 0; is_header && i < GIQ_COUNT(secret); i++) {
        MUST(strlen(secret[i]) != name || strncasecmp(text, secret[i], name) != 0);
    }
    if (log->kind == GIQ_TRACE_TEXT) {
        MUST(!has_query && strchr(text, '[') == NULL);
    } else if (log->kind == GIQ_TRACE_HEADER_OUT && text[name] == ' ') {
        MUST(log->is_same_origin && !has_query);
    } else if (!is_header) {
        MUST(text[name] == '\0' || strncasecmp(text, "HTTP/", 5) == 0);
    }
}

static void check_line(void *ctx, const char *line)
{
    static const char marks[] = {[GIQ_TRACE_TEXT] = '*',
                                 [GIQ_TRACE_HEADER_OUT] = '>',
                                 [GIQ_TRACE_HEADER_IN] = '<'};
    struct log *log = ctx;
    log->lines++;
    MUST(line[0] == marks[log->kind] && line[1] == ' ');
    MUST(fuzz_is_plain(line));
    MUST(!log->is_same_origin || !fuzz_has_secret(line));
    if (log->is_plain) {
        check_logged(log, line + 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct log log = {
        .env = giq_env_system, .is_same_origin = data[1] != '-', .is_plain = true};
    log.kind = data[0] == '>'   ? GIQ_TRACE_HEADER_OUT
               : data[0] == '<' ? GIQ_TRACE_HEADER_IN
                                : GIQ_TRACE_TEXT;
    log.env.debug = check_line;
    log.env.ctx = &log;
    size_t len = size - 2;
    size_t lines = 1;
    char *bytes = malloc(len == 0 ? 1 : len);
    MUST(bytes != NULL);
    memcpy(bytes, data + 2, len);
    for (size_t i = 0; i < len; i++) {
        lines += bytes[i] == '\n';
        log.is_plain =
            log.is_plain && ((bytes[i] >= ' ' && bytes[i] <= '~') || bytes[i] == '\n');
    }
    giq_trace(&log.env, log.is_same_origin ? fuzz_cred() : NULL, log.kind, bytes, len);
    MUST(log.lines <= lines);
    free(bytes);
    return 0;
}
