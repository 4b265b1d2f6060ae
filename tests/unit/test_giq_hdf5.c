#include "giq/external.h"

#include "unit.h"

#define NOWHERE UINT64_MAX

/* Where the parts of a file are put. */
enum { ROOT = 64, DATASET = 512, OTHER = 1024, HEAP = 1536, TREE = 2048, SIZE = 4096 };

/* A file that is written from its start on. */
static unsigned char file[SIZE];
static size_t file_len;
static size_t read_count;

static void go(size_t at)
{
    file_len = at;
}

static void put(uint64_t number, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        file[file_len++] = (unsigned char)(number >> (8 * i));
    }
}

static void put_text(const char *text)
{
    for (; *text != '\0'; text++) {
        put((unsigned char)*text, 1);
    }
}

/* Numbers of as many bytes as the digits of `format` say. */
static void put_all(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (; *format != '\0'; format++) {
        put(va_arg(arguments, uint64_t), (unsigned)(*format - '0'));
    }
    va_end(arguments);
}

#define N(number) ((uint64_t)(number))

static void begin_file(void)
{
    memset(file, 0, sizeof file);
    go(0);
    put_text("\x89HDF\r\n\x1a\n");
    put_all("111188888", N(2), N(8), N(8), N(0), N(0), NOWHERE, N(SIZE), N(ROOT), N(0));
}

/* ---- objects ---- */

static size_t header_at;

static void begin_object(size_t at)
{
    go(at);
    put_text("OHDR");
    put_all("112", N(2), N(1), N(0));
    header_at = file_len;
}

static void end_object(void)
{
    size_t end = file_len;
    go(header_at - 2);
    put(end - header_at, 2);
    go(end);
}

static size_t message_at;

static void begin_message(unsigned type)
{
    put_all("121", N(type), N(0), N(0));
    message_at = file_len;
}

static void end_message(void)
{
    size_t end = file_len;
    go(message_at - 3);
    put(end - message_at, 2);
    go(end);
}

static void put_hard_link(size_t address)
{
    begin_message(6);
    put_all("11118", N(1), N(0), N(1), N('n'), N(address));
    end_message();
}

static void put_external_link(unsigned flags)
{
    static const char names[] = "\0/home/me/x.h5\0/inner";
    put_all("111", N(1), N(8 | flags), N(64));
    put(0, flags & 4 ? 8 : 0);
    put(0, flags & 16 ? 1 : 0);
    put(1, 1u << (flags & 3));
    put_text("n");
    put(sizeof names, 2);
    memcpy(file + file_len, names, sizeof names);
    file_len += sizeof names;
}

static void put_storage_list(void)
{
    begin_message(7);
    put_all("144288", N(1), N(0), N(0), N(1), N(DATASET), N(0));
    end_message();
}

/* ---- what is said of a file ---- */

static bool read_file(void *ctx, uint64_t at, void *bytes, size_t len)
{
    const struct giq_hdf5_source *source = ctx;
    assert_true(at <= source->size && len <= source->size - at);
    read_count++;
    memcpy(bytes, file + at, len);
    return true;
}

static bool check_bytes(size_t size, struct giq_error *err)
{
    struct giq_hdf5_source source = {read_file, &source, size};
    return giq_hdf5_check(&source, err);
}

/* `says` is a part of the error; NULL where there must be none. */
static void check(const char *says)
{
    struct giq_error err = {0};
    bool ok = check_bytes(SIZE, &err);
    if (says == NULL) {
        assert_string_equal(err.text, "");
        assert_true(ok);
        return;
    }
    assert_false(ok);
    assert_int_equal(err.code, GIQ_E_RESULT);
    assert_non_null(strstr(err.text, says));
}

static const char external[] = "an external link";
static const char storage[] = "external storage";
static const char virtual[] = "a virtual dataset";
static const char lost[] = "cannot be followed";

static void test_other_files_pass(void **state)
{
    (void)state;
    struct giq_error err = {0};
    memset(file, 'x', sizeof file);
    for (size_t size = 0; size < 2100; size += 7) {
        assert_true(check_bytes(size, &err));
    }
}

