/*
 * Parsing, printing and comparing URLs with libcurl's URL interface.
 */
#include "net/giq_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_text.h"

/* ---- parts ---- */

/* `*out` stays NULL if the URL has no such part. False when out of memory. */
static bool copy_part(CURLU *handle, CURLUPart part, unsigned flags, char **out)
{
    char *text = NULL;
    CURLUcode rc = curl_url_get(handle, part, &text, flags);
    if (rc != CURLUE_OK) {
        return rc != CURLUE_OUT_OF_MEMORY;
    }
    *out = strdup(text);
    curl_free(text);
    return *out != NULL;
}

static bool has_part(CURLU *handle, CURLUPart part)
{
    char *text = NULL;
    (void)curl_url_get(handle, part, &text, 0);
    curl_free(text);
    return text != NULL;
}

static bool copy_parts(CURLU *handle, struct giq_url *parts)
{
    if (!copy_part(handle, CURLUPART_SCHEME, 0, &parts->scheme) ||
        !copy_part(handle, CURLUPART_HOST, 0, &parts->host) ||
        !copy_part(handle, CURLUPART_PORT, 0, &parts->port) ||
        !copy_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, &parts->effective_port) ||
        !copy_part(handle, CURLUPART_PATH, 0, &parts->path)) {
        return false;
    }
    parts->has_user =
        has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD);
    parts->has_query = has_part(handle, CURLUPART_QUERY);
    parts->has_fragment = has_part(handle, CURLUPART_FRAGMENT);
    return parts->scheme != NULL && parts->host != NULL &&
           parts->effective_port != NULL && parts->path != NULL;
}

bool giq_url_split(const char *text, struct giq_url *out)
{
    struct giq_url parts = {0};
    CURLU *handle = curl_url();
    bool ok = false;
    if (handle != NULL && curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK &&
        !has_part(handle, CURLUPART_ZONEID)) {
        ok = copy_parts(handle, &parts);
    }
    curl_url_cleanup(handle);
    if (!ok) {
        giq_url_release(&parts);
        return false;
    }
    *out = parts;
    return true;
}

void giq_url_release(struct giq_url *url)
{
    free(url->scheme);
    free(url->host);
    free(url->port);
    free(url->effective_port);
    free(url->path);
}

/* ---- requests and redirects ---- */

char *giq_url_make(const char *base, const char *path, const char *name,
                   const char *value)
{
    char *url = NULL;
    if (name == NULL) {
        return asprintf(&url, "%s/%s", base, path) < 0 ? NULL : url;
    }
    char *encoded = curl_easy_escape(NULL, value, 0);
    if (encoded == NULL) {
        return NULL;
    }
    int rc = asprintf(&url, "%s/%s?%s=%s", base, path, name, encoded);
    curl_free(encoded);
    return rc < 0 ? NULL : url;
}

char *giq_url_join(const char *base, const char *location)
{
    CURLU *url = curl_url();
    char *absolute = NULL;
    if (curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, location,
                     CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK) {
        (void)curl_url_get(url, CURLUPART_URL, &absolute, 0);
    }
    char *joined = strdup(absolute == NULL ? location : absolute);
    curl_free(absolute);
    curl_url_cleanup(url);
    return joined;
}

/* Whether a decoded host, written into a URL again, is parsed as the same host: it has no
 * space, control character or '%'. */
static bool is_plain_host(const char *host)
{
    for (const char *c = host; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7F || *c == '%') {
            return false;
        }
    }
    return true;
}

/* The caller must release `*out` on failure too. */
static bool split_checked(const char *text, struct giq_url *out)
{
    return giq_url_split(text, out) && is_plain_host(out->host);
}

static bool is_http_or_https(const struct giq_url *parts)
{
    return strcmp(parts->scheme, "https") == 0 || strcmp(parts->scheme, "http") == 0;
}

