/* Reading and writing JSON documents with a format number. */
#include "store/giq_document.h"

#include "base/giq_cleanup.h"
#include "base/giq_os.h"

bool giq_document_fail(const char *folder, const char *name, const char *reason,
                       const char *advice, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_STORE, "the record %s/%s %s; %s", folder, name, reason,
                    advice);
}

bool giq_document_read_bytes(const char *folder, const char *name, struct giq_buf *buf,
                             bool *out_found, struct giq_error *err)
{
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    return giq_os_read_file(path, GIQ_DOCUMENT_BYTES_MAX, buf, out_found, err);
}

static bool check_format(const char *folder, const char *name, int64_t newest,
                         const char *advice, const struct giq_json *json,
                         bool *out_damaged, struct giq_error *err)
{
    int64_t format = giq_json_integer(giq_json_get(json, "format"), -1);
    if (!giq_json_is_object(json)) {
        *out_damaged = true;
        return giq_document_fail(folder, name, "is damaged", advice, err);
    }
    if (format < 1) {
        *out_damaged = true;
        return giq_document_fail(folder, name, "has no valid format number", advice, err);
    }
    if (format > newest) {
        return giq_fail(err, GIQ_E_STORE,
                        "the record %s/%s was written by a newer version of the driver "
                        "(format %lld, newer than %lld); update the driver",
                        folder, name, (long long)format, (long long)newest);
    }
    return true;
}

bool giq_document_read_without(const char *folder, const char *name, const char *without,
                               int64_t newest, const char *advice, struct giq_json **out,
                               bool *out_damaged, struct giq_error *err)
{
    bool found = false;
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    GIQ_AUTO_BUF struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    *out_damaged = false;
    if (!giq_document_read_bytes(folder, name, &buf, &found, err)) {
        return false;
    }
    if (found &&
        (!giq_json_read_without(giq_buf_text(&buf), buf.len, without, &json, err) ||
         !check_format(folder, name, newest, advice, json, out_damaged, err))) {
        return false;
    }
    *out = giq_take(&json);
    return true;
}

bool giq_document_read(const char *folder, const char *name, int64_t newest,
                       const char *advice, struct giq_json **out, bool *out_damaged,
                       struct giq_error *err)
{
    return giq_document_read_without(folder, name, NULL, newest, advice, out, out_damaged,
                                     err);
}

bool giq_document_put(const char *folder, const char *name, unsigned access,
                      const char *text, struct giq_error *err)
{
    GIQ_AUTO_BUF struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    if (!giq_buf_addf(&buf, "%s\n", text)) {
        return giq_fail_memory(err);
    }
    return giq_os_put_file(folder, name, access, buf.data, buf.len, err);
}

bool giq_document_write(const char *folder, const char *name, unsigned access,
                        const char *text, struct giq_error *err)
{
    return giq_document_put(folder, name, access, text, err) &&
           giq_os_sync_path(folder, err);
}
