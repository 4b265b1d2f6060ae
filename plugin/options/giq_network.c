#include "options/giq_network.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_FILE_MAX = 64 * 1024 };

/* GDAL's options for network drivers, and the settings that they are. */
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
                 "GIQ: others can read the key file %s; chmod 600 keeps it secret", path);
    }
    return true;
}

static bool read_keys(struct giq_reader *reader)
{
    struct giq_config *config = reader->config;
    const char *name = NULL;
    const char *key = giq_reader_value(reader, GIQ_OPTION_API_KEY, &name);
    const char *token = giq_reader_value(reader, GIQ_OPTION_BEARER_TOKEN, &name);
    const char *path = giq_reader_value(reader, GIQ_OPTION_API_KEY_FILE, &name);
    char *from_file = NULL;
    bool ok = key != NULL || path == NULL ||
              read_key_file(path, &from_file, &config->cred_error);
    if (key == NULL) {
        key = from_file;
    }
    if (ok && (key != NULL || token != NULL)) {
        ok = giq_cred_new(key, token, &config->cred, &config->cred_error);
    }
    giq_cred_wipe(from_file);
    free(from_file);
    return ok && config->cred != NULL;
}

/* ---- headers of the user ---- */

static bool add_headers(struct giq_config *config, const char *text, const char *parts,
                        int flags)
{
    char **lines = CSLTokenizeString2(text, parts, flags);
    bool ok = true;
    for (int i = 0; ok && lines != NULL && lines[i] != NULL; i++) {
        bool added = false;
        ok = giq_cred_add_header(config->cred, lines[i], &added, &config->cred_error);
        if (ok && !added) {
            CPLDebug("GIQ", "a header of GDAL_HTTP_HEADERS or GDAL_HTTP_HEADER_FILE is "
                            "left out: the driver sets it itself, or it is no header");
        }
    }
    for (int i = 0; lines != NULL && lines[i] != NULL; i++) {
        giq_cred_wipe(lines[i]);
    }
    CSLDestroy(lines);
    return ok;
}

/* As GDAL takes them: lines where there are line ends, else parted by commas. */
static bool read_headers(struct giq_reader *reader)
{
    const char *text = giq_reader_config(reader, "GDAL_HTTP_HEADERS");
    if (text == NULL) {
        return true;
    }
    return strchr(text, '\n') != NULL
               ? add_headers(reader->config, text, "\r\n", 0)
               : add_headers(reader->config, text, ",", CSLT_HONOURSTRINGS);
}

/* All of a plain text file on disk without its byte order mark, to be freed with
 * VSIFree(), or NULL: one that has to be fetched would need the headers first. */
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
    char *text = (char *)bytes;
    if (ok && strlen(text) != size) {
        VSIFree(text);
        return NULL;
    }
    if (ok && STARTS_WITH(text, "\xEF\xBB\xBF")) {
        (void)memmove(text, text + 3, size - 3 + 1);
    }
    return ok ? text : NULL;
}

static bool read_header_file(struct giq_reader *reader)
{
    struct giq_config *config = reader->config;
    const char *path = giq_reader_config(reader, "GDAL_HTTP_HEADER_FILE");
    if (path == NULL) {
        return true;
    }
    char *text = read_small_file(path);
    if (text == NULL) {
        return giq_fail(&config->cred_error, GIQ_E_CREDENTIALS,
                        "the file of GDAL_HTTP_HEADER_FILE cannot be read, is not plain "
                        "text, or is larger than %d bytes: %s",
                        HEADER_FILE_MAX, path);
    }
    bool ok = add_headers(config, text, "\r\n", 0);
    giq_cred_wipe(text);
    VSIFree(text);
    return ok;
}

/* ---- passwords ---- */

static bool hide(struct giq_config *config, const char *secret)
{
    return giq_cred_add_secret(config->cred, secret, &config->cred_error);
}

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

/* The password of "user:password", as it is written, as it is meant, and as a proxy
 * gets to see it. */
static bool hide_login(struct giq_config *config, char *login)
{
    const char *password = strchr(login, ':');
    if (password == NULL) {
        return true;
    }
    bool ok = hide(config, password + 1);
    percent_decode(login);
    password = strchr(login, ':');
    char *sent = CPLBase64Encode((int)strlen(login), (const GByte *)login);
    ok = ok && (password == NULL || hide(config, password + 1)) && hide(config, sent);
    giq_cred_wipe(sent);
    CPLFree(sent);
    return ok;
}

/* `value` is a login, or an address with one. */
static bool hide_proxy(struct giq_config *config, const char *value, bool is_address)
{
    const char *scheme = strstr(value, "://");
    const char *begin = is_address && scheme != NULL ? scheme + 3 : value;
    const char *end = is_address ? strrchr(begin, '@') : begin + strlen(begin);
    if (end == NULL) {
        return true;
    }
    char *login = CPLStrdup(begin);
    login[end - begin] = '\0';
    bool ok = hide_login(config, login);
    giq_cred_wipe(login);
    CPLFree(login);
    return ok;
}

/* Secrets that go into the network library by themselves; it reads the environment
 * for proxies too. */
static bool hide_passwords(struct giq_reader *reader)
{
    static const char *const addresses[] = {
        "GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY", "http_proxy", "https_proxy",
        "HTTPS_PROXY",     "all_proxy",        "ALL_PROXY"};
    struct giq_config *config = reader->config;
    const char *passphrase = giq_reader_config(reader, "GDAL_HTTP_KEYPASSWD");
    const char *login = giq_reader_config(reader, "GDAL_HTTP_PROXYUSERPWD");
    bool ok = (passphrase == NULL || hide(config, passphrase)) &&
              (login == NULL || hide_proxy(config, login, false));
    for (size_t i = 0; ok && i < GIQ_COUNT(addresses); i++) {
        const char *address = giq_reader_config(reader, addresses[i]);
        ok = address == NULL || hide_proxy(config, address, true);
    }
    return ok;
}

void giq_network_read_credentials(struct giq_reader *reader)
{
    struct giq_config *config = reader->config;
    if (read_keys(reader) &&
        !(read_headers(reader) && read_header_file(reader) && hide_passwords(reader))) {
        giq_cred_free(config->cred);
        config->cred = NULL;
    }
}

void giq_network_read_options(struct giq_reader *reader)
{
    struct giq_settings *settings = &reader->config->settings;
    settings->net[GIQ_NET_USERAGENT] = "gdal-giq/" GIQ_VERSION;
    settings->net[GIQ_NET_NETRC] = "YES"; /* as in GDAL */
    settings->traces = CPLTestBool(CPLGetConfigOption("CPL_CURL_VERBOSE", "NO"));
    for (size_t i = 0; i < GIQ_COUNT(net_options); i++) {
        const char *value = giq_reader_config(reader, net_options[i].name);
        if (value != NULL) {
            settings->net[net_options[i].option] = value;
        }
    }
}
