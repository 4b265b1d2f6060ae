/* Connection strings. Input: the text after "GIQ:". */
#include "fuzz.h"

static const char white[] = " \t\r\n\v\f";

static void check_value(enum giq_conn_key key, const char *value)
{
    size_t len = strlen(value);
    MUST(len > 0);
    MUST(strchr(white, value[0]) == NULL && strchr(white, value[len - 1]) == NULL);
    bool is_file = key == GIQ_CONN_KEY_FILE || key == GIQ_CONN_KEY_UPLOAD ||
                   key == GIQ_CONN_KEY_AOI || key == GIQ_CONN_KEY_BATCH;
    MUST(!is_file || value[len - 1] != '/');
    for (const char *c = value; key != GIQ_CONN_KEY_GEOMETRY && *c != '\0'; c++) {
        MUST((unsigned char)*c >= 0x20 && *c != 0x7F);
    }
}

static void check_kind(const struct giq_conn *conn)
{
    bool has[GIQ_CONN_KEY_COUNT];
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        has[i] = conn->value[i] != NULL;
    }
    bool is_table = conn->kind == GIQ_CONN_MODELS || conn->kind == GIQ_CONN_JOBS;
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        MUST(!is_table || !has[i]);
    }
    if (conn->kind == GIQ_CONN_REQUEST) {
        MUST(has[GIQ_CONN_KEY_MODEL] &&
             has[GIQ_CONN_KEY_FILE] != has[GIQ_CONN_KEY_UPLOAD]);
        MUST(!has[GIQ_CONN_KEY_JOB] || !has[GIQ_CONN_KEY_RERUN]);
    } else if (conn->kind == GIQ_CONN_JOB) {
        MUST(has[GIQ_CONN_KEY_JOB] && !has[GIQ_CONN_KEY_MODEL] &&
             !has[GIQ_CONN_KEY_FILE] && !has[GIQ_CONN_KEY_UPLOAD] &&
             !has[GIQ_CONN_KEY_RERUN]);
        MUST(!has[GIQ_CONN_KEY_GEOMETRY] && !has[GIQ_CONN_KEY_AOI] &&
             !has[GIQ_CONN_KEY_BBOX]);
    }
    bool has_filter = has[GIQ_CONN_KEY_DATETIME] || has[GIQ_CONN_KEY_COLLECTION] ||
                      has[GIQ_CONN_KEY_LIMIT];
    MUST(!has_filter || conn->kind == GIQ_CONN_FILES);
    if (conn->kind == GIQ_CONN_FILES) {
        MUST(!has[GIQ_CONN_KEY_MODEL] && !has[GIQ_CONN_KEY_FILE] &&
             !has[GIQ_CONN_KEY_UPLOAD] && !has[GIQ_CONN_KEY_JOB]);
        MUST(!has[GIQ_CONN_KEY_RERUN] && !has[GIQ_CONN_KEY_WAIT] &&
             !has[GIQ_CONN_KEY_MEMBER]);
    }
    MUST(has[GIQ_CONN_KEY_BATCH] == (conn->kind == GIQ_CONN_BATCH));
    MUST(has[GIQ_CONN_KEY_BATCH] || !has[GIQ_CONN_KEY_PART]);
    if (conn->kind == GIQ_CONN_BATCH) {
        MUST(!has[GIQ_CONN_KEY_JOB] && !has[GIQ_CONN_KEY_GEOMETRY] &&
             !has[GIQ_CONN_KEY_AOI] && !has[GIQ_CONN_KEY_BBOX]);
        MUST(!has[GIQ_CONN_KEY_FILE] || !has[GIQ_CONN_KEY_UPLOAD]);
    }
}

static const char *start_of(enum giq_conn_kind kind)
{
    if (kind == GIQ_CONN_FILES) {
        return "giq: FILES ; ";
    }
    return kind == GIQ_CONN_JOBS ? "giq:jobs" : "giq:";
}

