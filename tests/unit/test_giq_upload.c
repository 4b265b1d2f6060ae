/* Which content a file has, and bringing it to the service. */
#include "service/giq_upload.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "service_kit.h"
#include "source_kit.h"
#include "store/giq_content.h"

#define BODY "a scene, as it were"
#define UPLOADED(id)                                                                     \
    {                                                                                    \
        .status = 200, .body = "{\"fileId\":\"" id "\",\"originalName\":\"x\"}"          \
    }

static bool has_no_locks;

UNIT_WRAPS(fcntl);
int __wrap_fcntl(int fd, int command, ...)
{
    UNIT_OPTIONAL_ARG(void *, value, command);
    if (has_no_locks && command == F_OFD_SETLK) {
        errno = ENOLCK;
        return -1;
    }
    return __real_fcntl(fd, command, value);
}

struct shop {
    struct service_kit service;
    struct source_kit file;
    char *folder;
    struct giq_store *store;
    struct giq_upload upload;
};

static void open_shop(struct shop *shop, const struct http_kit_response *responses,
                      size_t count)
{
    *shop = (struct shop){.folder = env_kit_folder()};
    service_kit_start(&shop->service, responses, count);
    source_kit_init(&shop->file, BODY);
    assert_true(giq_store_open(shop->folder, GIQ_STORE_PRIVATE, &shop->store,
                               &shop->service.err));
}

static void close_shop(struct shop *shop)
{
    assert_true(shop->file.begins == 0 || shop->file.ends > 0);
    source_kit_release(&shop->file);
    service_kit_stop(&shop->service);
    giq_store_close(shop->store);
    env_kit_remove(shop->folder);
}

/* GIQ_E_NONE, or why it failed. */
static enum giq_code identify(struct shop *shop)
{
    shop->service.err = (struct giq_error){0};
    return giq_upload_identify(shop->store, &shop->file.source, "SAR",
                               &shop->service.clock.env, &shop->upload,
                               &shop->service.err)
               ? GIQ_E_NONE
               : shop->service.err.code;
}

static enum giq_code send_file(struct shop *shop, const char *stale_id, char **out)
{
    shop->service.err = (struct giq_error){0};
    return giq_upload_find_or_send(shop->service.service, shop->store, &shop->upload,
                                   stale_id, out, &shop->service.err)
               ? GIQ_E_NONE
               : shop->service.err.code;
}

/* Identify and send, with the responses. */
static enum giq_code upload_once(struct shop *shop,
                                 const struct http_kit_response *responses, size_t count)
{
    char *id = NULL;
    open_shop(shop, responses, count);
    assert_int_equal(identify(shop), GIQ_E_NONE);
    enum giq_code code = send_file(shop, NULL, &id);
    if (code == GIQ_E_NONE) {
        assert_string_equal(id, "f-1");
    }
    free(id);
    return code;
}

/* ---- kinds ---- */

static void test_kinds_of_files(void **state)
{
    (void)state;
    struct giq_error err = {0};
    const char *type = NULL;
    assert_true(giq_upload_type("SOURCE_TYPE", "land_Subsidence", &type, &err));
    assert_string_equal(type, "LAND_SUBSIDENCE");
    assert_false(giq_upload_type("GIQ_SOURCE_TYPE", "RASTER", &type, &err));
    assert_int_equal(err.code, GIQ_E_USAGE);
    assert_non_null(strstr(err.text, "GIQ_SOURCE_TYPE must be one of MULTISPECTRAL, "));
    assert_non_null(strstr(err.text, ", CZML, UNKNOWN"));
}

/* ---- which content ---- */