static void test_one_message(void **state)
{
    (void)state;
    static const struct {
        unsigned type;
        const char *bytes;
        size_t len;
        const char *says;
    } cases[] = {
        {0x00, "\1\2\3\4", 4, NULL},
        {0x0c, "\1\x40\x40", 3, NULL},
        {0x06, "\1\x08\1\1n\1\0t", 8, NULL},           /* soft */
        {0x06, "\1\x08\x41\1n\0\0", 7, external},      /* of a kind of the user's */
        {0x06, "\2\0\1n\0\2\0\0\0\0\0\0", 12, lost},   /* version */
        {0x06, "\1\x20\1n\0\2\0\0\0\0\0\0", 12, lost}, /* flags */
        {0x06, "\1\3\xff\xff\xff\xff\xff\xff\xff\x7f", 10, lost},
        {0x06, "\1\0\1n\xff\xff\xff\xff\xff\xff\xff\xff", 12, lost},
        {0x07, "\1\0\0\0\1\0\1\0", 8, storage},
        {0x08, "\3\1\0\0\0\0\0\0\0\0", 10, NULL}, /* contiguous */
        {0x08, "\1\1\3", 3, NULL},                /* dimensions, class */
        {0x08, "\4\2\0\1\1", 5, NULL},            /* in chunks */
        {0x08, "\4\3\0\0\0\0\0\0\0\0", 10, virtual},
        {0x08, "\5\3\0\0\0\0\0\0\0\0", 10, virtual},
        {0x18, "\0", 1, lost}, /* an image of the cache */
        {0x02, "\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 18, NULL},
        {0x02, "\1\0", 2, lost},
        {0x10, "\xff\xff\xff\0\0\0\0\0\x10\0\0\0\0\0\0\0", 16, lost},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        begin_file();
        begin_object(ROOT);
        begin_message(cases[i].type);
        memcpy(file + file_len, cases[i].bytes, cases[i].len);
        file_len += cases[i].len;
        end_message();
        end_object();
        check(cases[i].says);
    }
}

static void test_every_form_of_an_external_link(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 32; flags++) {
        if ((flags & 8) != 0) {
            continue;
        }
        begin_file();
        begin_object(ROOT);
        begin_message(6);
        put_external_link(flags);
        end_message();
        end_object();
        check(external);
    }
}

static void test_a_message_too_long_is_lost(void **state)
{
    (void)state;
    begin_file();
    begin_object(ROOT);
    put_all("121", N(6), N(200), N(0));
    put_external_link(0);
    end_object();
    check(lost);
}

static void put_tree_of_groups(void (*last)(void))
{
    begin_file();
    begin_object(ROOT);
    put_hard_link(ROOT);
    put_hard_link(OTHER);
    end_object();
    begin_object(OTHER);
    put_hard_link(ROOT);
    put_hard_link(DATASET);
    end_object();
    begin_object(DATASET);
    last();
    end_object();
}

static void put_nothing(void)
{
}

static void test_links_are_followed_once(void **state)
{
    (void)state;
    put_tree_of_groups(put_nothing);
    read_count = 0;
    check(NULL);
    assert_true(read_count < 20);
    put_tree_of_groups(put_storage_list);
    check(storage);
}

static void test_a_block_of_the_user_comes_first(void **state)
{
    (void)state;
    for (size_t base = 512; base <= 2048; base *= 2) {
        put_tree_of_groups(put_storage_list);
        memmove(file + base, file, OTHER + 200);
        memset(file, 'x', base);
        check(storage);
    }
}

static void test_continuations_are_read(void **state)
{
    (void)state;
    begin_file();
    begin_object(ROOT);
    begin_message(0x10);
    put_all("88", N(DATASET), N(100));
    end_message();
    end_object();
    go(DATASET);
    put_text("OCHK");
    put_storage_list();
    check(storage);
    file[DATASET] = 'x';
    check(lost);
}

/* ---- groups of the first form ---- */

static void put_old_object(size_t at, unsigned type, uint64_t first, uint64_t second)
{
    go(at);
    put_all("112444", N(1), N(0), N(1), N(1), N(24), N(0));
    put_all("22488", N(type), N(16), N(0), first, second);
}

static void put_old_group(unsigned type)
{
    memset(file, 0, sizeof file);
    go(0);
    put_text("\x89HDF\r\n\x1a\n");
    put_all("11111111224", N(0), N(0), N(0), N(0), N(0), N(8), N(8), N(0), N(4), N(16),
            N(0));
    put_all("8888", N(0), NOWHERE, N(SIZE), NOWHERE);
    put_all("884488", N(0), N(OTHER), N(0), N(0), N(0), N(0));
    put_old_object(OTHER, 0x11, TREE, HEAP);
    go(TREE);
    put_text("TREE");
    put_all("112888888", N(0), N(0), N(1), NOWHERE, NOWHERE, N(0), N(TREE + 512), N(8),
            N(0));
    go(TREE + 512);
    put_text("SNOD");
    put_all("112", N(1), N(0), N(2));
    put_all("884488", N(8), NOWHERE, N(2), N(0), N(0), N(0));
    put_all("884488", N(8), N(DATASET), N(0), N(0), N(0), N(0));
    put_old_object(DATASET, type, 1, 0);
}

static void test_old_groups_are_followed(void **state)
{
    (void)state;
    put_old_group(0x0c);
    check(NULL);
    put_old_group(7);
    check(storage);
    file[TREE + 4] = 1;
    check(lost);
}

/* ---- big groups ---- */

enum place { IN_BLOCK, BY_TABLE, BIG };

enum { BLOCK = 512, BLOCK_HEAD = 4 + 1 + 8 + 2, FILTERS = 1, ID_LEN = 7 };

