/* The canonical text of a request and its digest. */
#include "store/giq_key.h"

#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_json.h"

/* The order of the members is part of the key. */
static bool add_members(struct giq_json *json, const char *base_url,
                        const struct giq_request *request)
{
    const struct giq_upload *upload = request->upload;
    return giq_json_set_integer(json, "format", GIQ_KEY_FORMAT) &&
           giq_json_set_text(json, "base_url", base_url) &&
           giq_json_set_text(json, "job", request->model == NULL ? request->job : NULL) &&
           giq_json_set_text(json, "model", request->model) &&
           giq_json_set_text(json, "file", request->file) &&
           giq_json_set_text(json, "upload", upload == NULL ? NULL : upload->digest) &&
           giq_json_set_text(json, "source_type", upload == NULL ? NULL : upload->type) &&
           giq_json_set_text(json, "geometry", request->area) &&
           giq_json_set_text(json, "rerun", request->rerun);
}

bool giq_key_make(const char *base_url, const struct giq_request *request,
                  char **out_text, struct giq_key *out_key, struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    if (json == NULL || !add_members(json, base_url, request)) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO_FREE char *text = giq_json_print(json);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_digest_bytes(text, strlen(text), out_key->hex, err)) {
        return false;
    }
    *out_text = giq_take(&text);
    return true;
}
