/* The pace of status calls: predictions, pauses, the status line, and a simulation of the
 * poller against jobs of many kinds. */
#include "job/giq_pace.h"

#include "unit.h"

#include "env_kit.h"

#define MINUTE_MS INT64_C(60000)

static struct giq_history history_of(size_t count, const int64_t *duration_ms,
                                     const int64_t *area_m2)
{
    struct giq_history history = {.count = count};
    for (size_t i = 0; i < count; i++) {
        history.job[i] = (struct giq_history_job){
            .finished_ms = (int64_t)i,
            .duration_ms = duration_ms[i],
            .area_m2 = area_m2 == NULL ? GIQ_HISTORY_AREA_UNKNOWN : area_m2[i],
        };
    }
    return history;
}

/* ---- predictions ---- */

static void test_window_is_two_deviations_around_the_median(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count;
        int64_t duration_ms[8];
        int64_t expected_ms, begin_ms, end_ms;
    } cases[] = {
        {"nothing", 0, {0}, 0, 0, 0},
        /* A spread of 20 % is assumed: 2 * 0.2 * (1 + 2 / 1) is cut at 50 %. */
        {"one job", 1, {10000}, 10000, 5000, 15000},
        {"four equal jobs", 4, {10000, 10000, 10000, 10000}, 10000, 5000, 15000},
        /* With five the spread is theirs, and the window at least 4 % on each side. */
        {"five equal jobs", 5, {10000, 10000, 10000, 10000, 10000}, 10000, 9600, 10400},
        /* The deviation is 1000: 2 * 1000 * (1 + 2 / 5) = 2800. */
        {"five jobs", 5, {11000, 9000, 10000, 9000, 11000}, 10000, 7200, 12800},
        {"an even number",
         6,
         {9000, 9000, 10000, 11000, 12000, 12000},
         10500,
         6824,
         14176},
        {"an outlier", 5, {10000, 10000, 900000, 10000, 10000}, 10000, 5000, 15000},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_history history =
            history_of(cases[i].count, cases[i].duration_ms, NULL);
        struct giq_pace pace;
        giq_pace_predict(&history, GIQ_HISTORY_AREA_UNKNOWN, &pace);
        print_message("%s\n", cases[i].name);
        assert_int_equal(pace.jobs, cases[i].count);
        assert_false(pace.is_scaled);
        assert_int_equal(pace.expected_ms, cases[i].expected_ms);
        assert_int_equal(pace.begin_ms, cases[i].begin_ms);
        assert_int_equal(pace.end_ms, cases[i].end_ms);
    }
}

/* Histories of six jobs, and what they predict for a job with `area`. */
static const struct {
    const char *name;
    int64_t duration_ms[6], area_m2[6];
    int64_t area, expected_ms;
    bool is_scaled;
} area_cases[] = {
    {"by area alone",
     {1000, 2000, 3000, 4000, 5000, 6000},
     {1, 2, 3, 4, 5, 6},
     10,
     10000,
     true},
    {"a fixed time and one by area",
     {11000, 12000, 13000, 14000, 15000, 16000},
     {1000, 2000, 3000, 4000, 5000, 6000},
     10000,
     20000,
     true},
    {"no area of this job",
     {1000, 2000, 3000, 4000, 5000, 6000},
     {1, 2, 3, 4, 5, 6},
     0,
     3500,
     false},
    {"equal areas",
     {1000, 2000, 3000, 4000, 5000, 6000},
     {7, 7, 7, 7, 7, 7},
     7,
     3500,
     false},
    {"areas that explain nothing",
     {1000, 4000, 2000, 5000, 3000, 2000},
     {1, 2, 3, 4, 5, 6},
     10,
     2500,
     false},
    {"the larger the faster",
     {6000, 5000, 4000, 3000, 2000, 1000},
     {1, 2, 3, 4, 5, 6},
     10,
     3500,
     false},
    {"too few areas",
     {1000, 2000, 3000, 4000, 5000, 6000},
     {1, 2, 0, 4, 5, 0},
     10,
     3500,
     false},
    {"five areas are enough",
     {1000, 2000, 9000, 4000, 5000, 6000},
     {1, 2, 0, 4, 5, 6},
     10,
     10000,
     true},
};

