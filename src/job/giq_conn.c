/*
 * Parsing and quoting connection strings. The interface is in giq/giq.h. The grammar:
 *   string = "GIQ:" [ word | pair *( ";" pair ) ] [ ";" ]
 *   pair   = key "=" value        value = text without ";" and "|" | quoted
 * A quoted value begins with ' or ", and that quote is doubled inside.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_error.h"
#include "base/giq_text.h"

static const char prefix[] = "GIQ:";

#define ALLOWED "model, file, upload, job, geometry, aoi, bbox, rerun, wait, member"

static const struct {
    const char *name;
    enum giq_conn_key key;
} keys[] = {
    {"model", GIQ_CONN_KEY_MODEL},     {"modelId", GIQ_CONN_KEY_MODEL},
    {"file", GIQ_CONN_KEY_FILE},       {"fileId", GIQ_CONN_KEY_FILE},
    {"upload", GIQ_CONN_KEY_UPLOAD},   {"job", GIQ_CONN_KEY_JOB},
    {"inferenceId", GIQ_CONN_KEY_JOB}, {"geometry", GIQ_CONN_KEY_GEOMETRY},
    {"aoi", GIQ_CONN_KEY_AOI},         {"bbox", GIQ_CONN_KEY_BBOX},
    {"rerun", GIQ_CONN_KEY_RERUN},     {"wait", GIQ_CONN_KEY_WAIT},
    {"member", GIQ_CONN_KEY_MEMBER},
};

static const char *const canonical[GIQ_CONN_KEY_COUNT] = {
    [GIQ_CONN_KEY_MODEL] = "model",   [GIQ_CONN_KEY_FILE] = "file",
    [GIQ_CONN_KEY_JOB] = "job",       [GIQ_CONN_KEY_GEOMETRY] = "geometry",
    [GIQ_CONN_KEY_AOI] = "aoi",       [GIQ_CONN_KEY_BBOX] = "bbox",
    [GIQ_CONN_KEY_RERUN] = "rerun",   [GIQ_CONN_KEY_WAIT] = "wait",
    [GIQ_CONN_KEY_MEMBER] = "member", [GIQ_CONN_KEY_UPLOAD] = "upload",
};

/* Keys that users try for secrets, which belong in the configuration. */
static const char *const secrets[] = {
    "api_key",       "apikey",           "x-api-key",    "key",
    "token",         "bearer",           "bearer_token", "auth",
    "password",      "userpwd",          "secret",       "giq_api_key",
    "authorization", "giq_bearer_token",
};

static bool is_among(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (giq_text_equal_nocase(text, list[i])) {
            return true;
        }
    }
    return false;
}

/* Skip the handlers of archives that a program prepended. */
static const char *skip_handlers(const char *text)
{
    static const char *const handlers[] = {"/vsizip/", "/vsigzip/", "/vsitar/"};
    for (size_t i = 0; text[0] == '/' && i < GIQ_COUNT(handlers);) {
        bool is_handler = giq_text_begins_nocase(text, handlers[i]);
        text += is_handler ? strlen(handlers[i]) : 0;
        i = is_handler ? 0 : i + 1;
    }
    return text;
}

bool giq_conn_identify(const char *text)
{
    return text != NULL && giq_text_begins_nocase(skip_handlers(text), prefix);
}

static bool fail_key(const char *name, struct giq_error *err)
{
    struct giq_printable shown;
    if (is_among(name, secrets, GIQ_COUNT(secrets))) {
        return giq_fail(err, GIQ_E_USAGE,
                        "a secret does not belong in the connection string, which "
                        "programs keep in projects and logs: set the configuration "
                        "option GIQ_API_KEY, GIQ_BEARER_TOKEN or GIQ_API_KEY_FILE");
    }
    (void)giq_text_printable(name, &shown);
    return giq_fail(err, GIQ_E_USAGE,
                    "unknown key \"%s\" in the connection string; allowed are " ALLOWED,
                    shown.text);
}

/* If it were part of a value, what QGIS appends would make another request. */
static bool fail_suffix(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "the connection string has a '|' outside quotes: QGIS appends "
                    "|layername=, |option: and |subset= to the string of a layer. "
                    "Remove the '|' and all that follows it; a value that contains '|' "
                    "must be quoted");
}

