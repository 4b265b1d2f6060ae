/* Predicts the end of a job, and spreads the status calls over the time until then. */
#include "job/giq_pace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST_PAUSE_MS = 30 * 1000,        /* from the window of likely ends on */
    LONGEST_EARLY_PAUSE_MS = 120 * 1000, /* before it: a failure is seen this late */
    WAIT_DIVISOR = 12, /* without history a pause is at most 1/12 of the time waited */
    EARLY_DIVISOR = 6, /* before the window: at most 1/6 of the job's age */
    STEP_DIVISOR = 50, /* within the window: 1/50 of the expected duration */
    FEW_JOBS = 5,      /* fewer are taken to spread by `spread_of_few` at least */
    PAIRS_MAX = GIQ_HISTORY_JOBS_MAX * (GIQ_HISTORY_JOBS_MAX - 1) / 2,
};

/* Shares of the expected duration. */
static const double spread_of_few = 0.2;
static const double narrowest = 0.04; /* half of the window, at least */
static const double widest = 0.5;     /* half of the window, at most */

/* Durations are scaled by area if that makes their spread smaller by this factor. */
static const double scaling_gain = 0.7;

/* ---- statistics ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of `count` numbers, which are sorted; `count` is above 0. */
static double sort_median(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, compare);
    return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

/* The standard deviation of a sample from which `parameters` numbers were estimated. */
static double deviation(const double *numbers, size_t count, size_t parameters)
{
    double mean = 0;
    double sum = 0;
    if (count <= parameters) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        mean += numbers[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        sum += (numbers[i] - mean) * (numbers[i] - mean);
    }
    return sqrt(sum / (double)(count - parameters));
}

/* ---- durations by area ---- */

/* duration = fixed_ms + ms_per_m2 * area; neither number is below 0. */
struct line {
    double fixed_ms;
    double ms_per_m2;
};

struct sample {
    size_t count;
    double duration_ms[GIQ_HISTORY_JOBS_MAX];
    double area_m2[GIQ_HISTORY_JOBS_MAX];
};

/* The median of the slopes of all pairs (Theil and Sen), which a few odd jobs cannot
 * change much; 0 if all areas are the same. */
static double median_slope(const struct sample *sample)
{
    double slopes[PAIRS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sample->count; i++) {
        for (size_t j = 0; j < i; j++) {
            double run = sample->area_m2[i] - sample->area_m2[j];
            if (run < 0 || run > 0) {
                slopes[count++] = (sample->duration_ms[i] - sample->duration_ms[j]) / run;
            }
        }
    }
    return count == 0 ? 0 : sort_median(slopes, count);
}

/* False if the duration does not grow with the area. */
static bool fit_line(const struct sample *sample, struct line *out)
{
    double numbers[GIQ_HISTORY_JOBS_MAX];
    out->ms_per_m2 = median_slope(sample);
    if (out->ms_per_m2 <= 0) {
        return false;
    }
    for (size_t i = 0; i < sample->count; i++) {
        numbers[i] = sample->duration_ms[i] - out->ms_per_m2 * sample->area_m2[i];
    }
    out->fixed_ms = sort_median(numbers, sample->count);
    if (out->fixed_ms >= 0) {
        return true;
    }
    out->fixed_ms = 0;
    for (size_t i = 0; i < sample->count; i++) {
        numbers[i] = sample->duration_ms[i] / sample->area_m2[i];
    }
    out->ms_per_m2 = sort_median(numbers, sample->count);
    return true;
}

static double duration_ms_at(const struct line *line, double area_m2)
{
    return line->fixed_ms + line->ms_per_m2 * area_m2;
}

/* Scale the durations of the jobs that have an area to `area_m2`, if that explains them
 * better; otherwise false, and `sample` is as it was. */
