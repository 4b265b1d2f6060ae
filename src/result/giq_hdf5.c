#include "giq/external.h"

#include <string.h>

#include "base/giq_error.h"
#include "result/giq_h5file.h"
#include "result/giq_h5heap.h"

static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};

/* Parts of a file that are to be looked at. */
enum part_kind {
    OBJECT,   /* the header of an object */
    MESSAGES, /* its continuation: how long, and the form of its messages */
    NODE,     /* of the tree of an old group: names, or a list of entries */
    LINKS,    /* of a big new group: `address` of the heap, and of a tree */
};

/* The form of an object header's messages. */
enum form { OLD = 1, NEW = 2, NEW_NUMBERED = 3 };

static bool fail_named(struct giq_h5file *file, const char *how)
{
    return giq_fail(
        file->err, GIQ_E_RESULT,
        "the result names another file (%s), which could be any file of yours, "
        "and is refused",
        how);
}

static bool add(struct giq_h5file *file, enum part_kind kind, uint64_t address,
                uint64_t more, uint64_t form)
{
    return giq_h5file_add(file, &(struct giq_h5part){(int)kind, address, {more, form}});
}

/* ---- messages ---- */

static bool read_link(void *ctx, struct giq_h5at at)
{
    enum { HAS_TYPE = 8, HAS_ORDER = 4, HAS_CHARSET = 16, LEN = 3, KNOWN = 31 };
    enum { HARD = 0, SOFT = 1 };
    struct giq_h5file *file = ctx;
    uint64_t version = giq_h5file_number(&at, 1);
    unsigned flags = (unsigned)giq_h5file_number(&at, 1);
    uint64_t type = flags & HAS_TYPE ? giq_h5file_number(&at, 1) : HARD;
    giq_h5file_skip(&at, (flags & HAS_ORDER ? 8u : 0u) + (flags & HAS_CHARSET ? 1u : 0u));
    uint64_t name_len = giq_h5file_number(&at, 1u << (flags & LEN));
    giq_h5file_skip(&at, name_len);
    uint64_t address = type == HARD ? giq_h5file_address(&at) : GIQ_H5_NOWHERE;
    if (version != 1 || (flags & ~(unsigned)KNOWN) != 0 || at.bad) {
        return giq_h5file_lost(file);
    }
    if (type == HARD) {
        return add(file, OBJECT, address, 0, 0);
    }
    return type == SOFT || fail_named(file, "an external link");
}

/* What a group says of its links. */
static bool read_group(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    enum { TRACKS_ORDER = 1, HAS_ORDER_TREE = 2, KNOWN = 3 };
    (void)form;
    uint64_t version = giq_h5file_number(&at, 1);
    unsigned flags = (unsigned)giq_h5file_number(&at, 1);
    giq_h5file_skip(&at, flags & TRACKS_ORDER ? 8 : 0);
    uint64_t heap = giq_h5file_address(&at);
    uint64_t names = giq_h5file_address(&at);
    uint64_t order = flags & HAS_ORDER_TREE ? giq_h5file_address(&at) : GIQ_H5_NOWHERE;
    if (version != 0 || (flags & ~(unsigned)KNOWN) != 0 || at.bad) {
        return giq_h5file_lost(file);
    }
    return heap == GIQ_H5_NOWHERE ||
           (add(file, LINKS, heap, names, 0) &&
            (order == GIQ_H5_NOWHERE || add(file, LINKS, heap, order, 0)));
}

static bool read_small_link(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    (void)form;
    return read_link(file, at);
}

static bool read_external(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    (void)at;
    (void)form;
    return fail_named(file, "external storage");
}

static bool read_layout(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    enum { CLASS_FIRST = 3, VIRTUAL = 3 };
    (void)form;
    uint64_t version = giq_h5file_number(&at, 1);
    bool is_virtual = version >= CLASS_FIRST && giq_h5file_number(&at, 1) == VIRTUAL;
    return !is_virtual || fail_named(file, "a virtual dataset");
}

static bool read_continuation(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    uint64_t address = giq_h5file_address(&at);
    uint64_t len = giq_h5file_length(&at);
    return at.bad ? giq_h5file_lost(file)
                  : add(file, MESSAGES, address, len, (uint64_t)form);
}

static bool read_old_group(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    (void)form;
    uint64_t tree = giq_h5file_address(&at);
    return at.bad ? giq_h5file_lost(file) : add(file, NODE, tree, 0, 0);
}

/* Readers would believe a copy of other parts of the file that lies elsewhere. */
static bool read_cache_image(struct giq_h5file *file, struct giq_h5at at, enum form form)
{
    (void)at;
    (void)form;
    return giq_h5file_lost(file);
}