static bool find_key(const char *name, enum giq_conn_key *out, struct giq_error *err)
{
    for (size_t i = 0; i < GIQ_COUNT(keys); i++) {
        if (giq_text_equal_nocase(name, keys[i].name)) {
            *out = keys[i].key;
            return true;
        }
    }
    return fail_key(name, err);
}

/* Read a quoted value at `*at`, which is moved to the ';' or the end. */
static bool take_quoted(const char **at, const char *key, char **out,
                        struct giq_error *err)
{
    char quote = **at;
    const char *s = *at + 1;
    char *value = malloc(strlen(s) + 1);
    if (value == NULL) {
        return giq_fail_memory(err);
    }
    size_t len = 0;
    while (*s != '\0' && (*s != quote || s[1] == quote)) {
        s += *s == quote;
        value[len++] = *s++;
    }
    value[len] = '\0';
    if (*s == '\0') {
        free(value);
        return giq_fail(err, GIQ_E_USAGE, "the quote of the key \"%s\" is not closed",
                        key);
    }
    s += 1 + strspn(s + 1, " \t\r\n\v\f");
    if (*s != ';' && *s != '\0') {
        free(value);
        if (*s == '|') {
            return fail_suffix(err);
        }
        return giq_fail(err, GIQ_E_USAGE,
                        "text after the quoted value of the key \"%s\"; a quote inside "
                        "is written twice",
                        key);
    }
    char *trimmed = giq_text_trim(value, len);
    free(value);
    if (trimmed == NULL) {
        return giq_fail_memory(err);
    }
    *at = s;
    *out = trimmed;
    return true;
}

static bool take_value(const char **at, const char *key, bool is_quoted, char **out,
                       struct giq_error *err)
{
    if (is_quoted) {
        return take_quoted(at, key, out, err);
    }
    size_t len = strcspn(*at, ";");
    if (memchr(*at, '|', len) != NULL) {
        return fail_suffix(err);
    }
    char *value = giq_text_trim(*at, len);
    if (value == NULL) {
        return giq_fail_memory(err);
    }
    *at += len;
    *out = value;
    return true;
}

static bool has_control(const char *value)
{
    for (; *value != '\0'; value++) {
        if ((unsigned char)*value < 0x20 || *value == 0x7F) {
            return true;
        }
    }
    return false;
}

static const char *const archive_endings[] = {".zip", ".tar", ".gz", ".tgz"};

/* The length of the ending of archives at `text`, or 0. */
static size_t archive_ending(const char *text)
{
    for (size_t i = 0; i < GIQ_COUNT(archive_endings); i++) {
        if (giq_text_begins_nocase(text, archive_endings[i])) {
            return strlen(archive_endings[i]);
        }
    }
    return 0;
}

