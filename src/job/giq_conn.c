/*
 * Parsing and quoting connection strings. The interface is in giq/giq.h. The grammar:
 *   string = "GIQ:" [ table | pair *( ";" pair ) | "files" *( ";" pair ) ] [ ";" ]
 *   table  = "models" or "jobs"
 *   pair   = key "=" value        value = text without ";" and "|" | quoted
 * A quoted value begins and ends with ' or ", and that quote is doubled inside. A slash
 * that a program added after the extension of an archive is dropped or refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_buf.h"
#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_text.h"
#include "service/giq_files.h"
#include "service/giq_period.h"

static const char prefix[] = "GIQ:";

enum { WRITTEN_MAX = 256 * 1024 * 1024 }; /* bytes of a string that is written */

#define WHITE_SPACE " \t\r\n\v\f"

/* The keys of requests and batches, and of GIQ:files, in the order in which they are
 * documented. */
#define REQUEST_KEYS                                                                     \
    "model, file, upload, job, geometry, aoi, bbox, rerun, wait, member, batch, part"
#define FILES_KEYS "bbox, geometry, aoi, datetime, collection, limit"

static const char *const key_names[GIQ_CONN_KEY_COUNT] = {
    [GIQ_CONN_KEY_MODEL] = "model",       [GIQ_CONN_KEY_FILE] = "file",
    [GIQ_CONN_KEY_JOB] = "job",           [GIQ_CONN_KEY_GEOMETRY] = "geometry",
    [GIQ_CONN_KEY_RERUN] = "rerun",       [GIQ_CONN_KEY_WAIT] = "wait",
    [GIQ_CONN_KEY_MEMBER] = "member",     [GIQ_CONN_KEY_UPLOAD] = "upload",
    [GIQ_CONN_KEY_AOI] = "aoi",           [GIQ_CONN_KEY_BBOX] = "bbox",
    [GIQ_CONN_KEY_DATETIME] = "datetime", [GIQ_CONN_KEY_COLLECTION] = "collection",
    [GIQ_CONN_KEY_LIMIT] = "limit",       [GIQ_CONN_KEY_BATCH] = "batch",
    [GIQ_CONN_KEY_PART] = "part",
};

/* The service's names of the same keys. */
static const struct {
    const char *name;
    enum giq_conn_key key;
} aliases[] = {
    {"modelId", GIQ_CONN_KEY_MODEL},
    {"fileId", GIQ_CONN_KEY_FILE},
    {"inferenceId", GIQ_CONN_KEY_JOB},
};

/* Keys under which users try to pass secrets, which belong in the configuration. */
static const char *const secret_names[] = {
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

/* The length of the archive prefix at the beginning of `text`, or 0. */
static size_t archive_prefix_len(const char *text)
{
    static const char *const prefixes[] = {"/vsizip/", "/vsigzip/", "/vsitar/"};
    for (size_t i = 0; i < GIQ_COUNT(prefixes); i++) {
        if (giq_text_begins_nocase(text, prefixes[i])) {
            return strlen(prefixes[i]);
        }
    }
    return 0;
}

/* Skip the archive prefixes that a program prepended. */
static const char *skip_archive_prefixes(const char *text)
{
    for (size_t len = archive_prefix_len(text); len > 0; len = archive_prefix_len(text)) {
        text += len;
    }
    return text;
}

bool giq_conn_identify(const char *text)
{
    return text != NULL && giq_text_begins_nocase(skip_archive_prefixes(text), prefix);
}

static const char *allowed_keys(bool is_files)
{
    return is_files ? FILES_KEYS : REQUEST_KEYS;
}

static bool fail_key(const char *name, bool is_files, struct giq_error *err)
{
    struct giq_printable printable;
    if (is_among(name, secret_names, GIQ_COUNT(secret_names))) {
        return giq_fail(err, GIQ_E_USAGE,
                        "a secret does not belong in the connection string (key \"%s\"), "
                        "which programs keep in projects and logs: set the configuration "
                        "option GIQ_API_KEY, GIQ_BEARER_TOKEN or GIQ_API_KEY_FILE",
                        name);
    }
    (void)giq_text_printable(name, &printable);
    return giq_fail(err, GIQ_E_USAGE,
                    "unknown key \"%s\" in the connection string; allowed are %s",
                    printable.text, allowed_keys(is_files));
}

/* QGIS appends |layername= and more to the string. If that became part of a value, the
 * request would be a different one, and start a second job. */
static bool fail_suffix(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "the connection string has a '|' outside quotes: QGIS appends "
                    "|layername=, |option: and |subset= to the string of a layer. "
                    "Remove the '|' and all that follows it; a value that contains '|' "
                    "must be quoted");
}

