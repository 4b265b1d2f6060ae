/* Slots of GIQ_MAX_JOBS: finding a free slot, taking it, returning it. */
#include "store/giq_spent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_json.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "base/giq_tree.h"
#include "store/giq_exclusive.h"
#include "store/giq_store.h"

enum {
    MS_PER_DAY = 24 * 60 * 60 * 1000,
    /* Slots that are tried from the guessed one on, before the folder is read. */
    GUESSED_SLOTS = 32,
    DATE_SIZE = 11, /* of "2026-11-30" with its NUL */
    KEPT_DAYS = 7,
    KEPT_FOLDERS = 8,
    FOLDERS_MAX = 64, /* folders of past days that one call considers */
};

/* ---- the day ---- */

struct day {
    char *spent;  /* <store>/v1/spent */
    char *folder; /* <store>/v1/spent/<date> */
    char date[GIQ_TEXT_TIME_SIZE];
    int64_t end_ms; /* when the next day begins */
};

static void day_release(struct day *day)
{
    free(day->spent);
    free(day->folder);
}

static void write_date(int64_t ms, char out[GIQ_TEXT_TIME_SIZE])
{
    const struct giq_civil at = giq_text_civil_from_ms(ms);
    (void)snprintf(out, GIQ_TEXT_TIME_SIZE, "%04d-%02d-%02d", at.year, at.month, at.day);
}

