/* Modules of the driver that need GDAL, but no service. */
#include "unit.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <sys/stat.h>

#include "env_kit.h"
#include "giq_report.h"
#include "giq_session.h"
#include "giq_upload_file.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"
#include "options/giq_network.h"
#include "options/giq_reader.h"
#include "options/giq_result_options.h"
#include "result/giq_result_proof.h"

#define ERROR_TAG "GIQ[store] "

/* The texts that were wiped, joined. */
static char wiped[1000];

UNIT_WRAPS(giq_cred_wipe);

void __wrap_giq_cred_wipe(char *text)
{
    if (text != NULL) {
        (void)CPLStrlcat(wiped, text, sizeof wiped);
        (void)CPLStrlcat(wiped, "\n", sizeof wiped);
    }
    __real_giq_cred_wipe(text);
}

/* ---- messages ---- */

static void test_line_of_an_error_holds_its_whole_text(void **state)
{
    (void)state;
    struct giq_report report = {0};
    struct giq_error err = {.code = GIQ_E_STORE};
    while (strlen(err.text) + strlen("\u00e9") < sizeof err.text - 3) {
        (void)CPLStrlcat(err.text, "\u00e9", sizeof err.text);
    }
    (void)CPLStrlcat(err.text, "end", sizeof err.text);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    giq_report_error(&report, &err);
    CPLPopErrorHandler();
    const char *line = CPLGetLastErrorMsg();
    assert_int_equal(strncmp(line, ERROR_TAG, strlen(ERROR_TAG)), 0);
    assert_string_equal(line + strlen(ERROR_TAG), err.text);
}

static void test_longer_warning_is_cut_between_characters(void **state)
{
    (void)state;
    char text[2001] = "x";
    for (size_t i = 1; i + 2 < sizeof text; i += 2) {
        (void)memcpy(text + i, "\u00e9", 3);
    }
    struct giq_report report = {0};
    const struct giq_env env = giq_report_env(&report);
    for (size_t skipped = 0; skipped < 2; skipped++) {
        CPLPushErrorHandler(CPLQuietErrorHandler);
        env.warn(env.ctx, text + skipped);
        CPLPopErrorHandler();
        const char *line = CPLGetLastErrorMsg();
        size_t len = strlen(line);
        assert_true(len > 1000);
        assert_string_equal(line + len - strlen("\u00e9..."), "\u00e9...");
    }
}

static void test_names_that_do_not_fit_are_dots(void **state)
{
    (void)state;
    static const struct {
        const char *names[4];
        size_t size;
        const char *joined;
    } cases[] = {
        {{NULL}, 16, ""},
        {{"aaaa", "bb", "c", NULL}, 16, "aaaa, bb, c"},
        {{"aaaa", "bbbbbb", "c", NULL}, 16, "aaaa, ..."},
        {{"aaaa", "bbbbbb", "c", NULL}, 18, "aaaa, bbbbbb, c"},
        {{"aaaaaa", "bbbbbbb", NULL}, 16, "aaaaaa, bbbbbbb"},
        {{"averyverylongname", "c", NULL}, 16, "..."},
        {{"averyverylongname", NULL}, 18, "averyverylongname"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char out[32];
        (void)memset(out, 'x', sizeof out);
        (void)giq_list_join((char **)cases[i].names, out, cases[i].size);
        assert_string_equal(out, cases[i].joined);
    }
}

/* ---- options ---- */

static void test_time_above_0_is_at_least_a_millisecond(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        int ms;
    } cases[] = {
        {"TIMEOUT=0", 0},
        {"TIMEOUT=0.0004", 1},
        {"TIMEOUT=0.0016", 2},
        {"TIMEOUT=1.5", 1500},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *options[] = {(char *)cases[i].option, NULL};
        struct giq_reader reader = {.open_options = options};
        struct giq_error err = {0};
        int ms = -1;
        assert_true(giq_reader_number(&reader, GIQ_OPTION_TIMEOUT, 1000, &ms, &err));
        assert_int_equal(ms, cases[i].ms);
        giq_reader_release(&reader);
    }
}

static void test_single_slash_is_a_separator_and_more_is_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"SEPARATOR=/", true}, {"SEPARATOR=\\", true}, {"A=x.y", true},
        {"A=x/y", false},      {"A=/x", false},        {"A=x\\y", false},
        {"A='..'", false},     {"XSD=x.xsd", false},   {"gfs_template=x", false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char **list = NULL;
        struct giq_error err = {0};
        assert_int_equal(giq_result_options_parse(cases[i].text, &list, &err),
                         cases[i].ok);
        assert_int_equal(err.code, cases[i].ok ? GIQ_E_NONE : GIQ_E_USAGE);
        CSLDestroy(list);
    }
}