/* `is_files` is whether the string is one of GIQ:files. */
static bool find_key(const char *name, bool is_files, enum giq_conn_key *out,
                     struct giq_error *err)
{
    for (size_t i = 0; i < GIQ_COUNT(key_names); i++) {
        if (giq_text_equal_nocase(name, key_names[i])) {
            *out = (enum giq_conn_key)i;
            return true;
        }
    }
    for (size_t i = 0; i < GIQ_COUNT(aliases); i++) {
        if (giq_text_equal_nocase(name, aliases[i].name)) {
            *out = aliases[i].key;
            return true;
        }
    }
    return fail_key(name, is_files, err);
}

/* Refuse a key of requests in GIQ:files, and a key of GIQ:files elsewhere. */
static bool check_kind(enum giq_conn_key key, bool is_files, struct giq_error *err)
{
    bool is_of_area = key == GIQ_CONN_KEY_GEOMETRY || key == GIQ_CONN_KEY_AOI ||
                      key == GIQ_CONN_KEY_BBOX;
    bool is_of_files = key == GIQ_CONN_KEY_DATETIME || key == GIQ_CONN_KEY_COLLECTION ||
                       key == GIQ_CONN_KEY_LIMIT;
    if (is_of_area || is_of_files == is_files) {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the key \"%s\" is %s for GIQ:files; allowed are %s", key_names[key],
                    is_files ? "not" : "only", allowed_keys(is_files));
}

/* Parse the quoted value at `*at`, which is moved to the next ';' or the end. The caller
 * frees `*out`. */