int64_t giq_spent_next_day_ms(int64_t now_ms)
{
    int64_t since_midnight_ms = (now_ms % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY;
    return now_ms - since_midnight_ms + MS_PER_DAY;
}

/* The caller passes `out` to day_release(), also on failure. */
static bool day_init(struct day *out, const struct giq_store *store, int64_t now_ms,
                     struct giq_error *err)
{
    out->end_ms = giq_spent_next_day_ms(now_ms);
    write_date(now_ms, out->date);
    out->spent = giq_os_join(giq_store_keys_folder(store), "spent");
    out->folder = out->spent == NULL ? NULL : giq_os_join(out->spent, out->date);
    return out->folder != NULL || giq_fail_memory(err);
}

static bool fail_full(const struct day *day, int max_jobs, int taken,
                      struct giq_error *err)
{
    char next_day[GIQ_TEXT_TIME_SIZE];
    if (max_jobs == 0) {
        return giq_fail(err, GIQ_E_USAGE,
                        "no job was started: GIQ_MAX_JOBS=0 allows none on any day; "
                        "set it to the number of jobs that may be started in a day");
    }
    giq_text_printable_time(day->end_ms, next_day);
    return giq_fail(err, GIQ_E_USAGE,
                    "no job was started: GIQ_MAX_JOBS limits the jobs that may be "
                    "started from this store in a day (UTC) to %d; started today: %d; "
                    "the next day begins at %s; open again then, or raise "
                    "GIQ_MAX_JOBS",
                    max_jobs, taken, next_day);
}

/* ---- finding a free slot ---- */

static char *slot_path(const struct day *day, int number)
{
    char *path = NULL;
    return asprintf(&path, "%s/%d", day->folder, number) < 0 ? NULL : path;
}

static bool is_taken(const struct day *day, int number, bool *out, struct giq_error *err)
{
    struct giq_os_stat st;
    GIQ_AUTO_FREE char *path = slot_path(day, number);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *out = st.kind != GIQ_OS_NOTHING;
    return true;
}

/*
 * Guess a free slot by checking a few, because listing the folder is slow if it is large:
 * slots are taken in order, so that all free ones follow the taken ones, except those
 * that were returned. `*out` is above `max_jobs` if none was found.
 */
static bool guess_free(const struct day *day, int max_jobs, int *out,
                       struct giq_error *err)
{
    bool taken = false;
    int last_taken = 0;
    int first_free = max_jobs + 1;
    while (first_free - last_taken > 1) {
        int number = 2 * last_taken + 1;
        if (number >= first_free) {
            number = last_taken + (first_free - last_taken) / 2;
        }
        if (!is_taken(day, number, &taken, err)) {
            return false;
        }
        if (taken) {
            last_taken = number;
        } else {
            first_free = number;
        }
    }
    /* Slots above the limit count too: the limit may have been higher before, or be
     * higher in another program. */
    if (first_free <= max_jobs) {
        if (!is_taken(day, max_jobs + 1, &taken, err)) {
            return false;
        }
        first_free = taken ? max_jobs + 1 : first_free;
    }
    *out = first_free;
    return true;
}

struct count {
    int taken;
    int max_jobs;
    bool *is_taken; /* by the number of the slot, up to max_jobs */
};

static bool count_slot(void *ctx, const char *name, struct giq_error *err)
{
    struct count *count = ctx;
    int number = giq_exclusive_number(name, "");
    (void)err;
    if (number > 0) {
        count->taken++;
    }
    if (number > 0 && number <= count->max_jobs) {
        count->is_taken[number] = true;
    }
    return true;
}

bool giq_spent_count(const struct giq_store *store, int64_t now_ms, int *out,
                     struct giq_error *err)
{
    GIQ_AUTO(day_release) struct day day = {0};
    struct count count = {0};
    if (!day_init(&day, store, now_ms, err) ||
        !giq_os_list(day.folder, count_slot, &count, err)) {
        return false;
    }
    *out = count.taken;
    return true;
}

bool giq_spent_check(const struct giq_store *store, int64_t now_ms, int max_jobs,
                     struct giq_error *err)
{
    GIQ_AUTO(day_release) struct day day = {0};
    struct count count = {0};
    int free_slot = 0;
    if (!day_init(&day, store, now_ms, err) ||
        !guess_free(&day, max_jobs, &free_slot, err)) {
        return false;
    }
    if (free_slot <= max_jobs) {
        return true;
    }
    if (!giq_os_list(day.folder, count_slot, &count, err)) {
        return false;
    }
    return count.taken < max_jobs || fail_full(&day, max_jobs, count.taken, err);
}

/* ---- taking a slot ---- */

struct taker {
    struct day day;
    int max_jobs;
    char *text; /* of the slot's file */
    struct giq_exclusive file;
    char *slot; /* path of the slot that was taken; NULL: none so far */
};

static void taker_release(struct taker *taker)
{
    giq_exclusive_release(&taker->file);
    day_release(&taker->day);
    free(taker->text);
    free(taker->slot);
}

/* Make the text of a slot's file. It is for people; the driver does not read it. */
static bool describe(struct taker *taker, const char *key, int64_t now_ms,
                     struct giq_error *err)
{
    char host[GIQ_OS_HOST_SIZE];
    giq_os_host(host);
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    GIQ_AUTO_FREE char *line = NULL;
    if (json == NULL || !giq_json_set_text(json, "key", key) ||
        !giq_json_set_time(json, "time", now_ms) ||
        !giq_json_set_integer(json, "pid", giq_os_pid()) ||
        !giq_json_set_text(json, "host", host)) {
        return giq_fail_memory(err);
    }
    line = giq_json_print(json);
    if (line == NULL || asprintf(&taker->text, "%s\n", line) < 0) {
        taker->text = NULL;
        return giq_fail_memory(err);
    }
    return true;
}

/* Take this slot, unless it has an owner; then taker->slot stays NULL. */
static bool try_slot(struct taker *taker, int number, struct giq_error *err)
{
    char name[sizeof "-2147483648"];
    bool is_created = false;
    GIQ_AUTO_FREE char *path = slot_path(&taker->day, number);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    (void)snprintf(name, sizeof name, "%d", number);
    if (!giq_exclusive_create(&taker->file, name, &is_created, err)) {
        return false;
    }
    if (is_created) {
        taker->slot = giq_take(&path);
    }
    return true;
}

/* The guess was wrong, or others were faster: try each slot that has no file. */
static bool try_all(struct taker *taker, struct giq_error *err)
{
    GIQ_AUTO_FREE bool *numbers = calloc((size_t)taker->max_jobs + 1, sizeof *numbers);
    struct count count = {.max_jobs = taker->max_jobs, .is_taken = numbers};
    if (numbers == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_list(taker->day.folder, count_slot, &count, err)) {
        return false;
    }
    if (count.taken >= taker->max_jobs) {
        return fail_full(&taker->day, taker->max_jobs, count.taken, err);
    }
    for (int number = 1; number <= taker->max_jobs; number++) {
        if (!numbers[number] && !try_slot(taker, number, err)) {
            return false;
        }
        if (taker->slot != NULL) {
            return true;
        }
    }
    return fail_full(&taker->day, taker->max_jobs, taker->max_jobs, err);
}

static bool find_slot(struct taker *taker, struct giq_error *err)
{
    int first = 0;
    if (!guess_free(&taker->day, taker->max_jobs, &first, err)) {
        return false;
    }
    for (int i = 0; i < GUESSED_SLOTS && first + i <= taker->max_jobs; i++) {
        if (!try_slot(taker, first + i, err)) {
            return false;
        }
        if (taker->slot != NULL) {
            return true;
        }
    }
    return try_all(taker, err);
}

static bool take(struct taker *taker, const struct giq_store *store,
                 struct giq_error *err)
{
    if (taker->max_jobs == 0) {
        return fail_full(&taker->day, 0, 0, err);
    }
    /* Each of the two calls syncs the folder above, also if it exists: another process
     * may have just created it. */
    if (!giq_store_make(store, taker->day.spent, err) ||
        !giq_store_make(store, taker->day.folder, err) || !find_slot(taker, err)) {
        return false;
    }
    if (!giq_os_sync_path(taker->day.folder, err)) {
        giq_spent_return(taker->slot);
        return false;
    }
    return true;
}

bool giq_spent_take(const struct giq_store *store, int64_t now_ms, int max_jobs,
                    const char *key, char **out, struct giq_error *err)
{
    GIQ_AUTO(taker_release)
    struct taker taker = {.max_jobs = max_jobs};
    if (!day_init(&taker.day, store, now_ms, err) ||
        !describe(&taker, key, now_ms, err)) {
        return false;
    }
    taker.file = (struct giq_exclusive){.folder = taker.day.folder,
                                        .access = giq_store_access(store),
                                        .bytes = taker.text,
                                        .len = strlen(taker.text)};
    if (!take(&taker, store, err)) {
        return giq_store_explain_full(err);
    }
    *out = giq_take(&taker.slot);
    return true;
}

void giq_spent_return(const char *slot)
{
    struct giq_error ignored = {0};
    (void)giq_os_remove(slot, &ignored);
}

/* ---- past days ---- */

struct dates {
    char date[FOLDERS_MAX][DATE_SIZE];
    size_t count;
};

static bool is_date(const char *name)
{
    static const char form[] = "0000-00-00";
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool is_digit = name[i] >= '0' && name[i] <= '9';
        if (form[i] == '0' ? !is_digit : name[i] != '-') {
            return false;
        }
    }
    return name[sizeof form - 1] == '\0';
}

