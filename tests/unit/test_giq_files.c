#include "service/giq_files.h"

#include "unit.h"

#include "base/giq_buf.h"
#include "service_kit.h"

enum { TAKEN_MAX = 400, PAGES_MAX = 3 };

/* What a host was given. */
struct host {
    struct service_kit kit;
    struct giq_files_host functions;
    char *taken[TAKEN_MAX]; /* "id title" of each */
    size_t count;
    size_t offered;      /* also those beyond the limit */
    const char *refuses; /* the id that is not selected, or NULL */
    const char *fails;   /* the id that is an error, or NULL */
    char progress[64];
    char *pages[PAGES_MAX]; /* of the service */
};

static bool add(void *ctx, const struct giq_file *file, bool is_limit_reached,
                bool *out_selected, struct giq_error *err)
{
    struct host *host = ctx;
    host->offered++;
    *out_selected = host->refuses == NULL || strcmp(host->refuses, file->item_id) != 0;
    if (host->fails != NULL && strcmp(host->fails, file->item_id) == 0) {
        return giq_fail(err, GIQ_E_STORE, "no room");
    }
    if (*out_selected && !is_limit_reached) {
        assert_true(host->count < TAKEN_MAX);
        assert_true(
            asprintf(&host->taken[host->count++], "%s%s%s",
                     file->item_id == NULL ? "-" : file->item_id,
                     file->collection_title == NULL ? "" : " ",
                     file->collection_title == NULL ? "" : file->collection_title) > 0);
    }
    return true;
}

static void progress(void *ctx, const char *text)
{
    struct host *host = ctx;
    (void)snprintf(host->progress, sizeof host->progress, "%s", text);
}

static void init(struct host *host)
{
    *host = (struct host){
        .functions = {.add = add, .progress = progress, .ctx = host},
    };
}

static void start(struct host *host, const struct http_kit_response *responses,
                  size_t count)
{
    init(host);
    service_kit_start(&host->kit, responses, count);
}

/* The items i<first> to i<first + count - 1>, and more members of the response. */
struct page {
    int first, count;
    const char *more;
};

/* The caller frees it. */
static char *write_page(const struct page *page)
{
    struct giq_buf buf;
    giq_buf_init(&buf, 1 << 20);
    assert_true(giq_buf_addf(&buf, "{\"type\":\"FeatureCollection\"%s,\"features\":[",
                             page->more));
    for (int i = 0; i < page->count; i++) {
        assert_true(
            giq_buf_addf(&buf, "%s{\"id\":\"i%d\"}", i == 0 ? "" : ",", page->first + i));
    }
    assert_true(giq_buf_add_text(&buf, "]}"));
    return giq_buf_take(&buf);
}

/* The service responds with these pages. */
static void start_pages(struct host *host, const struct page *pages, size_t count)
{
    static struct http_kit_response responses[PAGES_MAX];
    init(host);
    assert_true(count <= PAGES_MAX);
    for (size_t i = 0; i < count; i++) {
        host->pages[i] = write_page(&pages[i]);
        responses[i] = (struct http_kit_response){.status = 200, .body = host->pages[i]};
    }
    service_kit_start(&host->kit, responses, count);
}

static void finish(struct host *host)
{
    for (size_t i = 0; i < host->count; i++) {
        free(host->taken[i]);
    }
    service_kit_stop(&host->kit);
    for (size_t i = 0; i < PAGES_MAX; i++) {
        free(host->pages[i]);
    }
}

static bool search(struct host *host, const struct giq_files_query *query)
{
    return giq_files_search(host->kit.service, query, &host->functions, &host->kit.err);
}

static const struct giq_files_query everything = {.limit = NULL};

/* A search that succeeds after so many requests, with so many files. */
static void check_search(struct host *host, const struct giq_files_query *query,
                         size_t requests, size_t files)
{
    assert_true(search(host, query));
    assert_int_equal(http_kit_count(host->kit.http), requests);
    assert_int_equal(host->count, files);
}

static const char *body_of(struct host *host, size_t request)
{
    const char *text = strstr(http_kit_request(host->kit.http, request), "\r\n\r\n");
    assert_non_null(text);
    return text + 4;
}

#define SORTED "\"sortby\":[{\"field\":\"properties.datetime\",\"direction\":\"desc\"}]}"

