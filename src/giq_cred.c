#include "giq_cred.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "giq_os.h"
#include "giq_text.h"

enum {
    SECRET_MAX = 16384, /* a bearer token with many claims is 8 KiB */
    KEY_FILE_MAX = 64 * 1024,
    MASKED_MIN = 4, /* shorter secrets stand in ordinary words */
};

static const char *const header_names[GIQ_CRED_HEADERS_MAX] = {
    "X-API-KEY: ",
    "Authorization: Bearer ",
};

struct giq_cred {
    char *header[GIQ_CRED_HEADERS_MAX]; /* NULL where not set */
};

static const char *secret_of(const struct giq_cred *cred, size_t i)
{
    return cred->header[i] + strlen(header_names[i]);
}

static bool set_header(struct giq_cred *cred, size_t i, const char *secret,
                       struct giq_error *err)
{
    if (secret == NULL || secret[0] == '\0') {
        return true;
    }
    if (strlen(secret) > SECRET_MAX) {
        return giq_fail(err, GIQ_E_CREDENTIALS, "the %s is longer than %d bytes",
                        i == 0 ? "API key" : "bearer token", SECRET_MAX);
    }
    for (const char *s = secret; *s != '\0'; s++) {
        if ((unsigned char)*s <= 0x20 || *s == 0x7F) {
            return giq_fail(err, GIQ_E_CREDENTIALS,
                            "the %s holds white space or a control character",
                            i == 0 ? "API key" : "bearer token");
        }
    }
    if (asprintf(&cred->header[i], "%s%s", header_names[i], secret) < 0) {
        cred->header[i] = NULL;
        return giq_fail_memory(err);
    }
    return true;
}

bool giq_cred_new(const char *api_key, const char *bearer_token, struct giq_cred **out,
                  struct giq_error *err)
{
    struct giq_cred *cred = calloc(1, sizeof *cred);
    if (cred == NULL) {
        return giq_fail_memory(err);
    }
    if (!set_header(cred, 0, api_key, err) || !set_header(cred, 1, bearer_token, err)) {
        giq_cred_free(cred);
        return false;
    }
    *out = cred;
    return true;
}

void giq_cred_wipe(char *text)
{
    if (text != NULL) {
        giq_os_wipe(text, strlen(text));
    }
}

void giq_cred_free(struct giq_cred *cred)
{
    if (cred == NULL) {
        return;
    }
    for (size_t i = 0; i < GIQ_CRED_HEADERS_MAX; i++) {
        giq_cred_wipe(cred->header[i]);
        free(cred->header[i]);
    }
    free(cred);
}

static char *first_line(const struct giq_buf *buf)
{
    return buf->len == 0 ? strdup("")
                         : giq_text_trim(buf->data, strcspn(buf->data, "\n"));
}

bool giq_cred_read_file(const char *path, char **out_key, bool *out_exposed,
                        struct giq_error *err)
{
    struct giq_buf buf;
    giq_buf_init(&buf, KEY_FILE_MAX);
    struct giq_os_stat st = {.kind = GIQ_OS_NOTHING};
    bool found = false;
    char *key = NULL;
    bool ok = giq_os_read_file(path, KEY_FILE_MAX, &buf, &found, err) &&
              giq_os_stat(path, &st, err);
    if (!ok && err->code == GIQ_E_STORE) {
        err->code = GIQ_E_CREDENTIALS;
        (void)giq_error_context(err, "the file of GIQ_API_KEY_FILE");
    } else if (ok && !found) {
        ok = giq_fail(err, GIQ_E_CREDENTIALS, "there is no file %s (GIQ_API_KEY_FILE)",
                      path);
    } else if (ok && (key = first_line(&buf)) == NULL) {
        ok = giq_fail_memory(err);
    } else if (ok && key[0] == '\0') {
        ok = giq_fail(err, GIQ_E_CREDENTIALS, "the first line of %s is empty", path);
    }
    if (buf.data != NULL) {
        giq_os_wipe(buf.data, buf.cap);
    }
    giq_buf_release(&buf);
    if (!ok) {
        giq_cred_wipe(key);
        free(key);
        return false;
    }
    *out_key = key;
    *out_exposed = st.others_read;
    return true;
}

static size_t secret_length(const struct giq_cred *cred, size_t i)
{
    return cred->header[i] == NULL ? 0 : strlen(secret_of(cred, i));
}

static void mask_one(const struct giq_cred *cred, size_t i, char *text)
{
    size_t len = secret_length(cred, i);
    if (len < MASKED_MIN) {
        return;
    }
    for (char *at = text; (at = strstr(at, secret_of(cred, i))) != NULL; at += len) {
        memset(at, '*', len);
    }
}

void giq_cred_mask(const struct giq_cred *cred, char *text)
{
    if (cred != NULL) {
        /* The longer first: it may hold the other, and would not be found then. */
        size_t longer = secret_length(cred, 1) > secret_length(cred, 0);
        mask_one(cred, longer, text);
        mask_one(cred, 1 - longer, text);
    }
}

bool giq_cred_any(const struct giq_cred *cred)
{
    return cred != NULL && (cred->header[0] != NULL || cred->header[1] != NULL);
}

size_t giq_cred_headers(const struct giq_cred *cred,
                        const char *out[GIQ_CRED_HEADERS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; cred != NULL && i < GIQ_CRED_HEADERS_MAX; i++) {
        if (cred->header[i] != NULL) {
            out[count++] = cred->header[i];
        }
    }
    return count;
}
