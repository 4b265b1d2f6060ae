#include "service/giq_models.h"

#include "unit.h"

#include "base/giq_text.h"
#include "service_kit.h"

/* Get the list that this body is; the caller releases it where there is one. */
static enum giq_code get(const struct http_kit_response *response,
                         struct giq_models *models, struct giq_error *err)
{
    struct service_kit kit;
    service_kit_start(&kit, HTTP_KIT_SCRIPT(*response, *response, *response, *response));
    bool ok = giq_models_get(kit.service, models, &kit.err);
    *err = kit.err;
    service_kit_stop(&kit);
    return ok ? GIQ_E_NONE : err->code;
}

static void test_lists_as_services_wrap_them(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        size_t count;
        bool is_incomplete;
    } cases[] = {
        {"[]", 0, false},
        {"[{\"id\":\"a\"}]", 1, false},
        {"{\"models\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", 2, false},
        {"{\"content\":[{\"id\":\"a\"}],\"totalElements\":1,\"last\":true}", 1, false},
        {"{\"content\":[{\"id\":\"a\"}],\"totalElements\":2}", 1, true},
        {"{\"content\":[{\"id\":\"a\"}],\"last\":false}", 1, true},
        {"{\"items\":[{\"id\":\"a\"}],\"totalPages\":2}", 1, true},
        {"{\"results\":[{\"id\":\"a\"}],\"next\":\"/x\"}", 1, true},
        {"{\"results\":[{\"id\":\"a\"}],\"next\":null}", 1, false},
        {"{\"data\":[{\"id\":\"a\"}],\"hasNext\":true}", 1, true},
        {"{\"data\":{\"content\":[{\"id\":\"a\"}],\"total\":7}}", 1, true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response response = {.status = 200, .body = cases[i].body};
        struct giq_models models = {0};
        struct giq_error err = {0};
        assert_int_equal(get(&response, &models, &err), GIQ_E_NONE);
        assert_int_equal(models.count, cases[i].count);
        assert_int_equal(models.is_incomplete, cases[i].is_incomplete);
        giq_models_release(&models);
    }
}

static void test_members_of_a_model(void **state)
{
    (void)state;
    static const struct http_kit_response response = {
        .status = 200,
        .body = "[{\"modelId\":17,\"name\":\"N " SERVICE_KIT_KEY "\",\"version\":2,"
                "\"type\":\"T\",\"labels\":[\"x\",{\"name\":\"y\"},null,3]},{}]"};
    struct giq_models models = {0};
    struct giq_error err = {0};
    assert_int_equal(get(&response, &models, &err), GIQ_E_NONE);
    assert_int_equal(models.count, 2);
    const struct giq_model *model = &models.item[0];
    assert_string_equal(model->id, "17");
    assert_string_equal(model->name, "N **************");
    assert_string_equal(model->version, "2");
    assert_string_equal(model->type, "T");
    assert_string_equal(model->labels[0], "x");
    assert_string_equal(model->labels[1], "y");
    assert_string_equal(model->labels[2], "3");
    assert_null(model->labels[3]);
    assert_null(strstr(model->json, SERVICE_KIT_KEY));
    assert_null(models.item[1].id);
    assert_null(models.item[1].labels);
    assert_string_equal(models.item[1].json, "{}");
    giq_models_release(&models);
}

/* A header of the user's may hold quotes, and JSON text has them escaped. */
static void test_no_escape_hides_a_secret_in_the_json_of_a_model(void **state)
{
    (void)state;
    struct service_kit kit;
    static const struct http_kit_response response = {
        .status = 200,
        .body = "[{\"id\":\"a\",\"x\":{\"q\\\"uo\\\\te\":\"q\\\"uo\\\\te\"}}]"};
    service_kit_start(&kit, &response, 1);
    assert_true(giq_cred_add_secret(kit.cred, "q\"uo\\te", &kit.err));
    struct giq_models models = {0};
    assert_true(giq_models_get(kit.service, &models, &kit.err));
    assert_string_equal(models.item[0].json,
                        "{\"id\":\"a\",\"x\":{\"*******\":\"*******\"}}");
    giq_models_release(&models);
    service_kit_stop(&kit);
}