static void test_query_is_sent_as_the_service_takes_it(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.status = 200, .body = "{\"features\":[]}"},
        {.status = 200, .body = "{\"features\":[]}"},
        {.status = 200, .body = "{\"features\":[]}"}};
    static const struct giq_geom_box boxes[] = {{"170,-1.5,180,1"}, {"-180,0,-170,3"}};
    static const struct giq_files_query query = {.boxes = boxes,
                                                 .box_count = 2,
                                                 .datetime = "2024-05-01/..",
                                                 .collection = "a \"b\"",
                                                 .limit = "7"};
    struct host host;
    char line[SERVICE_KIT_LINE_SIZE];
    start(&host, responses, GIQ_COUNT(responses));
    assert_true(search(&host, &query));
    assert_int_equal(http_kit_count(host.kit.http), 2);
    assert_string_equal(service_kit_line(&host.kit, 0, line),
                        "POST /stac/search HTTP/1.1");
    assert_string_equal(body_of(&host, 0),
                        "{\"bbox\":[170,-1.5,180,1],\"collections\":[\"a \\\"b\\\"\"],"
                        "\"datetime\":\"2024-05-01T00:00:00Z/..\",\"limit\":100,"
                        "\"offset\":0," SORTED);
    assert_string_equal(body_of(&host, 1),
                        "{\"bbox\":[-180,0,-170,3],\"collections\":[\"a \\\"b\\\"\"],"
                        "\"datetime\":\"2024-05-01T00:00:00Z/..\",\"limit\":100,"
                        "\"offset\":0," SORTED);
    assert_true(search(&host, &everything));
    assert_string_equal(body_of(&host, 2), "{\"limit\":100,\"offset\":0," SORTED);
    assert_int_equal(host.kit.clock.warnings, 0);
    finish(&host);
}

static void test_pages_until_one_is_short(void **state)
{
    (void)state;
    static const struct page pages[] = {{0, 100, ""}, {100, 30, ""}};
    struct host host;
    start_pages(&host, pages, GIQ_COUNT(pages));
    check_search(&host, &everything, 2, 130);
    assert_string_equal(host.taken[0], "i0");
    assert_string_equal(host.taken[129], "i129");
    assert_string_equal(body_of(&host, 1), "{\"limit\":100,\"offset\":100," SORTED);
    assert_string_equal(host.progress, "listing files: 130 so far");
    assert_int_equal(host.kit.clock.warnings, 0);
    finish(&host);
}

static void test_short_page_goes_on_if_the_response_states_more(void **state)
{
    (void)state;
    static const char *const more[] = {
        ",\"numberMatched\":42",
        ",\"context\":{\"matched\":42}",
        (",\"links\":[{\"rel\":\"self\"},"
         "{\"rel\":\"next\",\"href\":\"http://127.0.0.1:1/\"}]"),
    };
    for (size_t i = 0; i < GIQ_COUNT(more); i++) {
        const struct page pages[] = {{0, 41, more[i]}, {41, 1, ""}};
        struct host host;
        start_pages(&host, pages, GIQ_COUNT(pages));
        check_search(&host, &everything, 2, 42);
        assert_string_equal(body_of(&host, 1), "{\"limit\":100,\"offset\":41," SORTED);
        finish(&host);
    }
}

/* A service may give fewer files a page than are asked for, without saying that there are
 * more. */
static void test_first_page_of_a_round_size_is_not_the_last(void **state)
{
    (void)state;
    static const struct page pages[] = {{0, 50, ""}, {50, 50, ""}, {100, 49, ""}};
    struct host host;
    start_pages(&host, pages, GIQ_COUNT(pages));
    check_search(&host, &everything, 3, 149);
    assert_string_equal(body_of(&host, 2), "{\"limit\":100,\"offset\":100," SORTED);
    finish(&host);
}

static void test_item_that_comes_twice_is_one_row(void **state)
{
    (void)state;
    static const struct page pages[] = {
        {0, 100, ""}, {50, 100, ""}, {50, 100, ",\"numberMatched\":1000"}};
    struct host host;
    start_pages(&host, pages, GIQ_COUNT(pages));
    check_search(&host, &everything, 3, 150);
    finish(&host);
}

