/*
 * Reading an HDF5 file at its addresses, and the list of its parts that are still to
 * be looked at. Pure but for the reads that a caller lends (struct giq_hdf5_source).
 *
 * Layouts are those of the HDF5 File Format Specification 3.0. Numbers are little
 * endian; how long addresses and lengths are, and where address 0 lies, is told by
 * the superblock.
 *
 * A place (struct giq_h5at) goes bad when it is led out of the file, and then gives
 * zeros: callers look at `bad` once, after the last number they need. A file can be
 * made to lead round and round, so the reads and the parts of one file are counted.
 */
#ifndef GIQ_H5FILE_H
#define GIQ_H5FILE_H

#include "giq/external.h"

/* An address that the file leaves undefined. */
#define GIQ_H5_NOWHERE UINT64_MAX

enum { GIQ_H5_WINDOW = 4096 };

/* A part of the file. One with the same members is looked at once. */
struct giq_h5part {
    int kind; /* the walk's */
    uint64_t address;
    uint64_t more[2]; /* what else the kind needs */
};

struct giq_h5file {
    const struct giq_hdf5_source *source;
    struct giq_error *err;
    uint64_t base;        /* where address 0 lies in the source */
    unsigned address_len; /* bytes of an address: 2, 4, 8 */
    unsigned length_len;  /* bytes of a length: 2, 4, 8 */
    uint64_t reads;       /* so far */
    unsigned char window[GIQ_H5_WINDOW];
    uint64_t window_at;
    size_t window_len;
    struct giq_h5part *part; /* in the order of their finding */
    size_t part_count, part_room;
    uint32_t *slot; /* of a hash table: number of a part and 1, or 0 */
    size_t slot_count;
};

struct giq_h5at {
    struct giq_h5file *file;
    uint64_t at; /* in the source */
    bool bad;
};

/* Release what the list holds. */
void giq_h5file_release(struct giq_h5file *file);

/* The place of an address. */
struct giq_h5at giq_h5file_go(struct giq_h5file *file, uint64_t address);

/* Take what stands at a place: a number of `len` (at most 8) bytes, an address, a
 * length. */
uint64_t giq_h5file_number(struct giq_h5at *at, unsigned len);
uint64_t giq_h5file_address(struct giq_h5at *at);
uint64_t giq_h5file_length(struct giq_h5at *at);
void giq_h5file_skip(struct giq_h5at *at, uint64_t len);

/* Take four bytes; whether they are `signature`. */
bool giq_h5file_is(struct giq_h5at *at, const char *signature);

/* Put a part on the list unless it is or was there. Errors: GIQ_E_MEMORY;
 * GIQ_E_RESULT where there are too many. */
bool giq_h5file_add(struct giq_h5file *file, const struct giq_h5part *part);

/* Set the error of a file that cannot be followed: GIQ_E_RESULT. Returns false. */
bool giq_h5file_lost(struct giq_h5file *file);

#endif
