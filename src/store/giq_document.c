#include "store/giq_document.h"

#include <stdlib.h>

#include "base/giq_os.h"

bool giq_document_fail(const char *folder, const char *name, const char *reason,
                       const char *advice, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_STORE, "the record %s/%s %s; %s", folder, name, reason,
                    advice);
}

bool giq_document_bytes(const char *folder, const char *name, struct giq_buf *buf,
                        bool *out_found, struct giq_error *err)
{
    char *path = giq_os_join(folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    bool ok = giq_os_read_file(path, GIQ_DOCUMENT_BYTES_MAX, buf, out_found, err);
    free(path);
    return ok;
}

bool giq_document_read(const char *folder, const char *name, int64_t newest,
                       const char *advice, struct giq_json **out, bool *out_damaged,
                       struct giq_error *err)
{
    struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    bool found = false;
    struct giq_json *json = NULL;
    bool ok = giq_document_bytes(folder, name, &buf, &found, err) &&
              (!found || giq_json_read(giq_buf_text(&buf), buf.len, &json, err));
    giq_buf_release(&buf);
    *out_damaged = false;
    if (ok && found) {
        int64_t format = giq_json_integer(giq_json_get(json, "format"), -1);
        *out_damaged = format < 1;
        if (!giq_json_is_object(json)) {
            ok = giq_document_fail(folder, name, "is damaged", advice, err);
        } else if (format < 1) {
            ok = giq_document_fail(folder, name, "has no format number", advice, err);
        } else if (format > newest) {
            ok = giq_fail(err, GIQ_E_STORE,
                          "the record %s/%s was written by a newer version of the "
                          "driver, which can read it",
                          folder, name);
        }
    }
    if (!ok) {
        giq_json_free(json);
        return false;
    }
    *out = json;
    return true;
}

bool giq_document_write(const char *folder, const char *name, unsigned access,
                        const char *text, struct giq_error *err)
{
    struct giq_buf buf;
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    bool ok = giq_buf_addf(&buf, "%s\n", text)
                  ? giq_os_replace_file(folder, name, access, buf.data, buf.len, err)
                  : giq_fail_memory(err);
    giq_buf_release(&buf);
    return ok;
}