static void test_content_is_its_digest_and_read_once(void **state)
{
    (void)state;
    struct shop shop;
    char digest[GIQ_DIGEST_HEX_SIZE];
    open_shop(&shop, NULL, 0);
    assert_true(giq_digest_bytes(BODY, strlen(BODY), digest, &shop.service.err));
    for (int opens = 0; opens < 3; opens++) {
        assert_int_equal(identify(&shop), GIQ_E_NONE);
        assert_string_equal(shop.upload.digest, digest);
        assert_true(shop.upload.size == (int64_t)strlen(BODY));
        assert_int_equal(shop.file.begins, 1);
    }
    /* The same file by another path, and another file that holds the same. */
    shop.file.source.absolute_path = "/d/copy.tif";
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    assert_int_equal(shop.file.begins, 2);
    assert_string_equal(shop.upload.digest, digest);
    source_kit_write(&shop.file, "something else", true);
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    assert_int_equal(shop.file.begins, 3);
    assert_string_not_equal(shop.upload.digest, digest);
    shop.file.source.absolute_path = "/d/scene.tif";
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    assert_int_equal(shop.file.begins, 4);
    assert_int_equal(shop.file.ends, 4);
    close_shop(&shop);
}

/* A time that another write could have as well, or no inode, tell nothing. */
static void test_file_that_cannot_be_recognised_is_read_each_time(void **state)
{
    (void)state;
    static const struct {
        int64_t age_ms;
        int64_t more_ns;
        uint64_t inode;
        size_t reads;
    } cases[] = {
        {21, 5, 1, 1},   {19, 5, 1, 2},     {1999, 0, 1, 2},
        {2000, 0, 1, 1}, {-60000, 5, 1, 2}, {90000, 5, 0, 2},
    };
    const int64_t long_ago_ns = INT64_C(1500000000000000005);
    for (size_t i = 0; i < 2 * GIQ_COUNT(cases); i++) {
        size_t at = i / 2;
        int64_t time_ns = INT64_C(1600000000000000000) + cases[at].more_ns;
        struct shop shop;
        open_shop(&shop, NULL, 0);
        shop.file.stat.inode = cases[at].inode;
        shop.service.clock.wall_ms = INT64_C(1600000000000) + cases[at].age_ms;
        shop.file.stat.modified_ns = i % 2 == 0 ? time_ns : long_ago_ns;
        shop.file.stat.changed_ns = i % 2 == 1 ? time_ns : long_ago_ns;
        assert_int_equal(identify(&shop), GIQ_E_NONE);
        assert_int_equal(identify(&shop), GIQ_E_NONE);
        assert_int_equal(shop.file.begins, cases[at].reads);
        close_shop(&shop);
    }
}

static void grow(struct source_kit *kit, size_t before)
{
    (void)before;
    source_kit_write(kit, BODY " and more", false);
}

static void shrink(struct source_kit *kit, size_t before)
{
    (void)before;
    source_kit_write(kit, "a", false);
}

static void touch(struct source_kit *kit, size_t before)
{
    (void)before;
    kit->stat.modified_ns++;
}

static void set_time_back(struct source_kit *kit, size_t before)
{
    (void)before;
    kit->stat.changed_ns++;
}

static void test_file_that_changes_while_it_is_read_is_refused(void **state)
{
    (void)state;
    static void (*const changes[])(struct source_kit *, size_t) = {grow, shrink, touch,
                                                                   set_time_back};
    for (size_t i = 0; i < GIQ_COUNT(changes); i++) {
        struct shop shop;
        open_shop(&shop, NULL, 0);
        shop.file.on_begin = changes[i];
        assert_int_equal(identify(&shop), GIQ_E_USAGE);
        assert_non_null(strstr(shop.service.err.text, "scene.tif changed while"));
        shop.file.on_begin = NULL;
        source_kit_write(&shop.file, BODY, true);
        assert_int_equal(identify(&shop), GIQ_E_NONE);
        close_shop(&shop);
    }
}

static void test_reading_a_file_can_be_cancelled(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop, NULL, 0);
    shop.service.clock.cancels_ms = shop.service.clock.now_ms;
    assert_int_equal(identify(&shop), GIQ_E_CANCELLED);
    shop.service.clock.cancels_ms = 0;
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    close_shop(&shop);
}

