/* Reads credentials, headers of the user and GDAL's network options. */
#include "options/giq_network.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_FILE_MAX = 64 * 1024 };

static const char byte_order_mark[] = GIQ_TEXT_BYTE_ORDER_MARK;

/* GDAL's network options, and the settings that they set. If two rows set one setting,
 * the later one wins. */
static const struct {
    const char *name;
    enum giq_net_option option;
} net_options[] = {
    {"GDAL_HTTP_PROXY", GIQ_NET_PROXY},
    {"GDAL_HTTPS_PROXY", GIQ_NET_HTTPS_PROXY},
    {"GDAL_HTTP_PROXYUSERPWD", GIQ_NET_PROXY_USERPWD},
    {"GDAL_PROXY_AUTH", GIQ_NET_PROXY_AUTH},
    {"GDAL_HTTP_USERAGENT", GIQ_NET_USERAGENT},
    {"GDAL_HTTP_VERSION", GIQ_NET_HTTP_VERSION},
    {"SSL_CERT_FILE", GIQ_NET_CA_BUNDLE},
    {"CURL_CA_BUNDLE", GIQ_NET_CA_BUNDLE},
    {"GDAL_HTTP_CAPATH", GIQ_NET_CA_PATH},
    {"GDAL_HTTP_TCP_KEEPALIVE", GIQ_NET_TCP_KEEPALIVE},
    {"GDAL_HTTP_TCP_KEEPIDLE", GIQ_NET_TCP_KEEPIDLE},
    {"GDAL_HTTP_TCP_KEEPINTVL", GIQ_NET_TCP_KEEPINTVL},
    {"GDAL_HTTP_UNSAFESSL", GIQ_NET_UNSAFE_SSL},
    {"GDAL_HTTP_NETRC", GIQ_NET_NETRC},
    {"GDAL_HTTP_NETRC_FILE", GIQ_NET_NETRC_FILE},
    {"GDAL_HTTP_SSLCERT", GIQ_NET_SSL_CERT},
    {"GDAL_HTTP_SSLKEY", GIQ_NET_SSL_KEY},
    {"GDAL_HTTP_KEYPASSWD", GIQ_NET_KEY_PASSWD},
};

/* ---- credentials ---- */

static bool read_key_file(const char *path, char **out_key, struct giq_error *err)
{
    bool exposed = false;
    if (!giq_cred_read_file(path, out_key, &exposed, err)) {
        return false;
    }
    if (exposed) {
        CPLError(CE_Warning, CPLE_AppDefined,
                 "GIQ: other users can read the file of GIQ_API_KEY_FILE; chmod 600 "
                 "makes it private");
    }
    return true;
}

/* `*out` is NULL if neither key nor token is set. */
static bool read_keys(struct giq_reader *reader, struct giq_cred **out,
                      struct giq_error *err)
{
    const char *name = NULL;
    const char *key = giq_reader_value(reader, GIQ_OPTION_API_KEY, &name);
    const char *token = giq_reader_value(reader, GIQ_OPTION_BEARER_TOKEN, &name);
    const char *path = giq_reader_value(reader, GIQ_OPTION_API_KEY_FILE, &name);
    if (key == NULL && path != NULL) {
        char *from_file = NULL;
        if (!read_key_file(path, &from_file, err)) {
            return false;
        }
        bool ok = giq_cred_new(from_file, token, out, err);
        giq_cred_wipe(from_file);
        free(from_file);
        return ok;
    }
    *out = NULL;
    if (key == NULL && token == NULL) {
        return true;
    }
    return giq_cred_new(key, token, out, err);
}

/* ---- headers of the user ---- */

/* Add the header `line`; one that the driver cannot send is left out. */
static bool add_header(struct giq_cred *cred, const char *line, struct giq_error *err)
{
    bool added = true;
    if (!giq_cred_add_header(cred, line, &added, err)) {
        return false;
    }
    if (!added) {
        CPLDebug("GIQ", "a line of GDAL_HTTP_HEADERS or GDAL_HTTP_HEADER_FILE is "
                        "ignored: it is not a header, or the driver sets this header "
                        "itself");
    }
    return true;
}

