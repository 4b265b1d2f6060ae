/* Secrets: checked when they are set, sent as headers, masked in texts. */
#include "base/giq_cred.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_os.h"
#include "base/giq_text.h"

enum {
    SECRET_MAX = 16384, /* bytes; a bearer token with many claims can be 8 KiB */
    KEY_FILE_MAX = 64 * 1024,
    MASKED_MIN = 4,     /* bytes; shorter secrets occur inside ordinary words */
    PREFIX_MIN = 8,     /* bytes of a prefix of the key or token that is masked */
    HEADERS_MAX = 66,   /* 64 of the user, and those of the key and the token */
    PASSWORDS_MAX = 32, /* of proxies (as written, decoded, base64) and certificates */
    MASKS_MAX = 2 * HEADERS_MAX + PASSWORDS_MAX,
};

enum { KEY_HEADER, TOKEN_HEADER, AUTH_HEADERS };

static const char *const auth_headers[AUTH_HEADERS] = {
    [KEY_HEADER] = "X-API-KEY",
    [TOKEN_HEADER] = "Authorization",
};

struct giq_cred {
    char *header[HEADERS_MAX];
    size_t header_count;
    char *masked[MASKS_MAX]; /* the secrets, the longest first */
    size_t masked_count;
    /* The key and the token: pointers into `header`, or NULL. */
    const char *auth[AUTH_HEADERS];
};

bool giq_cred_add_secret(struct giq_cred *cred, const char *secret, struct giq_error *err)
{
    size_t len = strlen(secret);
    if (len < MASKED_MIN) {
        return true;
    }
    if (cred->masked_count == MASKS_MAX) {
        return giq_fail(
            err, GIQ_E_CREDENTIALS,
            "there are more than %d secrets in headers and passwords, too many "
            "to mask in messages; set fewer of them",
            MASKS_MAX);
    }
    char *copy = strdup(secret);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    /* The longest first: a secret that contains another one is then masked as a whole. */
    size_t at = cred->masked_count++;
    for (; at > 0 && strlen(cred->masked[at - 1]) < len; at--) {
        cred->masked[at] = cred->masked[at - 1];
    }
    cred->masked[at] = copy;
    return true;
}

static bool append_header(struct giq_cred *cred, const char *name, const char *prefix,
                          const char *value, struct giq_error *err)
{
    char *line = NULL;
    if (asprintf(&line, "%s: %s%s", name, prefix, value) < 0) {
        return giq_fail_memory(err);
    }
    cred->header[cred->header_count++] = line;
    return giq_cred_add_secret(cred, value, err);
}

static bool check_ends(const char *secret, const char *what, struct giq_error *err)
{
    static const char quotes[] = "\"'`";
    char last = secret[strlen(secret) - 1];
    if (strchr(quotes, secret[0]) != NULL || strchr(quotes, last) != NULL) {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "the %s begins or ends with a quote, which is not part of it; "
                        "remove the quotes",
                        what);
    }
    if (strchr("{[<#", secret[0]) != NULL) {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "the %s must not begin with \"%c\"; set only the %s itself", what,
                        secret[0], what);
    }
    return true;
}

/* Refuse text that is often copied together with a key: the service would refuse it. */
static bool check_copied_context(const char *secret, const char *what,
                                 struct giq_error *err)
{
    static const char *const names[] = {"GIQ_API_KEY", "GIQ_BEARER_TOKEN",
                                        "API_KEY",     "APIKEY",
                                        "X-API-KEY",   "Authorization"};
    static const char *const words[] = {"export", "set", "setx", "Bearer"};
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        size_t len = giq_text_begins_nocase(secret, names[i]) ? strlen(names[i]) : 0;
        char after = secret[len + strspn(secret + len, " ")];
        if (len > 0 && (after == '=' || after == ':')) {
            return giq_fail(err, GIQ_E_CREDENTIALS,
                            "the %s has the name \"%s\" before it; remove that name",
                            what, names[i]);
        }
    }
    for (size_t i = 0; i < GIQ_COUNT(words); i++) {
        if (giq_text_begins_nocase(secret, words[i]) && secret[strlen(words[i])] == ' ') {
            return giq_fail(err, GIQ_E_CREDENTIALS,
                            "the %s has the word \"%s\" before it; remove that word",
                            what, words[i]);
        }
    }
    return check_ends(secret, what, err);
}

/* Check that a key or token is printable ASCII without spaces. Messages quote nothing of
 * it except an opening bracket, '#', or a known name or word that was copied with it. */
