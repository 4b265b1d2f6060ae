#include "env_kit.h"

#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"

static int64_t now_ms(void *ctx)
{
    struct env_kit *kit = ctx;
    kit->now_ms += kit->step_ms;
    return kit->now_ms;
}

static int64_t boot_ms(void *ctx)
{
    const struct env_kit *kit = ctx;
    return now_ms(ctx) + kit->suspended_ms;
}

static int64_t wall_ms(void *ctx)
{
    const struct env_kit *kit = ctx;
    return kit->wall_ms;
}

void env_kit_advance(struct env_kit *kit, int64_t ms)
{
    kit->now_ms += ms;
    kit->wall_ms += ms;
}

static void sleep_ms(void *ctx, int64_t ms)
{
    struct env_kit *kit = ctx;
    assert_true(kit->sleeps < ENV_KIT_SLEEPS_MAX);
    kit->slept_ms[kit->sleeps++] = ms;
    env_kit_advance(kit, ms);
}

static bool cancelled(void *ctx)
{
    const struct env_kit *kit = ctx;
    return kit->cancels_ms != 0 && kit->now_ms >= kit->cancels_ms;
}

static uint32_t draw(void *ctx)
{
    const struct env_kit *kit = ctx;
    return kit->random;
}

static void warn(void *ctx, const char *text)
{
    struct env_kit *kit = ctx;
    kit->warnings++;
    (void)snprintf(kit->warned, sizeof kit->warned, "%s", text);
}

static void note(void *ctx, const char *text)
{
    struct env_kit *kit = ctx;
    (void)snprintf(kit->noted, sizeof kit->noted, "%s", text);
}

void env_kit_init(struct env_kit *kit)
{
    *kit = (struct env_kit){
        .env = {.now_ms = now_ms,
                .boot_ms = boot_ms,
                .wall_ms = wall_ms,
                .sleep_ms = sleep_ms,
                .cancelled = cancelled,
                .random = draw,
                .warn = warn,
                .debug = note,
                .ctx = kit},
        .now_ms = 1000000,
        .wall_ms = INT64_C(1714521600000),
        .random = ENV_KIT_NO_JITTER,
    };
}

char *env_kit_folder(void)
{
    const char *top = getenv("TMPDIR");
    char *folder = giq_os_join(top == NULL ? "/tmp" : top, "giq-unit-XXXXXX");
    assert_non_null(folder);
    assert_non_null(mkdtemp(folder));
    return folder;
}

void env_kit_remove(char *folder)
{
    struct giq_error err = {0};
    assert_true(giq_tree_remove(folder, &err));
    free(folder);
}

int env_kit_setup(void **state)
{
    *state = env_kit_folder();
    return 0;
}

int env_kit_teardown(void **state)
{
    env_kit_remove(*state);
    return 0;
}

char *env_kit_read(const char *folder, const char *name)
{
    struct giq_error err = {0};
    struct giq_buf buf;
    bool found = false;
    char *path = giq_os_join(folder, name);
    giq_buf_init(&buf, 1 << 20);
    assert_true(giq_os_read_file(path, 1 << 20, &buf, &found, &err));
    free(path);
    if (found && buf.data == NULL) {
        return strdup("");
    }
    return giq_buf_take(&buf);
}

void env_kit_write(const char *folder, const char *name, const char *text)
{
    char *path = giq_os_join(folder, name);
    FILE *file = fopen(path, "wb");
    free(path);
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

void env_kit_expect(const char *folder, const char *name, const char *text)
{
    char *found = env_kit_read(folder, name);
    assert_non_null(found);
    assert_string_equal(found, text);
    free(found);
}

bool env_kit_has(const char *folder, const char *name, const char *part)
{
    char *found = env_kit_read(folder, name);
    bool has = found != NULL && strstr(found, part) != NULL;
    free(found);
    return has;
}

struct entries {
    const char *start;
    size_t count;
};

static bool count_entry(void *ctx, const char *name, struct giq_error *err)
{
    struct entries *entries = ctx;
    (void)err;
    entries->count += strncmp(name, entries->start, strlen(entries->start)) == 0;
    return true;
}

size_t env_kit_count(const char *folder, const char *start)
{
    struct giq_error err = {0};
    struct entries entries = {start, 0};
    assert_true(giq_os_list(folder, count_entry, &entries, &err));
    return entries.count;
}

void env_kit_set_age(const char *folder, const char *name, int64_t age_ms)
{
    char *path = giq_os_join(folder, name);
    int64_t ms = giq_os_wall_ms() - age_ms;
    const struct timespec past = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    const struct timespec times[2] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}
