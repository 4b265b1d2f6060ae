/*
 * The links of a big group of an HDF5 file: messages in a fractal heap, which version
 * 2 B-trees find.
 */
#ifndef GIQ_H5HEAP_H
#define GIQ_H5HEAP_H

#include "result/giq_h5file.h"

/*
 * Call `each` with the place of every link message in the heap at address `heap`
 * that the tree at `tree` finds, or that is too big for the heap's blocks. Ends with
 * the first call that returns false, and its error. Errors: GIQ_E_RESULT for what
 * cannot be followed (a heap with filters, too).
 */
bool giq_h5heap_each(struct giq_h5file *file, uint64_t heap, uint64_t tree,
                     bool (*each)(void *ctx, struct giq_h5at at), void *ctx);

#endif
