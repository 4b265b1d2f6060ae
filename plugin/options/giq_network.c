/* Reads credentials, headers of the user and GDAL's network options. */
#include "options/giq_network.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_FILE_MAX = 64 * 1024 };

/* GDAL's network options, and the settings that they set. A later row wins. */
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
                 "GIQ_API_KEY_FILE: other users can read the file; chmod 600 makes it "
                 "private");
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
    return (key == NULL && token == NULL) || giq_cred_new(key, token, out, err);
}

/* ---- headers of the user ---- */

static bool add_headers(struct giq_cred *cred, const char *text, const char *delimiters,
                        int flags, struct giq_error *err)
{
    char **lines = CSLTokenizeString2(text, delimiters, flags);
    bool ok = true;
    for (int i = 0; lines != NULL && lines[i] != NULL; i++) {
        bool added = true;
        ok = ok && giq_cred_add_header(cred, lines[i], &added, err);
        if (ok && !added) {
            CPLDebug("GIQ", "a line of GDAL_HTTP_HEADERS or GDAL_HTTP_HEADER_FILE is "
                            "ignored: it is not a header, or the driver sets this "
                            "header itself");
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
 * NULL. Only files on disk: to fetch another one would need the headers. */
static char *read_small_file(const char *path)
{
    VSIStatBufL st;
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
    if (STARTS_WITH(text, "\xEF\xBB\xBF")) {
        (void)memmove(text, text + 3, size - 3 + 1);
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
    char *text = read_small_file(path);
    if (text == NULL) {
        /* Without the path, which may be a header by mistake. */
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

/* Percent-decode `text` in place. A '%' without two digits stays. */
static void percent_decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        int byte = giq_text_percent_byte(in);
        *out++ = (char)(byte < 0 ? *in : byte);
        in += byte < 0 ? 0 : 2;
    }
    *out = '\0';
}

/* Hide the password of "user:password" in each form in which a message might contain it:
 * as written, decoded, and with the user in base64 as a proxy receives it. */
static bool hide_login(struct giq_cred *cred, char *login, struct giq_error *err)
{
    const char *password = strchr(login, ':');
    if (password == NULL) {
        return true;
    }
    if (!giq_cred_add_secret(cred, password + 1, err)) {
        return false;
    }
    percent_decode(login);
    password = strchr(login, ':');
    if (password != NULL && !giq_cred_add_secret(cred, password + 1, err)) {
        return false;
    }
    char *sent = CPLBase64Encode((int)strlen(login), (const GByte *)login);
    bool ok = giq_cred_add_secret(cred, sent, err);
    giq_cred_wipe(sent);
    CPLFree(sent);
    return ok;
}

/* Hide the password in the `len` bytes "user:password" at `begin`. */
static bool hide_part(struct giq_cred *cred, const char *begin, size_t len,
                      struct giq_error *err)
{
    char *login = CPLStrdup(begin);
    login[len] = '\0';
    bool ok = hide_login(cred, login, err);
    giq_cred_wipe(login);
    CPLFree(login);
    return ok;
}

/* Hide the password in the address of a proxy. */
static bool hide_address(struct giq_cred *cred, const char *address,
                         struct giq_error *err)
{
    const char *scheme = strstr(address, "://");
    const char *begin = scheme == NULL ? address : scheme + strlen("://");
    const char *end = strrchr(begin, '@');
    return end == NULL || hide_part(cred, begin, (size_t)(end - begin), err);
}

/* Hide the secrets that libcurl receives in its own options. It also reads the variables
 * of the environment that name proxies. */
static bool hide_passwords(struct giq_reader *reader, struct giq_cred *cred,
                           struct giq_error *err)
{
    static const char *const addresses[] = {
        "GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY", "http_proxy", "https_proxy",
        "HTTPS_PROXY",     "all_proxy",        "ALL_PROXY"};
    const char *passphrase = giq_reader_config(reader, "GDAL_HTTP_KEYPASSWD");
    if (passphrase != NULL && !giq_cred_add_secret(cred, passphrase, err)) {
        return false;
    }
    const char *login = giq_reader_config(reader, "GDAL_HTTP_PROXYUSERPWD");
    if (login != NULL && !hide_part(cred, login, strlen(login), err)) {
        return false;
    }
    for (size_t i = 0; i < GIQ_COUNT(addresses); i++) {
        const char *address = giq_reader_config(reader, addresses[i]);
        if (address != NULL && !hide_address(cred, address, err)) {
            return false;
        }
    }
    return true;
}

/* ---- the whole ---- */

bool giq_network_read_credentials(struct giq_reader *reader, struct giq_cred **out,
                                  struct giq_error *err)
{
    struct giq_cred *cred = NULL;
    if (!read_keys(reader, &cred, err)) {
        return false;
    }
    if (cred != NULL &&
        !(read_headers(reader, cred, err) && read_header_file(reader, cred, err) &&
          hide_passwords(reader, cred, err))) {
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