/* Whether the first `len` bytes end as the name of an archive does. */
static bool ends_archive(const char *value, size_t len)
{
    for (size_t i = 0; i < GIQ_COUNT(archive_endings); i++) {
        size_t ending = strlen(archive_endings[i]);
        if (len >= ending &&
            giq_text_begins_nocase(value + len - ending, archive_endings[i])) {
            return true;
        }
    }
    return false;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The position of the slash that QGIS inserts, as in "s.tar/.gz": between the ending of
 * an archive and a plain extension at the end of the first `len` bytes. 0: there is none.
 */
static size_t inserted_slash(const char *value, size_t len)
{
    enum { EXTENSION_MAX = 8 };
    size_t dot = len;
    while (dot > 0 && is_letter_or_digit(value[dot - 1])) {
        dot--;
    }
    size_t extension = len - dot;
    bool is_inserted = extension > 0 && extension <= EXTENSION_MAX && dot > 2 &&
                       value[dot - 1] == '.' && value[dot - 2] == '/' &&
                       ends_archive(value, dot - 2);
    return is_inserted ? dot - 2 : 0;
}

/* Remove the slashes that programs add when they take the string for the path of an
 * archive. */
static void drop_slashes(char *value)
{
    size_t len = strlen(value);
    bool has_last = len > 0 && value[len - 1] == '/';
    size_t bare = has_last ? len - 1 : len;
    size_t inserted = inserted_slash(value, bare);
    if (has_last && (inserted > 0 || ends_archive(value, bare))) {
        value[bare] = '\0';
    }
    if (inserted > 0) {
        (void)memmove(value + inserted, value + inserted + 1,
                      strlen(value + inserted + 1) + 1);
    }
}

/* A slash after the ending of an archive may be from the user or from a program, and
 * would make another request: the user has to quote it. */
static bool check_slashes(enum giq_conn_key key, const char *value, struct giq_error *err)
{
    bool is_identity = key == GIQ_CONN_KEY_MODEL || key == GIQ_CONN_KEY_FILE ||
                       key == GIQ_CONN_KEY_RERUN;
    for (const char *at = value; is_identity && *at != '\0'; at++) {
        size_t ending = archive_ending(at);
        if (ending > 0 && at[ending] == '/') {
            return giq_fail(err, GIQ_E_USAGE,
                            "the value of \"%s\" has a '/' after \"%.*s\", as programs "
                            "insert it that take the string for the path of an archive; "
                            "remove it, or put the value in quotes if it is meant",
                            canonical[key], (int)ending, at);
        }
    }
    return true;
}

bool giq_conn_to_bool(const char *name, const char *value, bool *out,
                      struct giq_error *err)
{
    struct giq_printable shown;
    if (giq_text_to_bool(value, out)) {
        return true;
    }
    (void)giq_text_printable(value, &shown);
    return giq_fail(err, GIQ_E_USAGE, "%s must be YES or NO; got \"%.*s\"", name,
                    giq_text_cut_len(shown.text, 60), shown.text);
}

bool giq_conn_check_file_name(const char *name, const char *value, struct giq_error *err)
{
    /* A GIS that takes the connection string for a file name appends a '/'. */
    size_t len = strlen(value);
    if (len == 0 || value[len - 1] != '/') {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the value of %s ends in '/', which no file does; remove the '/'",
                    name);
}

static bool check_value(enum giq_conn_key key, const char *value, struct giq_error *err)
{
    const char *name = canonical[key];
    char quoted[16];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    if (value[0] == '\0') {
        return giq_fail(err, GIQ_E_USAGE, "the key \"%s\" has no value", name);
    }
    bool is_file =
        key == GIQ_CONN_KEY_FILE || key == GIQ_CONN_KEY_UPLOAD || key == GIQ_CONN_KEY_AOI;
    if (is_file && !giq_conn_check_file_name(quoted, value, err)) {
        return false;
    }
    if (key == GIQ_CONN_KEY_GEOMETRY && giq_text_begins_nocase(value, "SRID=") &&
        strchr(value, ';') == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "an area with SRID holds a ';' and stands in quotes: "
                        "geometry=\"SRID=<code>;POLYGON((...))\"");
    }
    if (key != GIQ_CONN_KEY_GEOMETRY && has_control(value)) {
        return giq_fail(err, GIQ_E_USAGE, "the value of \"%s\" holds a control character",
                        name);
    }
    if (!giq_text_is_utf8(value)) {
        return giq_fail(err, GIQ_E_USAGE, "the value of \"%s\" is not UTF-8", name);
    }
    bool ignored = false;
    return key != GIQ_CONN_KEY_WAIT || giq_conn_to_bool(quoted, value, &ignored, err);
}

/* Read "key=value" at `*at`, which is moved to the ';' or the end. */
static bool take_pair(const char **at, struct giq_conn *conn, struct giq_error *err)
{
    size_t len = strcspn(*at, "=;");
    if (memchr(*at, '|', len) != NULL) {
        return fail_suffix(err);
    }
    char *name = giq_text_trim(*at, len);
    if (name == NULL) {
        return giq_fail_memory(err);
    }
    enum giq_conn_key key = GIQ_CONN_KEY_COUNT;
    bool ok = find_key(name, &key, err);
    free(name);
    if (!ok) {
        return false;
    }
    if ((*at)[len] != '=') {
        return giq_fail(err, GIQ_E_USAGE, "the key \"%s\" has no value", canonical[key]);
    }
    if (conn->value[key] != NULL) {
        return giq_fail(err, GIQ_E_USAGE, "the key \"%s\" is given twice",
                        canonical[key]);
    }
    *at += len + 1;
    *at += strspn(*at, " \t\r\n\v\f");
    bool is_quoted = **at == '"' || **at == '\'';
    if (!take_value(at, canonical[key], is_quoted, &conn->value[key], err)) {
        return false;
    }
    char *value = conn->value[key];
    drop_slashes(value);
    return (is_quoted || check_slashes(key, value, err)) && check_value(key, value, err);
}

