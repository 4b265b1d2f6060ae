/* What tests lend to the core: a clock that only sleeping moves, and a folder of
 * their own. Failures end the test. */
#ifndef GIQ_TESTS_ENV_KIT_H
#define GIQ_TESTS_ENV_KIT_H

#include <stddef.h>
#include <stdint.h>

#include "giq/giq.h"

enum { ENV_KIT_SLEEPS_MAX = 64, ENV_KIT_NO_JITTER = 512 };

struct env_kit {
    struct giq_env env; /* its ctx is the kit */
    int64_t now_ms;
    int64_t suspended_ms; /* how long the monotonic clock stood still */
    int64_t wall_ms;
    int64_t cancels_ms; /* when the host cancels; 0: never */
    int64_t step_ms;    /* added each time the monotonic clock is read */
    uint32_t random;
    int64_t slept_ms[ENV_KIT_SLEEPS_MAX];
    size_t sleeps;
    size_t warnings;
    char warned[600]; /* the last warning */
    char noted[4096]; /* the last line for the log */
};

/* Now is 1000000, the time of day 2024-05-01T00:00:00Z, jitter none. */
void env_kit_init(struct env_kit *kit);
void env_kit_advance(struct env_kit *kit, int64_t ms);

/* A new folder, to be passed to env_kit_remove(), which frees the text too. */
char *env_kit_folder(void);
void env_kit_remove(char *folder);

/* A test that gets such a folder as its state. */
int env_kit_setup(void **state);
int env_kit_teardown(void **state);
#define ENV_KIT_TEST(test)                                                               \
    cmocka_unit_test_setup_teardown(test, env_kit_setup, env_kit_teardown)

/* The file folder/name, to be freed, or NULL where there is none. */
char *env_kit_read(const char *folder, const char *name);
void env_kit_write(const char *folder, const char *name, const char *text);

/* The file folder/name exists and is this text. */
void env_kit_expect(const char *folder, const char *name, const char *text);

/* Whether it exists and contains `part`. */
bool env_kit_has(const char *folder, const char *name, const char *part);

/* How many entries of the folder have a name that begins so; none if it is missing. */
size_t env_kit_count(const char *folder, const char *start);

/* As if the file or folder folder/name was last written so long ago. */
void env_kit_set_age(const char *folder, const char *name, int64_t age_ms);

#endif
