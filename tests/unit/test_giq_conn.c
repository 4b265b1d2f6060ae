#include "giq/giq.h"

#include "unit.h"

static void test_prefix_is_known_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ours;
    } cases[] = {{"GIQ:", true},
                 {"giq:x", true},
                 {"GiQ:model=a", true},
                 {"GIQ", false},
                 {"", false},
                 {" GIQ:", false},
                 {"GIQX:", false},
                 {NULL, false},
                 {"file", false},
                 {"/x/GIQ:", false},
                 {"/vsizip/GIQ:", true},
                 {"/vsigzip/giq:x", true},
                 {"/vsitar/GIQ:model=a", true},
                 {"/vsizip//vsizip/GIQ:", true},
                 {"/vsizip//vsitar//vsigzip/GIQ:", true},
                 {"/VSIZIP/GIQ:", true},
                 {"/vsizip/a.zip", false},
                 {"/vsizip/a/GIQ:", false},
                 {"/vsizip/", false},
                 {"/vsizip", false},
                 {"/vsizipGIQ:", false},
                 {"/vsicurl/GIQ:", false},
                 {"/vsimem/GIQ:", false},
                 {"/vsizip/./GIQ:x", false},
                 {"/vsizip//vsicurl/GIQ:", false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_conn_identify(cases[i].text), cases[i].ours);
    }
}

/* Values in the order of enum giq_conn_key, joined by '|', absent ones as '-', but for
 * those behind `member`, of which only what is there is shown. */
static void join_values(const struct giq_conn *conn, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        size_t len = strlen(out);
        if (i > GIQ_CONN_KEY_MEMBER && conn->value[i] == NULL) {
            continue;
        }
        (void)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : "|",
                       conn->value[i] == NULL ? "-" : conn->value[i]);
    }
}

/* Parse a string that has these values, as join_values() joins them; its kind. */
static enum giq_conn_kind check_values(const char *text, const char *expected)
{
    struct giq_conn conn;
    struct giq_error err = {0};
    char values[256];
    assert_true(giq_conn_parse(text, &conn, &err));
    join_values(&conn, values, sizeof values);
    assert_string_equal(values, expected);
    enum giq_conn_kind kind = conn.kind;
    giq_conn_release(&conn);
    return kind;
}

static void test_strings_that_are_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum giq_conn_kind kind;
        const char *values; /* model, file, job, geometry, rerun, wait, member */
    } cases[] = {
        {"GIQ:model=m;upload=/d/a b.tif", GIQ_CONN_REQUEST, "m|-|-|-|-|-|-|/d/a b.tif"},
        {"GIQ:UPLOAD='x;y';model=m;job=j", GIQ_CONN_REQUEST, "m|-|j|-|-|-|-|x;y"},
        {"GIQ:", GIQ_CONN_MODELS, "-|-|-|-|-|-|-"},
        {"GIQ: ;", GIQ_CONN_MODELS, "-|-|-|-|-|-|-"},
        {"giq:Models;", GIQ_CONN_MODELS, "-|-|-|-|-|-|-"},
        {"GIQ: models ; ", GIQ_CONN_MODELS, "-|-|-|-|-|-|-"},
        {"GIQ:model=m;file=f", GIQ_CONN_REQUEST, "m|f|-|-|-|-|-"},
        {"GIQ: MODELID = m ; FileId=f ; ", GIQ_CONN_REQUEST, "m|f|-|-|-|-|-"},
        {"GIQ:file=f;model=m;geometry=POINT (1 2);rerun=2;wait=no;member=a/b",
         GIQ_CONN_REQUEST, "m|f|-|POINT (1 2)|2|no|a/b"},
        {"GIQ:model='a;b';file=\"c=d\"", GIQ_CONN_REQUEST, "a;b|c=d|-|-|-|-|-"},
        {"GIQ:model='it''s' ;file=\"say \"\"x\"\"\"", GIQ_CONN_REQUEST,
         "it's|say \"x\"|-|-|-|-|-"},
        {"GIQ:model=' m ';file=a'b", GIQ_CONN_REQUEST, "m|a'b|-|-|-|-|-"},
        {"GIQ:model=m;file=a=b", GIQ_CONN_REQUEST, "m|a=b|-|-|-|-|-"},
        {"GIQ:model=m;file=caf\xc3\xa9", GIQ_CONN_REQUEST, "m|caf\xc3\xa9|-|-|-|-|-"},
        {"GIQ:model=m;file=f;geometry=A\nB", GIQ_CONN_REQUEST, "m|f|-|A\nB|-|-|-"},
        {"GIQ:job=j", GIQ_CONN_JOB, "-|-|j|-|-|-|-"},
        {"GIQ:job=j;file=f;model=m", GIQ_CONN_REQUEST, "m|f|j|-|-|-|-"},
        {"giq:JOBS;", GIQ_CONN_JOBS, "-|-|-|-|-|-|-"},
        {"GIQ:inferenceId=j;wait=YES;member=x", GIQ_CONN_JOB, "-|-|j|-|-|YES|x"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(check_values(cases[i].text, cases[i].values), cases[i].kind);
    }
}