static bool take_pairs(const char *at, struct giq_conn *conn, struct giq_error *err)
{
    for (;;) {
        at += strspn(at, " \t\r\n\v\f");
        if (*at == '\0') {
            return true;
        }
        if (*at == ';') {
            return giq_fail(err, GIQ_E_USAGE,
                            "nothing between two ';' in the connection string; allowed "
                            "are the keys " ALLOWED);
        }
        if (!take_pair(&at, conn, err)) {
            return false;
        }
        at += *at == ';';
    }
}

/* Check which keys are combined, and find the kind. */
static bool check_combination(struct giq_conn *conn, struct giq_error *err)
{
    bool has_request = conn->value[GIQ_CONN_KEY_MODEL] != NULL ||
                       conn->value[GIQ_CONN_KEY_FILE] != NULL ||
                       conn->value[GIQ_CONN_KEY_UPLOAD] != NULL ||
                       conn->value[GIQ_CONN_KEY_GEOMETRY] != NULL ||
                       conn->value[GIQ_CONN_KEY_AOI] != NULL ||
                       conn->value[GIQ_CONN_KEY_BBOX] != NULL;
    if (conn->value[GIQ_CONN_KEY_JOB] != NULL &&
        conn->value[GIQ_CONN_KEY_RERUN] != NULL) {
        return giq_fail(
            err, GIQ_E_USAGE,
            "\"rerun\" asks for a new job and does not go with \"job\", which "
            "names one that exists");
    }
    if (conn->value[GIQ_CONN_KEY_JOB] != NULL && !has_request) {
        conn->kind = GIQ_CONN_JOB;
        return true;
    }
    conn->kind = GIQ_CONN_REQUEST;
    if (conn->value[GIQ_CONN_KEY_MODEL] == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the key \"model\" is missing; a request is model=<id>;"
                        "file=<fileId>, a job that exists is job=<id>");
    }
    bool has_file = conn->value[GIQ_CONN_KEY_FILE] != NULL;
    bool has_upload = conn->value[GIQ_CONN_KEY_UPLOAD] != NULL;
    if (!has_file && !has_upload) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the key \"file\" is missing: \"model\" needs the file to run "
                        "on, file=<fileId> or upload=<path>");
    }
    if (has_file && has_upload) {
        return giq_fail(err, GIQ_E_USAGE,
                        "\"file\" and \"upload\" both name the file to run on; give one "
                        "of them");
    }
    return true;
}

/* Whether the text is `word`, perhaps followed by one ';'. */
static bool is_word(const char *text, const char *word)
{
    size_t len = strlen(text);
    len -= len > 0 && text[len - 1] == ';';
    char *trimmed = giq_text_trim(text, len);
    bool same = trimmed != NULL && giq_text_equal_nocase(trimmed, word);
    free(trimmed);
    return same;
}

bool giq_conn_parse(const char *text, struct giq_conn *out, struct giq_error *err)
{
    struct giq_conn conn = {.kind = GIQ_CONN_MODELS};
    const char *body = skip_handlers(text) + strlen(prefix);
    if (is_word(body, "") || is_word(body, "models")) {
        *out = conn;
        return true;
    }
    if (is_word(body, "jobs")) {
        conn.kind = GIQ_CONN_JOBS;
        *out = conn;
        return true;
    }
    if (body[strcspn(body, "=|")] == '|') {
        return fail_suffix(err);
    }
    if (!take_pairs(body, &conn, err) || !check_combination(&conn, err)) {
        giq_conn_release(&conn);
        return false;
    }
    *out = conn;
    return true;
}

void giq_conn_release(struct giq_conn *conn)
{
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        free(conn->value[i]);
        conn->value[i] = NULL;
    }
}

char *giq_conn_quote(const char *value)
{
    static const char white[] = " \t\r\n\v\f";
    const size_t len = strlen(value);
    bool has_ends = len == 0 || strchr(white, value[0]) != NULL ||
                    strchr(white, value[len - 1]) != NULL ||
                    strchr("\"'", value[0]) != NULL;
    if (!has_ends && strpbrk(value, ";|") == NULL) {
        return strdup(value);
    }
    char *out = malloc(2 * len + 3);
    char *at = out;
    if (out == NULL) {
        return NULL;
    }
    *at++ = '"';
    for (; *value != '\0'; value++) {
        *at = '"';
        at += *value == '"';
        *at++ = *value;
    }
    *at++ = '"';
    *at = '\0';
    return out;
}