static bool scale(const struct giq_history *history, double area_m2,
                  struct sample *sample)
{
    struct sample with_area = {0};
    struct sample scaled = {0};
    struct line line;
    for (size_t i = 0; i < history->count; i++) {
        const struct giq_history_job *job = &history->job[i];
        if (job->area_m2 != GIQ_HISTORY_AREA_UNKNOWN) {
            with_area.area_m2[with_area.count] = (double)job->area_m2;
            with_area.duration_ms[with_area.count++] = (double)job->duration_ms;
        }
    }
    if (with_area.count < FEW_JOBS || !fit_line(&with_area, &line)) {
        return false;
    }
    scaled.count = with_area.count;
    for (size_t i = 0; i < scaled.count; i++) {
        double duration_ms = with_area.duration_ms[i] * duration_ms_at(&line, area_m2) /
                             duration_ms_at(&line, with_area.area_m2[i]);
        scaled.duration_ms[i] =
            fmin(fmax(duration_ms, 1), (double)GIQ_HISTORY_DURATION_MAX_MS);
    }
    double spread = deviation(with_area.duration_ms, with_area.count, 1) /
                    sort_median(with_area.duration_ms, with_area.count);
    double scaled_spread = deviation(scaled.duration_ms, scaled.count, 2) /
                           sort_median(scaled.duration_ms, scaled.count);
    if (scaled_spread >= scaling_gain * spread) {
        return false;
    }
    *sample = scaled;
    return true;
}

/* ---- prediction ---- */

/* Half of the window of likely ends: two standard deviations, and more the fewer jobs
 * they are estimated from. */
static double half_window(const struct sample *sample, size_t parameters, double median)
{
    double spread = deviation(sample->duration_ms, sample->count, parameters) / median;
    if (sample->count < FEW_JOBS) {
        spread = fmax(spread, spread_of_few);
    }
    double half = 2 * spread * (1 + 2 / (double)sample->count);
    return fmin(fmax(half, narrowest), widest) * median;
}

void giq_pace_predict(const struct giq_history *history, int64_t area_m2,
                      struct giq_pace *out)
{
    struct sample sample = {.count = history->count};
    *out = (struct giq_pace){0};
    if (history->count == 0) {
        return;
    }
    for (size_t i = 0; i < history->count; i++) {
        sample.duration_ms[i] = (double)history->job[i].duration_ms;
    }
    out->is_scaled =
        area_m2 != GIQ_HISTORY_AREA_UNKNOWN && scale(history, (double)area_m2, &sample);
    double median = sort_median(sample.duration_ms, sample.count);
    double half = half_window(&sample, out->is_scaled ? 2 : 1, median);
    out->jobs = (int)sample.count;
    out->expected_ms = llround(median);
    out->shortest_ms = llround(sample.duration_ms[0]);
    out->longest_ms = llround(sample.duration_ms[sample.count - 1]);
    out->begin_ms = llround(median - half);
    out->end_ms = llround(median + half);
}

/* ---- pauses ---- */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The pause without history, or after the window. */
static int64_t plain_ms(int64_t waited_ms, const struct giq_env *env, int64_t *pause_ms)
{
    int64_t longest =
        clamp(waited_ms / WAIT_DIVISOR, GIQ_PACE_SHORTEST_MS, LONGEST_PAUSE_MS);
    int64_t pause = *pause_ms == 0 ? GIQ_PACE_SHORTEST_MS : *pause_ms * 3 / 2;
    *pause_ms = smaller(pause, longest);
    return smaller(giq_env_jitter(env, *pause_ms), longest);
}

/* The pause before the window; the call after it is not later than the window. */
static int64_t early_ms(const struct giq_pace *pace, int64_t age_ms,
                        const struct giq_env *env, int64_t *pause_ms)
{
    int64_t left_ms = clamp(pace->begin_ms - age_ms, GIQ_PACE_SHORTEST_MS, INT64_MAX);
    *pause_ms =
        clamp(age_ms / EARLY_DIVISOR, GIQ_PACE_SHORTEST_MS, LONGEST_EARLY_PAUSE_MS);
    return smaller(smaller(giq_env_jitter(env, *pause_ms), *pause_ms), left_ms);
}

static int64_t window_ms(const struct giq_pace *pace, const struct giq_env *env,
                         int64_t *pause_ms)
{
    *pause_ms =
        clamp(pace->expected_ms / STEP_DIVISOR, GIQ_PACE_SHORTEST_MS, LONGEST_PAUSE_MS);
    return clamp(giq_env_jitter(env, *pause_ms), GIQ_PACE_SHORTEST_MS, LONGEST_PAUSE_MS);
}

