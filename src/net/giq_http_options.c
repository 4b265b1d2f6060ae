/*
 * The table of GDAL's network options and libcurl's options for them.
 */
#include "net/giq_http_options.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_error.h"
#include "base/giq_text.h"

#define SET(option, value)      curl_easy_setopt(curl, option, value)
#define SET_LONG(option, value) SET(option, (long)(value))

/* A value of an option, and libcurl's value for it. Other values are ignored, as by
 * GDAL's own drivers. */
struct choice {
    const char *name;
    unsigned long value;
};

static const char prior_knowledge[] = "2PRIOR_KNOWLEDGE";

static const struct choice versions[] = {
    {"1.0", CURL_HTTP_VERSION_1_0},
    {"1.1", CURL_HTTP_VERSION_1_1},
    {"2", CURL_HTTP_VERSION_2_0},
    {"2.0", CURL_HTTP_VERSION_2_0},
    {"2TLS", CURL_HTTP_VERSION_2TLS},
    {prior_knowledge, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE},
    {NULL, 0},
};

static const struct choice auths[] = {
    {"BASIC", CURLAUTH_BASIC},
    {"DIGEST", CURLAUTH_DIGEST},
    {"NTLM", CURLAUTH_NTLM},
    {"NEGOTIATE", CURLAUTH_NEGOTIATE},
    {"ANY", CURLAUTH_ANY},
    {"ANYSAFE", CURLAUTH_ANYSAFE},
    {NULL, 0},
};

/* GDAL_HTTPS_PROXY and GDAL_HTTP_UNSAFESSL, which have no `option` here, are set in
 * giq_http_options_apply(). */
static const struct {
    const char *name;             /* of the configuration option */
    const struct choice *choices; /* its values; NULL: any text */
    long on;                      /* value for YES; see is_switch */
    CURLoption option;
    bool is_number;      /* a count of seconds */
    bool is_switch;      /* YES sets the option to `on`, all else to 0 */
    bool is_same_origin; /* only for the origin of the service */
} options[GIQ_NET_COUNT] = {
    [GIQ_NET_PROXY] = {.name = "GDAL_HTTP_PROXY", .option = CURLOPT_PROXY},
    [GIQ_NET_HTTPS_PROXY] = {.name = "GDAL_HTTPS_PROXY"},
    [GIQ_NET_PROXY_USERPWD] = {.name = "GDAL_HTTP_PROXYUSERPWD",
                               .option = CURLOPT_PROXYUSERPWD},
    [GIQ_NET_PROXY_AUTH] = {.name = "GDAL_PROXY_AUTH",
                            .option = CURLOPT_PROXYAUTH,
                            .choices = auths},
    [GIQ_NET_USERAGENT] = {.name = "GDAL_HTTP_USERAGENT", .option = CURLOPT_USERAGENT},
    [GIQ_NET_HTTP_VERSION] = {.name = "GDAL_HTTP_VERSION",
                              .option = CURLOPT_HTTP_VERSION,
                              .choices = versions},
    [GIQ_NET_CA_BUNDLE] = {.name = "CURL_CA_BUNDLE", .option = CURLOPT_CAINFO},
    [GIQ_NET_CA_PATH] = {.name = "GDAL_HTTP_CAPATH", .option = CURLOPT_CAPATH},
    [GIQ_NET_TCP_KEEPALIVE] = {.name = "GDAL_HTTP_TCP_KEEPALIVE",
                               .option = CURLOPT_TCP_KEEPALIVE,
                               .is_switch = true,
                               .on = 1},
    [GIQ_NET_TCP_KEEPIDLE] = {.name = "GDAL_HTTP_TCP_KEEPIDLE",
                              .option = CURLOPT_TCP_KEEPIDLE,
                              .is_number = true},
    [GIQ_NET_TCP_KEEPINTVL] = {.name = "GDAL_HTTP_TCP_KEEPINTVL",
                               .option = CURLOPT_TCP_KEEPINTVL,
                               .is_number = true},
    [GIQ_NET_UNSAFE_SSL] = {.name = "GDAL_HTTP_UNSAFESSL"},
    [GIQ_NET_NETRC] = {.name = "GDAL_HTTP_NETRC",
                       .option = CURLOPT_NETRC,
                       .is_switch = true,
                       .is_same_origin = true,
                       .on = CURL_NETRC_OPTIONAL},
    [GIQ_NET_NETRC_FILE] = {.name = "GDAL_HTTP_NETRC_FILE",
                            .option = CURLOPT_NETRC_FILE,
                            .is_same_origin = true},
    [GIQ_NET_SSL_CERT] = {.name = "GDAL_HTTP_SSLCERT",
                          .option = CURLOPT_SSLCERT,
                          .is_same_origin = true},
    [GIQ_NET_SSL_KEY] = {.name = "GDAL_HTTP_SSLKEY",
                         .option = CURLOPT_SSLKEY,
                         .is_same_origin = true},
    [GIQ_NET_KEY_PASSWD] = {.name = "GDAL_HTTP_KEYPASSWD",
                            .option = CURLOPT_KEYPASSWD,
                            .is_same_origin = true},
};