static void test_files_and_what_narrows_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bbox, *datetime, *collection, *limit;
    } cases[] = {
        {"GIQ:files", NULL, NULL, NULL, NULL},
        {"giq: Files ; ", NULL, NULL, NULL, NULL},
        {"GIQ:files;bbox=1,2,3,4;datetime=2024-05-01/..;collection=a/b c;limit=5",
         "1,2,3,4", "2024-05-01/..", "a/b c", "5"},
        {"/vsizip/GIQ:FILES;LIMIT = '100000' ;", NULL, NULL, NULL, "100000"},
        {"GIQ:files;collection='a;b|c'", NULL, NULL, "a;b|c", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        static const enum giq_conn_key keys[] = {GIQ_CONN_KEY_BBOX, GIQ_CONN_KEY_DATETIME,
                                                 GIQ_CONN_KEY_COLLECTION,
                                                 GIQ_CONN_KEY_LIMIT};
        const char *const expected[] = {cases[i].bbox, cases[i].datetime,
                                        cases[i].collection, cases[i].limit};
        struct giq_conn conn;
        struct giq_error err = {0};
        assert_true(giq_conn_parse(cases[i].text, &conn, &err));
        assert_int_equal(conn.kind, GIQ_CONN_FILES);
        for (size_t k = 0; k < GIQ_COUNT(keys); k++) {
            const char *value = conn.value[keys[k]];
            assert_string_equal(value == NULL ? "-" : value,
                                expected[k] == NULL ? "-" : expected[k]);
        }
        giq_conn_release(&conn);
    }
}

struct refusal {
    const char *text, *part; /* of the message */
};

static void check_refusals(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct giq_conn conn;
        struct giq_error err = {0};
        assert_false(giq_conn_parse(cases[i].text, &conn, &err));
        assert_int_equal(err.code, GIQ_E_USAGE);
        if (strstr(err.text, cases[i].part) == NULL) {
            fail_msg("%s: %s", cases[i].text, err.text);
        }
    }
}

static void test_refusals_of_files(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"GIQ:files;model=m", "the key \"model\" is not for GIQ:files; allowed are bbox, "
                              "geometry, aoi, datetime, collection, limit"},
        {"GIQ:files;job=j", "the key \"job\" is not for GIQ:files"},
        {"GIQ:files;wait=no", "the key \"wait\" is not for GIQ:files"},
        {"GIQ:files;rerun=1", "the key \"rerun\" is not for GIQ:files"},
        {"GIQ:files;member=1", "the key \"member\" is not for GIQ:files"},
        {"GIQ:files;upload=/x", "the key \"upload\" is not for GIQ:files"},
        {"GIQ:files;file=f", "the key \"file\" is not for GIQ:files"},
        {"GIQ:files;colour=red",
         "unknown key \"colour\" in the connection string; allowed are bbox, geometry, "
         "aoi, datetime, collection, limit"},
        {"GIQ:files;api_key=x", "a secret does not belong in the connection string"},
        {"GIQ:files;limit=0", "\"limit\" must be a whole number from 1 to 100000"},
        {"GIQ:files;limit=", "the key \"limit\" has no value"},
        {"GIQ:files;limit=1;limit=2", "the key \"limit\" is given twice"},
        {"GIQ:files;datetime=soon", "\"datetime\" must be an instant"},
        {"GIQ:files;;limit=1", "has an empty entry"},
        {"GIQ:files|layername=files", "has a '|' outside quotes"},
        {"GIQ:files;limit=5|layername=files", "has a '|' outside quotes"},
        {"GIQ:files=x", "unknown key \"files\""},
        {"GIQ:filesx", "unknown key \"filesx\""},
        {"GIQ:model=m;file=f;limit=5",
         "the key \"limit\" is only for GIQ:files; allowed are model, file, upload, job, "
         "geometry, aoi, bbox, rerun, wait, member, batch, part"},
        {"GIQ:job=j;datetime=2024-05-01", "the key \"datetime\" is only for GIQ:files"},
        {"GIQ:collection=c", "the key \"collection\" is only for GIQ:files"},
    };
    check_refusals(cases, GIQ_COUNT(cases));
}