static void test_errors_name_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        const char *text;
    } cases[] = {
        {{.status = 200, .body = "{}"},
         GIQ_E_SERVICE,
         "the list of models cannot be read: the response is not a list"},
        {{.status = 200, .body = "<html>"},
         GIQ_E_SERVICE,
         "the list of models cannot be read: the response is not JSON, or has more than "
         "1000000 values or too many levels"},
        {{.status = 404}, GIQ_E_SERVICE, "getting the list of models: HTTP 404"},
        {{.status = 503}, GIQ_E_SERVICE, "getting the list of models: HTTP 503"},
        {{.status = 302, .headers = "Location: ftp://x/\r\n"},
         GIQ_E_NETWORK,
         "getting the list of models: HTTP 302: the service redirects to a URL that "
         "the driver does not follow (not http or https, from https to http, with a "
         "user name, or invalid)"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_models models = {0};
        struct giq_error err = {0};
        assert_int_equal(get(&cases[i].response, &models, &err), cases[i].code);
        assert_string_equal(err.text, cases[i].text);
    }
}

/* ---- out of memory ---- */

/* The calls until one fails; 0: none fails. */
static int calls_left;

static bool fails_now(void)
{
    return calls_left > 0 && --calls_left == 0;
}

UNIT_WRAPS(giq_json_read);
UNIT_WRAPS(giq_json_copy_id);
UNIT_WRAPS(giq_json_copy_scalar);
UNIT_WRAPS(giq_json_copy);
UNIT_WRAPS(giq_json_print);

bool __wrap_giq_json_read(const char *bytes, size_t len, struct giq_json **out,
                          struct giq_error *err)
{
    *out = NULL;
    return fails_now() ? giq_fail_memory(err)
                       : __real_giq_json_read(bytes, len, out, err);
}

bool __wrap_giq_json_copy_id(const struct giq_json *json, char **out)
{
    *out = NULL;
    return !fails_now() && __real_giq_json_copy_id(json, out);
}

bool __wrap_giq_json_copy_scalar(const struct giq_json *json, char **out)
{
    *out = NULL;
    return !fails_now() && __real_giq_json_copy_scalar(json, out);
}

struct giq_json *__wrap_giq_json_copy(const struct giq_json *json)
{
    return fails_now() ? NULL : __real_giq_json_copy(json);
}

char *__wrap_giq_json_print(const struct giq_json *json)
{
    return fails_now() ? NULL : __real_giq_json_print(json);
}

static void test_no_member_is_missing_because_memory_ran_out(void **state)
{
    (void)state;
    static const struct http_kit_response response = {
        .status = 200,
        .body = "[{\"id\":1,\"name\":\"N\",\"version\":2,\"type\":\"T\","
                "\"labels\":[\"x\",\"y\"]}]"};
    enum { CALLS = 9 }; /* read; id; name, version, type, two labels; copy, print */
    for (int at = 1; at <= CALLS + 1; at++) {
        struct giq_models models = {0};
        struct giq_error err = {0};
        calls_left = at;
        enum giq_code code = get(&response, &models, &err);
        assert_int_equal(code, at <= CALLS ? GIQ_E_MEMORY : GIQ_E_NONE);
        assert_int_equal(models.count, at <= CALLS ? 0 : 1);
        giq_models_release(&models);
    }
    assert_int_equal(calls_left, 1);
    calls_left = 0;
}

/* ---- choosing ---- */

static const struct giq_service no_secrets = {.cred = NULL};

