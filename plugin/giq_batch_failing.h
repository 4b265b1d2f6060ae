/*
 * Batches of which a source failed to open a moment ago. GDAL's union of layers leaves
 * out a source that does not open and goes on with the next one, so the error would be
 * lost. If all sources after it fail too, the union ends with an error, and programs such
 * as ogr2ogr fail. Thread-safe.
 */
#ifndef GIQ_BATCH_FAILING_H
#define GIQ_BATCH_FAILING_H

#include <stdbool.h>

/* How long after a failure further sources fail; each of these failures restarts the
 * time. */
enum { GIQ_BATCH_FAILING_MS = 5000 };

/* Note that a source of the batch failed to open. */
void giq_batch_failing_note(const char *batch);

/* Whether a source that is opened now must fail. If so, sets the last error of GDAL, and
 * prints nothing: the first failure was printed. */
bool giq_batch_failing_check(const char *batch);

/* Forget the failures of a batch, which is opened again. */
void giq_batch_failing_forget(const char *batch);

#endif
