/*
 * Leftovers: what killed processes left in the folder of a key, and results that nothing
 * names any more.
 *
 * Locks may lock nothing on a file system that machines share, so the age decides: what
 * was not modified for 10 minutes by the clock of the file server counts as left over.
 * Thread-safe.
 */
#ifndef GIQ_LEFTOVERS_H
#define GIQ_LEFTOVERS_H

enum { GIQ_LEFTOVERS_AGE_MS = 10 * 60 * 1000 };

/*
 * Remove the leftovers in `folder`: parts, folders where a result was checked, temporary
 * files, and results that are named neither by the newest claim nor by the record.
 * `published` is the folder that the record names, as result_folder of struct giq_record.
 * If there are no leftovers the folder is only listed. `access` is bits of enum
 * giq_os_access. Failures are ignored.
 */
void giq_leftovers_remove(const char *folder, unsigned access, const char *published);

#endif