static bool check_secret(const char *secret, const char *what, struct giq_error *err)
{
    if (!check_copied_context(secret, what, err)) {
        return false;
    }
    for (const char *s = secret; *s != '\0'; s++) {
        if ((unsigned char)*s <= 0x20 || *s == 0x7F) {
            return giq_fail(err, GIQ_E_CREDENTIALS,
                            "the %s contains white space or a control character at its "
                            "byte %d; copy it again",
                            what, (int)(s - secret) + 1);
        }
        if ((unsigned char)*s > 0x7F) {
            return giq_fail(
                err, GIQ_E_CREDENTIALS,
                "the %s contains a character that is not ASCII at its byte %d, "
                "perhaps an invisible one; copy it again",
                what, (int)(s - secret) + 1);
        }
    }
    return true;
}

static bool set_auth(struct giq_cred *cred, size_t i, const char *secret,
                     struct giq_error *err)
{
    bool is_key = i == KEY_HEADER;
    const char *what = is_key ? "API key" : "bearer token";
    if (secret == NULL || secret[0] == '\0') {
        return true;
    }
    if (strlen(secret) > SECRET_MAX) {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "the %s is longer than %d bytes; set only the %s itself", what,
                        SECRET_MAX, what);
    }
    if (!check_secret(secret, what, err)) {
        return false;
    }
    if (!append_header(cred, auth_headers[i], is_key ? "" : "Bearer ", secret, err)) {
        return false;
    }
    const char *line = cred->header[cred->header_count - 1];
    cred->auth[i] = line + strlen(line) - strlen(secret);
    return true;
}

bool giq_cred_new(const char *api_key, const char *bearer_token, struct giq_cred **out,
                  struct giq_error *err)
{
    struct giq_cred *cred = calloc(1, sizeof *cred);
    if (cred == NULL) {
        return giq_fail_memory(err);
    }
    if (!set_auth(cred, KEY_HEADER, api_key, err) ||
        !set_auth(cred, TOKEN_HEADER, bearer_token, err)) {
        giq_cred_free(cred);
        return false;
    }
    *out = cred;
    return true;
}

/* ---- headers of the user ---- */

/* Whether only the driver itself may set a header. */
static bool is_reserved(const struct giq_cred *cred, const char *name)
{
    static const char *const reserved[] = {
        "Accept",       "Accept-Encoding", "Connection", "Content-Length",
        "Content-Type", "Expect",          "Range",      "TE",
        "Trailer",      "Upgrade",         "Keep-Alive", "Transfer-Encoding"};
    for (size_t i = 0; i < GIQ_COUNT(reserved); i++) {
        if (giq_text_equal_nocase(name, reserved[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < AUTH_HEADERS; i++) {
        if (cred->auth[i] != NULL && giq_text_equal_nocase(name, auth_headers[i])) {
            return true;
        }
    }
    return giq_text_begins_nocase(name, "If-");
}

static bool is_header_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7F) {
            return false;
        }
    }
    return name[0] != '\0';
}

static bool is_field_value(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7F) {
            return false;
        }
    }
    return value[0] != '\0' && strlen(value) <= SECRET_MAX;
}

static bool add_user_header(struct giq_cred *cred, const char *name, const char *value,
                            bool *out_added, struct giq_error *err)
{
    *out_added = false;
    if (!is_header_name(name) || !is_field_value(value) || is_reserved(cred, name) ||
        cred->header_count == HEADERS_MAX) {
        return true;
    }
    *out_added = true;
    if (!append_header(cred, name, "", value, err)) {
        return false;
    }
    /* The service may repeat only the last word of "Bearer abc": it is a secret too. */
    const char *word = strrchr(value, ' ');
    return word == NULL || giq_cred_add_secret(cred, word + 1, err);
}

bool giq_cred_add_header(struct giq_cred *cred, const char *line, bool *out_added,
                         struct giq_error *err)
{
    const char *colon = strchr(line, ':');
    *out_added = false;
    if (colon == NULL) {
        return true;
    }
    char *name = giq_text_trim(line, (size_t)(colon - line));
    char *value = giq_text_trim(colon + 1, strlen(colon + 1));
    bool ok = false;
    if (name != NULL && value != NULL) {
        ok = add_user_header(cred, name, value, out_added, err);
    } else {
        (void)giq_fail_memory(err);
    }
    giq_cred_wipe(value);
    free(value);
    free(name);
    return ok;
}

/* ---- releasing ---- */

void giq_cred_wipe(char *text)
{
    if (text != NULL) {
        giq_os_wipe(text, strlen(text));
    }
}

static void free_all(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        giq_cred_wipe(texts[i]);
        free(texts[i]);
    }
}

void giq_cred_free(struct giq_cred *cred)
{
    if (cred != NULL) {
        free_all(cred->header, cred->header_count);
        free_all(cred->masked, cred->masked_count);
        free(cred);
    }
}

/* ---- key files ---- */