static bool parse_quoted(const char **at, const char *key, char **out,
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
        if (*s == quote) {
            s++; /* the first of two quotes */
        }
        value[len++] = *s++;
    }
    value[len] = '\0';
    if (*s == '\0') {
        free(value);
        return giq_fail(
            err, GIQ_E_USAGE,
            "the value of the key \"%s\" has no closing quote; end it with %c", key,
            quote);
    }
    s += 1 + strspn(s + 1, WHITE_SPACE);
    if (*s != ';' && *s != '\0') {
        free(value);
        if (*s == '|') {
            return fail_suffix(err);
        }
        return giq_fail(err, GIQ_E_USAGE,
                        "the key \"%s\" has text after its quoted value; write a quote "
                        "that belongs to the value twice",
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

static bool parse_value(const char **at, const char *key, bool is_quoted, char **out,
                        struct giq_error *err)
{
    if (is_quoted) {
        return parse_quoted(at, key, out, err);
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

static const char *const archive_extensions[] = {".zip", ".tar", ".gz", ".tgz"};

/* The length of the archive extension at the beginning of `text`, or 0. */
static size_t archive_extension_len(const char *text)
{
    for (size_t i = 0; i < GIQ_COUNT(archive_extensions); i++) {
        if (giq_text_begins_nocase(text, archive_extensions[i])) {
            return strlen(archive_extensions[i]);
        }
    }
    return 0;
}

/* Whether the first `len` bytes of `value` end in the extension of an archive. */
static bool has_archive_extension(const char *value, size_t len)
{
    for (size_t i = 0; i < GIQ_COUNT(archive_extensions); i++) {
        size_t extension_len = strlen(archive_extensions[i]);
        if (len >= extension_len &&
            giq_text_begins_nocase(value + len - extension_len, archive_extensions[i])) {
            return true;
        }
    }
    return false;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The position of a slash that QGIS inserted into the first `len` bytes of `value`, as in
 * "s.tar/.gz": between the extension of an archive and the last extension. 0: none. */
static size_t inserted_slash(const char *value, size_t len)
{
    enum { EXTENSION_MAX = 8 }; /* characters; longer text is part of a name */
    size_t after_dot = len;
    while (after_dot > 0 && is_letter_or_digit(value[after_dot - 1])) {
        after_dot--;
    }
    size_t extension_len = len - after_dot;
    /* At least one character, the slash and the dot precede the extension. */
    if (extension_len == 0 || extension_len > EXTENSION_MAX || after_dot < 3) {
        return 0;
    }
    size_t slash = after_dot - 2;
    bool is_inserted = value[slash] == '/' && value[slash + 1] == '.' &&
                       has_archive_extension(value, slash);
    return is_inserted ? slash : 0;
}

/* Remove the slashes that programs add, also within quotes, when they take the string for
 * the path of an archive. */
static void drop_slashes(char *value)
{
    size_t len = strlen(value);
    bool has_last = len > 0 && value[len - 1] == '/';
    size_t bare = has_last ? len - 1 : len;
    size_t inserted = inserted_slash(value, bare);
    if (has_last && (inserted > 0 || has_archive_extension(value, bare))) {
        value[bare] = '\0';
    }
    if (inserted > 0) {
        (void)memmove(value + inserted, value + inserted + 1,
                      strlen(value + inserted + 1) + 1);
    }
}

/* The first extension of an archive that a slash follows, or NULL; `*out_len` is its
 * length. */
static const char *find_archive_folder(const char *value, size_t *out_len)
{
    /* Saves a search at each '.': an area has one in each coordinate. */
    if (strchr(value, '/') == NULL) {
        return NULL;
    }
    for (value = strchr(value, '.'); value != NULL; value = strchr(value + 1, '.')) {
        *out_len = archive_extension_len(value);
        if (*out_len > 0 && value[*out_len] == '/') {
            return value;
        }
    }
    return NULL;
}

/* Any other slash after the extension of an archive may be the user's or a program's, and
 * is part of the identity of the request: the user must quote it. */
static bool check_slashes(enum giq_conn_key key, const char *value, struct giq_error *err)
{
    bool is_identity = key == GIQ_CONN_KEY_MODEL || key == GIQ_CONN_KEY_FILE ||
                       key == GIQ_CONN_KEY_RERUN;
    if (!is_identity) {
        return true;
    }
    size_t len = 0;
    const char *at = find_archive_folder(value, &len);
    if (at == NULL) {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the value of \"%s\" has a '/' after \"%.*s\"; some programs insert "
                    "it because they take the string for the path of an archive. Remove "
                    "it, or put the value in quotes if the '/' belongs to it",
                    key_names[key], (int)len, at);
}

enum { QUOTED_BOOL_MAX = 10 }; /* bytes of a value that a message quotes */

bool giq_conn_to_bool(const char *name, const char *value, bool *out,
                      struct giq_error *err)
{
    struct giq_printable printable;
    if (giq_text_to_bool(value, out)) {
        return true;
    }
    /* A longer value may be an API key that was typed in the wrong place. */
    if (strlen(value) > QUOTED_BOOL_MAX) {
        return giq_fail(err, GIQ_E_USAGE, "%s must be YES or NO", name);
    }
    return giq_fail(err, GIQ_E_USAGE, "%s must be YES or NO; got \"%s\"", name,
                    giq_text_printable(value, &printable));
}

bool giq_conn_check_file_name(const char *name, const char *value, struct giq_error *err)
{
    /* A GIS that takes the connection string for a file name appends a '/'. */
    size_t len = strlen(value);
    if (len == 0 || value[len - 1] != '/') {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the value of %s must name a file, but ends in '/'; remove the '/'",
                    name);
}

/* Parse a whole number at `*at`, which is moved past it; -1 if there is none, or it has
 * more than 9 digits. */
static int64_t parse_whole(const char **at)
{
    enum { DIGITS_MAX = 9 };
    size_t len = strspn(*at, "0123456789");
    int64_t number = len == 0 || len > DIGITS_MAX ? -1 : 0;
    for (size_t i = 0; number >= 0 && i < len; i++) {
        number = 10 * number + ((*at)[i] - '0');
    }
    *at += len;
    return number;
}

bool giq_conn_to_part(const char *value, struct giq_conn_part *out, struct giq_error *err)
{
    const char *at = value;
    struct giq_conn_part part = {.index = parse_whole(&at), .count = -1};
    if (*at == '/') {
        at++;
        part.count = parse_whole(&at);
    }
    if (part.index < 0 || part.index >= part.count || *at != '\0') {
        /* Any other value may be an API key that was typed in the wrong place. */
        bool is_printable = value[strspn(value, "0123456789/-")] == '\0';
        struct giq_printable printable;
        return giq_fail(err, GIQ_E_USAGE,
                        "\"part\" must be <k>/<n> with 0 <= k < n: the rows whose "
                        "position modulo n is k%s%s",
                        is_printable ? "; got " : "",
                        is_printable ? giq_text_printable(value, &printable) : "");
    }
    *out = part;
    return true;
}

/* Check the value of a key that has a grammar of its own; `name` is the key as messages
 * name it. */
static bool check_grammar(enum giq_conn_key key, const char *name, const char *value,
                          struct giq_error *err)
{
    bool is_yes = false;
    int limit = 0;
    struct giq_period period;
    struct giq_conn_part part;
    switch (key) {
    case GIQ_CONN_KEY_WAIT:
        return giq_conn_to_bool(name, value, &is_yes, err);
    case GIQ_CONN_KEY_DATETIME:
        return giq_period_parse(value, &period, err);
    case GIQ_CONN_KEY_LIMIT:
        return giq_files_parse_limit(value, &limit, err);
    case GIQ_CONN_KEY_PART:
        return giq_conn_to_part(value, &part, err);
    default:
        return true;
    }
}

static bool fail_no_value(const char *name, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE, "the key \"%s\" has no value; write %s=<value>",
                    name, name);
}

/* Refuse the address of a file with a query, which may be a secret and must not be
 * recorded. */
static bool check_file_id(const char *value, struct giq_error *err)
{
    const char *scheme_end = strstr(value, "://");
    if (scheme_end == NULL || strchr(scheme_end, '?') == NULL) {
        return true;
    }
    return giq_fail(
        err, GIQ_E_USAGE,
        "the value of \"file\" is an address with a query, not the id of a "
        "file on the service; upload=/vsicurl/<address> uploads what is there");
}

static bool check_value(enum giq_conn_key key, const char *value, struct giq_error *err)
{
    const char *name = key_names[key];
    char quoted[sizeof "\"collection\""]; /* the longest name */
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    if (value[0] == '\0') {
        return fail_no_value(name, err);
    }
    bool is_file = key == GIQ_CONN_KEY_FILE || key == GIQ_CONN_KEY_UPLOAD ||
                   key == GIQ_CONN_KEY_AOI || key == GIQ_CONN_KEY_BATCH;
    if (is_file && !giq_conn_check_file_name(quoted, value, err)) {
        return false;
    }
    if (key == GIQ_CONN_KEY_FILE && !check_file_id(value, err)) {
        return false;
    }
    if (key == GIQ_CONN_KEY_GEOMETRY && giq_text_begins_nocase(value, "SRID=") &&
        strchr(value, ';') == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "an area with SRID= contains a ';' and must be quoted: "
                        "geometry=\"SRID=<code>;POLYGON((...))\"");
    }
    if (key != GIQ_CONN_KEY_GEOMETRY && giq_text_has_ascii_control(value)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the value of \"%s\" contains a control character, such as a "
                        "line break; remove it",
                        name);
    }
    if (!giq_text_is_utf8(value)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the value of \"%s\" is not UTF-8; encode it as UTF-8", name);
    }
    return check_grammar(key, quoted, value, err);
}

/* Parse the "key=value" at `*at`, which is moved to the next ';' or the end. */
static bool parse_pair(const char **at, struct giq_conn *conn, struct giq_error *err)
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
    bool is_files = conn->kind == GIQ_CONN_FILES;
    bool ok = find_key(name, is_files, &key, err);
    free(name);
    if (!ok || !check_kind(key, is_files, err)) {
        return false;
    }
    if ((*at)[len] != '=') {
        return fail_no_value(key_names[key], err);
    }
    if (conn->value[key] != NULL) {
        return giq_fail(err, GIQ_E_USAGE, "the key \"%s\" is given twice; give it once",
                        key_names[key]);
    }
    *at += len + 1;
    *at += strspn(*at, WHITE_SPACE);
    bool is_quoted = **at == '"' || **at == '\'';
    if (!parse_value(at, key_names[key], is_quoted, &conn->value[key], err)) {
        return false;
    }
    char *value = conn->value[key];
    drop_slashes(value);
    if (!is_quoted && !check_slashes(key, value, err)) {
        return false;
    }
    return check_value(key, value, err);
}

