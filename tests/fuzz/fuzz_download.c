/* Downloads over several responses: a download that succeeds has the stated length. */
#include "script.h"

#include "base/giq_buf.h"
#include "service/giq_download.h"

struct taken {
    struct giq_buf bytes;
    int64_t length; /* as passed to begin(), -1 if not known */
    int begun;
};

static bool begin(void *ctx, int64_t length, struct giq_error *err)
{
    (void)err;
    struct taken *taken = ctx;
    giq_buf_release(&taken->bytes);
    taken->length = length;
    taken->begun++;
    return true;
}

static bool take(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    (void)err;
    struct taken *taken = ctx;
    MUST(taken->begun > 0 && len > 0);
    MUST(giq_buf_add(&taken->bytes, bytes, len));
    MUST(taken->length < 0 || (int64_t)taken->bytes.len <= taken->length);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script;
    struct taken taken = {.length = -1};
    const struct giq_download_sink sink = {.begin = begin, .write = take, .ctx = &taken};
    struct giq_error err = {0};
    char *disposition = NULL;
    giq_buf_init(&taken.bytes, 1 << 24);
    script_start(&script, data, size);
    if (giq_download(script.service, "j1", &sink, &disposition, &err)) {
        MUST(taken.bytes.len > 0);
        MUST(taken.length < 0 || (int64_t)taken.bytes.len == taken.length);
        MUST(script.status == 200 || (script.status == 206 && script.has_strong_etag));
        MUST(!script.was_cut && script.is_proven);
    } else {
        MUST(disposition == NULL);
        fuzz_check_error(&err, err.code);
        MUST(err.code != GIQ_E_NONE);
    }
    /* Three retries, each with five redirects at most. */
    MUST(script.posts == 0 && script.tries <= 4 * 6);
    giq_buf_release(&taken.bytes);
    free(disposition);
    script_stop(&script);
    return 0;
}
