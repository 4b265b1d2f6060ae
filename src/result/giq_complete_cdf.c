/*
 * netCDF in its classic formats (CDF-1, CDF-2, CDF-5): every variable must lie in the
 * file. HDF5: its superblock says where the file ends.
 */
#include "result/giq_bounds.h"

#include <stdlib.h>

/* ---- netCDF ---- */

enum { DIMENSIONS_MAX = 65536, PARTS_MAX = 1 << 20 };

struct cdf {
    struct giq_bounds *file;
    uint64_t at;     /* of what is read next */
    unsigned count;  /* bytes of a count: 4, in CDF-5 8 */
    unsigned offset; /* bytes of a position: 4, else 8 */
    uint64_t *dimension;
    uint64_t dimensions;
    uint64_t records;
    bool is_streamed;       /* the number of records is not told */
    uint64_t record_len;    /* of all variables together */
    uint64_t record_parts;  /* variables that have records */
    uint64_t record_end;    /* of the first record */
    uint64_t last_unpadded; /* length of a record of the last such variable */
};

static uint64_t take(struct cdf *cdf, unsigned len)
{
    uint64_t number = giq_bounds_number(cdf->file, cdf->at, len);
    cdf->at += len;
    return number;
}

static uint64_t padded(uint64_t len)
{
    return (len + 3) & ~UINT64_C(3);
}

/* Sizes and positions beyond this are no file's. */
static bool is_too_large(struct cdf *cdf, uint64_t number)
{
    if (number > UINT64_MAX >> 8) {
        giq_bounds_stop(cdf->file);
        return true;
    }
    return false;
}

static void skip(struct cdf *cdf, uint64_t len)
{
    if (!is_too_large(cdf, len) && giq_bounds_need(cdf->file, cdf->at, padded(len))) {
        cdf->at += padded(len);
    }
}