static void test_durations_are_scaled_by_area_where_that_explains_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(area_cases); i++) {
        const struct giq_history history =
            history_of(6, area_cases[i].duration_ms, area_cases[i].area_m2);
        struct giq_pace pace;
        giq_pace_predict(&history, area_cases[i].area, &pace);
        print_message("%s\n", area_cases[i].name);
        assert_int_equal(pace.is_scaled, area_cases[i].is_scaled);
        assert_int_equal(pace.expected_ms, area_cases[i].expected_ms);
    }
}

static void test_extreme_areas_and_durations_are_bounded(void **state)
{
    (void)state;
    int64_t duration_ms[6];
    int64_t area_m2[6];
    struct giq_pace pace;
    for (int i = 0; i < 6; i++) {
        duration_ms[i] = GIQ_HISTORY_DURATION_MAX_MS * (i + 1) / 6;
        area_m2[i] = i + 1;
    }
    const struct giq_history history = history_of(6, duration_ms, area_m2);
    giq_pace_predict(&history, INT64_C(1) << 52, &pace);
    assert_true(pace.is_scaled);
    assert_int_equal(pace.expected_ms, GIQ_HISTORY_DURATION_MAX_MS);
    for (int i = 0; i < 6; i++) {
        duration_ms[i] = i + 1;
        area_m2[i] = (INT64_C(1) << 49) * (i + 1);
    }
    const struct giq_history reverse = history_of(6, duration_ms, area_m2);
    giq_pace_predict(&reverse, 1, &pace);
    assert_int_equal(pace.expected_ms, 1);
}

/* ---- pauses ---- */

static void test_pauses_follow_the_prediction(void **state)
{
    (void)state;
    static const struct giq_pace pace = {
        .jobs = 5, .expected_ms = 600000, .begin_ms = 400000, .end_ms = 800000};
    static const struct {
        int64_t age_ms, last_ms;
        uint32_t random; /* 0: the shortest pause, 512: the middle, 1024: the longest */
        int64_t pause_ms;
    } cases[] = {
        /* Before the window: a sixth of the age, at most 2 min, not beyond its begin. */
        {0, 0, 512, 249},
        {3000, 0, 1024, 500},
        {3000, 0, 0, 375},
        {120000, 0, 1024, 20000},
        {390000, 0, 512, 10000},
        {399900, 0, 512, 250},
        /* Within it: 2 % of the median, with jitter. */
        {400000, 0, 512, 12000},
        {600000, 0, 0, 9000},
        {800000, 0, 1024, 15000},
        /* After it: half longer than the last pause, at most 1/12 of the time waited. */
        {800001, 12000, 512, 18000},
        {900000, 29000, 1024, 30000},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct env_kit clock;
        int64_t pause_ms = cases[i].last_ms;
        env_kit_init(&clock);
        clock.random = cases[i].random;
        assert_int_equal(giq_pace_next_ms(&pace, cases[i].age_ms, cases[i].age_ms,
                                          &clock.env, &pause_ms),
                         cases[i].pause_ms);
    }
}

static void test_pauses_of_long_jobs_have_a_limit(void **state)
{
    (void)state;
    const int64_t hour_ms = 60 * MINUTE_MS;
    const struct giq_pace pace = {.jobs = 5,
                                  .expected_ms = 20 * hour_ms,
                                  .begin_ms = 15 * hour_ms,
                                  .end_ms = 25 * hour_ms};
    struct env_kit clock;
    int64_t pause_ms = 0;
    env_kit_init(&clock);
    clock.random = 1024;
    assert_int_equal(
        giq_pace_next_ms(&pace, 10 * hour_ms, hour_ms, &clock.env, &pause_ms), 120000);
    assert_int_equal(
        giq_pace_next_ms(&pace, 20 * hour_ms, hour_ms, &clock.env, &pause_ms), 30000);
    assert_int_equal(
        giq_pace_next_ms(&pace, 30 * hour_ms, hour_ms, &clock.env, &pause_ms), 30000);
}