/* Check the first line of a key file. */
static bool check_key_line(const char *line, struct giq_error *err)
{
    if (line[0] == '\0') {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "GIQ_API_KEY_FILE: the first line of the file is empty; it must "
                        "contain the key");
    }
    return check_secret(line, "key of GIQ_API_KEY_FILE", err);
}

/* Read the key from the contents of a file. Editors on Windows may write a byte order
 * mark before the key and a CR after it, or write UTF-16, which has zero bytes. */
static bool read_key(const struct giq_buf *buf, char **out, struct giq_error *err)
{
    static const char byte_order_mark[] = GIQ_TEXT_BYTE_ORDER_MARK;
    const size_t mark_len = sizeof byte_order_mark - 1;
    const char *text = buf->len == 0 ? "" : buf->data;
    size_t len = buf->len;
    if (len >= mark_len && memcmp(text, byte_order_mark, mark_len) == 0) {
        text += mark_len;
        len -= mark_len;
    }
    if (len >= 2 &&
        (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0 ||
         memchr(text, '\0', len) != NULL)) {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "GIQ_API_KEY_FILE: the file is UTF-16 (as PowerShell's > writes "
                        "it) or binary; save it as plain ASCII or UTF-8 text");
    }
    char *line = giq_text_trim(text, strcspn(text, "\n"));
    if (line == NULL) {
        return giq_fail_memory(err);
    }
    if (!check_key_line(line, err)) {
        giq_cred_wipe(line);
        free(line);
        return false;
    }
    *out = line;
    return true;
}

/* Replace an error of giq_os_read_file() or giq_os_stat(). Messages about a key file name
 * the option, not the path, which may be the key itself by mistake. */
static bool fail_key_file(struct giq_error *err)
{
    if (err->code != GIQ_E_STORE) {
        return false; /* out of memory */
    }
    bool is_other_kind_or_large = err->sys_errno == 0;
    if (is_other_kind_or_large) {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "GIQ_API_KEY_FILE must name a regular file of at most %d bytes",
                        KEY_FILE_MAX);
    }
    return giq_fail_sys(err, GIQ_E_CREDENTIALS, err->sys_errno,
                        "GIQ_API_KEY_FILE: the file cannot be read");
}

static void wipe_buf(struct giq_buf *buf)
{
    if (buf->data != NULL) {
        giq_os_wipe(buf->data, buf->cap);
    }
    giq_buf_release(buf);
}

bool giq_cred_read_file(const char *path, char **out_key, bool *out_exposed,
                        struct giq_error *err)
{
    GIQ_AUTO(wipe_buf) struct giq_buf buf;
    giq_buf_init(&buf, KEY_FILE_MAX);
    struct giq_os_stat st = {.kind = GIQ_OS_NOTHING};
    bool is_found = false;
    if (!giq_os_read_file(path, KEY_FILE_MAX, &buf, &is_found, err) ||
        !giq_os_stat(path, &st, err)) {
        return fail_key_file(err);
    }
    if (!is_found) {
        return giq_fail(err, GIQ_E_CREDENTIALS,
                        "GIQ_API_KEY_FILE: the file does not exist");
    }
    if (!read_key(&buf, out_key, err)) {
        return false;
    }
    *out_exposed = (st.access & GIQ_OS_OTHERS_READ) != 0;
    return true;
}

/* ---- masking and reading ---- */

void giq_cred_mask(const struct giq_cred *cred, char *text)
{
    for (size_t i = 0; cred != NULL && i < cred->masked_count; i++) {
        size_t len = strlen(cred->masked[i]);
        for (char *at = text; (at = strstr(at, cred->masked[i])) != NULL; at += len) {
            memset(at, '*', len);
        }
    }
}

/* The length of the prefix that `text` shares with the key or the token. */
static size_t common_prefix_len(const struct giq_cred *cred, const char *text)
{
    size_t most = 0;
    for (size_t i = 0; i < AUTH_HEADERS; i++) {
        const char *secret = cred->auth[i] == NULL ? "" : cred->auth[i];
        size_t len = 0;
        while (secret[len] != '\0' && text[len] == secret[len]) {
            len++;
        }
        most = len > most ? len : most;
    }
    return most;
}

void giq_cred_mask_message(const struct giq_cred *cred, char *text)
{
    giq_cred_mask(cred, text);
    for (char *at = text; cred != NULL && *at != '\0';) {
        size_t len = common_prefix_len(cred, at);
        if (len >= PREFIX_MIN) {
            memset(at, '*', len);
            at += len;
        } else {
            at++;
        }
    }
}

bool giq_cred_any(const struct giq_cred *cred)
{
    return cred != NULL &&
           (cred->auth[KEY_HEADER] != NULL || cred->auth[TOKEN_HEADER] != NULL);
}

const char *giq_cred_header(const struct giq_cred *cred, size_t i)
{
    return cred != NULL && i < cred->header_count ? cred->header[i] : NULL;
}
