/* Writes the progress of an open as JSON. The interface is in giq/progress_file.h. */
#include "giq/progress_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_json.h"
#include "base/giq_os.h"

enum { MS_PER_S = 1000 };

static bool set_text(struct giq_json *json, const char *name, const char *text)
{
    return text == NULL ? giq_json_set_null(json, name)
                        : giq_json_set_text(json, name, text);
}

static bool set_number(struct giq_json *json, const char *name, int64_t value)
{
    return value < 0 ? giq_json_set_null(json, name)
                     : giq_json_set_integer(json, name, value);
}

/* The caller frees it; NULL when out of memory. */
static char *print(const struct giq_progress_state *state)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    int64_t waited_s = state->waited_ms < 0 ? -1 : state->waited_ms / MS_PER_S;
    int64_t expected_s = state->expected_ms < 0 ? -1 : state->expected_ms / MS_PER_S;
    if (json == NULL || !set_text(json, "phase", state->phase) ||
        !set_number(json, "bytes", state->bytes) ||
        !set_number(json, "total", state->total) || !set_text(json, "job", state->job) ||
        !set_text(json, "status", state->status) ||
        !set_number(json, "waited_s", waited_s) ||
        !set_number(json, "expected_s", expected_s)) {
        return NULL;
    }
    return giq_json_print(json);
}

static bool write_file(const char *path, const char *text, struct giq_error *err)
{
    GIQ_AUTO_FILE struct giq_os_file *file = NULL;
    return giq_os_create(path, GIQ_OS_PRIVATE, &file, err) &&
           giq_os_write(file, text, strlen(text), err) &&
           giq_os_write(file, "\n", 1, err);
}

bool giq_progress_file_write(const char *path, const struct giq_progress_state *state,
                             struct giq_error *err)
{
    GIQ_AUTO_FREE char *text = print(state);
    GIQ_AUTO_FREE char *temporary = NULL;
    struct giq_error ignored = {0};
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    if (asprintf(&temporary, "%s.%08" PRIx32 ".tmp", path, giq_os_random()) < 0) {
        temporary = NULL;
        return giq_fail_memory(err);
    }
    if (write_file(temporary, text, err) && giq_os_rename(temporary, path, err)) {
        return true;
    }
    (void)giq_os_remove(temporary, &ignored);
    return false;
}
