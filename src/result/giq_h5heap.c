#include "result/giq_h5heap.h"

/* Kinds of version 2 B-trees. */
enum { BIG_INDIRECT = 1, BIG_DIRECT = 3, LINK_NAMES = 5, LINK_ORDER = 6 };

/* Bytes of a heap's id in the trees of links, and levels of a tree: a real one has
 * five at most. */
enum { ID_LEN = 7, DEPTH_MAX = 8 };

struct heap {
    struct giq_h5file *file;
    bool (*each)(void *ctx, struct giq_h5at at);
    void *ctx;
    unsigned offset_len; /* bytes of an offset in the heap */
    uint64_t big_tree;   /* of objects outside the blocks */
    /* The doubling table of blocks: rows of `width`. */
    uint64_t first_size;     /* of a block in the first two rows */
    uint64_t root;           /* address of the block, or of the table of blocks */
    uint64_t first_row_size; /* of the first row's blocks together */
    uint64_t width;          /* blocks in a row */
    unsigned root_rows;      /* 0: the root is a block */
    unsigned direct_rows;    /* rows of blocks; those below are of tables */
};

static unsigned log2_of(uint64_t number)
{
    unsigned log = 0;
    while (number >>= 1) {
        log++;
    }
    return log;
}

static unsigned bytes_for(uint64_t number)
{
    return log2_of(number) / 8 + 1;
}

static bool is_power(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0 && number <= UINT32_MAX;
}

/* ---- the heap ---- */

/* The doubling table, at the end of the heap's header. */
static bool read_table(struct heap *heap, struct giq_h5at *at)
{
    heap->width = giq_h5file_number(at, 2);
    heap->first_size = giq_h5file_length(at);
    uint64_t last_size = giq_h5file_length(at);
    unsigned index_bits = (unsigned)giq_h5file_number(at, 2);
    giq_h5file_skip(at, 2);
    heap->root = giq_h5file_address(at);
    heap->root_rows = (unsigned)giq_h5file_number(at, 2);
    if (at->bad || !is_power(heap->width) || !is_power(heap->first_size) ||
        !is_power(last_size) || last_size < heap->first_size || index_bits == 0 ||
        index_bits > 64) {
        return giq_h5file_lost(heap->file);
    }
    heap->first_row_size = heap->first_size * heap->width;
    heap->direct_rows = log2_of(last_size) - log2_of(heap->first_size) + 2;
    heap->offset_len = (index_bits + 7) / 8;
    return true;
}

static bool read_heap(struct heap *heap, uint64_t address)
{
    struct giq_h5at at = giq_h5file_go(heap->file, address);
    bool known = giq_h5file_is(&at, "FRHP") && giq_h5file_number(&at, 1) == 0;
    uint64_t id_len = giq_h5file_number(&at, 2);
    uint64_t filter_len = giq_h5file_number(&at, 2);
    /* Flags, the size of the biggest object in a block, the next big one's id. */
    giq_h5file_skip(&at, 1 + 4 + heap->file->length_len);
    heap->big_tree = giq_h5file_address(&at);
    /* Free space and where it is listed; eight statistics. */
    giq_h5file_skip(&at, heap->file->address_len + 9 * heap->file->length_len);
    if (!known || id_len != ID_LEN || filter_len != 0) {
        return giq_h5file_lost(heap->file);
    }
    return read_table(heap, &at);
}

/* The head of a block or of a table of blocks; its place in the heap's own count. */
static bool read_block(struct heap *heap, struct giq_h5at *at, const char *signature,
                       uint64_t *out_offset)
{
    bool known = giq_h5file_is(at, signature) && giq_h5file_number(at, 1) == 0;
    (void)giq_h5file_address(at);
    *out_offset = giq_h5file_number(at, heap->offset_len);
    return (known && !at->bad) || giq_h5file_lost(heap->file);
}

/* Go down one table: `*address` becomes that of the entry for `offset`, `*row` the
 * entry's. Readers believe what a table says of its own start, but for the root's. */
static bool go_down(struct heap *heap, uint64_t *address, uint64_t offset, unsigned *row)
{
    uint64_t start = 0;
    struct giq_h5at at = giq_h5file_go(heap->file, *address);
    bool is_root = *address == heap->root;
    if (!read_block(heap, &at, "FHIB", &start)) {
        return false;
    }
    offset -= is_root ? 0 : start;
    uint64_t col = offset / heap->first_size;
    *row = 0;
    if (offset >= heap->first_row_size) {
        unsigned high = log2_of(offset);
        *row = high - log2_of(heap->first_row_size) + 1;
        col = (offset - (UINT64_C(1) << high)) / (heap->first_size << (*row - 1));
    }
    giq_h5file_skip(&at, (*row * heap->width + col) * heap->file->address_len);
    *address = giq_h5file_address(&at);
    return !at.bad || giq_h5file_lost(heap->file);
}

/* The object at `offset` in the heap's blocks. */
static bool visit_object(struct heap *heap, uint64_t offset)
{
    enum { LEVELS_MAX = 64 };
    uint64_t address = heap->root;
    unsigned row = heap->root_rows == 0 ? 0 : heap->direct_rows;
    for (int level = 0; row >= heap->direct_rows; level++) {
        if (level == LEVELS_MAX) {
            return giq_h5file_lost(heap->file);
        }
        if (!go_down(heap, &address, offset, &row)) {
            return false;
        }
    }
    uint64_t start = 0;
    struct giq_h5at at = giq_h5file_go(heap->file, address);
    if (!read_block(heap, &at, "FHDB", &start)) {
        return false;
    }
    at = giq_h5file_go(heap->file, address);
    giq_h5file_skip(&at, offset - start);
    return heap->each(heap->ctx, at);
}