static void test_encoded_password_of_a_proxy_is_wiped_whole(void **state)
{
    (void)state;
    struct giq_reader reader = {0};
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    wiped[0] = '\0';
    CPLSetConfigOption("GIQ_API_KEY", "k3y-0f-the-unit");
    CPLSetConfigOption("GDAL_HTTP_PROXYUSERPWD", "user:p%61%61%61%61ss");
    assert_true(giq_network_read_credentials(&reader, &cred, &err));
    CPLSetConfigOption("GDAL_HTTP_PROXYUSERPWD", NULL);
    CPLSetConfigOption("GIQ_API_KEY", NULL);
    assert_non_null(strstr(wiped, "user:p%61%61%61%61ss\n"));
    assert_non_null(strstr(wiped, "user:paaaass\n"));
    giq_cred_free(cred);
    giq_reader_release(&reader);
}

/* ---- sessions ---- */

static void test_session_opens_its_store_once(void **state)
{
    struct giq_session session = {0};
    struct giq_error err = {0};
    CPLSetConfigOption("GIQ_STORE_DIR", *state);
    assert_true(giq_session_open(&session, NULL, &err));
    assert_true(giq_session_open_store(&session, &err));
    const struct giq_store *store = session.store;
    assert_non_null(store);
    assert_true(giq_session_open_store(&session, &err));
    assert_ptr_equal(session.store, store);
    giq_session_close(&session);
    CPLSetConfigOption("GIQ_STORE_DIR", NULL);
}

/* ---- files to upload ---- */

/* As the file systems that fill only these two. */
static int stat_size_and_mode(void *data, const char *path, VSIStatBufL *out, int flags)
{
    (void)data;
    (void)path;
    (void)flags;
    out->st_size = 7;
    out->st_mode = S_IFREG;
    return 0;
}

static void test_status_has_no_random_members(void **state)
{
    (void)state;
    VSIFilesystemPluginCallbacksStruct *calls = VSIAllocFilesystemPluginCallbacksStruct();
    calls->stat = stat_size_and_mode;
    assert_int_equal(VSIInstallPluginHandler("/vsigiqtest/", calls), 0);
    VSIFreeFilesystemPluginCallbacksStruct(calls);

    struct giq_upload_file *file = NULL;
    struct giq_source_stat st = {0};
    struct giq_error err = {0};
    assert_true(giq_upload_file_new("/vsigiqtest/x.tif", &file, &err));
    const struct giq_source *source = giq_upload_file_source(file);
    assert_true(source->stat(source->ctx, &st, &err));
    assert_int_equal(st.size, 7);
    assert_true(st.inode == 0);
    assert_true(st.device == 0);
    assert_true(st.modified_ns == 0);
    assert_true(st.changed_ns == 0);
    giq_upload_file_free(file);
}

/* ---- results ---- */

static void test_proof_of_a_larger_file_does_not_hold(void **state)
{
    const char *folder = *state;
    env_kit_write(folder, "r", "twelve bytes");
    GIQ_AUTO_CPL char *path = CPLStrdup(CPLFormFilename(folder, "r", NULL));
    GIQ_AUTO_CPL char *now = giq_result_proof_state(path);
    assert_ptr_equal(strstr(now, "12 bytes of "), now);
    GIQ_AUTO_CPL char *larger = CPLStrdup(CPLSPrintf("1%s", now)); /* 112 bytes */
    GIQ_AUTO_CPL char *same_proof = giq_result_proof(now, "CSV");
    GIQ_AUTO_CPL char *other_proof = giq_result_proof(larger, "CSV");
    assert_true(giq_result_proof_is_unchanged(same_proof, path));
    assert_false(giq_result_proof_is_unchanged(other_proof, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_of_an_error_holds_its_whole_text),
        cmocka_unit_test(test_longer_warning_is_cut_between_characters),
        cmocka_unit_test(test_names_that_do_not_fit_are_dots),
        cmocka_unit_test(test_time_above_0_is_at_least_a_millisecond),
        cmocka_unit_test(test_single_slash_is_a_separator_and_more_is_a_path),
        cmocka_unit_test(test_encoded_password_of_a_proxy_is_wiped_whole),
        ENV_KIT_TEST(test_session_opens_its_store_once),
        cmocka_unit_test(test_status_has_no_random_members),
        ENV_KIT_TEST(test_proof_of_a_larger_file_does_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
