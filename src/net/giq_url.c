#include "net/giq_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_text.h"
#include "net/giq_address.h"

char *giq_url_make(const char *base, const char *path, const char *name,
                   const char *value)
{
    char *url = NULL;
    char *escaped = name == NULL ? NULL : giq_address_escape(value);
    if (name == NULL) {
        url = asprintf(&url, "%s/%s", base, path) < 0 ? NULL : url;
    } else if (escaped != NULL) {
        url = asprintf(&url, "%s/%s?%s=%s", base, path, name, escaped) < 0 ? NULL : url;
    }
    free(escaped);
    return url;
}

/* What decoding leaves of a host may read as another one when it is written again. */
static bool is_host(const char *host)
{
    for (const char *c = host; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7F || *c == '%') {
            return false;
        }
    }
    return true;
}

/* To be released also where it is false. */
static bool split(const char *text, struct giq_address *out)
{
    return giq_address_split(text, out) && is_host(out->host);
}

static bool is_web(const struct giq_address *parts)
{
    return strcmp(parts->scheme, "https") == 0 || strcmp(parts->scheme, "http") == 0;
}

static enum giq_url_redirect judge(const struct giq_address *from,
                                   const struct giq_address *to)
{
    bool downgrade =
        strcmp(from->scheme, "https") == 0 && strcmp(to->scheme, "https") != 0;
    if (!is_web(to) || downgrade || to->has_user) {
        return GIQ_URL_FORBIDDEN;
    }
    bool same = strcmp(from->scheme, to->scheme) == 0 &&
                giq_text_same(from->host, to->host) &&
                strcmp(from->real_port, to->real_port) == 0;
    return same ? GIQ_URL_SAME_ORIGIN : GIQ_URL_CROSS_ORIGIN;
}

enum giq_url_redirect giq_url_redirect(const char *from, const char *to)
{
    struct giq_address from_parts = {0};
    struct giq_address to_parts = {0};
    enum giq_url_redirect hop = GIQ_URL_FORBIDDEN;
    if (split(from, &from_parts) && split(to, &to_parts)) {
        hop = judge(&from_parts, &to_parts);
    }
    giq_address_release(&from_parts);
    giq_address_release(&to_parts);
    return hop;
}

static bool is_loopback(const char *host)
{
    return giq_text_same(host, "localhost") || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0');
}

static bool check_base(const struct giq_address *parts, unsigned flags,
                       struct giq_error *err)
{
    if (!is_web(parts)) {
        return giq_fail(err, GIQ_E_USAGE, "BASE_URL is not an https address");
    }
    if (parts->has_user || parts->has_query || parts->has_fragment) {
        return giq_fail(err, GIQ_E_USAGE,
                        "BASE_URL holds a user, a query or a fragment, which it must "
                        "not; credentials belong in GIQ_API_KEY");
    }
    bool open_http = strcmp(parts->scheme, "http") == 0 && !is_loopback(parts->host);
    if (open_http && !(flags & GIQ_BASE_URL_ALLOW_HTTP)) {
        struct giq_printable shown;
        return giq_fail(err, GIQ_E_USAGE,
                        "BASE_URL is http, which would show the key to the network: use "
                        "https (where each request is a new job), or set "
                        "GIQ_ALLOW_HTTP=YES if %s may be reached so",
                        giq_text_printable(parts->host, &shown));
    }
    return true;
}

/* scheme://host[:port]path in its one form, or NULL when out of memory. */
static char *join_base(const struct giq_address *parts)
{
    for (char *c = parts->host; *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    size_t path_len = strlen(parts->path);
    while (path_len > 0 && parts->path[path_len - 1] == '/') {
        path_len--;
    }
    char *base = NULL;
    int rc = asprintf(&base, "%s://%s%s%s%.*s", parts->scheme, parts->host,
                      parts->port == NULL ? "" : ":",
                      parts->port == NULL ? "" : parts->port, (int)path_len, parts->path);
    return rc < 0 ? NULL : base;
}

static bool fail_form(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "BASE_URL is not an address of the form https://host/path");
}

/* Numbers stand for hosts, and decoding may have made one: "78%2e0" is then read as
 * 78.0.0.0. */
static bool check_form(const char *base, const char *host, struct giq_error *err)
{
    struct giq_address again = {0};
    bool ok = giq_address_split(base, &again) && strcmp(again.host, host) == 0;
    giq_address_release(&again);
    return ok || fail_form(err);
}

bool giq_base_url(const char *text, unsigned flags, char **out, struct giq_error *err)
{
    struct giq_address parts = {0};
    char *base = NULL;
    bool ok = (split(text, &parts) || fail_form(err)) && check_base(&parts, flags, err) &&
              ((base = join_base(&parts)) != NULL || giq_fail_memory(err)) &&
              check_form(base, parts.host, err);
    giq_address_release(&parts);
    if (!ok) {
        free(base);
        return false;
    }
    *out = base;
    return true;
}