static void test_sizes_are_judged_before_reading(void **state)
{
    (void)state;
    static const struct {
        int64_t size;
        const char *words; /* NULL: it is read */
    } cases[] = {
        {0, "is empty: scene.tif"},
        {100000000, NULL},
        {100000001,
         "scene.tif has 100000001 bytes; an upload may have 100000000 bytes at "
         "most. Upload it on the service's web page"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct shop shop;
        open_shop(&shop, NULL, 0);
        shop.file.stat.size = cases[i].size;
        assert_int_equal(identify(&shop), GIQ_E_USAGE);
        assert_int_equal(shop.file.begins, cases[i].words == NULL);
        if (cases[i].words != NULL) {
            assert_non_null(strstr(shop.service.err.text, cases[i].words));
        }
        close_shop(&shop);
    }
}

static void test_errors_of_the_source_are_reported(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop, NULL, 0);
    shop.file.is_absent = true;
    assert_int_equal(identify(&shop), GIQ_E_USAGE);
    assert_string_equal(shop.service.err.text, "not there");
    shop.file.is_absent = false;
    shop.file.is_locked = true;
    assert_int_equal(identify(&shop), GIQ_E_USAGE);
    assert_string_equal(shop.service.err.text, "locked");
    close_shop(&shop);
}

/* ---- sending ---- */

static void test_form_that_goes_out(void **state)
{
    (void)state;
    static const struct http_kit_response response = UPLOADED("f-1");
    struct shop shop;
    char line[SERVICE_KIT_LINE_SIZE];
    open_shop(&shop, &response, 1);
    shop.file.source.path = "/vsizip/a.zip/b\\c/\"my\r\nscene\".tif";
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    char *id = NULL;
    assert_int_equal(send_file(&shop, NULL, &id), GIQ_E_NONE);
    assert_string_equal(id, "f-1");
    free(id);
    assert_string_equal(service_kit_line(&shop.service, 0, line),
                        "POST /file/upload?sourceType=SAR HTTP/1.1");
    assert_true(service_kit_sent(&shop.service, 0, "X-API-KEY: " SERVICE_KIT_KEY "\r\n"));
    assert_true(service_kit_sent(
        &shop.service, 0,
        "Content-Disposition: form-data; name=\"file\"; filename=\"_myscene_.tif\"\r\n"));
    assert_true(service_kit_sent(&shop.service, 0, "\r\n\r\n" BODY "\r\n--"));
    close_shop(&shop);
}

static void test_responses_that_tell_the_id(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"fileId\":\"f-1\"}",
        "{\"data\":{\"fileId\":\"f-1\",\"originalName\":\"x\"},\"fileId\":\"f-2\"}",
        "{\"data\":null,\"fileId\":\"f-1\"}",
    };
    for (size_t i = 0; i < GIQ_COUNT(bodies); i++) {
        const struct http_kit_response response = {.status = i == 0 ? 201 : 200,
                                                   .body = bodies[i]};
        struct shop shop;
        assert_int_equal(upload_once(&shop, &response, 1), GIQ_E_NONE);
        close_shop(&shop);
    }
}

static const struct {
    struct http_kit_response response;
    enum giq_code code;
    const char *words;
} refusals[] = {
    {{.status = 413, .body = "Files are at most 100 MB"},
     GIQ_E_SERVICE,
     "the service refused the upload: HTTP 413 Files are at most 100 MB"},
    {{.status = 404}, GIQ_E_SERVICE, "the service refused the upload: HTTP 404"},
    {{.status = 501}, GIQ_E_SERVICE, "uploading the file: HTTP 501"},
    {{.status = 401, .body = "{\"message\":\"no\"}"},
     GIQ_E_CREDENTIALS,
     "the service refused the upload: HTTP 401 no"},
    {{.status = 403}, GIQ_E_CREDENTIALS, "the service refused the upload: HTTP 403"},
    {{.status = 200, .body = "{\"id\":\"x\"}"}, GIQ_E_SERVICE, "without a valid fileId"},
    {{.status = 200, .body = "{\"fileId\":9.1e15}"},
     GIQ_E_SERVICE,
     "without a valid fileId"},
    {{.status = 200, .body = "<html>"}, GIQ_E_SERVICE, "without a valid fileId"},
    {{.status = 302, .headers = "Location: /x\r\n"},
     GIQ_E_NETWORK,
     "uploading the file: HTTP 302"},
    {{.status = 307, .headers = "Location: http://localhost:1/x\r\n"},
     GIQ_E_NETWORK,
     "uploading the file: HTTP 307: the service redirects the POST to another "
     "origin (http://localhost:1)"},
};

