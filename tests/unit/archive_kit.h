/* What the tests of giq_archive share: a fresh place for each test, archives made
 * by libarchive's writer, and checks what was unpacked. */
#ifndef GIQ_TESTS_ARCHIVE_KIT_H
#define GIQ_TESTS_ARCHIVE_KIT_H

#include <archive.h>

#include "base/giq_buf.h"
#include "result/giq_archive.h"
#include "unit.h"

enum { FILE_MAX = 1 << 22, ARCHIVE_KINDS = 3 };

struct member {
    const char *path;
    const char *bytes; /* NULL for a folder */
    const char *link;  /* a symbolic link to this, where not NULL */
    const char *hard;  /* a hard link to this, where not NULL */
};

extern char archive_path[96];
extern char folder[96]; /* exists and is empty when a test begins */
extern const enum giq_archive_kind all_kinds[ARCHIVE_KINDS];
extern const struct member two_members[3];

int set_up(void **state);
int tear_down(void **state);
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

struct archive *begin_archive(enum giq_archive_kind kind, const char *options);
void add_member(struct archive *out, const struct member *member);
void end_archive(struct archive *out);
/* The members end with one without a path. */
void make_archive(enum giq_archive_kind kind, const char *options,
                  const struct member *members);

void read_archive(struct giq_buf *bytes);
void write_archive(const char *bytes, size_t len);

void check_file(const char *path, const char *bytes);
int count_files(void);
void check_unpacks(enum giq_archive_kind kind);
/* Unpacking must fail with GIQ_E_RESULT and these words. */
void check_refused(enum giq_archive_kind kind, const char *says);
void empty_folder(void);

#endif
