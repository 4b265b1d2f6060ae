/*
 * Opens by which a program only probes a dataset, and which must not cost a job: those
 * of the program gdal (GDAL 3.11 and later) to complete a word of a shell, to see whether
 * an output exists, and for `gdal dataset identify --detailed`; and those of gdal and
 * ogr2ogr after they could not open an output for update.
 *
 * Usage: giq_probe_is_one() before a request is sent; giq_probe_note_update() when an
 * open for update was refused, after which giq_probe_is_for_writing() returns whether a
 * read-only open of the same name precedes writing. In other programs none of them has an
 * effect.
 *
 * Thread-safe. Nothing is owned, and nothing fails: a command line that cannot be read
 * counts as that of another program.
 */
#ifndef GIQ_PROBE_H
#define GIQ_PROBE_H

#include <stdbool.h>

/* Whether an open in this thread with these GDAL_OF_ flags is a probe. */
bool giq_probe_is_one(unsigned flags);

/* Note that an open of `name`, which is copied, was refused for update. Only the last
 * name is kept. */
void giq_probe_note_update(const char *name);

/* Whether the program writes and was refused an open of this name for update. It then
 * checks that it can read, before it reports that it cannot write. */
bool giq_probe_is_for_writing(const char *name);

#endif