static bool add_headers(struct giq_cred *cred, const char *text, const char *delimiters,
                        int flags, struct giq_error *err)
{
    char **lines = CSLTokenizeString2(text, delimiters, flags);
    bool ok = true;
    for (int i = 0; lines != NULL && lines[i] != NULL; i++) {
        if (ok) {
            ok = add_header(cred, lines[i], err);
        }
        giq_cred_wipe(lines[i]);
    }
    CSLDestroy(lines);
    return ok;
}

/* As in GDAL: separated by line ends if there are any, else by commas. */
static bool read_headers(struct giq_reader *reader, struct giq_cred *cred,
                         struct giq_error *err)
{
    const char *text = giq_reader_config(reader, "GDAL_HTTP_HEADERS");
    if (text == NULL) {
        return true;
    }
    return strchr(text, '\n') != NULL
               ? add_headers(cred, text, "\r\n", 0, err)
               : add_headers(cred, text, ",", CSLT_HONOURSTRINGS, err);
}

/* The content of a text file without its byte order mark, to be freed with VSIFree(), or
 * NULL. Only files on disk: reading one over the network might itself need the headers.
 */
static char *read_text_file(const char *path)
{
    VSIStatBufL st = {0};
    GByte *bytes = NULL;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    bool is_plain =
        !STARTS_WITH(path, "/vsi") &&
        VSIStatExL(path, &st, VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG) == 0 &&
        VSI_ISREG(st.st_mode);
    vsi_l_offset size = 0;
    bool ok = is_plain && VSIIngestFile(NULL, path, &bytes, &size, HEADER_FILE_MAX);
    CPLPopErrorHandler();
    CPLErrorReset();
    if (!ok) {
        return NULL;
    }
    char *text = (char *)bytes;
    if (strlen(text) != size) {
        VSIFree(text);
        return NULL;
    }
    if (STARTS_WITH(text, byte_order_mark)) {
        const char *rest = text + strlen(byte_order_mark);
        (void)memmove(text, rest, strlen(rest) + 1);
    }
    return text;
}

static bool read_header_file(struct giq_reader *reader, struct giq_cred *cred,
                             struct giq_error *err)
{
    const char *path = giq_reader_config(reader, "GDAL_HTTP_HEADER_FILE");
    if (path == NULL) {
        return true;
    }
    char *text = read_text_file(path);
    if (text == NULL) {
        /* The message omits the path: the user may have set the option to a header, which
         * may be a secret. */
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "the file of GDAL_HTTP_HEADER_FILE must be a readable text file "
                        "on disk of at most %d bytes",
                        HEADER_FILE_MAX);
    }
    bool ok = add_headers(cred, text, "\r\n", 0, err);
    giq_cred_wipe(text);
    VSIFree(text);
    return ok;
}

/* ---- passwords ---- */

/* Percent-decode `text` into `out`, which has room for all of it. A '%' without two
 * hexadecimal digits stays. */
static void percent_decode(const char *text, char *out)
{
    for (const char *in = text; *in != '\0'; in++) {
        int byte = giq_text_percent_byte(in);
        *out++ = (char)(byte < 0 ? *in : byte);
        in += byte < 0 ? 0 : 2;
    }
    *out = '\0';
}

/* These functions register passwords as secrets, so that messages mask them. */

/* Add the password of "user:password". */
static bool add_password(struct giq_cred *cred, const char *userpwd,
                         struct giq_error *err)
{
    const char *password = strchr(userpwd, ':');
    if (password == NULL) {
        return true;
    }
    return giq_cred_add_secret(cred, password + 1, err);
}

/* Add a password in each form in which a message might contain it: as written, decoded,
 * and with the user in base64 as a proxy receives it. `decoded` is a buffer as long as
 * `userpwd`. */
