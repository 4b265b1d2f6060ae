#include "source_kit.h"

#include "unit.h"

static bool source_stat(void *ctx, struct giq_source_stat *out, struct giq_error *err)
{
    const struct source_kit *kit = ctx;
    *out = kit->stat;
    return !kit->is_absent || giq_fail(err, GIQ_E_USAGE, "not there");
}

static bool source_open(void *ctx, struct giq_error *err)
{
    struct source_kit *kit = ctx;
    kit->at = 0;
    kit->begins++;
    if (kit->on_begin != NULL) {
        kit->on_begin(kit, kit->begins - 1);
    }
    return !kit->is_locked || giq_fail(err, GIQ_E_USAGE, "locked");
}

static bool read_bytes(void *ctx, char *out, size_t max, size_t *out_len,
                       struct giq_error *err)
{
    struct source_kit *kit = ctx;
    size_t left = kit->len - kit->at;
    (void)err;
    *out_len = left < max ? left : max;
    memcpy(out, kit->bytes + kit->at, *out_len);
    kit->at += *out_len;
    return true;
}

static void source_close(void *ctx)
{
    struct source_kit *kit = ctx;
    kit->ends++;
}

void source_kit_write(struct source_kit *kit, const char *text, bool is_told)
{
    free(kit->bytes);
    kit->bytes = strdup(text);
    assert_non_null(kit->bytes);
    kit->len = strlen(text);
    if (is_told) {
        kit->stat.modified_ns++;
        kit->stat.size = (int64_t)kit->len;
    }
}

void source_kit_init(struct source_kit *kit, const char *text)
{
    *kit = (struct source_kit){
        .source = {.path = "scene.tif",
                   .absolute_path = "/d/scene.tif",
                   .stat = source_stat,
                   .open = source_open,
                   .read = read_bytes,
                   .close = source_close,
                   .ctx = kit},
        .stat = {.modified_ns = INT64_C(1600000000000000000),
                 .changed_ns = INT64_C(1600000000000000000),
                 .device = 1,
                 .inode = 2},
    };
    source_kit_write(kit, text, true);
}

void source_kit_release(struct source_kit *kit)
{
    free(kit->bytes);
}
