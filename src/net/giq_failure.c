/*
 * Errors of transfers, from libcurl's codes and messages.
 */
#include "net/giq_failure.h"

#include <curl/curl.h>
#include <string.h>

#include "base/giq_text.h"
#include "net/giq_url.h"

/* Failures before the request goes out. libcurl's message about them names hosts, ports
 * and local files, and so helps more than the name of the error. */
static const struct {
    CURLcode rc;
    bool is_permanent;
} early[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, false},
    {CURLE_COULDNT_RESOLVE_HOST, false},
    {CURLE_COULDNT_CONNECT, false},
    {CURLE_SSL_CONNECT_ERROR, false},
    {CURLE_PEER_FAILED_VERIFICATION, true},
    {CURLE_SSL_CERTPROBLEM, true},
    {CURLE_SSL_CACERT_BADFILE, true},
    /* That of libcurl 8.23 for a client certificate or a key that it cannot use. */
    {CURLE_BAD_FUNCTION_ARGUMENT, true},
};

bool giq_failure_is_tls_alert(const struct giq_failure *failure)
{
    const char *message = failure->message;
    return !failure->has_headers && strstr(message, " alert ") != NULL &&
           (strstr(message, "certificate") != NULL ||
            strstr(message, "unknown ca") != NULL);
}

bool giq_failure_is_http2(const struct giq_failure *failure)
{
    return failure->rc == CURLE_HTTP2 || failure->rc == CURLE_HTTP2_STREAM;
}

/* Whether the request could not be sent over the connection. */
static bool is_early(const struct giq_failure *failure, bool *out_permanent)
{
    *out_permanent = giq_failure_is_tls_alert(failure);
    bool found = *out_permanent;
    for (size_t i = 0; i < GIQ_COUNT(early); i++) {
        if ((int)early[i].rc == failure->rc) {
            *out_permanent = *out_permanent || early[i].is_permanent;
            found = true;
        }
    }
    return found;
}

/* The status with which a proxy refused CONNECT, or 0. */
static int proxy_status(const struct giq_failure *failure)
{
    long status = 0;
    (void)curl_easy_getinfo(failure->curl, CURLINFO_HTTP_CONNECTCODE, &status);
    return failure->was_sent || (status >= 200 && status < 300) ? 0 : (int)status;
}

static void fail_by_proxy(const char *host, int status, struct giq_error *err)
{
    bool denied = status == 401 || status == 407;
    (void)giq_fail(err, GIQ_E_NETWORK, "the proxy refused to connect to %s: HTTP %d%s",
                   host, status, denied ? "; check GDAL_HTTP_PROXYUSERPWD" : "");
    err->permanent = denied || status == 403;
}

static void fail_transfer(const struct giq_failure *failure, const char *host,
                          enum giq_code code, struct giq_error *err)
{
    struct giq_printable shown;
    bool permanent = false;
    bool found = is_early(failure, &permanent);
    /* The message about an invalid address of a proxy repeats its password. */
    bool may_show =
        found && failure->message[0] != '\0' && strchr(failure->message, '@') == NULL;
    const char *text = failure->rc == CURLE_ABORTED_BY_CALLBACK
                           ? "no data came before the time limit"
                           : curl_easy_strerror((CURLcode)failure->rc);
    (void)giq_fail(err, code, "%s: %s%s", host,
                   may_show ? giq_text_printable(failure->message, &shown) : text,
                   giq_failure_is_http2(failure) ? "; GDAL_HTTP_VERSION=1.1 avoids HTTP/2"
                                                 : "");
    err->permanent = permanent;
}

bool giq_failure_set(const struct giq_failure *failure, enum giq_code code,
                     struct giq_error *err)
{
    struct giq_url parts = {0};
    struct giq_printable host;
    int status = proxy_status(failure);
    (void)giq_url_split(failure->url, &parts);
    (void)giq_text_printable(parts.host, &host);
    if (status != 0) {
        fail_by_proxy(host.text, status, err);
    } else {
        fail_transfer(failure, host.text, code, err);
    }
    giq_url_release(&parts);
    return false;
}
