/*
 * Requests whose wait ran into TIMEOUT a short while ago, in this process. A GIS opens
 * a source up to ten times; only the first of them is to wait. Thread-safe.
 */
#ifndef GIQ_RECENT_H
#define GIQ_RECENT_H

#include <stdbool.h>

/* Whether the request `key` of the store at `store_dir` timed out within the last
 * minute. */
bool giq_recent_has(const char *store_dir, const char *key);

/* Note that it did now. */
void giq_recent_note(const char *store_dir, const char *key);

#endif