static bool parse_pairs(const char *at, struct giq_conn *conn, struct giq_error *err)
{
    for (;;) {
        at += strspn(at, WHITE_SPACE);
        if (*at == '\0') {
            return true;
        }
        if (*at == ';') {
            return giq_fail(err, GIQ_E_USAGE,
                            "the connection string has an empty entry: two ';' in a row, "
                            "or one at its beginning; remove the extra ';'");
        }
        if (!parse_pair(&at, conn, err)) {
            return false;
        }
        if (*at == ';') {
            at++;
        }
    }
}

static bool fail_two_files(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "\"file\" and \"upload\" both name the file to run on; give one of "
                    "them");
}

/* Check a batch: its rows give what the string does not. */
static bool check_batch(struct giq_conn *conn, struct giq_error *err)
{
    static const enum giq_conn_key areas[] = {GIQ_CONN_KEY_GEOMETRY, GIQ_CONN_KEY_AOI,
                                              GIQ_CONN_KEY_BBOX};
    for (size_t i = 0; i < GIQ_COUNT(areas); i++) {
        if (conn->value[areas[i]] != NULL) {
            return giq_fail(err, GIQ_E_USAGE,
                            "\"%s\" cannot be combined with \"batch\": the geometry of "
                            "each row is its area; remove \"%s\"",
                            key_names[areas[i]], key_names[areas[i]]);
        }
    }
    if (conn->value[GIQ_CONN_KEY_JOB] != NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "\"job\" names one job and cannot be combined with \"batch\"; "
                        "adopt the job with its row alone");
    }
    if (conn->value[GIQ_CONN_KEY_FILE] != NULL &&
        conn->value[GIQ_CONN_KEY_UPLOAD] != NULL) {
        return fail_two_files(err);
    }
    conn->kind = GIQ_CONN_BATCH;
    return true;
}

