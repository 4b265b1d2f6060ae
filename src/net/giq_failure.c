#include "net/giq_failure.h"

#include <curl/curl.h>
#include <string.h>

#include "base/giq_text.h"
#include "net/giq_address.h"

/* Failures before the request goes out. The library's own words for them name hosts,
 * ports and local files, and say more than the name of the error. */
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
    const char *words = failure->words;
    return !failure->has_head && strstr(words, " alert ") != NULL &&
           (strstr(words, "certificate") != NULL || strstr(words, "unknown ca") != NULL);
}

bool giq_failure_is_http2(const struct giq_failure *failure)
{
    return failure->rc == CURLE_HTTP2 || failure->rc == CURLE_HTTP2_STREAM;
}

/* Whether the connection was never fit for the request. */
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

/* The status with which a proxy refused the way to the service, or 0. */
static int refusal_of_proxy(const struct giq_failure *failure)
{
    long status = 0;
    (void)curl_easy_getinfo(failure->curl, CURLINFO_HTTP_CONNECTCODE, &status);
    return failure->was_sent || (status >= 200 && status < 300) ? 0 : (int)status;
}

static void fail_at_proxy(const char *host, int status, struct giq_error *err)
{
    bool denied = status == 401 || status == 407;
    (void)giq_fail(err, GIQ_E_NETWORK,
                   "%s: the proxy refused to connect to it: HTTP %d%s", host, status,
                   denied ? "; check GDAL_HTTP_PROXYUSERPWD" : "");
    err->permanent = denied || status == 403;
}

static void fail_at_service(const struct giq_failure *failure, const char *host,
                            enum giq_code code, struct giq_error *err)
{
    struct giq_printable shown;
    bool permanent = false;
    bool found = is_early(failure, &permanent);
    /* An address of a proxy that cannot be read is repeated with its password. */
    bool may_show =
        found && failure->words[0] != '\0' && strchr(failure->words, '@') == NULL;
    const char *words = failure->rc == CURLE_ABORTED_BY_CALLBACK
                            ? "nothing came until the time was over"
                            : curl_easy_strerror((CURLcode)failure->rc);
    (void)giq_fail(err, code, "%s: %s%s", host,
                   may_show ? giq_text_printable(failure->words, &shown) : words,
                   giq_failure_is_http2(failure)
                       ? "; GDAL_HTTP_VERSION=1.1 does without HTTP/2"
                       : "");
    err->permanent = permanent;
}

bool giq_failure_set(const struct giq_failure *failure, enum giq_code code,
                     struct giq_error *err)
{
    struct giq_address parts = {0};
    struct giq_printable host;
    int status = refusal_of_proxy(failure);
    (void)giq_address_split(failure->url, &parts);
    (void)giq_text_printable(parts.host, &host);
    if (status != 0) {
        fail_at_proxy(host.text, status, err);
    } else {
        fail_at_service(failure, host.text, code, err);
    }
    giq_address_release(&parts);
    return false;
}
