/*
 * The pace of status calls: the pauses between them, and the time that a job is expected
 * to take, from the durations of earlier jobs of the same model.
 *
 * Without earlier jobs a pause grows by half from call to call, up to a twelfth of the
 * time waited so far. With earlier jobs, calls are rare before the earliest likely end,
 * frequent around the likely end, and as without earlier jobs after it.
 *
 * Pure, apart from the random numbers of the host.
 */
#ifndef GIQ_PACE_H
#define GIQ_PACE_H

#include "base/giq_env.h"
#include "store/giq_history.h"

enum { GIQ_PACE_SHORTEST_MS = 250 }; /* between two calls, before jitter */

/* When a job is expected to end, as times since it began. */
struct giq_pace {
    int jobs;       /* earlier jobs that it is based on; 0: none, and all else is 0 */
    bool is_scaled; /* their durations were scaled to the area of this job */
    int64_t expected_ms; /* the median of their durations */
    int64_t shortest_ms; /* the shortest and the longest of their durations */
    int64_t longest_ms;
    int64_t begin_ms; /* the window of likely ends */
    int64_t end_ms;
};

/* Predict the end of a job with this area (GIQ_HISTORY_AREA_UNKNOWN: not known). */
void giq_pace_predict(const struct giq_history *history, int64_t area_m2,
                      struct giq_pace *out);

/*
 * The pause before the next status call. `age_ms` is the time since the job began,
 * `waited_ms` the time that this open has waited for it. `*pause_ms` is the last pause
 * before jitter, 0 at first, and is advanced.
 */
int64_t giq_pace_next_ms(const struct giq_pace *pace, int64_t age_ms, int64_t waited_ms,
                         const struct giq_env *env, int64_t *pause_ms);

/* Describe what is left of a job of this age, for the status line: "about 4 min left (12
 * jobs of this model took 9 to 14 min)". Empty if nothing is known. The time left never
 * grows; once it has passed, the text states so. */
enum { GIQ_PACE_TEXT_SIZE = 192 };
const char *giq_pace_describe(const struct giq_pace *pace, int64_t age_ms,
                              char out[GIQ_PACE_TEXT_SIZE]);

#endif
