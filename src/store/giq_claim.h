/*
 * Claims: which result was published first.
 *
 * The file published.<g> in the folder of a key is made by link(2), or by exclusive
 * creation where there are no links: of several opens that fetched the result of one job,
 * on any machine, one makes the claim, and the others use its result. The file is never
 * unlinked; a result that is downloaded again gets the next g.
 *
 * Thread-safe. Errors are GIQ_E_STORE and GIQ_E_MEMORY.
 */
#ifndef GIQ_CLAIM_H
#define GIQ_CLAIM_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "store/giq_exclusive.h"

enum { GIQ_CLAIM_MAX = GIQ_EXCLUSIVE_NUMBER_MAX }; /* highest generation */

/* All texts are owned, and NULL if absent. */
struct giq_claim {
    int generation;           /* g; 0: there is no claim */
    char *job_id;             /* of the job whose result it is */
    char *folder;             /* "result.<token>" */
    char *name;               /* of the file in it; NULL if the result is the folder */
    int64_t size;             /* bytes as downloaded */
    struct giq_json *summary; /* of the result (giq_summary), or NULL */
};

void giq_claim_release(struct giq_claim *claim);

/* Read the claim with the highest generation that is listed in `folder` and not damaged:
 * an open that made a later one may have been killed before it had content. If all are
 * damaged, the highest one is read, which has no `folder`. The caller passes `*out` to
 * giq_claim_release(). */
bool giq_claim_read_newest(const char *folder, struct giq_claim *out,
                           struct giq_error *err);

/* Read the claim `generation`, which is known to exist: it was listed, or another open
 * has made it. It has no `folder` if it is not visible yet, or damaged. */
bool giq_claim_read(const char *folder, int generation, struct giq_claim *out,
                    struct giq_error *err);

/*
 * Make the claim `claim->generation`, durably. If another one exists, the call succeeds
 * with `*out_made` false, and `*out_other` is that claim (without `folder` if it is not
 * visible yet, or damaged); the caller passes it to giq_claim_release().
 */
bool giq_claim_make(const char *folder, unsigned access, const struct giq_claim *claim,
                    bool *out_made, struct giq_claim *out_other, struct giq_error *err);

/* Whether `name` can be that of a folder, or of a file in it, in a claim. Such a name
 * does not lead out of the folder of the key. */
bool giq_claim_is_folder(const char *name);
bool giq_claim_is_file(const char *name);

#endif
