/*
 * The journal: one JSON line for each request that reached the service, written
 * before its response can have reached the client. Tests count what a user would
 * have paid for in it. Thread-safe.
 */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <cJSON.h>

struct journal;

/* Go on with the file at `path`. NULL where it cannot be opened. */
struct journal *journal_open(const char *path);
void journal_close(struct journal *journal);

/* Number the entry, give it the time, write it as one line. `entry` is borrowed. */
void journal_write(struct journal *journal, cJSON *entry);

#endif
