/* Jobs whose file is uploaded first. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "job_kit.h"
#include "source_kit.h"
#include "store/giq_content.h"

#define NOT_FOUND                                                                        \
    {                                                                                    \
        .status = 404, .body = "File not found"                                          \
    }
#define FILE_ID(id)                                                                      \
    {                                                                                    \
        .status = 200, .body = "{\"fileId\":\"" id "\"}"                                 \
    }

struct shop {
    struct job_kit kit;
    struct source_kit file;
    struct giq_upload upload;
    struct giq_request request;
};

static void open_shop(struct shop *shop, const struct http_kit_response *responses,
                      size_t count, unsigned flags)
{
    *shop = (struct shop){.request = {.model = "m"}};
    source_kit_init(&shop->file, "a scene");
    job_kit_start(&shop->kit, responses, count);
    assert_true(giq_upload_identify(shop->kit.store, &shop->file.source, "SAR",
                                    &shop->kit.service.clock.env, &shop->upload,
                                    &shop->kit.service.err));
    shop->request.upload = &shop->upload;
    job_kit_open(&shop->kit, &shop->request, flags);
}

static void close_shop(struct shop *shop)
{
    job_kit_stop(&shop->kit);
    source_kit_release(&shop->file);
}

static size_t uploads(struct shop *shop)
{
    return job_kit_count(&shop->kit, "POST /file/upload");
}

static size_t runs(struct shop *shop)
{
    return job_kit_count(&shop->kit, "POST /inference/run");
}

static void test_file_is_uploaded_after_the_look_at_the_models(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        JOB_KIT_MODELS, FILE_ID("f-1"), JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
        JOB_KIT_RESULT};
    struct shop shop;
    struct giq_job_view view;
    open_shop(&shop, responses, GIQ_COUNT(responses), 0);
    assert_int_equal(job_kit_run_to(&shop.kit, 2), GIQ_E_NONE);
    assert_int_equal(uploads(&shop), 1);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_true(service_kit_sent(&shop.kit.service, 2, "\"fileId\"\r\n\r\nf-1\r\n"));
    giq_job_get_view(shop.kit.job, &view);
    assert_string_equal(view.file_id, "f-1");
    assert_string_equal(view.upload, "scene.tif");
    assert_true(env_kit_has(shop.kit.job->folder, "request.json", shop.upload.digest));
    assert_true(
        env_kit_has(shop.kit.job->folder, "request.json", "\"source_type\":\"SAR\""));
    /* The same content by another name is the same request. */
    shop.file.source.path = "copy.tif";
    job_kit_open(&shop.kit, &shop.request, 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_int_equal(http_kit_count(shop.kit.service.http), GIQ_COUNT(responses));
    close_shop(&shop);
}

static void test_model_that_is_not_listed_uploads_nothing(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop, HTTP_KIT_SCRIPT(JOB_KIT_MODELS), 0);
    shop.request.model = "n";
    job_kit_open(&shop.kit, &shop.request, 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_USAGE);
    assert_int_equal(http_kit_count(shop.kit.service.http), 1);
    close_shop(&shop);
}

static void test_upload_that_fails_leaves_no_record(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop, HTTP_KIT_SCRIPT(JOB_KIT_MODELS, {.status = 415}), 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_SERVICE);
    assert_string_equal(job_kit_state(&shop.kit), "none");
    assert_int_equal(runs(&shop), 0);
    close_shop(&shop);
}

static void test_run_is_not_sent_where_the_upload_was_cut(void **state)
{
    (void)state;
    static const struct http_kit_response cut = {.raw = "", .then = HTTP_KIT_CLOSE};
    struct shop shop;
    /* libcurl repeats the first try on the connection that the list came on. */
    open_shop(&shop,
              HTTP_KIT_SCRIPT(JOB_KIT_MODELS, cut, cut, cut, cut, cut, JOB_KIT_RUN), 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NETWORK);
    assert_string_equal(job_kit_state(&shop.kit), "none");
    assert_int_equal(uploads(&shop), 5);
    assert_int_equal(runs(&shop), 0);
    close_shop(&shop);
}

static void test_nothing_is_uploaded_where_no_job_may_be_made(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop, HTTP_KIT_SCRIPT(JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT),
              GIQ_JOB_NO_SUBMIT);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_USAGE);
    assert_int_equal(http_kit_count(shop.kit.service.http), 0);
    shop.request.job = "j1";
    job_kit_open(&shop.kit, &shop.request, 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_int_equal(uploads(&shop) + runs(&shop), 0);
    struct giq_job_view view;
    giq_job_get_view(shop.kit.job, &view);
    assert_null(view.file_id);
    assert_string_equal(view.upload, "scene.tif");
    close_shop(&shop);
}

static void test_look_uploads_and_submits(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop,
              HTTP_KIT_SCRIPT(JOB_KIT_MODELS, FILE_ID("f-1"), JOB_KIT_RUN,
                              JOB_KIT_STATUS("RUNNING")),
              GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&shop.kit), "submitted");
    assert_int_equal(uploads(&shop), 1);
    close_shop(&shop);
}

