/*
 * Reading a record: what job.json states, merged with the tickets and claims in its
 * folder. Takes no lock, and writes nothing.
 *
 * The newest ticket that did not end with "nothing" decides. A record that is about an
 * older one, or is missing, is rebuilt from it. A record that is about a later one, which
 * started no job, is replaced by the earlier record that it keeps. The job of an older
 * ticket counts if no later run request started one.
 *
 * Thread-safe. Errors are GIQ_E_STORE and GIQ_E_MEMORY.
 */
#ifndef GIQ_RECORD_READ_H
#define GIQ_RECORD_READ_H

#include "store/giq_record.h"
#include "store/giq_ticket.h"

/*
 * Read the record in `folder` into `*out`, an initialised record. `request` is the
 * canonical text that must be recorded there; NULL accepts any. Without job.json,
 * and without a ticket that may have started a job, the state is GIQ_JOB_NONE. If
 * job.json is about a further job that was not started, the earlier record is read
 * instead. A record that seems damaged is read up to three times, since another process
 * may be writing or removing it. A job that is published, and was started by the first
 * ticket or by version 0.1, is read without listing the folder.
 *
 * A GIQ_E_STORE error names the file that is damaged, belongs to another request or has a
 * newer format. `out_damaged` may be NULL. On failure `*out_damaged` is true if the
 * content is damaged, so that a further job may replace the record; `*out` then has what
 * the tickets state, and the labels that they use. It is false for a newer format, a file
 * that is too large or not a regular file, a failed system call or lack of memory.
 */
bool giq_record_read(const char *folder, const char *request, struct giq_record *out,
                     bool *out_damaged, struct giq_error *err);

/* The same for any request, and without the summary of the result, which takes most of
 * the time: for a list of many records. Such a record must not be written. */
bool giq_record_read_brief(const char *folder, struct giq_record *out,
                           struct giq_error *err);

/* What a caller knows of the tickets of a folder. */
struct giq_record_tickets {
    int known; /* this one exists, though it may not be listed yet; 0: none is known */
    int below; /* leave out this one and those after it; 0: none */
    /* What it has seen of the newest one, if that has no outcome; NULL: one check decides
     * whether its owner is alive. */
    struct giq_ticket_watch *watch;
};

/* As giq_record_read(), with these tickets. */
bool giq_record_read_with(const char *folder, const char *request,
                          const struct giq_record_tickets *tickets,
                          struct giq_record *out, bool *out_damaged,
                          struct giq_error *err);

#endif
