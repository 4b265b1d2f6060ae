#include "giq_negative_cache.h"

#include <cpl_multiproc.h>
#include <cpl_string.h>
#include <string.h>

enum {
    KEPT_MS = 60 * 1000,
    ENTRIES = 64, /* the oldest gives way */
};

static struct {
    char **what;
    int64_t noted_ms;
    struct giq_error err;
} recent[ENTRIES];

static CPLMutex *mutex; /* made when first needed */

enum { PATIENCE_S = 1000 };

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

static bool is_same(char **a, char **b)
{
    bool same = CSLCount(a) == CSLCount(b);
    for (int i = 0; same && a != NULL && a[i] != NULL; i++) {
        same = strcmp(a[i], b[i]) == 0;
    }
    return same;
}

/* The entry of `what`, or -1. */
static int index_of(char **what)
{
    int at = 0;
    while (at < ENTRIES && (recent[at].what == NULL || !is_same(recent[at].what, what))) {
        at++;
    }
    return at < ENTRIES ? at : -1;
}

static int oldest(void)
{
    int chosen = 0;
    for (int i = 1; i < ENTRIES; i++) {
        if (recent[i].noted_ms < recent[chosen].noted_ms) {
            chosen = i;
        }
    }
    return chosen;
}

bool giq_negative_cache_find(char **what, struct giq_error *out)
{
    (void)CPLCreateOrAcquireMutex(&mutex, PATIENCE_S);
    int at = index_of(what);
    bool found = at >= 0 && now_ms() - recent[at].noted_ms < KEPT_MS;
    if (found) {
        *out = recent[at].err;
    }
    CPLReleaseMutex(mutex);
    return found;
}

void giq_negative_cache_note(char **what, const struct giq_error *err)
{
    (void)CPLCreateOrAcquireMutex(&mutex, PATIENCE_S);
    int at = index_of(what);
    if (at < 0) {
        at = oldest();
        CSLDestroy(recent[at].what);
        recent[at].what = CSLDuplicate(what);
    }
    recent[at].noted_ms = now_ms();
    recent[at].err = *err;
    CPLReleaseMutex(mutex);
}
