/*
 * Faults on demand, so that clients can be tested against them. A fault is written
 *
 *   <call>:<kind>[=<value>][,retry-after=<seconds>][@<first>[-<last>]]
 *
 * where <call> is models, run, status, download, upload, collections, items (of a
 * collection), item or search, and `@` limits it to the
 * n-th requests of that call, counted from when the fault was set. The kinds:
 *
 *   status=<code>    answer with this status and do nothing
 *   body=<text>      answer with this text and do nothing
 *   lost             do the work, then close the connection without a response
 *   reset-before     close the connection before the body is read
 *   reset-after      close it after the body was read, and do nothing
 *   late=<seconds>   do the work and answer after this time
 *   hang             never answer
 *   state=<word>     report this state of a job
 *   cut=<bytes>      end a download after so many bytes
 *   odd=<words>      an odd response of the last four calls, see odd.h
 *
 * Thread-safe.
 */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_STATUS,
    FAULT_BODY,
    FAULT_LOST,
    FAULT_RESET_BEFORE,
    FAULT_RESET_AFTER,
    FAULT_LATE,
    FAULT_HANG,
    FAULT_STATE,
    FAULT_CUT,
    FAULT_ODD,
};

enum { FAULT_TEXT_SIZE = 1024 };

struct fault {
    enum fault_kind kind;
    double number;              /* status, seconds or bytes */
    double retry_after;         /* seconds, below 0: none */
    char text[FAULT_TEXT_SIZE]; /* of FAULT_BODY, FAULT_STATE and FAULT_ODD */
    unsigned odd;               /* enum odd, of FAULT_ODD */
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *faults);

/* Set one more. False where it cannot be read. */
bool faults_add(struct faults *faults, const char *spec);

/* Forget all, and set those of a JSON list of texts. False, and nothing is changed,
 * where one cannot be read. */
bool faults_replace(struct faults *faults, const char *json);

/* Count a request for `call`, and return its fault. */
struct fault faults_take(struct faults *faults, const char *call);

#endif