static void test_uploads_that_are_refused_say_why(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"GIQ:model=m;upload=x.tif/",
         "\"upload\" must name a file, but ends in '/'; remove"},
        {"GIQ:model=m;file=s.zip/ped",
         "\"file\" has a '/' after \".zip\"; some programs"},
        {"GIQ:model=m;file=s.zip//", "\"file\" has a '/' after \".zip\""},
        {"GIQ:model=m;upload=s.zip//", "\"upload\" must name a file, but ends in '/'"},
        {"GIQ:model=m;file='s.zip//'", "\"file\" must name a file, but ends in '/'"},
        {"GIQ:model=m;file=f;rerun=x.tar/mac", "\"rerun\" has a '/' after \".tar\""},
        {"GIQ:model=m;file=a.zip/.scene.v2", "\"file\" has a '/' after \".zip\""},
        {"GIQ:model=m;file=a.zip/.scene-2", "or put the value in quotes"},
        {"GIQ:model=m;file=a.zip/.scene/b", "\"file\" has a '/' after \".zip\""},
        {"GIQ:model=m;file=a.zip/.ninechars", "\"file\" has a '/' after \".zip\""},
        {"GIQ:model=m;file=a.zip/.", "\"file\" has a '/' after \".zip\""},
        {"GIQ:model=m;file=a.zip/.tif//", "\"file\" has a '/' after \".zip\""},
        {"GIQ:model=m;file=a.tar/b.zip/.tif", "\"file\" has a '/' after \".tar\""},
        {"GIQ:model=m.tgz/x;file=f", "\"model\" has a '/' after \".tgz\""},
        {"/vsizip/GIQ:model=m;upload=zip/",
         "\"upload\" must name a file, but ends in '/'"},
        {"GIQ:model=m;upload=a;file=b", "\"file\" and \"upload\" both name the file"},
        {"GIQ:upload=a", "the key \"model\" is missing"},
        {"GIQ:job=j;upload=a", "the key \"model\" is missing"},
        {"GIQ:model=m;upload=", "the key \"upload\" has no value"},
    };
    check_refusals(cases, GIQ_COUNT(cases));
}

static void test_strings_that_are_refused_say_why(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"GIQ:nonsense", "unknown key \"nonsense\""},
        {"GIQ:model", "the key \"model\" has no value"},
        {"GIQ:model=;file=f", "the key \"model\" has no value"},
        {"GIQ:model=''", "the key \"model\" has no value"},
        {"GIQ:model=m;file=f;model=n", "the key \"model\" is given twice"},
        {"GIQ:model=m;modelId=n;file=f", "the key \"model\" is given twice"},
        {"GIQ:model=m;;file=f", "has an empty entry: two ';' in a row"},
        {"GIQ:;model=m", "has an empty entry: two ';' in a row"},
        {"GIQ:=m;file=f", "unknown key \"\""},
        {"GIQ:model='m;file=f", "the key \"model\" has no closing quote; end it with '"},
        {"GIQ:model='m'x;file=f", "the key \"model\" has text after its quoted value"},
        {"GIQ:model=m", "the key \"file\" is missing"},
        {"GIQ:file=f", "the key \"model\" is missing"},
        {"GIQ:rerun=1", "the key \"model\" is missing"},
        {"GIQ:job=j;model=m", "the key \"file\" is missing"},
        {"GIQ:job=j;rerun=1", "cannot be combined with \"job\""},
        {"GIQ:model=m;file=f/", "ends in '/'"},
        {"GIQ:model=m;file=https://h/x?sig=secret", "is an address with a query"},
        {"GIQ:model=m\x01;file=f", "the value of \"model\" contains a control character"},
        {"GIQ:model=m\xE9;file=f", "the value of \"model\" is not UTF-8"},
        {"GIQ:model=m;file=a\nb", "the value of \"file\" contains a control character"},
        {"GIQ:model=m;file=f;wait=maybe", "\"wait\" must be YES or NO; got \"maybe\""},
    };
    check_refusals(cases, GIQ_COUNT(cases));
}