/* Check that the keys may be combined, and set the kind of the connection. */
static bool check_combination(struct giq_conn *conn, struct giq_error *err)
{
    if (conn->value[GIQ_CONN_KEY_BATCH] != NULL) {
        return check_batch(conn, err);
    }
    if (conn->value[GIQ_CONN_KEY_PART] != NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "\"part\" is only for batches: batch=<dataset>;part=<k>/<n>");
    }
    bool has_request = conn->value[GIQ_CONN_KEY_MODEL] != NULL ||
                       conn->value[GIQ_CONN_KEY_FILE] != NULL ||
                       conn->value[GIQ_CONN_KEY_UPLOAD] != NULL ||
                       conn->value[GIQ_CONN_KEY_GEOMETRY] != NULL ||
                       conn->value[GIQ_CONN_KEY_AOI] != NULL ||
                       conn->value[GIQ_CONN_KEY_BBOX] != NULL;
    if (conn->value[GIQ_CONN_KEY_JOB] != NULL && !has_request) {
        /* With a whole request it is part of what adopts the job. */
        if (conn->value[GIQ_CONN_KEY_RERUN] != NULL) {
            return giq_fail(
                err, GIQ_E_USAGE,
                "\"rerun\" is the label of a request and cannot be combined with "
                "\"job\" alone, which names an existing job; remove one of them");
        }
        conn->kind = GIQ_CONN_JOB;
        return true;
    }
    conn->kind = GIQ_CONN_REQUEST;
    if (conn->value[GIQ_CONN_KEY_MODEL] == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the key \"model\" is missing; a request is model=<id>;"
                        "file=<fileId>, an existing job is job=<id>");
    }
    bool has_file = conn->value[GIQ_CONN_KEY_FILE] != NULL;
    bool has_upload = conn->value[GIQ_CONN_KEY_UPLOAD] != NULL;
    if (!has_file && !has_upload) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the key \"file\" is missing: \"model\" needs the file to run "
                        "on, file=<fileId> or upload=<path>");
    }
    if (has_file && has_upload) {
        return fail_two_files(err);
    }
    return true;
}