/* The second search may begin with a page of items that the first one had too. */
static void test_items_on_both_sides_of_the_antimeridian_are_one(void **state)
{
    (void)state;
    static const struct giq_geom_box boxes[] = {{"170,-1,180,1"}, {"-180,0,-170,3"}};
    static const struct giq_files_query query = {.boxes = boxes, .box_count = 2};
    static const struct page pages[] = {{0, 99, ""}, {0, 100, ""}, {200, 3, ""}};
    struct host host;
    start_pages(&host, pages, GIQ_COUNT(pages));
    check_search(&host, &query, 3, 103);
    assert_string_equal(host.taken[99], "i99");
    assert_string_equal(host.taken[100], "i200");
    finish(&host);
}

static void test_limit_counts_what_is_selected_and_warns(void **state)
{
    (void)state;
    static const struct {
        const char *limit;
        const char *refuses;
        size_t count;
        size_t warnings;
        size_t requests;
    } cases[] = {
        {"3", NULL, 3, 1, 1},     {"3", "i3", 3, 1, 1},       {"100", NULL, 100, 1, 2},
        {"105", NULL, 105, 0, 2}, {"104", "i104", 104, 0, 2}, {"1", "i0", 1, 1, 1},
        {NULL, NULL, 105, 0, 2},
    };
    static const struct page pages[] = {{0, 100, ""}, {100, 5, ""}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_files_query query = {.limit = cases[i].limit};
        struct host host;
        start_pages(&host, pages, GIQ_COUNT(pages));
        host.refuses = cases[i].refuses;
        check_search(&host, &query, cases[i].requests, cases[i].count);
        assert_int_equal(host.kit.clock.warnings, cases[i].warnings);
        if (i == 0) {
            assert_string_equal(
                host.kit.clock.warned,
                "the list ends at the limit of 3 files, and the service has more; narrow "
                "the search with an area, datetime or collection, or raise limit (at "
                "most 100000)");
        }
        finish(&host);
    }
}

static void test_titles_of_collections_are_asked_for_once(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.status = 200,
         .body = "{\"data\":{\"features\":[{\"id\":\"a\",\"collection\":\"c\"},7,null,"
                 "{\"id\":\"b\",\"collection\":\"d\"},{\"id\":\"e\"}]}}"},
        {.status = 200,
         .body = "{\"collections\":[{\"id\":\"c\",\"title\":\"See\"},{\"id\":\"d\"},"
                 "{\"title\":\"none\"},5]}"}};
    struct host host;
    char line[SERVICE_KIT_LINE_SIZE];
    start(&host, responses, 2);
    assert_true(search(&host, &everything));
    assert_int_equal(http_kit_count(host.kit.http), 2);
    assert_string_equal(service_kit_line(&host.kit, 1, line),
                        "GET /stac/collections HTTP/1.1");
    assert_int_equal(host.count, 3);
    assert_string_equal(host.taken[0], "a See");
    assert_string_equal(host.taken[1], "b");
    assert_string_equal(host.taken[2], "e");
    finish(&host);
}

static void test_titles_that_cannot_be_had_are_missing(void **state)
{
    (void)state;
    static const struct http_kit_response bad[] = {
        {.status = 404},
        {.status = 403},
        {.status = 200, .body = "<html>"},
        {.status = 200, .body = "{}"},
    };
    for (size_t i = 0; i < GIQ_COUNT(bad); i++) {
        const struct http_kit_response responses[] = {
            {.status = 200, .body = "[{\"id\":\"a\",\"collection\":\"c\"}]"}, bad[i]};
        struct host host;
        start(&host, responses, 2);
        assert_true(search(&host, &everything));
        assert_int_equal(host.kit.err.code, GIQ_E_NONE);
        assert_int_equal(http_kit_count(host.kit.http), 2);
        assert_string_equal(host.taken[0], "a");
        finish(&host);
    }
}