static void test_long_value_of_wait_is_not_quoted(void **state)
{
    (void)state;
    struct giq_conn conn;
    struct giq_error err = {0};
    assert_false(giq_conn_parse("GIQ:model=m;file=f;wait=sesame-open-42", &conn, &err));
    assert_int_equal(err.code, GIQ_E_USAGE);
    assert_string_equal(err.text, "\"wait\" must be YES or NO");
}

static void test_suffix_that_qgis_appends_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "GIQ:|layername=models",
        "GIQ:models|layername=models",
        "giq:JOBS;|layername=jobs",
        "GIQ:models|subset=id = 'a;b'",
        "GIQ:job=j|option:WAIT=NO",
        "GIQ:model=m;file=f|layername=r",
        "GIQ:model=m;file=f;|layername=r",
        "GIQ:model=m;file=f ; |layername=r",
        "GIQ:model=m|x;file=f",
        "GIQ:model=m;file='f'|layername=r",
        "GIQ:model=m;file=\"f\" |subset=n=1",
        "GIQ:model=m;file=f;rerun=monday|layername=r|subset=a = 'b'",
        "GIQ:model=m;file=f;geometry=POLYGON((0 0,0 1,1 1,0 0))|option:BBOX=1,2,3,4",
        "GIQ:model=m;file=f;wait=no|",
        "GIQ:model=m;upload=/d/a|b.tif",
    };
    for (size_t i = 0; i < GIQ_COUNT(texts); i++) {
        struct refusal refusal = {
            texts[i], "has a '|' outside quotes: QGIS appends |layername=, |option: and "
                      "|subset="};
        check_refusals(&refusal, 1);
    }
}

static void test_quoted_values_may_contain_a_bar(void **state)
{
    (void)state;
    struct giq_conn conn;
    struct giq_error err = {0};
    assert_true(giq_conn_parse("GIQ:model='a|b';upload=\"/d/x|y\" ;rerun='|layername=r'",
                               &conn, &err));
    assert_string_equal(conn.value[GIQ_CONN_KEY_MODEL], "a|b");
    assert_string_equal(conn.value[GIQ_CONN_KEY_UPLOAD], "/d/x|y");
    assert_string_equal(conn.value[GIQ_CONN_KEY_RERUN], "|layername=r");
    giq_conn_release(&conn);
}

/* Quotes only where they are needed, and read back as what it was. */
static void test_values_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *value, *quoted;
    } cases[] = {
        {"a.tif", "a.tif"},
        {"d/a b, c=d.tif", "d/a b, c=d.tif"},
        {"a\"b'c", "a\"b'c"},
        {"\xc3\xa9.tif", "\xc3\xa9.tif"},
        {"a;b.tif", "\"a;b.tif\""},
        {"a|b.tif", "\"a|b.tif\""},
        {"\"a", "\"\"\"a\""},
        {"'a\"", "\"'a\"\"\""},
        {"a;\"b\"", "\"a;\"\"b\"\"\""},
        {"s.zip/x", "\"s.zip/x\""},
        {"s.zip", "s.zip"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_conn conn;
        struct giq_error err = {0};
        char text[128];
        char *quoted = giq_conn_quote(cases[i].value);
        assert_string_equal(quoted, cases[i].quoted);
        (void)snprintf(text, sizeof text, "GIQ:job=j;member=%s", quoted);
        assert_true(giq_conn_parse(text, &conn, &err));
        assert_string_equal(conn.value[GIQ_CONN_KEY_MEMBER], cases[i].value);
        giq_conn_release(&conn);
        free(quoted);
    }
    char *spaces = giq_conn_quote(" a ");
    assert_string_equal(spaces, "\" a \"");
    free(spaces);
}