static void test_responses_that_end_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(refusals); i++) {
        struct shop shop;
        assert_int_equal(upload_once(&shop, &refusals[i].response, 1), refusals[i].code);
        assert_non_null(strstr(shop.service.err.text, refusals[i].words));
        assert_int_equal(http_kit_count(shop.service.http), 1);
        char *id = NULL;
        assert_true(giq_upload_find(shop.service.service, shop.store, &shop.upload, NULL,
                                    &id, &shop.service.err));
        assert_null(id);
        close_shop(&shop);
    }
}

static void test_what_may_pass_is_sent_again_from_the_first_byte(void **state)
{
    (void)state;
    static const struct http_kit_response first[] = {
        {.status = 503, .headers = "Retry-After: 7\r\n"},
        {.status = 500},
        {.status = 429},
        {.raw = "", .then = HTTP_KIT_CLOSE},
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"file",
         .then = HTTP_KIT_CLOSE},
        {.status = 307, .headers = "Location: /elsewhere\r\n"},
        {.status = 308, .headers = "Location: /elsewhere\r\n"},
    };
    for (size_t i = 0; i < GIQ_COUNT(first); i++) {
        struct shop shop;
        assert_int_equal(upload_once(&shop, HTTP_KIT_SCRIPT(first[i], UPLOADED("f-1"))),
                         GIQ_E_NONE);
        assert_int_equal(http_kit_count(shop.service.http), 2);
        assert_true(service_kit_sent(&shop.service, 1, "\r\n\r\n" BODY "\r\n--"));
        /* Once for its digest, and twice to be sent. */
        assert_int_equal(shop.file.begins, 3);
        assert_int_equal(shop.service.clock.sleeps, first[i].status / 100 == 3 ? 0 : 1);
        if (i == 0) {
            assert_int_equal(shop.service.clock.slept_ms[0], 7000);
        }
        close_shop(&shop);
    }
}

static void test_retries_come_to_an_end(void **state)
{
    (void)state;
    struct shop shop;
    assert_int_equal(
        upload_once(&shop, HTTP_KIT_SCRIPT({.status = 503}, {.status = 503},
                                           {.status = 503}, {.status = 503})),
        GIQ_E_SERVICE);
    assert_int_equal(http_kit_count(shop.service.http), 4);
    close_shop(&shop);
}

static void grow_when_sent(struct source_kit *kit, size_t before)
{
    if (before > 0) {
        source_kit_write(kit, "another content....", false);
    }
}

static void shrink_when_sent(struct source_kit *kit, size_t before)
{
    if (before > 0) {
        source_kit_write(kit, "a", false);
    }
}

static void test_file_that_changed_before_it_was_sent_does_not_count(void **state)
{
    (void)state;
    static void (*const changes[])(struct source_kit *, size_t) = {grow_when_sent,
                                                                   shrink_when_sent};
    for (size_t i = 0; i < GIQ_COUNT(changes); i++) {
        struct shop shop;
        char *id = NULL;
        open_shop(&shop, HTTP_KIT_SCRIPT(UPLOADED("f-1"), UPLOADED("f-1")));
        shop.file.on_begin = changes[i];
        assert_int_equal(identify(&shop), GIQ_E_NONE);
        assert_int_equal(send_file(&shop, NULL, &id), GIQ_E_USAGE);
        assert_non_null(strstr(shop.service.err.text, "changed while it was read"));
        assert_null(id);
        assert_true(giq_upload_find(shop.service.service, shop.store, &shop.upload, NULL,
                                    &id, &shop.service.err));
        assert_null(id);
        /* Its time tells nothing, so it is read again. */
        shop.file.on_begin = NULL;
        size_t before = shop.file.begins;
        shop.file.stat.size = (int64_t)shop.file.len;
        assert_int_equal(identify(&shop), GIQ_E_NONE);
        assert_int_equal(shop.file.begins, before + 1);
        close_shop(&shop);
    }
}

