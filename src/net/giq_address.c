#include "net/giq_address.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static bool take_part(CURLU *url, CURLUPart part, unsigned flags, char **out)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
        return true;
    }
    *out = strdup(text);
    curl_free(text);
    return *out != NULL;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    (void)curl_url_get(url, part, &text, 0);
    curl_free(text);
    return text != NULL;
}

bool giq_address_split(const char *text, struct giq_address *out)
{
    struct giq_address parts = {0};
    CURLU *url = curl_url();
    bool ok = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
              !has_part(url, CURLUPART_ZONEID) &&
              take_part(url, CURLUPART_SCHEME, 0, &parts.scheme) &&
              take_part(url, CURLUPART_HOST, 0, &parts.host) &&
              take_part(url, CURLUPART_PORT, 0, &parts.port) &&
              take_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &parts.real_port) &&
              take_part(url, CURLUPART_PATH, 0, &parts.path) && parts.scheme != NULL &&
              parts.host != NULL && parts.real_port != NULL && parts.path != NULL;
    if (ok) {
        parts.has_user =
            has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD);
        parts.has_query = has_part(url, CURLUPART_QUERY);
        parts.has_fragment = has_part(url, CURLUPART_FRAGMENT);
        *out = parts;
    } else {
        giq_address_release(&parts);
    }
    curl_url_cleanup(url);
    return ok;
}

void giq_address_release(struct giq_address *address)
{
    free(address->scheme);
    free(address->host);
    free(address->port);
    free(address->real_port);
    free(address->path);
}

char *giq_address_join(const char *base, const char *location)
{
    CURLU *url = curl_url();
    char *whole = NULL;
    if (curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, location,
                     CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK) {
        (void)curl_url_get(url, CURLUPART_URL, &whole, 0);
    }
    char *joined = strdup(whole == NULL ? location : whole);
    curl_free(whole);
    curl_url_cleanup(url);
    return joined;
}

char *giq_address_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = escaped == NULL ? NULL : strdup(escaped);
    curl_free(escaped);
    return copy;
}
