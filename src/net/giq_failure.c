/*
 * Errors of the driver from libcurl's error codes and messages.
 */
#include "net/giq_failure.h"

#include <curl/curl.h>
#include <string.h>

#include "base/giq_text.h"
#include "net/giq_url.h"

/* Failures before the request is sent. Their errors quote libcurl's message, because it
 * names hosts, ports and local files, which curl_easy_strerror() does not. */
struct early_failure {
    CURLcode rc;
    bool is_permanent;
};

static const struct early_failure early_failures[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, false},
    {CURLE_COULDNT_RESOLVE_HOST, false},
    {CURLE_COULDNT_CONNECT, false},
    {CURLE_SSL_CONNECT_ERROR, false},
    {CURLE_PEER_FAILED_VERIFICATION, true},
    {CURLE_SSL_CERTPROBLEM, true},
    {CURLE_SSL_CACERT_BADFILE, true},
    /* libcurl 8.23 reports this for a client certificate or key that it cannot use. */
    {CURLE_BAD_FUNCTION_ARGUMENT, true},
};

bool giq_failure_is_tls_alert(const struct giq_failure *failure)
{
    /* Words of OpenSSL's messages about alerts. */
    const char *message = failure->message;
    return !failure->has_headers && strstr(message, " alert ") != NULL &&
           (strstr(message, "certificate") != NULL ||
            strstr(message, "unknown ca") != NULL);
}

bool giq_failure_is_http2(const struct giq_failure *failure)
{
    return failure->rc == CURLE_HTTP2 || failure->rc == CURLE_HTTP2_STREAM;
}

/* The entry for an error code of libcurl, or NULL. */
static const struct early_failure *find_early_failure(int rc)
{
    for (size_t i = 0; i < GIQ_COUNT(early_failures); i++) {
        if ((int)early_failures[i].rc == rc) {
            return &early_failures[i];
        }
    }
    return NULL;
}

/* The status with which a proxy refused CONNECT, or 0. */
static int proxy_status(const struct giq_failure *failure)
{
    long status = 0;
    (void)curl_easy_getinfo(failure->curl, CURLINFO_HTTP_CONNECTCODE, &status);
    if (failure->may_have_been_sent || (status >= 200 && status < 300)) {
        return 0;
    }
    return (int)status;
}

static void fail_by_proxy(const char *host, int status, struct giq_error *err)
{
    bool is_denied = status == 401 || status == 407;
    (void)giq_fail(err, GIQ_E_NETWORK, "the proxy refused to connect to %s: HTTP %d%s",
                   host, status, is_denied ? "; check GDAL_HTTP_PROXYUSERPWD" : "");
    err->permanent = is_denied || status == 403;
}

static void fail_transfer(const struct giq_failure *failure, const char *host,
                          enum giq_code code, struct giq_error *err)
{
    bool is_alert = giq_failure_is_tls_alert(failure);
    const struct early_failure *early = find_early_failure(failure->rc);
    struct giq_printable message;
    const char *text = curl_easy_strerror((CURLcode)failure->rc);
    if (failure->rc == CURLE_ABORTED_BY_CALLBACK) {
        text = "the transfer stalled, and the time limit of the open has passed";
    }
    /* The message about an invalid proxy address contains its password. */
    bool has_message =
        failure->message[0] != '\0' && strchr(failure->message, '@') == NULL;
    if ((is_alert || early != NULL) && has_message) {
        text = giq_text_printable(failure->message, &message);
    }
    (void)giq_fail(err, code, "%s: %s%s", host, text,
                   giq_failure_is_http2(failure)
                       ? "; set GDAL_HTTP_VERSION=1.1 to avoid HTTP/2"
                       : "");
    err->permanent = is_alert || (early != NULL && early->is_permanent);
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