static struct giq_model choices[] = {
    {.id = "water", .name = "Water bodies"},
    {.id = "Watershed", .name = "watershed"},
    {.id = "ndvi", .name = "Vegetation index"},
    {.id = "segments", .name = "Segments"},
    {.id = "segments", .name = "Segments"},
    {.id = "17", .name = "Contours"},
    {.id = "18", .name = "contours"},
    {.id = "19"},
    {.id = "20", .name = "ndvi"},
};
enum { ALL = GIQ_COUNT(choices) };

static const struct {
    const char *typed;
    size_t count;
    bool is_incomplete;
    const char *id; /* NULL: an error with this text */
    const char *text;
} choosing[] = {
    {"water", ALL, false, "water", ""},
    {"water BODIES", ALL, false, "water", ""},
    {"WATERSHED", ALL, false, "Watershed", ""},
    {"segments", ALL, false, "segments", ""},
    {"SEGMENTS", ALL, false, "segments", ""},
    {"ndvi", ALL, false, "ndvi", ""},
    {"NDVI", ALL, false, "20", ""},
    {"19", ALL, false, "19", ""},
    {"anything", 0, false, "anything", ""},
    {"anything", ALL, true, "anything", ""},
    {"Water bodies", ALL, true, "Water bodies", ""},
    {"Water", 3, false, NULL,
     "the service has no model with the id or name \"Water\"; the nearest: Water "
     "bodies (water), watershed (Watershed), Vegetation index (ndvi)"},
    {"segment", 4, false, NULL,
     "the service has no model with the id or name \"segment\"; the nearest: "
     "Segments (segments), Water bodies (water), Vegetation index (ndvi)"},
    {"x", 1, false, NULL,
     "the service has no model with the id or name \"x\"; the nearest: Water bodies "
     "(water)"},
    {"CONTOURS", ALL, false, NULL,
     "several models have the name \"CONTOURS\"; give the id: Contours (17), "
     "contours (18)"},
};

static void test_choosing_among_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(choosing); i++) {
        const struct giq_models models = {choices, choosing[i].count,
                                          choosing[i].is_incomplete};
        struct giq_error err = {0};
        char *id = NULL;
        bool ok = giq_models_choose(&no_secrets, &models, choosing[i].typed, &id, &err);
        assert_string_equal(err.text, choosing[i].text);
        assert_int_equal(ok, choosing[i].id != NULL);
        assert_int_equal(err.code, ok ? GIQ_E_NONE : GIQ_E_USAGE);
        if (ok) {
            assert_string_equal(id, choosing[i].id);
        }
        free(id);
    }
}

/* Choosing fails with this text. */
static void refuse(struct giq_model *items, size_t count, const char *typed,
                   const char *text)
{
    const struct giq_models models = {items, count, false};
    struct giq_error err = {0};
    char *id = NULL;
    assert_false(giq_models_choose(&no_secrets, &models, typed, &id, &err));
    assert_int_equal(err.code, GIQ_E_USAGE);
    assert_string_equal(err.text, text);
}

static void test_each_id_is_suggested_once(void **state)
{
    (void)state;
    struct giq_model items[] = {{.id = "1", .name = "B"},
                                {.id = "2", .name = "B"},
                                {.id = "1", .name = "B"},
                                {.id = "1", .name = "b"}};
    refuse(items, GIQ_COUNT(items), "b",
           "several models have the name \"b\"; give the id: B (1), B (2)");
    refuse(items, GIQ_COUNT(items), "c",
           "the service has no model with the id or name \"c\"; the nearest: B (1), B "
           "(2)");
}

static void test_models_of_one_name_are_all_listed_or_the_list_says_so(void **state)
{
    (void)state;
    static char ids[12][3] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    struct giq_model items[GIQ_COUNT(ids)];
    for (size_t i = 0; i < GIQ_COUNT(ids); i++) {
        items[i] = (struct giq_model){.id = ids[i], .name = "N"};
    }
    refuse(items, 5, "n",
           "several models have the name \"n\"; give the id: N (a), N (b), N (c), N (d), "
           "N (e)");
    refuse(items, 10, "n",
           "several models have the name \"n\"; give the id: N (a), N (b), N (c), N (d), "
           "N (e), N (f), N (g), N (h), N (i), N (j)");
    refuse(items, 12, "n",
           "several models have the name \"n\"; give the id: N (a), N (b), N (c), N (d), "
           "N (e), N (f), N (g), N (h), N (i), N (j), ...");
}