static const struct {
    const char *text, *values;
} around_archives[] = {
    {"/vsizip/GIQ:model=m;file=s.zip", "m|s.zip|-|-|-|-|-"},
    {"/vsizip/GIQ:model=m;file=s.zip/", "m|s.zip|-|-|-|-|-"},
    {"/vsizip//vsizip/giq:model=m;file=s.zip/", "m|s.zip|-|-|-|-|-"},
    {"/vsitar/GIQ:model=m;upload=/d/s.tar.gz", "m|-|-|-|-|-|-|/d/s.tar.gz"},
    {"GIQ:model=m;upload=/d/s.tar.gz/", "m|-|-|-|-|-|-|/d/s.tar.gz"},
    {"GIQ:model=m;upload=/d/s.TGZ/ ", "m|-|-|-|-|-|-|/d/s.TGZ"},
    {"/vsigzip/GIQ:model=m;upload=/d/s.gz/", "m|-|-|-|-|-|-|/d/s.gz"},
    {"GIQ:model=m;upload=/d/s.tar/;rerun=1", "m|-|-|-|1|-|-|/d/s.tar"},
    {"GIQ:model=m;file=s.zip/;geometry=POINT (1 2)", "m|s.zip|-|POINT (1 2)|-|-|-"},
    {"GIQ:model=m;file='s.zip/'", "m|s.zip|-|-|-|-|-"},
    {"GIQ:model=m;file=f;aoi=a.zip/", "m|f|-|-|-|-|-|a.zip"},
    {"GIQ:model=m;file=f;rerun=a.zip/", "m|f|-|-|a.zip|-|-"},
    {"GIQ:model=m;file=f;rerun='a.zip/'", "m|f|-|-|a.zip|-|-"},
    {"GIQ:model=m;file=s.tar/.gz", "m|s.tar.gz|-|-|-|-|-"},
    {"/vsitar/GIQ:model=m;file='s.tar/.gz'", "m|s.tar.gz|-|-|-|-|-"},
    {"GIQ:model=m;file=s.tar/.gz/", "m|s.tar.gz|-|-|-|-|-"},
    {"GIQ:model=m;file=s.zip/.tif;rerun=y", "m|s.zip.tif|-|-|y|-|-"},
    {"GIQ:model=m;file=s.ZIP/", "m|s.ZIP|-|-|-|-|-"},
    {"GIQ:model=m;upload=/d/s.tar/.gz", "m|-|-|-|-|-|-|/d/s.tar.gz"},
    {"GIQ:model=m;upload=/vsizip//d/a.zip/b.tif", "m|-|-|-|-|-|-|/vsizip//d/a.zip/b.tif"},
    {"GIQ:model=m;file=f;aoi=/vsitar/a.tar.gz/b.shp",
     "m|f|-|-|-|-|-|/vsitar/a.tar.gz/b.shp"},
    {"GIQ:model=m;file='a.zip/.tif'", "m|a.zip.tif|-|-|-|-|-"},
    {"GIQ:model=m;file=a.zip/.tif/", "m|a.zip.tif|-|-|-|-|-"},
    {"GIQ:model=m;file=a.zip/.eightlet", "m|a.zip.eightlet|-|-|-|-|-"},
    {"GIQ:model=m;file='s.zip/ped'", "m|s.zip/ped|-|-|-|-|-"},
    {"GIQ:model=m;file=\"a.zip/.scene.v2\"", "m|a.zip/.scene.v2|-|-|-|-|-"},
    {"GIQ:model=m;file=\"a.zip/.ninechars\"", "m|a.zip/.ninechars|-|-|-|-|-"},
    {"GIQ:model=m;file='a.zip/.scene/b'", "m|a.zip/.scene/b|-|-|-|-|-"},
    {"GIQ:model='m.tgz/x';file=f", "m.tgz/x|f|-|-|-|-|-"},
    {"GIQ:model=m;file=f;rerun='x.tar/mac'", "m|f|-|-|x.tar/mac|-|-"},
    {"GIQ:model=m;file=f;rerun='a.zip//'", "m|f|-|-|a.zip//|-|-"},
    {"GIQ:model=m;upload=/d/x.tar/.snap/f", "m|-|-|-|-|-|-|/d/x.tar/.snap/f"},
    {"GIQ:model=m;upload='/d/x.tar/.snap/f.zip/'", "m|-|-|-|-|-|-|/d/x.tar/.snap/f.zip"},
    {"GIQ:model=m;file=f;aoi=/d/a.zip/.b/c.shp,roads",
     "m|f|-|-|-|-|-|/d/a.zip/.b/c.shp,roads"},
    {"GIQ:job=j;member=a.zip/.b/c", "-|-|j|-|-|-|a.zip/.b/c"},
    {"GIQ:job=j;member=a.zip/b", "-|-|j|-|-|-|a.zip/b"},
    {"GIQ:model=m;file=a/zip/b", "m|a/zip/b|-|-|-|-|-"},
    {"GIQ:model=m;file=f;rerun=a/", "m|f|-|-|a/|-|-"},
};