/* ---- once ---- */

static void test_content_is_uploaded_once_for_each_kind(void **state)
{
    (void)state;
    struct shop shop;
    static const struct {
        const char *type, *stale_id, *id;
    } sends[] = {
        {"SAR", NULL, "f-1"},  {"SAR", NULL, "f-1"},   {"IMAGE", NULL, "f-2"},
        {"SAR", "f-9", "f-1"}, {"SAR", "f-1", "f-3"},  {"SAR", "f-1", "f-3"},
        {"SAR", NULL, "f-3"},  {"IMAGE", NULL, "f-2"},
    };
    open_shop(&shop, HTTP_KIT_SCRIPT(UPLOADED("f-1"), UPLOADED("f-2"), UPLOADED("f-3")));
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    for (size_t i = 0; i < GIQ_COUNT(sends); i++) {
        char *id = NULL;
        shop.upload.type = sends[i].type;
        assert_int_equal(send_file(&shop, sends[i].stale_id, &id), GIQ_E_NONE);
        assert_string_equal(id, sends[i].id);
        free(id);
    }
    assert_int_equal(http_kit_count(shop.service.http), 3);
    close_shop(&shop);
}

static void test_upload_under_way_elsewhere_is_not_begun(void **state)
{
    (void)state;
    struct shop shop;
    struct giq_lock *lock = NULL;
    char *id = NULL;
    open_shop(&shop, NULL, 0);
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    assert_true(giq_content_acquire_lock(shop.store, shop.upload.digest, &lock,
                                         &shop.service.err));
    assert_int_equal(send_file(&shop, NULL, &id), GIQ_E_TIMEOUT);
    assert_int_equal(http_kit_count(shop.service.http), 0);
    giq_lock_release(lock);
    close_shop(&shop);
}

/* On a file system without locks two upload at once, at the worst the same content; what
 * each records is whole. */
static void test_upload_needs_no_locks(void **state)
{
    (void)state;
    struct shop shop;
    struct giq_lock *lock = NULL;
    char *id = NULL;
    has_no_locks = true;
    open_shop(&shop, HTTP_KIT_SCRIPT(UPLOADED("f-1")));
    assert_int_equal(identify(&shop), GIQ_E_NONE);
    assert_true(giq_content_acquire_lock(shop.store, shop.upload.digest, &lock,
                                         &shop.service.err));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_file(&shop, NULL, &id), GIQ_E_NONE);
        assert_string_equal(id, "f-1");
        free(id);
    }
    assert_int_equal(http_kit_count(shop.service.http), 1);
    giq_lock_release(lock);
    close_shop(&shop);
    has_no_locks = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_of_files),
        cmocka_unit_test(test_content_is_its_digest_and_read_once),
        cmocka_unit_test(test_file_that_cannot_be_recognised_is_read_each_time),
        cmocka_unit_test(test_file_that_changes_while_it_is_read_is_refused),
        cmocka_unit_test(test_reading_a_file_can_be_cancelled),
        cmocka_unit_test(test_sizes_are_judged_before_reading),
        cmocka_unit_test(test_errors_of_the_source_are_reported),
        cmocka_unit_test(test_form_that_goes_out),
        cmocka_unit_test(test_responses_that_tell_the_id),
        cmocka_unit_test(test_responses_that_end_it),
        cmocka_unit_test(test_what_may_pass_is_sent_again_from_the_first_byte),
        cmocka_unit_test(test_retries_come_to_an_end),
        cmocka_unit_test(test_file_that_changed_before_it_was_sent_does_not_count),
        cmocka_unit_test(test_content_is_uploaded_once_for_each_kind),
        cmocka_unit_test(test_upload_under_way_elsewhere_is_not_begun),
        cmocka_unit_test(test_upload_needs_no_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
