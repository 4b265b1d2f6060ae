/*
 * Opens a published result, or a member of one that was an archive. Thread-safe.
 */
#ifndef GIQ_RESULT_OPEN_H
#define GIQ_RESULT_OPEN_H

#include "giq/giq.h"
#include "result/giq_result.h"

/*
 * Open the result as the kind that the caller requested. `*out`, which the caller owns,
 * is a dataset of the driver that reads the file, and its description is the path of the
 * file (with GDAL_OF_SHARED the connection string). Several Shapefiles of one folder are
 * one dataset; for other members, if there are several and not only vectors were
 * requested, it is an empty dataset with SUBDATASETS. Errors: GIQ_E_RESULT
 * (another kind, no driver, external references); GIQ_E_USAGE (a member that does not
 * exist, or several members of which none is named, if only vectors were requested: the
 * message lists them; options that the driver refuses); GIQ_E_STORE; GIQ_E_MEMORY.
 */
bool giq_result_open(const struct giq_result *result, GDALDatasetH *out,
                     struct giq_error *err);

#endif
