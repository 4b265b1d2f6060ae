/*
 * GIQ:batch, many requests as one dataset: reads the rows, submits what is missing, waits
 * for all, and hands over their results as one dataset (giq_batch_vrt.h). With wait=no it
 * submits or checks them, and returns a table of their jobs; with SUBMIT=NO too, that is
 * a dry run.
 */
#ifndef GIQ_BATCH_OPEN_H
#define GIQ_BATCH_OPEN_H

#include "giq_job_request.h"

/*
 * Open the batch `args->conn`, of kind GIQ_CONN_BATCH. The caller owns `*out`. For the
 * thread of the session. Errors: GIQ_E_BATCH (rows that are not valid or have failed; no
 * rows), GIQ_E_TIMEOUT, GIQ_E_CREDENTIALS, GIQ_E_CANCELLED, GIQ_E_USAGE (more new jobs
 * than a limit allows), and those of giq_rows_read(), giq_batch_new(),
 * giq_batch_choose_models() and giq_batch_vrt_open().
 */
bool giq_batch_open(struct giq_session *session, const struct giq_job_request_args *args,
                    GDALDatasetH *out, struct giq_error *err);

#endif