int64_t giq_pace_next_ms(const struct giq_pace *pace, int64_t age_ms, int64_t waited_ms,
                         const struct giq_env *env, int64_t *pause_ms)
{
    if (pace->jobs == 0 || age_ms > pace->end_ms) {
        return plain_ms(waited_ms, env, pause_ms);
    }
    if (age_ms < pace->begin_ms) {
        return early_ms(pace, age_ms, env, pause_ms);
    }
    return window_ms(pace, env, pause_ms);
}

/* ---- the status line ---- */

enum { SPAN_SIZE = 32, RANGE_SIZE = 2 * SPAN_SIZE + 16 };

/* The unit in which a duration is printed; static. */
static const char *unit_of(int64_t ms)
{
    enum { SECONDS_MS = 100 * 1000, MINUTES_MS = 100 * 60 * 1000 };
    return ms <= SECONDS_MS ? "s" : ms <= MINUTES_MS ? "min" : "h";
}

/* A duration rounded up, without its unit; hours have one decimal. */
static void number_of(int64_t ms, char out[SPAN_SIZE])
{
    enum { SECOND_MS = 1000, MINUTE_MS = 60 * 1000, TENTH_HOUR_MS = 6 * 60 * 1000 };
    long long tenths = 0;
    switch (unit_of(ms)[0]) {
    case 's':
        (void)snprintf(out, SPAN_SIZE, "%lld",
                       (long long)(ms + SECOND_MS - 1) / SECOND_MS);
        return;
    case 'm':
        (void)snprintf(out, SPAN_SIZE, "%lld",
                       (long long)(ms + MINUTE_MS - 1) / MINUTE_MS);
        return;
    default:
        tenths = (long long)(ms + TENTH_HOUR_MS - 1) / TENTH_HOUR_MS;
        (void)snprintf(out, SPAN_SIZE, "%lld.%lld", tenths / 10, tenths % 10);
    }
}

/* How long the earlier jobs took: "9 to 14 min", "50 s to 3 min", "9 min". */
static void describe_range(const struct giq_pace *pace, char out[RANGE_SIZE])
{
    char low[SPAN_SIZE];
    char high[SPAN_SIZE];
    const char *low_unit = unit_of(pace->shortest_ms);
    const char *unit = unit_of(pace->longest_ms);
    number_of(pace->shortest_ms, low);
    number_of(pace->longest_ms, high);
    bool has_same_unit = low_unit[0] == unit[0];
    if (has_same_unit && strcmp(low, high) == 0) {
        (void)snprintf(out, RANGE_SIZE, "%s %s", high, unit);
        return;
    }
    (void)snprintf(out, RANGE_SIZE, "%s%s%s to %s %s", low, has_same_unit ? "" : " ",
                   has_same_unit ? "" : low_unit, high, unit);
}

const char *giq_pace_describe(const struct giq_pace *pace, int64_t age_ms,
                              char out[GIQ_PACE_TEXT_SIZE])
{
    char left[SPAN_SIZE];
    char took[RANGE_SIZE];
    const char *jobs = pace->jobs == 1 ? "job" : "jobs";
    const char *scaled = pace->is_scaled ? ", scaled to this area," : "";
    int64_t left_ms = pace->expected_ms - age_ms;
    out[0] = '\0';
    if (pace->jobs == 0) {
        return out;
    }
    describe_range(pace, took);
    number_of(left_ms > 0 ? left_ms : 0, left);
    if (left_ms > 0) {
        (void)snprintf(out, GIQ_PACE_TEXT_SIZE,
                       "about %s %s left (%d %s of this model%s took %s)", left,
                       unit_of(left_ms), pace->jobs, jobs, scaled, took);
    } else if (age_ms <= pace->longest_ms) {
        (void)snprintf(out, GIQ_PACE_TEXT_SIZE,
                       "longer than half of the %d %s of this model%s which took %s",
                       pace->jobs, jobs, pace->is_scaled ? scaled : ",", took);
    } else {
        (void)snprintf(out, GIQ_PACE_TEXT_SIZE,
                       "longer than the %d earlier %s of this model%s which took %s",
                       pace->jobs, jobs, pace->is_scaled ? scaled : ",", took);
    }
    return out;
}