static CURLcode apply_choice(CURL *curl, CURLoption option, const struct choice *choices,
                             const char *value)
{
    for (const struct choice *choice = choices; choice->name != NULL; choice++) {
        if (giq_text_equal_nocase(value, choice->name)) {
            return SET_LONG(option, choice->value);
        }
    }
    return CURLE_OK;
}

static bool is_on(const char *value)
{
    bool on = false;
    return value != NULL && giq_text_to_bool(value, &on) && on;
}

/* Ignored are a value that is not a whole number, one of more than nine digits, which
 * might overflow, and 0. */
static CURLcode apply_seconds(CURL *curl, CURLoption option, const char *value)
{
    enum { DIGITS_MAX = 9 };
    size_t digits = strspn(value, "0123456789");
    bool is_number = digits > 0 && digits <= DIGITS_MAX && value[digits] == '\0';
    long seconds = is_number ? strtol(value, NULL, 10) : 0;
    return seconds > 0 ? SET_LONG(option, seconds) : CURLE_OK;
}

static CURLcode apply_option(CURL *curl, size_t i, const char *value)
{
    CURLoption option = options[i].option;
    if (options[i].is_switch) {
        return SET_LONG(option, is_on(value) ? options[i].on : 0);
    }
    if (options[i].is_number) {
        return apply_seconds(curl, option, value);
    }
    return options[i].choices == NULL
               ? SET(option, value)
               : apply_choice(curl, option, options[i].choices, value);
}

bool giq_http_options_has_prior_knowledge(const char *const *net)
{
    const char *version = net[GIQ_NET_HTTP_VERSION];
    return version != NULL && giq_text_equal_nocase(version, prior_knowledge);
}

/* libcurl 7.88 sends nothing on a reused connection with HTTP/2 prior knowledge. */
static CURLcode avoid_reuse(CURL *curl, const char *const *net)
{
    if (!giq_http_options_has_prior_knowledge(net)) {
        return CURLE_OK;
    }
    CURLcode rc = SET_LONG(CURLOPT_FRESH_CONNECT, 1);
    return rc == CURLE_OK ? SET_LONG(CURLOPT_FORBID_REUSE, 1) : rc;
}

static CURLcode apply_verification(CURL *curl, bool verifies)
{
    CURLcode rc = SET_LONG(CURLOPT_SSL_VERIFYPEER, verifies ? 1 : 0);
    return rc == CURLE_OK ? SET_LONG(CURLOPT_SSL_VERIFYHOST, verifies ? 2 : 0) : rc;
}

/* The message omits the value, which may be a secret. */
static bool check_accepted(CURLcode rc, enum giq_net_option option, struct giq_error *err)
{
    if (rc == CURLE_OK) {
        return true;
    }
    if (rc == CURLE_OUT_OF_MEMORY) {
        return giq_fail_memory(err);
    }
    (void)giq_fail(err, GIQ_E_NETWORK, "libcurl rejected the value of %s: %s",
                   options[option].name, curl_easy_strerror(rc));
    err->permanent = true;
    return false;
}

bool giq_http_options_apply(void *curl, const char *const *net, unsigned flags,
                            struct giq_error *err)
{
    for (size_t i = 0; i < GIQ_NET_COUNT; i++) {
        bool is_allowed =
            (flags & GIQ_HTTP_OPTIONS_SAME_ORIGIN) || !options[i].is_same_origin;
        if (net[i] == NULL || options[i].option == 0 || !is_allowed) {
            continue;
        }
        if (!check_accepted(apply_option(curl, i, net[i]), (enum giq_net_option)i, err)) {
            return false;
        }
    }
    const char *https_proxy = net[GIQ_NET_HTTPS_PROXY];
    if ((flags & GIQ_HTTP_OPTIONS_HTTPS) && https_proxy != NULL &&
        !check_accepted(SET(CURLOPT_PROXY, https_proxy), GIQ_NET_HTTPS_PROXY, err)) {
        return false;
    }
    if (!check_accepted(avoid_reuse(curl, net), GIQ_NET_HTTP_VERSION, err)) {
        return false;
    }
    bool verifies = !is_on(net[GIQ_NET_UNSAFE_SSL]);
    return check_accepted(apply_verification(curl, verifies), GIQ_NET_UNSAFE_SSL, err);
}