static enum giq_url_redirect classify(const struct giq_url *from,
                                      const struct giq_url *to)
{
    bool is_downgrade =
        strcmp(from->scheme, "https") == 0 && strcmp(to->scheme, "https") != 0;
    if (!is_http_or_https(to) || is_downgrade || to->has_user) {
        return GIQ_URL_FORBIDDEN;
    }
    bool is_same = strcmp(from->scheme, to->scheme) == 0 &&
                   giq_text_equal_nocase(from->host, to->host) &&
                   strcmp(from->effective_port, to->effective_port) == 0;
    return is_same ? GIQ_URL_SAME_ORIGIN : GIQ_URL_CROSS_ORIGIN;
}

enum giq_url_redirect giq_url_classify_redirect(const char *from, const char *to)
{
    struct giq_url from_parts = {0};
    struct giq_url to_parts = {0};
    enum giq_url_redirect redirect = GIQ_URL_FORBIDDEN;
    if (split_checked(from, &from_parts) && split_checked(to, &to_parts)) {
        redirect = classify(&from_parts, &to_parts);
    }
    giq_url_release(&from_parts);
    giq_url_release(&to_parts);
    return redirect;
}

/* ---- the base URL ---- */

static bool is_loopback(const char *host)
{
    return giq_text_equal_nocase(host, "localhost") || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0');
}

static bool check_base(const struct giq_url *parts, unsigned flags, struct giq_error *err)
{
    if (!is_http_or_https(parts)) {
        struct giq_printable scheme;
        return giq_fail(err, GIQ_E_USAGE,
                        "GIQ_BASE_URL must begin with https://; got \"%s:\"",
                        giq_text_printable(parts->scheme, &scheme));
    }
    if (parts->has_user || parts->has_query || parts->has_fragment) {
        return giq_fail(err, GIQ_E_USAGE,
                        "GIQ_BASE_URL must not have a user, a query or a fragment; set "
                        "the key with GIQ_API_KEY");
    }
    bool is_unencrypted = strcmp(parts->scheme, "http") == 0 && !is_loopback(parts->host);
    if (is_unencrypted && !(flags & GIQ_BASE_URL_ALLOW_HTTP)) {
        struct giq_printable host;
        return giq_fail(
            err, GIQ_E_USAGE,
            "GIQ_BASE_URL is http, which sends the key unencrypted: set "
            "GIQ_ALLOW_HTTP=YES if the connection to %s is trusted, or use https "
            "(jobs that were recorded with http are then not found: each request "
            "is a new job)",
            giq_text_printable(parts->host, &host));
    }
    return true;
}

static void make_lower_case(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
}

/* scheme://host[:port]path without a '/' at the end, or NULL when out of memory. */
static char *print_base(const struct giq_url *parts)
{
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

/* The message omits the value, which may have a password. */
static bool fail_form(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "GIQ_BASE_URL must have the form https://host/path");
}

/* Check that the host is parsed from the base URL unchanged. Decoding may turn a host
 * into a number, which is then parsed as an IPv4 address: "78%2e0" becomes 78.0.0.0. */
static bool check_form(const char *base, const char *host, struct giq_error *err)
{
    GIQ_AUTO(giq_url_release) struct giq_url parts = {0};
    if (!giq_url_split(base, &parts) || strcmp(parts.host, host) != 0) {
        return fail_form(err);
    }
    return true;
}

bool giq_base_url(const char *text, unsigned flags, char **out, struct giq_error *err)
{
    GIQ_AUTO(giq_url_release) struct giq_url parts = {0};
    if (!split_checked(text, &parts)) {
        return fail_form(err);
    }
    if (!check_base(&parts, flags, err)) {
        return false;
    }
    make_lower_case(parts.host);
    GIQ_AUTO_FREE char *base = print_base(&parts);
    if (base == NULL) {
        return giq_fail_memory(err);
    }
    if (!check_form(base, parts.host, err)) {
        return false;
    }
    *out = giq_take(&base);
    return true;
}
