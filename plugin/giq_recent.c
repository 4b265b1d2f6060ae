#include "giq_recent.h"

#include <cpl_multiproc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "giq/giq.h"

enum {
    KEPT_MS = 60 * 1000,
    ENTRIES = 64,    /* the oldest gives way */
    NAME_SIZE = 512, /* of the key and as much of the store's path as fits */
};

static struct {
    char name[NAME_SIZE];
    int64_t noted_ms; /* 0: free */
} recent[ENTRIES];

static CPLMutex *mutex; /* made when first needed */

enum { PATIENCE_S = 1000 };

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

static void make_name(const char *store_dir, const char *key, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s %s", key, store_dir);
}

bool giq_recent_has(const char *store_dir, const char *key)
{
    char name[NAME_SIZE];
    bool found = false;
    make_name(store_dir, key, name);
    (void)CPLCreateOrAcquireMutex(&mutex, PATIENCE_S);
    for (int i = 0; i < ENTRIES && !found; i++) {
        found = recent[i].noted_ms != 0 && now_ms() - recent[i].noted_ms < KEPT_MS &&
                strcmp(recent[i].name, name) == 0;
    }
    CPLReleaseMutex(mutex);
    return found;
}

void giq_recent_note(const char *store_dir, const char *key)
{
    char name[NAME_SIZE];
    int chosen = 0;
    make_name(store_dir, key, name);
    (void)CPLCreateOrAcquireMutex(&mutex, PATIENCE_S);
    for (int i = 0; i < ENTRIES; i++) {
        if (strcmp(recent[i].name, name) == 0) {
            chosen = i;
            break;
        }
        if (recent[i].noted_ms < recent[chosen].noted_ms) {
            chosen = i;
        }
    }
    (void)memcpy(recent[chosen].name, name, sizeof name);
    recent[chosen].noted_ms = now_ms();
    CPLReleaseMutex(mutex);
}
