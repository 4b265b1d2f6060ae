#include "result/giq_h5file.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_error.h"

/* More than any file that a reader could open in reasonable time. */
enum { READS_MAX = 5000000, PARTS_MAX = 1000000 };

bool giq_h5file_lost(struct giq_h5file *file)
{
    return giq_fail(file->err, GIQ_E_RESULT,
                    "the result is an HDF5 file that cannot be followed to its end, so "
                    "what it names is not known, and is refused");
}

/* ---- reading ---- */

/* Make the window hold `len` bytes at `at`, which lie in the file. */
static bool look(struct giq_h5file *file, uint64_t at, size_t len)
{
    uint64_t rest = file->source->size - at;
    if (at >= file->window_at && at - file->window_at + len <= file->window_len) {
        return true;
    }
    file->window_at = at;
    file->window_len = 0;
    size_t window_len = rest < sizeof file->window ? (size_t)rest : sizeof file->window;
    if (!file->source->read(file->source->ctx, at, file->window, window_len)) {
        return false;
    }
    file->window_len = window_len;
    return true;
}

struct giq_h5at giq_h5file_go(struct giq_h5file *file, uint64_t address)
{
    uint64_t room = file->source->size - file->base;
    return address < room ? (struct giq_h5at){file, file->base + address, false}
                          : (struct giq_h5at){file, 0, true};
}

uint64_t giq_h5file_number(struct giq_h5at *at, unsigned len)
{
    struct giq_h5file *file = at->file;
    uint64_t size = file->source->size;
    if (at->bad || at->at > size || size - at->at < len || file->reads++ > READS_MAX ||
        !look(file, at->at, len)) {
        at->bad = true;
        return 0;
    }
    const unsigned char *bytes = file->window + (at->at - file->window_at);
    uint64_t number = 0;
    for (unsigned i = len; i > 0; i--) {
        number = number << 8 | bytes[i - 1];
    }
    at->at += len;
    return number;
}

uint64_t giq_h5file_address(struct giq_h5at *at)
{
    unsigned len = at->file->address_len;
    uint64_t address = giq_h5file_number(at, len);
    return address == UINT64_MAX >> (64 - 8 * len) ? GIQ_H5_NOWHERE : address;
}

uint64_t giq_h5file_length(struct giq_h5at *at)
{
    return giq_h5file_number(at, at->file->length_len);
}

void giq_h5file_skip(struct giq_h5at *at, uint64_t len)
{
    uint64_t size = at->file->source->size;
    at->bad = at->bad || at->at > size || size - at->at < len;
    at->at += at->bad ? 0 : len;
}

bool giq_h5file_is(struct giq_h5at *at, const char *signature)
{
    bool same = true;
    for (unsigned i = 0; i < 4; i++) {
        same = giq_h5file_number(at, 1) == (unsigned char)signature[i] && same;
    }
    return same && !at->bad;
}

/* ---- the list ---- */

static uint64_t hash_of(const struct giq_h5part *part)
{
    const uint64_t words[] = {(uint64_t)part->kind, part->address, part->more[0],
                              part->more[1]};
    uint64_t hash = 0;
    for (size_t i = 0; i < GIQ_COUNT(words); i++) {
        hash = (hash ^ words[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

static bool is_same(const struct giq_h5part *a, const struct giq_h5part *b)
{
    return a->kind == b->kind && a->address == b->address && a->more[0] == b->more[0] &&
           a->more[1] == b->more[1];
}

/* Where a part is in the hash table, or would be. */
static uint32_t *find(struct giq_h5file *file, const struct giq_h5part *part)
{
    size_t at = (size_t)hash_of(part) & (file->slot_count - 1);
    while (file->slot[at] != 0 && !is_same(&file->part[file->slot[at] - 1], part)) {
        at = (at + 1) & (file->slot_count - 1);
    }
    return &file->slot[at];
}

/* Double the room; the hash table is never more than half full. */
static bool grow(struct giq_h5file *file)
{
    size_t room = file->part_room == 0 ? 64 : file->part_room * 2;
    struct giq_h5part *part = realloc(file->part, room * sizeof *part);
    if (part == NULL) {
        return giq_fail_memory(file->err);
    }
    file->part = part;
    file->part_room = room;
    uint32_t *slot = calloc(room * 2, sizeof *slot);
    if (slot == NULL) {
        return giq_fail_memory(file->err);
    }
    free(file->slot);
    file->slot = slot;
    file->slot_count = room * 2;
    for (size_t i = 0; i < file->part_count; i++) {
        *find(file, &file->part[i]) = (uint32_t)i + 1;
    }
    return true;
}

bool giq_h5file_add(struct giq_h5file *file, const struct giq_h5part *part)
{
    if (file->part_count == file->part_room && !grow(file)) {
        return false;
    }
    uint32_t *slot = find(file, part);
    if (*slot != 0) {
        return true;
    }
    if (file->part_count == PARTS_MAX) {
        return giq_h5file_lost(file);
    }
    file->part[file->part_count++] = *part;
    *slot = (uint32_t)file->part_count;
    return true;
}

void giq_h5file_release(struct giq_h5file *file)
{
    free(file->part);
    free(file->slot);
}
