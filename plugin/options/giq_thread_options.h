/*
 * Options that are set for one thread only, or for a time. GDAL's thread-local
 * configuration is not seen by the other threads of a program, and ends with the block
 * that set it: what is opened without it would go to another service, another store or
 * another account, and be paid for again. Thread-safe.
 */
#ifndef GIQ_THREAD_OPTIONS_H
#define GIQ_THREAD_OPTIONS_H

#include "options/giq_reader.h"

/* Note which options this thread has for itself, and in the configuration being read
 * which have no value. Called once BASE_URL is known. */
void giq_thread_options_read(struct giq_reader *reader);

/* GIQ_E_USAGE where an option that decides where a job goes, whether it may be started
 * or who pays has no value in this open, and a thread, this one or another, had one for
 * itself. */
bool giq_thread_options_check(const struct giq_config *config, struct giq_error *err);

/* GIQ_E_CREDENTIALS where that is so of the key; otherwise true. */
bool giq_thread_options_check_key(const struct giq_config *config, struct giq_error *err);

#endif