static bool read_message(struct giq_h5file *file, uint64_t type, struct giq_h5at at,
                         enum form form)
{
    static const struct {
        uint64_t type;
        bool (*read)(struct giq_h5file *file, struct giq_h5at at, enum form form);
    } readers[] = {
        {0x02, read_group},       {0x06, read_small_link},   {0x07, read_external},
        {0x08, read_layout},      {0x10, read_continuation}, {0x11, read_old_group},
        {0x18, read_cache_image},
    };
    for (size_t i = 0; i < GIQ_COUNT(readers); i++) {
        if (readers[i].type == type) {
            return readers[i].read(file, at, form);
        }
    }
    return true;
}

static bool read_messages(struct giq_h5file *file, struct giq_h5at at, uint64_t len,
                          enum form form)
{
    const unsigned head_len = form == OLD ? 8 : form == NEW ? 4 : 6;
    uint64_t end = at.at + len;
    while (!at.bad && end - at.at >= head_len) {
        uint64_t type = giq_h5file_number(&at, form == OLD ? 2 : 1);
        uint64_t size = giq_h5file_number(&at, 2);
        giq_h5file_skip(&at, form == OLD ? 4 : form == NEW ? 1 : 3);
        if (at.bad || size > end - at.at) {
            return giq_h5file_lost(file);
        }
        if (!read_message(file, type, at, form)) {
            return false;
        }
        giq_h5file_skip(&at, size);
    }
    return !at.bad || giq_h5file_lost(file);
}

/* ---- parts ---- */

static bool visit_old_object(struct giq_h5file *file, struct giq_h5at at)
{
    enum { BEFORE_LEN = 1 + 1 + 2 + 4, AFTER_LEN = 4 };
    giq_h5file_skip(&at, BEFORE_LEN);
    uint64_t len = giq_h5file_number(&at, 4);
    giq_h5file_skip(&at, AFTER_LEN);
    return read_messages(file, at, len, OLD);
}

static bool visit_object(struct giq_h5file *file, const struct giq_h5part *part)
{
    enum { LEN = 3, NUMBERED = 4, HAS_LIMITS = 16, HAS_TIMES = 32 };
    struct giq_h5at at = giq_h5file_go(file, part->address);
    struct giq_h5at old = at;
    if (giq_h5file_number(&old, 1) == 1) {
        return visit_old_object(file, at);
    }
    if (!giq_h5file_is(&at, "OHDR") || giq_h5file_number(&at, 1) != 2) {
        return giq_h5file_lost(file);
    }
    unsigned flags = (unsigned)giq_h5file_number(&at, 1);
    giq_h5file_skip(&at, (flags & HAS_TIMES ? 16u : 0u) + (flags & HAS_LIMITS ? 4u : 0u));
    uint64_t len = giq_h5file_number(&at, 1u << (flags & LEN));
    return read_messages(file, at, len, flags & NUMBERED ? NEW_NUMBERED : NEW);
}

static bool visit_messages(struct giq_h5file *file, const struct giq_h5part *part)
{
    enum { SIGNATURE_LEN = 4, CHECKSUM_LEN = 4 };
    struct giq_h5at at = giq_h5file_go(file, part->address);
    enum form form = (enum form)part->more[1];
    uint64_t len = part->more[0];
    if (form == OLD) {
        return read_messages(file, at, len, form);
    }
    if (!giq_h5file_is(&at, "OCHK") || len < SIGNATURE_LEN + CHECKSUM_LEN) {
        return giq_h5file_lost(file);
    }
    return read_messages(file, at, len - SIGNATURE_LEN - CHECKSUM_LEN, form);
}

enum entry_of { OF_GROUP, OF_SUPERBLOCK };

/* An entry of an old group, or that of the root, which is never a soft link. */
static bool read_entry(struct giq_h5file *file, struct giq_h5at *at, enum entry_of of)
{
    enum { CACHES_TREE = 1, SOFT = 2, CACHE_LEN = 16 };
    giq_h5file_skip(at, file->length_len);
    uint64_t header = giq_h5file_address(at);
    uint64_t cached = giq_h5file_number(at, 4);
    giq_h5file_skip(at, 4);
    struct giq_h5at cache = *at;
    uint64_t tree = giq_h5file_address(&cache);
    giq_h5file_skip(at, CACHE_LEN);
    if (at->bad) {
        return giq_h5file_lost(file);
    }
    bool is_soft = cached == SOFT && of == OF_GROUP;
    return (is_soft || add(file, OBJECT, header, 0, 0)) &&
           (cached != CACHES_TREE || add(file, NODE, tree, 0, 0));
}

