/*
 * Detects options that were set for one thread only. GDAL's thread-local configuration is
 * not visible to the other threads of a program and ends with the block that set it: an
 * open without it would use another service, store or account, and pay again.
 * Thread-safe.
 */
#ifndef GIQ_THREAD_OPTIONS_H
#define GIQ_THREAD_OPTIONS_H

#include "options/giq_reader.h"

/*
 * Remember which options are set in this thread's configuration, for all later checks in
 * the process. Returns the options that have no value in this open, as a set for the
 * checks below. The URLs of `reader` must be set.
 */
unsigned giq_thread_options_read(struct giq_reader *reader);

/* Fails with GIQ_E_USAGE if one of the options `unset` was set in the configuration of
 * some thread. Considers only options that decide where a job is sent and recorded,
 * whether it may be started, how much may be spent and who pays. */
bool giq_thread_options_check(unsigned unset, struct giq_error *err);

/* The same for the credentials alone; fails with GIQ_E_CREDENTIALS. */
bool giq_thread_options_check_credentials(unsigned unset, struct giq_error *err);

#endif