static bool add_password_forms(struct giq_cred *cred, const char *userpwd, char *decoded,
                               struct giq_error *err)
{
    if (strchr(userpwd, ':') == NULL) {
        return true;
    }
    percent_decode(userpwd, decoded);
    if (!add_password(cred, userpwd, err) || !add_password(cred, decoded, err)) {
        return false;
    }
    char *sent = CPLBase64Encode((int)strlen(decoded), (const GByte *)decoded);
    bool ok = giq_cred_add_secret(cred, sent, err);
    giq_cred_wipe(sent);
    CPLFree(sent);
    return ok;
}

/* Add the password in the `len` bytes "user:password" at `begin`. No copy of it stays in
 * freed memory. */
static bool add_userpwd(struct giq_cred *cred, const char *begin, size_t len,
                        struct giq_error *err)
{
    char *userpwd = CPLCalloc(len + 1, 1);
    char *decoded = CPLCalloc(len + 1, 1);
    (void)memcpy(userpwd, begin, len);
    bool ok = add_password_forms(cred, userpwd, decoded, err);
    giq_cred_wipe(userpwd);
    giq_cred_wipe(decoded);
    CPLFree(userpwd);
    CPLFree(decoded);
    return ok;
}

/* Add the password in the URL of a proxy. */
static bool add_proxy_url(struct giq_cred *cred, const char *url, struct giq_error *err)
{
    const char *scheme = strstr(url, "://");
    const char *begin = scheme == NULL ? url : scheme + strlen("://");
    const char *end = strrchr(begin, '@');
    if (end == NULL) {
        return true;
    }
    return add_userpwd(cred, begin, (size_t)(end - begin), err);
}

/* Add the secrets that libcurl receives in its own options. libcurl also reads the URLs
 * of proxies from the environment. */
static bool add_passwords(struct giq_reader *reader, struct giq_cred *cred,
                          struct giq_error *err)
{
    static const char *const proxies[] = {
        "GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY", "http_proxy", "https_proxy",
        "HTTPS_PROXY",     "all_proxy",        "ALL_PROXY"};
    const char *passphrase = giq_reader_config(reader, "GDAL_HTTP_KEYPASSWD");
    if (passphrase != NULL && !giq_cred_add_secret(cred, passphrase, err)) {
        return false;
    }
    const char *userpwd = giq_reader_config(reader, "GDAL_HTTP_PROXYUSERPWD");
    if (userpwd != NULL && !add_userpwd(cred, userpwd, strlen(userpwd), err)) {
        return false;
    }
    for (size_t i = 0; i < GIQ_COUNT(proxies); i++) {
        const char *url = giq_reader_config(reader, proxies[i]);
        if (url != NULL && !add_proxy_url(cred, url, err)) {
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

bool giq_network_read_credentials(struct giq_reader *reader, struct giq_cred **out,
                                  struct giq_error *err)
{
    struct giq_cred *cred = NULL;
    if (!read_keys(reader, &cred, err)) {
        return false;
    }
    *out = NULL;
    if (cred == NULL) {
        return true;
    }
    if (!read_headers(reader, cred, err) || !read_header_file(reader, cred, err) ||
        !add_passwords(reader, cred, err)) {
        giq_cred_free(cred);
        return false;
    }
    *out = cred;
    return true;
}

void giq_network_read_options(struct giq_reader *reader, struct giq_settings *settings)
{
    settings->net[GIQ_NET_USERAGENT] = "gdal-giq/" GIQ_VERSION;
    settings->net[GIQ_NET_NETRC] = "YES"; /* as in GDAL */
    settings->log_transfers = CPLTestBool(CPLGetConfigOption("CPL_CURL_VERBOSE", "NO"));
    for (size_t i = 0; i < GIQ_COUNT(net_options); i++) {
        const char *value = giq_reader_config(reader, net_options[i].name);
        if (value != NULL) {
            settings->net[net_options[i].option] = value;
        }
    }
}
