#include "giq_net.h"

#include <curl/curl.h>

#include "giq_text.h"

#define SET(option, value)      (curl_easy_setopt(curl, option, value) == CURLE_OK)
#define SET_LONG(option, value) SET(option, (long)(value))

/* A word of GDAL's, and what libcurl calls it. Other words change nothing. */
struct word {
    const char *name;
    unsigned long value;
};

static const char prior_knowledge[] = "2PRIOR_KNOWLEDGE";

static const struct word versions[] = {
    {"1.0", CURL_HTTP_VERSION_1_0},
    {"1.1", CURL_HTTP_VERSION_1_1},
    {"2", CURL_HTTP_VERSION_2_0},
    {"2.0", CURL_HTTP_VERSION_2_0},
    {"2TLS", CURL_HTTP_VERSION_2TLS},
    {prior_knowledge, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE},
    {NULL, 0},
};

static const struct word auths[] = {
    {"BASIC", CURLAUTH_BASIC},
    {"DIGEST", CURLAUTH_DIGEST},
    {"NTLM", CURLAUTH_NTLM},
    {"NEGOTIATE", CURLAUTH_NEGOTIATE},
    {"ANY", CURLAUTH_ANY},
    {"ANYSAFE", CURLAUTH_ANYSAFE},
    {NULL, 0},
};

/* What becomes of each option; the https proxy and UNSAFE_SSL are seen to below. */
static const struct {
    const struct word *words; /* what its value may be; NULL: any text */
    long on;
    CURLoption option;
    bool is_switch; /* YES sets the option to `on`, NO to 0 */
    bool is_home;   /* goes to the service's own origin alone */
} options[GIQ_NET_COUNT] = {
    [GIQ_NET_PROXY] = {.option = CURLOPT_PROXY},
    [GIQ_NET_PROXY_USERPWD] = {.option = CURLOPT_PROXYUSERPWD},
    [GIQ_NET_PROXY_AUTH] = {.option = CURLOPT_PROXYAUTH, .words = auths},
    [GIQ_NET_USERAGENT] = {.option = CURLOPT_USERAGENT},
    [GIQ_NET_HTTP_VERSION] = {.option = CURLOPT_HTTP_VERSION, .words = versions},
    [GIQ_NET_CA_BUNDLE] = {.option = CURLOPT_CAINFO},
    [GIQ_NET_NETRC] = {.option = CURLOPT_NETRC,
                       .is_switch = true,
                       .is_home = true,
                       .on = CURL_NETRC_OPTIONAL},
    [GIQ_NET_SSL_CERT] = {.option = CURLOPT_SSLCERT, .is_home = true},
    [GIQ_NET_SSL_KEY] = {.option = CURLOPT_SSLKEY, .is_home = true},
    [GIQ_NET_KEY_PASSWD] = {.option = CURLOPT_KEYPASSWD, .is_home = true},
};

static bool apply_word(CURL *curl, CURLoption option, const struct word *words,
                       const char *value)
{
    for (const struct word *word = words; word->name != NULL; word++) {
        if (giq_text_same(value, word->name)) {
            return SET_LONG(option, word->value);
        }
    }
    return true;
}

static bool is_on(const char *value)
{
    bool on = false;
    return value != NULL && giq_text_to_bool(value, &on) && on;
}

static bool apply_option(CURL *curl, size_t i, const char *value)
{
    CURLoption option = options[i].option;
    if (options[i].is_switch) {
        return SET_LONG(option, is_on(value) ? options[i].on : 0);
    }
    return options[i].words == NULL ? SET(option, value)
                                    : apply_word(curl, option, options[i].words, value);
}

/* libcurl 7.88 sends nothing on such a connection that it uses again. */
static bool avoid_reuse(CURL *curl, const char *version)
{
    return version == NULL || !giq_text_same(version, prior_knowledge) ||
           (SET_LONG(CURLOPT_FRESH_CONNECT, 1) && SET_LONG(CURLOPT_FORBID_REUSE, 1));
}

bool giq_net_apply(void *curl, const char *const *net, unsigned flags)
{
    for (size_t i = 0; i < GIQ_NET_COUNT; i++) {
        bool goes = net[i] != NULL && options[i].option != 0 &&
                    ((flags & GIQ_NET_IS_HOME) || !options[i].is_home);
        if (goes && !apply_option(curl, i, net[i])) {
            return false;
        }
    }
    const char *https_proxy = net[GIQ_NET_HTTPS_PROXY];
    if ((flags & GIQ_NET_IS_HTTPS) && https_proxy != NULL &&
        !SET(CURLOPT_PROXY, https_proxy)) {
        return false;
    }
    bool verifies = !is_on(net[GIQ_NET_UNSAFE_SSL]);
    return avoid_reuse(curl, net[GIQ_NET_HTTP_VERSION]) &&
           SET_LONG(CURLOPT_SSL_VERIFYPEER, verifies ? 1 : 0) &&
           SET_LONG(CURLOPT_SSL_VERIFYHOST, verifies ? 2 : 0);
}