/* ---- the status line ---- */

static void test_status_line_has_a_time_left_that_never_grows(void **state)
{
    (void)state;
    static const struct giq_pace pace = {.jobs = 12,
                                         .expected_ms = 11 * MINUTE_MS,
                                         .shortest_ms = 9 * MINUTE_MS,
                                         .longest_ms = 14 * MINUTE_MS};
    static const struct giq_pace scaled = {.jobs = 5,
                                           .is_scaled = true,
                                           .expected_ms = 50000,
                                           .shortest_ms = 40000,
                                           .longest_ms = 3 * MINUTE_MS};
    static const struct giq_pace one = {.jobs = 1,
                                        .expected_ms = 180 * MINUTE_MS,
                                        .shortest_ms = 180 * MINUTE_MS,
                                        .longest_ms = 180 * MINUTE_MS};
    static const struct giq_pace nothing = {0};
    static const struct {
        const struct giq_pace *pace;
        int64_t age_ms;
        const char *text;
    } cases[] = {
        {&nothing, 5000, ""},
        {&pace, 0, "about 11 min left (12 jobs of this model took 9 to 14 min)"},
        {&pace, 7 * MINUTE_MS,
         "about 4 min left (12 jobs of this model took 9 to 14 min)"},
        {&pace, 7 * MINUTE_MS - 1,
         "about 5 min left (12 jobs of this model took 9 to 14 min)"},
        {&pace, 11 * MINUTE_MS - 1,
         "about 1 s left (12 jobs of this model took 9 to 14 min)"},
        {&pace, 11 * MINUTE_MS,
         "longer than half of the 12 jobs of this model, which took 9 to 14 min"},
        {&pace, 14 * MINUTE_MS + 1,
         "longer than the 12 earlier jobs of this model, which took 9 to 14 min"},
        {&scaled, 10000,
         "about 40 s left (5 jobs of this model, scaled to this area, took 40 s to 3 "
         "min)"},
        {&scaled, 200000,
         "longer than the 5 earlier jobs of this model, scaled to this area, which took "
         "40 s to 3 min"},
        {&one, 0, "about 3.0 h left (1 job of this model took 3.0 h)"},
        {&one, 200 * MINUTE_MS,
         "longer than the 1 earlier job of this model, which took 3.0 h"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char text[GIQ_PACE_TEXT_SIZE];
        assert_string_equal(giq_pace_describe(cases[i].pace, cases[i].age_ms, text),
                            cases[i].text);
    }
}

static void test_longest_status_line_fits(void **state)
{
    (void)state;
    const struct giq_pace pace = {.jobs = GIQ_HISTORY_JOBS_MAX,
                                  .is_scaled = true,
                                  .expected_ms = GIQ_HISTORY_DURATION_MAX_MS,
                                  .shortest_ms = 1,
                                  .longest_ms = GIQ_HISTORY_DURATION_MAX_MS};
    for (int percent = 0; percent <= 110; percent += 10) {
        char text[GIQ_PACE_TEXT_SIZE];
        (void)giq_pace_describe(&pace, GIQ_HISTORY_DURATION_MAX_MS / 100 * percent, text);
        assert_true(strlen(text) < GIQ_PACE_TEXT_SIZE - 1);
        assert_non_null(strstr(text, " h"));
    }
}

/* ---- a simulation of the poller ---- */

enum { RUNS = 400 };

/* A job as the simulated service runs it. */
struct kind {
    const char *name;
    int64_t typical_ms;
    int spread_percent;
    size_t history;       /* earlier jobs */
    double now;           /* how much longer jobs take now than the earlier ones */
    double drift;         /* of each earlier job against the next one */
    int outliers_percent; /* of the earlier jobs: ten times as long */
    bool learns;          /* the history is what the poller itself learned */
    bool has_areas;       /* durations grow with areas, which differ by a factor 100 */
    bool is_wrong;        /* the history misleads: then only the lateness is bounded */
};

struct sums {
    double late_ms, late_share, calls;
};

static uint32_t seed;

static uint32_t draw(void *ctx)
{
    (void)ctx;
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

/* Normally distributed with mean 0 and deviation 1, between -6 and 6. */
static double normal(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        sum += draw(NULL) / 4294967296.0;
    }
    return sum - 6;
}

/* The duration of a job whose typical one is `typical_ms`. */
static int64_t draw_duration(const struct kind *kind, double typical_ms)
{
    double factor = 1 + kind->spread_percent / 100.0 * normal();
    return (int64_t)(typical_ms * (factor < 0.2 ? 0.2 : factor));
}

/* Poll a job of this duration; returns when its end was noticed. `*last_ms` is when it
 * was last seen to run. */
static int64_t poll(const struct giq_pace *pace, int64_t duration_ms, int64_t *last_ms,
                    int *calls)
{
    struct giq_env env = giq_env_system;
    int64_t now_ms = 0;
    int64_t pause_ms = 0;
    env.random = draw;
    for (*calls = 1; now_ms < duration_ms; (*calls)++) {
        *last_ms = now_ms;
        now_ms += giq_pace_next_ms(pace, now_ms, now_ms, &env, &pause_ms);
    }
    return now_ms;
}

static void add(struct sums *sums, const struct giq_pace *pace, int64_t duration_ms)
{
    int calls = 0;
    int64_t last_ms = 0;
    int64_t late_ms = poll(pace, duration_ms, &last_ms, &calls) - duration_ms;
    sums->late_ms += (double)late_ms / RUNS;
    sums->late_share += (double)late_ms / (double)duration_ms / RUNS;
    sums->calls += (double)calls / RUNS;
}

/* What the poller learns of a job, as giq_learn does; 0: nothing. */
static int64_t learn(const struct giq_pace *pace, int64_t duration_ms)
{
    int calls = 0;
    int64_t last_ms = 0;
    int64_t noticed_ms = poll(pace, duration_ms, &last_ms, &calls);
    return (noticed_ms - last_ms) * 100 < noticed_ms * 15 ? (noticed_ms + last_ms) / 2
                                                          : 0;
}

static struct giq_history draw_history(const struct kind *kind)
{
    struct giq_history history = {0};
    for (size_t age = kind->history; age > 0; age--) {
        double typical_ms = (double)kind->typical_ms / kind->now;
        double area = kind->has_areas ? 1 + 99 * (draw(NULL) / 4294967296.0) : 0;
        typical_ms = kind->has_areas ? typical_ms * area / 50 : typical_ms;
        typical_ms *= 1 - kind->drift * (double)age;
        int64_t duration_ms = draw_duration(kind, typical_ms);
        if ((int)(draw(NULL) % 100) < kind->outliers_percent) {
            duration_ms *= 10;
        }
        if (kind->learns) {
            struct giq_pace pace;
            giq_pace_predict(&history, GIQ_HISTORY_AREA_UNKNOWN, &pace);
            duration_ms = learn(&pace, duration_ms);
        }
        if (duration_ms > 0) {
            history.job[history.count++] =
                (struct giq_history_job){0, duration_ms, (int64_t)(area * 1e6)};
        }
    }
    return history;
}

static void simulate(const struct kind *kind, struct sums *with, struct sums *without)
{
    static const struct giq_pace nothing = {0};
    seed = 2463534242;
    *with = (struct sums){0};
    *without = (struct sums){0};
    for (int run = 0; run < RUNS; run++) {
        const struct giq_history history = draw_history(kind);
        struct giq_pace pace;
        int64_t duration_ms = draw_duration(kind, (double)kind->typical_ms);
        giq_pace_predict(&history, kind->has_areas ? 50000000 : 0, &pace);
        uint32_t before = seed;
        add(with, &pace, duration_ms);
        seed = before; /* the same jitter for both */
        add(without, &nothing, duration_ms);
    }
}

static void check_bounds(const struct kind *kind, const struct sums *with,
                         const struct sums *without)
{
    if (kind->history == 0) {
        assert_true(with->late_ms == without->late_ms && with->calls == without->calls);
        return;
    }
    assert_true(with->late_share < 0.17);
    assert_true(with->calls <= (kind->is_wrong ? 1.5 : 1.1) * without->calls);
    if (kind->history >= 5 && kind->spread_percent <= 20 && !kind->is_wrong) {
        assert_true(with->late_share <= 0.015 || with->late_ms <= 300);
    }
}

static void run_kind(const struct kind *kind)
{
    struct sums with;
    struct sums without;
    simulate(kind, &with, &without);
    print_message(
        "%-24s %4lld s %3d %% %3zu | %6.2f %% %6.2f %% | %6.2f s %6.2f s | %5.1f "
        "%5.1f %5.2f\n",
        kind->name, (long long)kind->typical_ms / 1000, kind->spread_percent,
        kind->history, 100 * with.late_share, 100 * without.late_share,
        with.late_ms / 1000, without.late_ms / 1000, with.calls, without.calls,
        with.calls / without.calls);
    check_bounds(kind, &with, &without);
}

static void test_poller_meets_its_bounds(void **state)
{
    (void)state;
    static const int64_t typical_ms[] = {5000, 60000, 600000};
    static const int spreads[] = {0, 5, 10, 20, 35, 50};
    static const size_t counts[] = {0, 1, 2, 3, 5, 8, 16, 32, 64};
    print_message("%-24s %6s %5s %3s | %17s | %17s | status calls\n", "jobs", "length",
                  "spread", "k", "noticed late", "noticed late");
    print_message("%24s %17s  with    without       with     without   with without "
                  "ratio\n",
                  "", "");
    for (size_t i = 0; i < GIQ_COUNT(typical_ms); i++) {
        for (size_t j = 0; j < GIQ_COUNT(spreads); j++) {
            for (size_t k = 0; k < GIQ_COUNT(counts); k++) {
                const struct kind kind = {.name = "like the earlier ones",
                                          .typical_ms = typical_ms[i],
                                          .spread_percent = spreads[j],
                                          .history = counts[k],
                                          .now = 1};
                run_kind(&kind);
            }
        }
    }
}

static void test_poller_survives_odd_histories(void **state)
{
    (void)state;
    static const int64_t typical_ms[] = {5000, 60000, 600000};
    static const size_t counts[] = {5, 16, 64};
    static const struct kind kinds[] = {
        {.name = "three times faster", .now = 1.0 / 3, .is_wrong = true},
        {.name = "three times slower", .now = 3, .is_wrong = true},
        {.name = "drifting by 1 % a job", .now = 1, .drift = 0.01, .is_wrong = true},
        {.name = "5 % outliers", .now = 1, .outliers_percent = 5},
        {.name = "20 % outliers", .now = 1, .outliers_percent = 20, .is_wrong = true},
        {.name = "as learned", .now = 1, .learns = true},
        {.name = "as learned, drifting",
         .now = 1,
         .drift = 0.01,
         .learns = true,
         .is_wrong = true},
        {.name = "durations by area", .now = 1, .has_areas = true},
    };
    for (size_t i = 0; i < GIQ_COUNT(kinds); i++) {
        for (size_t j = 0; j < GIQ_COUNT(typical_ms); j++) {
            for (size_t k = 0; k < GIQ_COUNT(counts); k++) {
                struct kind kind = kinds[i];
                kind.typical_ms = typical_ms[j];
                kind.history = counts[k];
                kind.spread_percent = 20;
                run_kind(&kind);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_is_two_deviations_around_the_median),
        cmocka_unit_test(test_durations_are_scaled_by_area_where_that_explains_them),
        cmocka_unit_test(test_extreme_areas_and_durations_are_bounded),
        cmocka_unit_test(test_pauses_follow_the_prediction),
        cmocka_unit_test(test_pauses_of_long_jobs_have_a_limit),
        cmocka_unit_test(test_status_line_has_a_time_left_that_never_grows),
        cmocka_unit_test(test_longest_status_line_fits),
        cmocka_unit_test(test_poller_meets_its_bounds),
        cmocka_unit_test(test_poller_survives_odd_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