static bool visit_entries(struct giq_h5file *file, struct giq_h5at at)
{
    bool known = giq_h5file_number(&at, 1) == 1;
    giq_h5file_skip(&at, 1);
    uint64_t count = giq_h5file_number(&at, 2);
    for (uint64_t i = 0; known && i < count; i++) {
        if (!read_entry(file, &at, OF_GROUP)) {
            return false;
        }
    }
    return (known && !at.bad) || giq_h5file_lost(file);
}

static bool visit_node(struct giq_h5file *file, const struct giq_h5part *part)
{
    struct giq_h5at at = giq_h5file_go(file, part->address);
    struct giq_h5at entries = at;
    if (giq_h5file_is(&entries, "SNOD")) {
        return visit_entries(file, entries);
    }
    bool known = giq_h5file_is(&at, "TREE") && giq_h5file_number(&at, 1) == 0;
    giq_h5file_skip(&at, 1);
    uint64_t count = giq_h5file_number(&at, 2);
    /* Two siblings, then children, each behind a key. */
    for (uint64_t i = 0; known && !at.bad && i < 2 + count; i++) {
        giq_h5file_skip(&at, i < 2 ? 0 : file->length_len);
        uint64_t other = giq_h5file_address(&at);
        if (!at.bad && other != GIQ_H5_NOWHERE && !add(file, NODE, other, 0, 0)) {
            return false;
        }
    }
    return (known && !at.bad) || giq_h5file_lost(file);
}

static bool visit_links(struct giq_h5file *file, const struct giq_h5part *part)
{
    return giq_h5heap_each(file, part->address, part->more[0], read_link, file);
}

/* ---- the whole ---- */

static bool is_len(unsigned len)
{
    return len == 2 || len == 4 || len == 8;
}

/* Where the root group's header is, and that of the superblock's extension, go onto
 * the list. */
static bool read_superblock(struct giq_h5file *file)
{
    struct giq_h5at at = giq_h5file_go(file, 0);
    giq_h5file_skip(&at, sizeof signature);
    uint64_t version = giq_h5file_number(&at, 1);
    bool is_old = version < 2;
    giq_h5file_skip(&at, is_old ? 4 : 0);
    file->address_len = (unsigned)giq_h5file_number(&at, 1);
    file->length_len = (unsigned)giq_h5file_number(&at, 1);
    if (version > 3 || !is_len(file->address_len) || !is_len(file->length_len)) {
        return giq_h5file_lost(file);
    }
    /* Ranks of trees and flags; the base address, which readers correct. */
    giq_h5file_skip(&at, version == 0 ? 9 : version == 1 ? 13 : 1);
    (void)giq_h5file_address(&at);
    uint64_t extension = giq_h5file_address(&at);
    (void)giq_h5file_address(&at);
    bool ok = extension == GIQ_H5_NOWHERE || add(file, OBJECT, extension, 0, 0);
    if (is_old) {
        (void)giq_h5file_address(&at);
        return ok && read_entry(file, &at, OF_SUPERBLOCK);
    }
    uint64_t root = giq_h5file_address(&at);
    return ok && (at.bad ? giq_h5file_lost(file) : add(file, OBJECT, root, 0, 0));
}

static bool visit_all(struct giq_h5file *file)
{
    static bool (*const visits[])(struct giq_h5file * file,
                                  const struct giq_h5part *part) = {
        [OBJECT] = visit_object,
        [MESSAGES] = visit_messages,
        [NODE] = visit_node,
        [LINKS] = visit_links,
    };
    for (size_t i = 0; i < file->part_count; i++) {
        const struct giq_h5part part = file->part[i];
        if (!visits[part.kind](file, &part)) {
            return false;
        }
    }
    return true;
}

/* Find the superblock, which may stand behind a block of the user's. */
static bool find_superblock(struct giq_h5file *file, bool *out_found)
{
    const struct giq_hdf5_source *source = file->source;
    unsigned char bytes[sizeof signature];
    *out_found = false;
    for (uint64_t at = 0; at + sizeof bytes <= source->size;
         at = at == 0 ? 512 : at * 2) {
        if (!source->read(source->ctx, at, bytes, sizeof bytes)) {
            return giq_h5file_lost(file);
        }
        if (memcmp(bytes, signature, sizeof bytes) == 0) {
            file->base = at;
            *out_found = true;
            return true;
        }
    }
    return true;
}

bool giq_hdf5_check(const struct giq_hdf5_source *source, struct giq_error *err)
{
    struct giq_h5file file = {.source = source, .err = err};
    bool found = false;
    bool ok = find_superblock(&file, &found) &&
              (!found || (read_superblock(&file) && visit_all(&file)));
    giq_h5file_release(&file);
    return ok;
}