/* The object that an id tells of. */
static bool visit_id(struct heap *heap, struct giq_h5at *id)
{
    enum { KIND = 0xF0, IN_BLOCK = 0x00, BIG = 0x10, IN_ID = 0x20 };
    const struct giq_h5file *file = heap->file;
    unsigned kind = (unsigned)giq_h5file_number(id, 1) & KIND;
    if (kind == IN_BLOCK) {
        uint64_t offset = giq_h5file_number(id, heap->offset_len);
        return id->bad ? giq_h5file_lost(heap->file) : visit_object(heap, offset);
    }
    if (kind == BIG && file->address_len + file->length_len < ID_LEN) {
        uint64_t address = giq_h5file_address(id);
        return heap->each(heap->ctx, giq_h5file_go(heap->file, address));
    }
    /* Other big objects have their tree, and no link to a file fits into an id. */
    return kind == BIG || kind == IN_ID || giq_h5file_lost(heap->file);
}

/* ---- trees ---- */

struct tree {
    struct heap *heap;
    unsigned type;
    uint64_t record_len;
    unsigned count_len;                /* bytes of the number of records of a node */
    unsigned below_len[DEPTH_MAX + 1]; /* the same of a node and all below, by level */
};

static bool visit_record(const struct tree *tree, struct giq_h5at at)
{
    struct heap *heap = tree->heap;
    if (tree->type == BIG_INDIRECT || tree->type == BIG_DIRECT) {
        uint64_t address = giq_h5file_address(&at);
        return at.bad ? giq_h5file_lost(heap->file)
                      : heap->each(heap->ctx, giq_h5file_go(heap->file, address));
    }
    giq_h5file_skip(&at, tree->type == LINK_NAMES ? 4 : 8);
    return visit_id(heap, &at);
}

static bool visit_node(const struct tree *tree, uint64_t address, uint64_t count,
                       unsigned level) // NOLINT(misc-no-recursion): by DEPTH_MAX
{
    struct giq_h5file *file = tree->heap->file;
    struct giq_h5at at = giq_h5file_go(file, address);
    if (!giq_h5file_is(&at, level == 0 ? "BTLF" : "BTIN") ||
        giq_h5file_number(&at, 1) != 0 || giq_h5file_number(&at, 1) != tree->type) {
        return giq_h5file_lost(file);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (at.bad || !visit_record(tree, at)) {
            return at.bad ? giq_h5file_lost(file) : false;
        }
        giq_h5file_skip(&at, tree->record_len);
    }
    for (uint64_t i = 0; level > 0 && i <= count; i++) {
        uint64_t child = giq_h5file_address(&at);
        uint64_t child_count = giq_h5file_number(&at, tree->count_len);
        giq_h5file_skip(&at, tree->below_len[level - 1]);
        if (at.bad || !visit_node(tree, child, child_count, level - 1)) {
            return at.bad ? giq_h5file_lost(file) : false;
        }
    }
    return true;
}

/* How long the counts in a tree's nodes are, which follows from how many records
 * could be there. */
static bool measure(struct tree *tree, uint64_t node_size, unsigned depth)
{
    enum { NODE_OVERHEAD = 10 };
    struct giq_h5file *file = tree->heap->file;
    if (depth > DEPTH_MAX || tree->record_len == 0 || node_size < NODE_OVERHEAD) {
        return giq_h5file_lost(file);
    }
    uint64_t most = (node_size - NODE_OVERHEAD) / tree->record_len;
    uint64_t below = most;
    tree->count_len = bytes_for(most);
    for (unsigned level = 1; level <= depth; level++) {
        uint64_t pointer =
            file->address_len + tree->count_len + tree->below_len[level - 1];
        if (node_size < NODE_OVERHEAD + pointer || most > UINT16_MAX ||
            below > UINT64_C(1) << 40) {
            return giq_h5file_lost(file);
        }
        most = (node_size - NODE_OVERHEAD - pointer) / (tree->record_len + pointer);
        below = (most + 1) * below + most;
        tree->below_len[level] = bytes_for(below);
    }
    return true;
}

static bool visit_tree(struct heap *heap, uint64_t address, unsigned type,
                       unsigned other_type)
{
    struct tree tree = {.heap = heap};
    struct giq_h5at at = giq_h5file_go(heap->file, address);
    bool known = giq_h5file_is(&at, "BTHD") && giq_h5file_number(&at, 1) == 0;
    tree.type = (unsigned)giq_h5file_number(&at, 1);
    uint64_t node_size = giq_h5file_number(&at, 4);
    tree.record_len = giq_h5file_number(&at, 2);
    unsigned depth = (unsigned)giq_h5file_number(&at, 2);
    giq_h5file_skip(&at, 2);
    uint64_t root = giq_h5file_address(&at);
    uint64_t count = giq_h5file_number(&at, 2);
    if (!known || at.bad || (tree.type != type && tree.type != other_type)) {
        return giq_h5file_lost(heap->file);
    }
    return count == 0 ||
           (measure(&tree, node_size, depth) && visit_node(&tree, root, count, depth));
}

bool giq_h5heap_each(struct giq_h5file *file, uint64_t heap_address, uint64_t tree,
                     bool (*each)(void *ctx, struct giq_h5at at), void *ctx)
{
    struct heap heap = {.file = file, .each = each, .ctx = ctx};
    return read_heap(&heap, heap_address) &&
           visit_tree(&heap, tree, LINK_NAMES, LINK_ORDER) &&
           (heap.big_tree == GIQ_H5_NOWHERE ||
            visit_tree(&heap, heap.big_tree, BIG_INDIRECT, BIG_DIRECT));
}