/* What follows "files" and the ';' after it; NULL if the text does not begin so. */
static const char *skip_files(const char *text)
{
    static const char word[] = "files";
    text += strspn(text, WHITE_SPACE);
    if (!giq_text_begins_nocase(text, word)) {
        return NULL;
    }
    text += strlen(word);
    text += strspn(text, WHITE_SPACE);
    if (*text == '\0') {
        return text;
    }
    return *text == ';' ? text + 1 : NULL;
}

/* Parse the keys and set the kind. `body` follows the prefix. */
static bool parse_keys(const char *body, struct giq_conn *conn, struct giq_error *err)
{
    const char *files = skip_files(body);
    if (files != NULL) {
        conn->kind = GIQ_CONN_FILES;
        return parse_pairs(files, conn, err);
    }
    return parse_pairs(body, conn, err) && check_combination(conn, err);
}

/* Whether the text is `word`, optionally followed by one ';', ignoring white space. */
static bool is_word(const char *text, const char *word)
{
    text += strspn(text, WHITE_SPACE);
    if (!giq_text_begins_nocase(text, word)) {
        return false;
    }
    text += strlen(word);
    text += strspn(text, WHITE_SPACE);
    if (*text == ';') {
        text++;
    }
    return text[strspn(text, WHITE_SPACE)] == '\0';
}

bool giq_conn_parse(const char *text, struct giq_conn *out, struct giq_error *err)
{
    struct giq_conn conn = {.kind = GIQ_CONN_MODELS};
    const char *body = skip_archive_prefixes(text) + strlen(prefix);
    if (is_word(body, "") || is_word(body, "models")) {
        *out = conn;
        return true;
    }
    if (is_word(body, "jobs")) {
        conn.kind = GIQ_CONN_JOBS;
        *out = conn;
        return true;
    }
    /* A '|' before any key, as in "GIQ:models|layername=x". */
    if (body[strcspn(body, "=|")] == '|') {
        return fail_suffix(err);
    }
    if (!parse_keys(body, &conn, err)) {
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

bool giq_conn_set(struct giq_conn *conn, enum giq_conn_key key, const char *text,
                  struct giq_error *err)
{
    GIQ_AUTO_FREE char *value = giq_text_trim(text, strlen(text));
    if (value == NULL) {
        return giq_fail_memory(err);
    }
    if (value[0] == '\0') {
        return true;
    }
    drop_slashes(value);
    if (!check_value(key, value, err)) {
        return false;
    }
    free(conn->value[key]);
    conn->value[key] = giq_take(&value);
    return true;
}

/* ---- writing ---- */

static bool needs_quotes(const char *value, size_t len)
{
    size_t extension_len = 0;
    return len == 0 || strchr(WHITE_SPACE, value[0]) != NULL ||
           strchr(WHITE_SPACE, value[len - 1]) != NULL ||
           strchr("\"'", value[0]) != NULL || strpbrk(value, ";|") != NULL ||
           find_archive_folder(value, &extension_len) != NULL;
}

char *giq_conn_quote(const char *value)
{
    const size_t len = strlen(value);
    if (!needs_quotes(value, len)) {
        return strdup(value);
    }
    char *out = malloc(2 * len + 3);
    char *at = out;
    if (out == NULL) {
        return NULL;
    }
    *at++ = '"';
    for (; *value != '\0'; value++) {
        if (*value == '"') {
            *at++ = '"';
        }
        *at++ = *value;
    }
    *at++ = '"';
    *at = '\0';
    return out;
}

char *giq_conn_write(const struct giq_conn *conn)
{
    GIQ_AUTO_BUF struct giq_buf text;
    giq_buf_init(&text, WRITTEN_MAX);
    bool ok = giq_buf_add_text(&text, prefix);
    const char *separator = "";
    for (size_t i = 0; ok && i < GIQ_CONN_KEY_COUNT; i++) {
        if (conn->value[i] == NULL) {
            continue;
        }
        GIQ_AUTO_FREE char *quoted = giq_conn_quote(conn->value[i]);
        ok = quoted != NULL && giq_buf_add_text(&text, separator) &&
             giq_buf_add_text(&text, key_names[i]) && giq_buf_add_text(&text, "=") &&
             giq_buf_add_text(&text, quoted);
        separator = ";";
    }
    return ok ? giq_buf_take(&text) : NULL;
}
