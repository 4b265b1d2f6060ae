/* URLs. Input: a base URL, the target of a redirect, and the value of a query, one a
 * line. */
#include "fuzz.h"

#include <curl/curl.h>

#include "net/giq_http.h"
#include "net/giq_url.h"

/* A part as libcurl parses it, or NULL. The caller frees it with curl_free(). */
static char *part_of(const char *text, CURLUPart part, unsigned flags)
{
    CURLU *url = curl_url();
    char *value = NULL;
    MUST(url != NULL);
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        (void)curl_url_get(url, part, &value, flags);
    }
    curl_url_cleanup(url);
    return value;
}

/* Whether two URLs have the same part; with `fold`, ignoring case. */
static bool same_part(const char *a, const char *b, CURLUPart part, bool fold)
{
    char *of_a = part_of(a, part, CURLU_DEFAULT_PORT);
    char *of_b = part_of(b, part, CURLU_DEFAULT_PORT);
    bool is_same = (of_a == NULL) == (of_b == NULL);
    if (of_a != NULL && of_b != NULL) {
        is_same = fold ? strcasecmp(of_a, of_b) == 0 : strcmp(of_a, of_b) == 0;
    }
    curl_free(of_b);
    curl_free(of_a);
    return is_same;
}

static bool is_same_origin(const char *a, const char *b)
{
    return same_part(a, b, CURLUPART_SCHEME, true) &&
           same_part(a, b, CURLUPART_HOST, true) &&
           same_part(a, b, CURLUPART_ZONEID, false) &&
           same_part(a, b, CURLUPART_PORT, false);
}

/* A normalised base URL has the same target as the text. */
static void check_base(const char *text, const char *base, unsigned flags)
{
    char *again = NULL;
    struct giq_error err = {0};
    bool is_https = strncmp(base, "https://", 8) == 0;
    MUST(is_https || strncmp(base, "http://", 7) == 0);
    MUST(strpbrk(base, "?#") == NULL);
    MUST(base[strlen(base) - 1] != '/');
    MUST(is_same_origin(text, base));
    MUST(giq_base_url(base, flags, &again, &err));
    MUST(strcmp(base, again) == 0);
    MUST(giq_url_classify_redirect(base, text) == GIQ_URL_SAME_ORIGIN);
    free(again);
}

static void check_made(const char *base, const char *value)
{
    char *url = giq_url_make(base, "inference/status", "inferenceId", value);
    MUST(url != NULL);
    MUST(giq_url_classify_redirect(base, url) == GIQ_URL_SAME_ORIGIN);
    char *query = part_of(url, CURLUPART_QUERY, 0);
    MUST(query != NULL && strncmp(query, "inferenceId=", 12) == 0);
    MUST(strpbrk(query + 12, "&=#+ ") == NULL);
    int len = 0;
    char *decoded = curl_easy_unescape(NULL, query + 12, 0, &len);
    MUST(decoded != NULL && strcmp(decoded, value) == 0);
    curl_free(decoded);
    curl_free(query);
    free(url);
}

static void check_hop(const char *from, const char *to)
{
    enum giq_url_redirect hop = giq_url_classify_redirect(from, to);
    if (hop == GIQ_URL_FORBIDDEN) {
        return;
    }
    char *user = part_of(to, CURLUPART_USER, 0);
    char *scheme = part_of(to, CURLUPART_SCHEME, 0);
    MUST(user == NULL && scheme != NULL);
    MUST(strcmp(scheme, "https") == 0 || strncmp(from, "https:", 6) != 0);
    MUST(strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
    MUST((hop == GIQ_URL_SAME_ORIGIN) == is_same_origin(from, to));
    curl_free(scheme);
    curl_free(user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *rest = text;
    const char *first = fuzz_line(&rest);
    const char *to = first == NULL ? NULL : fuzz_line(&rest);
    const char *value = to == NULL ? NULL : fuzz_line(&rest);
    unsigned flags = size % 2 == 0 ? 0 : GIQ_BASE_URL_ALLOW_HTTP;
    struct giq_error err = {0};
    char *base = NULL;
    if (first != NULL && giq_base_url(first, flags, &base, &err)) {
        check_base(first, base, flags);
        check_made(base, value == NULL ? "" : value);
        check_hop(base, to == NULL ? "" : to);
    } else if (first != NULL) {
        MUST(err.code == GIQ_E_USAGE && fuzz_is_plain(err.text));
    }
    free(base);
    free(text);
    return 0;
}