static void test_long_names_of_other_models_are_not_listed(void **state)
{
    (void)state;
#define SAME "a name of more than 64 bytes, of which only the last one differs: "
    struct giq_model items[] = {{.id = "1", .name = SAME "x"},
                                {.id = "2", .name = SAME "y"},
                                {.id = "3", .name = SAME "x"}};
    refuse(items, GIQ_COUNT(items), SAME "x",
           "several models have the name \"" SAME "x\"; give the id: " SAME "x (1), " SAME
           "x (3)");
#undef SAME
}

static void test_list_with_an_unreadable_id_decides_nothing(void **state)
{
    (void)state;
    struct giq_model items[2] = {{.id = "a", .name = "b"}, {.id = NULL}};
    const struct giq_models models = {items, 2, false};
    struct giq_error err = {0};
    char *id = NULL;
    assert_true(giq_models_choose(&no_secrets, &models, "b", &id, &err));
    assert_string_equal(id, "b");
    free(id);
}

static void test_offers_show_no_secret(void **state)
{
    (void)state;
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    assert_true(giq_cred_new(SERVICE_KIT_KEY, NULL, &cred, &err));
    const struct giq_service service = {.cred = cred};
    struct giq_model item = {.id = "m-" SERVICE_KIT_KEY, .name = SERVICE_KIT_KEY " n"};
    const struct giq_models models = {&item, 1, false};
    char *id = NULL;
    assert_false(giq_models_choose(&service, &models, "m", &id, &err));
    assert_string_equal(err.text,
                        "the service has no model with the id or name \"m\"; the "
                        "nearest: ************** n (m-**************)");
    giq_cred_free(cred);
}

/* Every length of ids, so that one of them just fits. */
static void test_long_offers_stay_within_the_text(void **state)
{
    (void)state;
    char wanted[GIQ_TEXT_PRINTABLE_MAX + 1];
    char first[GIQ_TEXT_PRINTABLE_MAX + 1];
    char other[GIQ_TEXT_PRINTABLE_MAX + 1];
    memset(other, 'z', sizeof other - 1);
    other[sizeof other - 1] = '\0';
    memset(wanted, 'a', sizeof wanted);
    wanted[100] = '\0';
    for (size_t len = 1; len < sizeof first; len++) {
        memset(first, 'a', len);
        first[len] = '\0';
        if (len == 100) {
            first[0] = 'b';
        }
        struct giq_model items[2] = {{.id = first}, {.id = other}};
        const struct giq_models models = {items, 2, false};
        struct giq_error *err = calloc(1, sizeof *err);
        assert_non_null(err);
        char *id = NULL;
        assert_false(giq_models_choose(&no_secrets, &models, wanted, &id, err));
        assert_true(strnlen(err->text, sizeof err->text) < sizeof err->text);
        free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_as_services_wrap_them),
        cmocka_unit_test(test_members_of_a_model),
        cmocka_unit_test(test_no_escape_hides_a_secret_in_the_json_of_a_model),
        cmocka_unit_test(test_errors_name_what_was_asked),
        cmocka_unit_test(test_no_member_is_missing_because_memory_ran_out),
        cmocka_unit_test(test_choosing_among_models),
        cmocka_unit_test(test_each_id_is_suggested_once),
        cmocka_unit_test(test_models_of_one_name_are_all_listed_or_the_list_says_so),
        cmocka_unit_test(test_long_names_of_other_models_are_not_listed),
        cmocka_unit_test(test_list_with_an_unreadable_id_decides_nothing),
        cmocka_unit_test(test_offers_show_no_secret),
        cmocka_unit_test(test_long_offers_stay_within_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