static void test_failed_page_is_asked_for_again_and_then_ends(void **state)
{
    (void)state;
    char *full = write_page(&(struct page){0, 100, ""});
    const struct http_kit_response good[] = {
        {.status = 200, .body = full},
        {.status = 503},
        {.status = 200, .body = "{\"features\":[]}"}};
    struct host host;
    start(&host, good, 3);
    assert_true(search(&host, &everything));
    assert_int_equal(http_kit_count(host.kit.http), 3);
    assert_string_equal(body_of(&host, 1), body_of(&host, 2));
    finish(&host);

    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        const char *text;
    } cases[] = {
        {{.status = 404}, GIQ_E_SERVICE, "getting the list of files: HTTP 404"},
        {{.status = 401},
         GIQ_E_CREDENTIALS,
         "getting the list of files: HTTP 401; check GIQ_API_KEY or GIQ_BEARER_TOKEN"},
        {{.status = 200, .body = "{}"},
         GIQ_E_SERVICE,
         "the list of files cannot be read: the response is not a list"},
        {{.status = 200, .body = "{\"features\":[{\"id\":"},
         GIQ_E_SERVICE,
         "the list of files cannot be read: the response is not JSON, or has more than "
         "1000000 values or too many levels"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response responses[] = {{.status = 200, .body = full},
                                                      cases[i].response};
        start(&host, responses, 2);
        assert_false(search(&host, &everything));
        assert_int_equal(host.kit.err.code, cases[i].code);
        assert_string_equal(host.kit.err.text, cases[i].text);
        assert_int_equal(http_kit_count(host.kit.http), 2);
        finish(&host);
    }
    free(full);
}

static void test_host_ends_the_search(void **state)
{
    (void)state;
    static const struct page pages[] = {{0, 100, ""}};
    struct host host;
    start_pages(&host, pages, GIQ_COUNT(pages));
    host.fails = "i7";
    assert_false(search(&host, &everything));
    assert_int_equal(host.kit.err.code, GIQ_E_STORE);
    assert_int_equal(host.offered, 8);
    finish(&host);
}

/* The clock passes the deadline while the first page is read. */
static void test_list_ends_with_the_time_of_the_open(void **state)
{
    (void)state;
    static const struct page pages[] = {{0, 100, ""}};
    struct host host;
    start_pages(&host, pages, GIQ_COUNT(pages));
    host.kit.service->deadline_ms = host.kit.clock.now_ms + 1;
    host.kit.clock.step_ms = 1;
    assert_false(search(&host, &everything));
    assert_int_equal(host.kit.err.code, GIQ_E_TIMEOUT);
    assert_string_equal(host.kit.err.text,
                        "TIMEOUT passed after 1 pages of the list of files; narrow the "
                        "search with bbox, datetime or collection, or raise TIMEOUT");
    assert_int_equal(http_kit_count(host.kit.http), 1);
    finish(&host);
}

static void test_mistakes_are_found_before_anything_is_sent(void **state)
{
    (void)state;
#define RANGE "\"limit\" must be a whole number from 1 to 100000"
    static const struct {
        const char *limit, *text;
    } cases[] = {
        {"", RANGE "; got \"\""},
        {"0", RANGE "; got \"0\""},
        {"100001", RANGE "; got \"100001\""},
        {"1000000", RANGE "; got \"1000000\""},
        {"-1", RANGE},
        {"1.5", RANGE},
        {"1e3", RANGE},
        {SERVICE_KIT_KEY, RANGE},
    };
    struct host host;
    start(&host, NULL, 0);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_files_query query = {.limit = cases[i].limit};
        assert_false(search(&host, &query));
        assert_int_equal(host.kit.err.code, GIQ_E_USAGE);
        assert_string_equal(host.kit.err.text, cases[i].text);
    }
    const struct giq_files_query query = {.datetime = "soon"};
    assert_false(search(&host, &query));
    assert_int_equal(host.kit.err.code, GIQ_E_USAGE);
    assert_int_equal(http_kit_count(host.kit.http), 0);
    finish(&host);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_is_sent_as_the_service_takes_it),
        cmocka_unit_test(test_pages_until_one_is_short),
        cmocka_unit_test(test_short_page_goes_on_if_the_response_states_more),
        cmocka_unit_test(test_first_page_of_a_round_size_is_not_the_last),
        cmocka_unit_test(test_item_that_comes_twice_is_one_row),
        cmocka_unit_test(test_items_on_both_sides_of_the_antimeridian_are_one),
        cmocka_unit_test(test_limit_counts_what_is_selected_and_warns),
        cmocka_unit_test(test_titles_of_collections_are_asked_for_once),
        cmocka_unit_test(test_titles_that_cannot_be_had_are_missing),
        cmocka_unit_test(test_failed_page_is_asked_for_again_and_then_ends),
        cmocka_unit_test(test_host_ends_the_search),
        cmocka_unit_test(test_list_ends_with_the_time_of_the_open),
        cmocka_unit_test(test_mistakes_are_found_before_anything_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