static unsigned size_of_type(uint64_t type)
{
    static const unsigned char sizes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

/* The head of a list: how many items it has. */
static uint64_t take_list(struct cdf *cdf, uint64_t tag)
{
    uint64_t found = take(cdf, 4);
    uint64_t count = take(cdf, cdf->count);
    if (count > PARTS_MAX || (found != tag && (found != 0 || count != 0))) {
        giq_bounds_stop(cdf->file);
        return 0;
    }
    return count;
}

static void take_dimensions(struct cdf *cdf)
{
    enum { TAG = 10 };
    uint64_t count = take_list(cdf, TAG);
    if (count > DIMENSIONS_MAX || cdf->file->stop) {
        giq_bounds_stop(cdf->file);
        return;
    }
    cdf->dimension = calloc(count + 1, sizeof *cdf->dimension);
    if (cdf->dimension == NULL) {
        cdf->file->failed = cdf->file->stop = true;
        (void)giq_fail_memory(cdf->file->err);
        return;
    }
    cdf->dimensions = count;
    for (uint64_t i = 0; i < count && !cdf->file->stop; i++) {
        skip(cdf, take(cdf, cdf->count));
        cdf->dimension[i] = take(cdf, cdf->count);
    }
}

static void skip_attributes(struct cdf *cdf)
{
    enum { TAG = 12 };
    uint64_t count = take_list(cdf, TAG);
    for (uint64_t i = 0; i < count && !cdf->file->stop; i++) {
        skip(cdf, take(cdf, cdf->count));
        uint64_t type = take(cdf, 4);
        uint64_t values = take(cdf, cdf->count);
        if (!is_too_large(cdf, values)) {
            skip(cdf, values * size_of_type(type));
        }
    }
}

/* The values of a variable, or of one record of it. */
static uint64_t take_shape(struct cdf *cdf, bool *out_has_records)
{
    uint64_t values = 1;
    uint64_t count = take(cdf, cdf->count);
    *out_has_records = false;
    for (uint64_t i = 0; i < count && !cdf->file->stop; i++) {
        uint64_t id = take(cdf, cdf->count);
        if (id >= cdf->dimensions) {
            giq_bounds_stop(cdf->file);
            break;
        }
        uint64_t len = cdf->dimension[id];
        if (i == 0 && len == 0) {
            *out_has_records = true;
        } else if (len != 0 && values > (UINT64_MAX >> 12) / len) {
            giq_bounds_stop(cdf->file);
        } else {
            values *= len;
        }
    }
    return values;
}

static void take_variable(struct cdf *cdf)
{
    bool has_records = false;
    skip(cdf, take(cdf, cdf->count));
    uint64_t values = take_shape(cdf, &has_records);
    skip_attributes(cdf);
    uint64_t len = values * size_of_type(take(cdf, 4));
    (void)take(cdf, cdf->count);
    uint64_t at = take(cdf, cdf->offset);
    if (cdf->file->stop || is_too_large(cdf, at) || is_too_large(cdf, len)) {
        return;
    }
    if (!has_records) {
        (void)giq_bounds_need(cdf->file, at, len);
        return;
    }
    cdf->record_len += padded(len);
    cdf->record_parts++;
    cdf->last_unpadded = len;
    cdf->record_end = at + len > cdf->record_end ? at + len : cdf->record_end;
}

/* The last record must lie in the file. Where one variable alone has records, these are
 * not padded. */
static void check_records(struct cdf *cdf)
{
    uint64_t len = cdf->record_parts == 1 ? cdf->last_unpadded : cdf->record_len;
    if (cdf->file->stop || cdf->records == 0 || cdf->is_streamed || len == 0) {
        return;
    }
    uint64_t most = (UINT64_MAX >> 1) / len;
    if (cdf->records < most) {
        (void)giq_bounds_need(cdf->file, cdf->record_end, (cdf->records - 1) * len);
    }
}

static void check_classic(struct cdf *cdf, unsigned version)
{
    enum { TAG_VARIABLE = 11 };
    cdf->count = version == 5 ? 8 : 4;
    cdf->offset = version == 1 ? 4 : 8;
    cdf->at = 4;
    cdf->records = take(cdf, cdf->count);
    cdf->is_streamed = cdf->records == UINT64_MAX >> (64 - 8 * cdf->count);
    take_dimensions(cdf);
    skip_attributes(cdf);
    uint64_t count = take_list(cdf, TAG_VARIABLE);
    for (uint64_t i = 0; i < count && !cdf->file->stop; i++) {
        take_variable(cdf);
    }
    check_records(cdf);
}

void giq_complete_netcdf(struct giq_bounds *file)
{
    file->order = GIQ_BOUNDS_BIG;
    if (!giq_bounds_is(file, 0, "CDF", 3)) {
        giq_complete_hdf5(file);
        return;
    }
    struct cdf cdf = {.file = file};
    check_classic(&cdf, (unsigned)giq_bounds_number(file, 3, 1));
    free(cdf.dimension);
}

/* ---- HDF5 ---- */

void giq_complete_hdf5(struct giq_bounds *file)
{
    file->order = GIQ_BOUNDS_LITTLE;
    uint64_t version = giq_bounds_number(file, 8, 1);
    unsigned len = (unsigned)giq_bounds_number(file, version < 2 ? 13 : 9, 1);
    uint64_t flags = version < 2 ? 0 : giq_bounds_number(file, 11, 1);
    static const unsigned char bases[] = {24, 28, 12, 12};
    /* One that is still being written may be longer than it says, or shorter. */
    if (version >= sizeof bases || (len != 4 && len != 8) || flags != 0) {
        return;
    }
    uint64_t at = bases[version];
    uint64_t base = giq_bounds_number(file, at, len);
    uint64_t end = giq_bounds_number(file, at + 2 * (uint64_t)len, len);
    uint64_t driver =
        version < 2 ? giq_bounds_number(file, at + 3 * (uint64_t)len, len) : UINT64_MAX;
    /* A driver of its own may spread it over several files. */
    bool is_alone = driver >= UINT64_MAX >> (64 - 8 * len);
    if (!file->stop && base == 0 && is_alone) {
        (void)giq_bounds_need(file, 0, end);
    }
}
