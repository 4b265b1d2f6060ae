/* One table of errors for the process, guarded by a mutex. */
#include "giq_negative_cache.h"

#include <cpl_multiproc.h>
#include <cpl_string.h>
#include <string.h>

enum {
    LIFETIME_MS = 60 * 1000,
    ENTRIES_MAX = 64,    /* the oldest is replaced */
    MUTEX_WAIT_S = 1000, /* GDAL's usual limit; never reached */
};

static struct {
    char **key; /* NULL: a free entry */
    int64_t added_ms;
    struct giq_error err;
} entries[ENTRIES_MAX];

static CPLMutex *mutex; /* guards `entries`; made when first needed */

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

static bool is_same(char **a, char **b)
{
    if (CSLCount(a) != CSLCount(b)) {
        return false;
    }
    for (int i = 0; a != NULL && a[i] != NULL; i++) {
        if (strcmp(a[i], b[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The index of the entry of `key`, or -1. */
static int index_of(char **key)
{
    for (int i = 0; i < ENTRIES_MAX; i++) {
        if (entries[i].key != NULL && is_same(entries[i].key, key)) {
            return i;
        }
    }
    return -1;
}

/* The `added_ms` of a free entry is 0, so free entries come first. */
static int index_of_oldest(void)
{
    int oldest = 0;
    for (int i = 1; i < ENTRIES_MAX; i++) {
        if (entries[i].added_ms < entries[oldest].added_ms) {
            oldest = i;
        }
    }
    return oldest;
}

bool giq_negative_cache_find(char **key, struct giq_error *out)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    int i = index_of(key);
    bool found = i >= 0 && now_ms() - entries[i].added_ms < LIFETIME_MS;
    if (found) {
        *out = entries[i].err;
    }
    CPLReleaseMutex(mutex);
    return found;
}

void giq_negative_cache_add(char **key, const struct giq_error *err)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    int i = index_of(key);
    if (i < 0) {
        i = index_of_oldest();
        CSLDestroy(entries[i].key);
        entries[i].key = CSLDuplicate(key);
    }
    entries[i].added_ms = now_ms();
    entries[i].err = *err;
    CPLReleaseMutex(mutex);
}