static void test_what_programs_add_around_archives_is_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(around_archives); i++) {
        (void)check_values(around_archives[i].text, around_archives[i].values);
    }
}

static void test_areas_are_values_like_others(void **state)
{
    (void)state;
    struct giq_conn conn;
    struct giq_error err = {0};
    assert_true(giq_conn_parse("GIQ:model=m;file=f;Aoi='a;b.gpkg,roads' ; BBOX= 1, 2 ;"
                               "geometry=\"SRID=4326;POLYGON((0 0))\"",
                               &conn, &err));
    assert_string_equal(conn.value[GIQ_CONN_KEY_AOI], "a;b.gpkg,roads");
    assert_string_equal(conn.value[GIQ_CONN_KEY_BBOX], "1, 2");
    assert_string_equal(conn.value[GIQ_CONN_KEY_GEOMETRY], "SRID=4326;POLYGON((0 0))");
    giq_conn_release(&conn);
}

static void test_areas_that_are_refused_say_why(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"GIQ:bbox=1", "the key \"model\" is missing"},
        {"GIQ:job=j;aoi=x", "the key \"model\" is missing"},
        {"GIQ:model=m;file=f;aoi=x;AOI=y", "the key \"aoi\" is given twice"},
        {"GIQ:model=m;file=f;aoi=x/",
         "the value of \"aoi\" must name a file, but ends in '/'"},
        {"GIQ:model=m;file=f;aoi=a\nb", "the value of \"aoi\" contains a control"},
        {"GIQ:model=m;file=f;geometry=SRID=1;POLYGON((0 0,0 1,1 1,0 0))",
         "must be quoted: geometry=\"SRID="},
    };
    check_refusals(cases, GIQ_COUNT(cases));
}

/* ---- batches ---- */

static void test_batches_that_are_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *values;
    } cases[] = {
        {"GIQ:batch=a.gpkg", "-|-|-|-|-|-|-|a.gpkg"},
        {"giq:BATCH = a.gpkg,rows ;", "-|-|-|-|-|-|-|a.gpkg,rows"},
        {"GIQ:model=m;batch='a;b';file=f;rerun=1;member=x;wait=no;part=2/3",
         "m|f|-|-|1|no|x|a;b|2/3"},
        {"GIQ:batch=a;upload=x;part=0/1", "-|-|-|-|-|-|-|x|a|0/1"},
        {"GIQ:batch='GIQ:files;limit=3';model=m", "m|-|-|-|-|-|-|GIQ:files;limit=3"},
        {"/vsizip/GIQ:batch=a.zip/", "-|-|-|-|-|-|-|a.zip"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(check_values(cases[i].text, cases[i].values), GIQ_CONN_BATCH);
    }
}

