/*
 * Whether an HDF5 file (netCDF-4 is one) names other files, which its readers would
 * then read: external links, external storage, virtual datasets.
 *
 * giq_hdf5_check() is in giq/giq.h. It follows every link from the root group as the
 * HDF5 library does, and looks at the messages of each object; data is not read. What
 * cannot be followed is refused, as it could hide what is looked for: filtered or
 * unknown structures, images of the library's cache, damage.
 */
#ifndef GIQ_HDF5_H
#define GIQ_HDF5_H

#include "giq/giq.h"

#endif