static bool add_date(void *ctx, const char *name, struct giq_error *err)
{
    struct dates *dates = ctx;
    (void)err;
    if (is_date(name) && dates->count < FOLDERS_MAX) {
        (void)memcpy(dates->date[dates->count++], name, DATE_SIZE);
    }
    return true;
}

static int compare_newest_first(const void *a, const void *b)
{
    return strcmp(b, a);
}

void giq_spent_tidy(const struct giq_store *store, int64_t now_ms)
{
    struct giq_error ignored = {0};
    struct dates dates = {.count = 0};
    char oldest_kept[GIQ_TEXT_TIME_SIZE];
    GIQ_AUTO(day_release) struct day day = {0};
    if (!day_init(&day, store, now_ms, &ignored) ||
        !giq_os_list(day.spent, add_date, &dates, &ignored)) {
        return;
    }
    write_date(now_ms - (int64_t)KEPT_DAYS * MS_PER_DAY, oldest_kept);
    qsort(dates.date, dates.count, DATE_SIZE, compare_newest_first);
    for (size_t i = KEPT_FOLDERS; i < dates.count; i++) {
        GIQ_AUTO_FREE char *folder = giq_os_join(day.spent, dates.date[i]);
        if (folder != NULL && strcmp(dates.date[i], oldest_kept) < 0) {
            (void)giq_tree_remove(folder, &ignored);
        }
    }
}