static void test_batches_that_are_refused_say_why(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"GIQ:batch=", "the key \"batch\" has no value"},
        {"GIQ:batch=a/", "the value of \"batch\" must name a file, but ends in '/'"},
        {"GIQ:batch=a;geometry=x", "\"geometry\" cannot be combined with \"batch\""},
        {"GIQ:batch=a;aoi=x", "\"aoi\" cannot be combined with \"batch\""},
        {"GIQ:batch=a;bbox=x", "\"bbox\" cannot be combined with \"batch\""},
        {"GIQ:batch=a;job=x", "\"job\" names one job and cannot be combined with"},
        {"GIQ:batch=a;file=f;upload=u", "\"file\" and \"upload\" both name the file"},
        {"GIQ:batch=a;limit=3", "the key \"limit\" is only for GIQ:files"},
        {"GIQ:files;batch=a", "the key \"batch\" is not for GIQ:files"},
        {"GIQ:model=m;file=f;part=0/2", "\"part\" is only for batches"},
        {"GIQ:batch=a;part=2/2", "with 0 <= k < n: the rows whose position modulo n is "
                                 "k; got 2/2"},
        {"GIQ:batch=a;part=0/0", "got 0/0"},
        {"GIQ:batch=a;part=-1/2", "got -1/2"},
        {"GIQ:batch=a;part=1", "got 1"},
        {"GIQ:batch=a;part=/2", "got /2"},
        {"GIQ:batch=a;part=0/2x", "position modulo n is k"},
        {"GIQ:batch=a;part=0 /2", "position modulo n is k"},
        {"GIQ:batch=a;part=0/1000000000", "got 0/1000000000"},
    };
    check_refusals(cases, GIQ_COUNT(cases));
}

static void test_value_is_set_as_if_it_were_quoted(void **state)
{
    (void)state;
    struct giq_conn conn = {.kind = GIQ_CONN_MODELS};
    struct giq_error err = {0};
    assert_true(giq_conn_set(&conn, GIQ_CONN_KEY_MODEL, " a;\"b\"|c ", &err));
    assert_true(giq_conn_set(&conn, GIQ_CONN_KEY_FILE, "s.zip/x", &err));
    assert_true(giq_conn_set(&conn, GIQ_CONN_KEY_FILE, "s.zip/", &err));
    assert_true(giq_conn_set(&conn, GIQ_CONN_KEY_FILE, " ", &err));
    assert_true(giq_conn_set(&conn, GIQ_CONN_KEY_RERUN, "1", &err));
    char *text = giq_conn_write(&conn);
    assert_string_equal(text, "GIQ:model=\"a;\"\"b\"\"|c\";file=s.zip;rerun=1");
    free(text);
    assert_false(giq_conn_set(&conn, GIQ_CONN_KEY_FILE, "x/", &err));
    assert_int_equal(err.code, GIQ_E_USAGE);
    assert_string_equal(conn.value[GIQ_CONN_KEY_FILE], "s.zip");
    giq_conn_release(&conn);
}

static void test_secret_in_the_string_is_not_repeated(void **state)
{
    (void)state;
    static const char *const keys[] = {"api_key", "APIKEY",   "X-Api-Key", "token",
                                       "bearer",  "password", "secret",    "GIQ_API_KEY"};
    for (size_t i = 0; i < GIQ_COUNT(keys); i++) {
        char text[128];
        struct giq_conn conn;
        struct giq_error err = {0};
        (void)snprintf(text, sizeof text, "GIQ:model=m;%s=s3cr3t;file=f", keys[i]);
        assert_false(giq_conn_parse(text, &conn, &err));
        assert_int_equal(err.code, GIQ_E_USAGE);
        assert_non_null(strstr(err.text, "a secret does not belong in the connection"));
        assert_non_null(strstr(err.text, keys[i]));
        assert_null(strstr(err.text, "s3cr3t"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix_is_known_in_any_case),
        cmocka_unit_test(test_strings_that_are_allowed),
        cmocka_unit_test(test_strings_that_are_refused_say_why),
        cmocka_unit_test(test_files_and_what_narrows_them),
        cmocka_unit_test(test_refusals_of_files),
        cmocka_unit_test(test_uploads_that_are_refused_say_why),
        cmocka_unit_test(test_long_value_of_wait_is_not_quoted),
        cmocka_unit_test(test_suffix_that_qgis_appends_is_refused),
        cmocka_unit_test(test_quoted_values_may_contain_a_bar),
        cmocka_unit_test(test_values_are_quoted_where_they_must_be),
        cmocka_unit_test(test_what_programs_add_around_archives_is_dropped),
        cmocka_unit_test(test_areas_are_values_like_others),
        cmocka_unit_test(test_areas_that_are_refused_say_why),
        cmocka_unit_test(test_batches_that_are_allowed),
        cmocka_unit_test(test_batches_that_are_refused_say_why),
        cmocka_unit_test(test_value_is_set_as_if_it_were_quoted),
        cmocka_unit_test(test_secret_in_the_string_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