static void test_file_that_the_service_forgot_is_uploaded_once_more(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        JOB_KIT_MODELS, FILE_ID("f-1"), NOT_FOUND, FILE_ID("f-2"), JOB_KIT_RUN,
        JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT,
        /* Another request on the same file. */
        JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT};
    struct shop shop;
    open_shop(&shop, responses, GIQ_COUNT(responses), 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_int_equal(uploads(&shop), 2);
    assert_int_equal(runs(&shop), 2);
    assert_true(service_kit_sent(&shop.kit.service, 4, "\"fileId\"\r\n\r\nf-2\r\n"));
    shop.request.rerun = "b";
    job_kit_open(&shop.kit, &shop.request, 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_int_equal(uploads(&shop), 2);
    assert_true(service_kit_sent(&shop.kit.service, 8, "\"fileId\"\r\n\r\nf-2\r\n"));
    close_shop(&shop);
}

static void test_what_is_not_found_twice_is_refused(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        JOB_KIT_MODELS, FILE_ID("f-1"), NOT_FOUND, FILE_ID("f-2"), NOT_FOUND};
    struct shop shop;
    open_shop(&shop, responses, GIQ_COUNT(responses), 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_REFUSED);
    assert_non_null(strstr(shop.kit.service.err.text, "File not found"));
    assert_string_equal(job_kit_state(&shop.kit), "none");
    assert_int_equal(http_kit_count(shop.kit.service.http), GIQ_COUNT(responses));
    close_shop(&shop);
}

static void test_other_refusals_upload_nothing_again(void **state)
{
    (void)state;
    struct shop shop;
    open_shop(&shop, HTTP_KIT_SCRIPT(JOB_KIT_MODELS, FILE_ID("f-1"), {.status = 410}), 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_REFUSED);
    assert_int_equal(uploads(&shop), 1);
    close_shop(&shop);
}

/* A label whose request met a stale file id is not used up. */
static void test_retry_uploads_a_stale_file_again(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        JOB_KIT_MODELS, FILE_ID("f-1"), JOB_KIT_RUN, JOB_KIT_STATUS("FAILED"),
        NOT_FOUND,      FILE_ID("f-2"), JOB_KIT_RUN, JOB_KIT_STATUS("FAILED")};
    struct shop shop;
    open_shop(&shop, responses, GIQ_COUNT(responses), 0);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_FAILED);
    shop.request.retry = "a";
    for (int opens = 0; opens < 2; opens++) {
        job_kit_open(&shop.kit, &shop.request, 0);
        assert_int_equal(job_kit_run(&shop.kit), GIQ_E_FAILED);
        assert_int_equal(http_kit_count(shop.kit.service.http), GIQ_COUNT(responses));
    }
    assert_true(service_kit_sent(&shop.kit.service, 6, "\"fileId\"\r\n\r\nf-2\r\n"));
    close_shop(&shop);
}

static void test_upload_by_another_open_is_waited_for(void **state)
{
    (void)state;
    struct shop shop;
    struct giq_lock *lock = NULL;
    struct giq_content content;
    enum giq_step step = GIQ_STEP_DONE;
    open_shop(&shop,
              HTTP_KIT_SCRIPT(JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                              JOB_KIT_RESULT),
              0);
    struct giq_error *err = &shop.kit.service.err;
    assert_true(giq_content_acquire_lock(shop.kit.store, shop.upload.digest, &lock, err));
    for (int steps = 0; steps < 5; steps++) {
        assert_true(job_kit_step(&shop.kit, &step));
        assert_int_equal(step, GIQ_STEP_AGAIN);
    }
    assert_int_equal(http_kit_count(shop.kit.service.http), 1);
    assert_true(giq_content_read(shop.kit.store, shop.upload.digest, &content, err));
    assert_true(giq_content_set_file_id(&content, http_kit_url(shop.kit.service.http),
                                        "SAR", "f-9", 0, err));
    assert_true(giq_content_write(&content, err));
    giq_content_release(&content);
    giq_lock_release(lock);
    assert_int_equal(job_kit_run(&shop.kit), GIQ_E_NONE);
    assert_int_equal(uploads(&shop), 0);
    assert_true(service_kit_sent(&shop.kit.service, 1, "\"fileId\"\r\n\r\nf-9\r\n"));
    close_shop(&shop);
}

static void test_upload_by_another_open_without_end_is_a_timeout(void **state)
{
    (void)state;
    struct shop shop;
    struct giq_lock *lock = NULL;
    open_shop(&shop, HTTP_KIT_SCRIPT(JOB_KIT_MODELS), 0);
    assert_true(giq_content_acquire_lock(shop.kit.store, shop.upload.digest, &lock,
                                         &shop.kit.service.err));
    enum giq_step step = GIQ_STEP_AGAIN;
    while (job_kit_step(&shop.kit, &step)) {
        env_kit_advance(&shop.kit.service.clock, 60000);
    }
    assert_int_equal(shop.kit.service.err.code, GIQ_E_TIMEOUT);
    assert_non_null(strstr(shop.kit.service.err.text, shop.upload.digest));
    giq_lock_release(lock);
    close_shop(&shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_is_uploaded_after_the_look_at_the_models),
        cmocka_unit_test(test_model_that_is_not_listed_uploads_nothing),
        cmocka_unit_test(test_upload_that_fails_leaves_no_record),
        cmocka_unit_test(test_run_is_not_sent_where_the_upload_was_cut),
        cmocka_unit_test(test_nothing_is_uploaded_where_no_job_may_be_made),
        cmocka_unit_test(test_look_uploads_and_submits),
        cmocka_unit_test(test_file_that_the_service_forgot_is_uploaded_once_more),
        cmocka_unit_test(test_what_is_not_found_twice_is_refused),
        cmocka_unit_test(test_other_refusals_upload_nothing_again),
        cmocka_unit_test(test_retry_uploads_a_stale_file_again),
        cmocka_unit_test(test_upload_by_another_open_is_waited_for),
        cmocka_unit_test(test_upload_by_another_open_without_end_is_a_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
