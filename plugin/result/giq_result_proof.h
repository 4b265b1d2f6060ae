/*
 * Proof that a published file was checked for external references (giq_references.h): a
 * text that is recorded with the summary of the result. While it is the same, an open
 * need not check again.
 *
 * It names the version of the check, that of GDAL, the driver, and the size and the time
 * of the last change of the file. Thread-safe.
 */
#ifndef GIQ_RESULT_PROOF_H
#define GIQ_RESULT_PROOF_H

#include <stdbool.h>

/* To be raised whenever giq_references_check() or giq_references_check_file() finds more.
 */
enum { GIQ_RESULT_PROOF_VERSION = 1 };

/* The state of the file, to be taken before it is checked; NULL if it is not a regular
 * file. To be freed with CPLFree(). */
char *giq_result_proof_state(const char *path);

/* The proof for a file that the driver with this name opened. To be freed with CPLFree().
 */
char *giq_result_proof(const char *state, const char *driver);

/* Whether the file is now as it was when the proof was made. */
bool giq_result_proof_is_unchanged(const char *proof, const char *path);

/* Whether `proof`, which may be NULL, holds for the file now, and GDAL finds no sidecar
 * beside it: it is alone in its folder. */
bool giq_result_proof_holds(const char *proof, const char *path, const char *driver);

#endif