/* The connection string of `conn`, with each value in quotes. */
static char *write_string(const struct giq_conn *conn, char quote)
{
    static const char *const names[GIQ_CONN_KEY_COUNT] = {
        [GIQ_CONN_KEY_MODEL] = "modelid",     [GIQ_CONN_KEY_FILE] = " FILEID ",
        [GIQ_CONN_KEY_JOB] = "job",           [GIQ_CONN_KEY_GEOMETRY] = "geometry",
        [GIQ_CONN_KEY_RERUN] = "rerun",       [GIQ_CONN_KEY_WAIT] = "wait",
        [GIQ_CONN_KEY_MEMBER] = "member",     [GIQ_CONN_KEY_UPLOAD] = "UPLOAD",
        [GIQ_CONN_KEY_AOI] = "Aoi",           [GIQ_CONN_KEY_BBOX] = "bBox",
        [GIQ_CONN_KEY_DATETIME] = "dateTime", [GIQ_CONN_KEY_COLLECTION] = "collection",
        [GIQ_CONN_KEY_LIMIT] = "limit",       [GIQ_CONN_KEY_BATCH] = "BATCH",
        [GIQ_CONN_KEY_PART] = "part"};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    MUST(out != NULL);
    (void)fputs(start_of(conn->kind), out);
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        if (conn->value[i] == NULL) {
            continue;
        }
        (void)fprintf(out, "%s= %c", names[i], quote);
        for (const char *c = conn->value[i]; *c != '\0'; c++) {
            (void)fprintf(out, *c == quote ? "%c%c" : "%c", *c, *c);
        }
        (void)fprintf(out, "%c;", quote);
    }
    MUST(fclose(out) == 0);
    return text;
}

/* It is parsed to the same values, which may be set one by one. */
static void check_text(const struct giq_conn *conn, const char *text)
{
    struct giq_conn again;
    struct giq_error err = {0};
    MUST(giq_conn_parse(text, &again, &err));
    MUST(again.kind == conn->kind);
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        MUST((conn->value[i] == NULL) == (again.value[i] == NULL));
        MUST(conn->value[i] == NULL || strcmp(conn->value[i], again.value[i]) == 0);
    }
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        if (conn->value[i] != NULL) {
            MUST(giq_conn_set(&again, (enum giq_conn_key)i, conn->value[i], &err));
            MUST(strcmp(conn->value[i], again.value[i]) == 0);
        }
    }
    giq_conn_release(&again);
}

/* Written with quotes, or by the core, it is the same. */
static void check_again(const struct giq_conn *conn, char quote)
{
    char *text = write_string(conn, quote);
    check_text(conn, text);
    free(text);
    bool has_pairs = conn->kind == GIQ_CONN_REQUEST || conn->kind == GIQ_CONN_JOB ||
                     conn->kind == GIQ_CONN_BATCH;
    if (has_pairs) {
        text = giq_conn_write(conn);
        MUST(text != NULL);
        check_text(conn, text);
        free(text);
    }
}

static void check_refusal(const char *text, const struct giq_error *err)
{
    const char *secret = strstr(text, FUZZ_KEY);
    bool is_value =
        secret != NULL && secret[-1] == '=' && strstr(secret + 1, FUZZ_KEY) == NULL;
    MUST(!is_value || strstr(err->text, FUZZ_KEY) == NULL);
    MUST(err->code == GIQ_E_USAGE && err->text[0] != '\0' && fuzz_is_plain(err->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = NULL;
    MUST(asprintf(&text, "GIQ:%.*s", (int)size, size == 0 ? "" : (const char *)data) >=
         0);
    struct giq_conn conn;
    struct giq_error err = {0};
    MUST(giq_conn_identify(text));
    if (giq_conn_parse(text, &conn, &err)) {
        for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
            if (conn.value[i] != NULL) {
                check_value((enum giq_conn_key)i, conn.value[i]);
            }
        }
        check_kind(&conn);
        check_again(&conn, '\'');
        check_again(&conn, '"');
        giq_conn_release(&conn);
    } else {
        check_refusal(text, &err);
    }
    free(text);
    return 0;
}
