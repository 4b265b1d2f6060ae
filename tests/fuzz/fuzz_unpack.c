/*
 * Archives that are written from a description: 'z', 't' or 'g' (zip, tar, tar.gz) on
 * a line, then a line for each member: its kind ('f' file, 'd' folder, 's' symbolic
 * link, 'h' hard link, 'p' pipe), its path and, after a '|', its content or the target
 * of the link. "!<n> <value>" sets byte n of the archive instead, counted from its end if
 * n is negative.
 */
#include "unpacking.h"

#include <archive.h>
#include <archive_entry.h>

enum { ROOM = 1 << 20 };

struct patch {
    long at;
    long value;
};

struct packing {
    struct archive *out;
    char *bytes;
    size_t len;
    struct patch patch[16];
    size_t patches;
};

static void begin(struct packing *packing, enum giq_archive_kind kind)
{
    packing->bytes = malloc(ROOM);
    packing->out = archive_write_new();
    MUST(packing->bytes != NULL && packing->out != NULL);
    int status = kind == GIQ_ARCHIVE_ZIP
                     ? archive_write_set_format_zip(packing->out)
                     : archive_write_set_format_pax_restricted(packing->out);
    MUST(status == ARCHIVE_OK);
    if (kind == GIQ_ARCHIVE_TAR_GZ) {
        MUST(archive_write_add_filter_gzip(packing->out) == ARCHIVE_OK);
        MUST(archive_write_set_options(packing->out, "gzip:!timestamp") == ARCHIVE_OK);
    }
    MUST(archive_write_open_memory(packing->out, packing->bytes, ROOM, &packing->len) ==
         ARCHIVE_OK);
}

static unsigned type_of(char kind)
{
    return kind == 'd'   ? AE_IFDIR
           : kind == 's' ? AE_IFLNK
           : kind == 'p' ? AE_IFIFO
                         : AE_IFREG;
}

/* A member that the format cannot represent is omitted. */
static void add_member(struct packing *packing, char kind, const char *path,
                       const char *rest)
{
    struct archive_entry *entry = archive_entry_new();
    MUST(entry != NULL);
    bool is_file = type_of(kind) == AE_IFREG && kind != 'h';
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type_of(kind));
    archive_entry_set_perm(entry, 07777);
    archive_entry_set_size(entry, is_file ? (la_int64_t)strlen(rest) : 0);
    if (kind == 's') {
        archive_entry_set_symlink(entry, rest);
    } else if (kind == 'h') {
        archive_entry_set_hardlink(entry, rest);
    }
    if (archive_write_header(packing->out, entry) >= ARCHIVE_WARN && is_file) {
        (void)archive_write_data(packing->out, rest, strlen(rest));
    }
    archive_entry_free(entry);
}

static void take_line(struct packing *packing, char *line)
{
    if (line[0] == '!' && packing->patches < GIQ_COUNT(packing->patch)) {
        char *end = NULL;
        struct patch *patch = &packing->patch[packing->patches++];
        patch->at = strtol(line + 1, &end, 10);
        patch->value = strtol(end, NULL, 10);
    } else if (strchr("fdshp", line[0]) != NULL && line[0] != '\0') {
        size_t len = strcspn(line, "|");
        const char *rest = line[len] == '|' ? line + len + 1 : "";
        line[len] = '\0';
        add_member(packing, line[0], line + 1, rest);
    }
}

static void end(struct packing *packing)
{
    (void)archive_write_close(packing->out);
    (void)archive_write_free(packing->out);
    for (size_t i = 0; i < packing->patches; i++) {
        long at = packing->patch[i].at;
        at += at < 0 ? (long)packing->len : 0;
        if (at >= 0 && (size_t)at < packing->len) {
            packing->bytes[at] = (char)packing->patch[i].value;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *rest = text;
    const char *first = fuzz_line(&rest);
    int letter = first == NULL ? 'z' : first[0];
    enum giq_archive_kind kind = letter == 't'   ? GIQ_ARCHIVE_TAR
                                 : letter == 'g' ? GIQ_ARCHIVE_TAR_GZ
                                                 : GIQ_ARCHIVE_ZIP;
    struct packing packing = {.len = 0};
    begin(&packing, kind);
    for (char *line = NULL; (line = fuzz_line(&rest)) != NULL;) {
        take_line(&packing, line);
    }
    end(&packing);
    unpacking_check(kind, packing.bytes, packing.len);
    free(packing.bytes);
    free(text);
    return 0;
}