static void put_heap(enum place place, unsigned filters)
{
    go(HEAP);
    put_text("FRHP");
    put_all("12214888", N(0), N(ID_LEN), N(filters), N(0), N(4096), N(1),
            place == BIG ? N(TREE + 512) : NOWHERE, N(0));
    put_all("888888888", NOWHERE, N(0), N(0), N(0), N(0), N(0), N(0), N(0), N(0));
    put_all("28822", N(4), N(BLOCK), N(65536), N(16), N(1));
    put_all("82", N(place == BY_TABLE ? TREE + 1024 : OTHER),
            N(place == BY_TABLE ? 2 : 0));
}

static void put_block(size_t at, const char *signature, uint64_t offset)
{
    go(at);
    put_text(signature);
    put_all("182", N(0), N(HEAP), offset);
}

static void put_leaf(size_t at, unsigned type, unsigned record_len)
{
    go(at);
    put_text("BTHD");
    put_all("11422118288", N(0), N(type), N(512), N(record_len), N(0), N(100), N(40),
            N(at + 64), N(1), N(1), N(0));
    go(at + 64);
    put_text("BTLF");
    put_all("11", N(0), N(type));
}

/* A group whose one link lies in a heap: in its only block, in the second block of
 * the second row, or by itself. */
static void put_big_group(enum place place)
{
    const uint64_t offset = place == BY_TABLE ? 5 * BLOCK : 0;
    begin_file();
    begin_object(ROOT);
    begin_message(2);
    put_all("1188", N(0), N(0), N(HEAP), N(TREE));
    end_message();
    end_object();
    put_heap(place, 0);
    put_leaf(TREE, 5, 4 + ID_LEN);
    put_all("4122", N(0), N(place == BIG ? 0x10 : 0),
            place == BIG ? N(1) : offset + BLOCK_HEAD, N(40));
    put(0, 2);
    if (place == BIG) {
        put_leaf(TREE + 512, 1, 24);
        put_all("888", N(OTHER + BLOCK_HEAD), N(40), N(1));
    } else if (place == BY_TABLE) {
        put_block(TREE + 1024, "FHIB", 0);
        for (unsigned i = 0; i < 8; i++) {
            put(i == 5 ? OTHER : NOWHERE, 8);
        }
    }
    put_block(OTHER, "FHDB", offset);
    put_external_link(0);
}

static void test_links_of_big_groups_are_found(void **state)
{
    (void)state;
    for (enum place place = IN_BLOCK; place <= BIG; place++) {
        put_big_group(place);
        check(external);
        go(OTHER + BLOCK_HEAD);
        put_all("11112", N(1), N(8), N(1), N(1), N('s'));
        check(NULL);
    }
}

static void test_filtered_groups_are_refused(void **state)
{
    (void)state;
    put_big_group(IN_BLOCK);
    put_heap(IN_BLOCK, FILTERS);
    check(lost);
}

/* ---- hostile bytes ---- */

static void test_any_byte_may_be_wrong(void **state)
{
    (void)state;
    static const unsigned char wrongs[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    static unsigned char whole[SIZE];
    for (int form = 0; form < 4; form++) {
        if (form == 3) {
            put_old_group(0x0c);
        } else {
            put_big_group((enum place)form);
        }
        memcpy(whole, file, sizeof whole);
        for (size_t at = 0; at < SIZE; at++) {
            for (size_t i = 0; whole[at] != 0 && i < GIQ_COUNT(wrongs); i++) {
                struct giq_error err = {0};
                file[at] = wrongs[i];
                assert_true(check_bytes(SIZE, &err) || err.code == GIQ_E_RESULT);
            }
            file[at] = whole[at];
        }
    }
}

static void test_any_end_may_be_cut(void **state)
{
    (void)state;
    put_big_group(BY_TABLE);
    for (size_t size = 8; size < SIZE; size++) {
        struct giq_error err = {0};
        bool has_link = size > OTHER + BLOCK_HEAD + 8 && size > TREE + 1024 + 64;
        if (check_bytes(size, &err)) {
            fail_msg("%zu bytes pass", size);
        }
        assert_true(!has_link || strstr(err.text, external) != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_files_pass),
        cmocka_unit_test(test_one_message),
        cmocka_unit_test(test_every_form_of_an_external_link),
        cmocka_unit_test(test_a_message_too_long_is_lost),
        cmocka_unit_test(test_links_are_followed_once),
        cmocka_unit_test(test_a_block_of_the_user_comes_first),
        cmocka_unit_test(test_continuations_are_read),
        cmocka_unit_test(test_old_groups_are_followed),
        cmocka_unit_test(test_links_of_big_groups_are_found),
        cmocka_unit_test(test_filtered_groups_are_refused),
        cmocka_unit_test(test_any_byte_may_be_wrong),
        cmocka_unit_test(test_any_end_may_be_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
