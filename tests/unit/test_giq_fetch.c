/* Fetching: while it takes its time, its files never look like leftovers. */
#include "job/giq_fetch.h"

#include "unit.h"

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "gzip_kit.h"
#include "job/giq_job_internal.h"
#include "service_kit.h"
#include "store/giq_store.h"

enum {
    BODY_SIZE = 4 * 1024 * 1024,
    STEP_MS = 5000, /* by which the clock moves each time it is read */
};

static struct service_kit kit;
static char *folder;
static struct giq_store *store;

/* ---- when files were touched ---- */

static int64_t touched_ms;
static int64_t longest_ms; /* between two touches */
static int touches;

static void note_time(void)
{
    int64_t passed_ms = kit.clock.now_ms - touched_ms;
    longest_ms = passed_ms > longest_ms ? passed_ms : longest_ms;
    touched_ms = kit.clock.now_ms;
}

UNIT_WRAPS(giq_os_touch);
bool __wrap_giq_os_touch(const char *path, struct giq_error *err)
{
    const char *name = strrchr(path, '/') + 1;
    if (strncmp(name, "result.part.", 12) == 0 || strncmp(name, "result.new.", 11) == 0) {
        note_time();
        touches++;
    }
    return __real_giq_os_touch(path, err);
}

/* ---- fetches ---- */

static int64_t step_ms; /* once the download has ended */

static void begin(void *ctx, enum giq_activity activity)
{
    (void)ctx;
    if (activity == GIQ_ACTIVITY_UNPACK) {
        kit.clock.step_ms = step_ms;
    }
}

static bool accept_result(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    note_time();
    return true;
}

static enum giq_code fetch(const struct http_kit_response *responses, size_t count)
{
    const struct giq_job_host host = {.accept = accept_result};
    GIQ_AUTO(giq_claim_release) struct giq_claim claim = {0};
    service_kit_start(&kit, responses, count);
    kit.clock.env.begin = begin;
    folder = env_kit_folder();
    assert_true(giq_store_open(folder, GIQ_STORE_PRIVATE, &store, &kit.err));
    touched_ms = kit.clock.now_ms;
    longest_ms = 0;
    touches = 0;
    bool ok = giq_fetch(kit.service, store, folder, "j1", &host, &claim, &kit.err);
    note_time();
    giq_store_close(store);
    env_kit_remove(folder);
    enum giq_code code = ok ? GIQ_E_NONE : kit.err.code;
    service_kit_stop(&kit);
    return code;
}

static void test_part_is_touched_in_a_pause(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.status = 503, .headers = "Retry-After: 500\r\n"},
        {.status = 200, .body = "{\"type\":\"FeatureCollection\",\"features\":[]}"},
    };
    step_ms = 0;
    assert_int_equal(fetch(responses, GIQ_COUNT(responses)), GIQ_E_NONE);
    assert_true(longest_ms <= 60000);
    assert_true(touches >= 500 / 60);
}

static char *body_of(const char *text)
{
    char *body = malloc(BODY_SIZE);
    assert_non_null(body);
    (void)memset(body, ' ', BODY_SIZE);
    for (size_t i = 0; text[i] != '\0'; i++) {
        body[i] = text[i];
    }
    return body;
}

static void test_files_are_touched_while_they_are_unpacked(void **state)
{
    (void)state;
    GIQ_AUTO_BUF struct giq_buf bytes;
    char *body = body_of("{\"type\":\"FeatureCollection\",\"features\":[]}");
    giq_buf_init(&bytes, BODY_SIZE);
    add_gzip(&bytes, body, BODY_SIZE);
    const struct http_kit_response responses[] = {
        {.status = 200, .body = giq_buf_text(&bytes), .body_len = bytes.len}};
    step_ms = STEP_MS;
    assert_int_equal(fetch(responses, 1), GIQ_E_NONE);
    assert_true(longest_ms <= 60 * 1000 + 2 * STEP_MS);
    assert_true(touches > 20);
    free(body);
}

static void test_files_are_touched_while_they_are_checked(void **state)
{
    (void)state;
    char *body = body_of("{\"type\":\"FeatureCollection\",\"features\":[");
    const struct http_kit_response responses[] = {
        {.status = 200,
         .headers = "Content-Disposition: attachment; filename=\"a.geojson\"\r\n",
         .body = body,
         .body_len = BODY_SIZE}};
    step_ms = STEP_MS;
    assert_int_equal(fetch(responses, 1), GIQ_E_INCOMPLETE);
    assert_true(longest_ms <= 60 * 1000 + 2 * STEP_MS);
    assert_true(touches > 4);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_part_is_touched_in_a_pause),
        cmocka_unit_test(test_files_are_touched_while_they_are_unpacked),
        cmocka_unit_test(test_files_are_touched_while_they_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
