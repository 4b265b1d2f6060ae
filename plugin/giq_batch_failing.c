/* Keeps the latest failures in a list that is guarded by a mutex. */
#include "giq_batch_failing.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_multiproc.h>
#include <stddef.h>
#include <string.h>

#include "giq/giq.h"

enum {
    MUTEX_WAIT_S = 1000, /* GDAL's usual limit; never reached */
    KEPT_MAX = 16
};

static struct {
    char *batch; /* NULL: free */
    int64_t until_ms;
} kept[KEPT_MAX];
static size_t next;     /* the entry that was added first, or a free one */
static CPLMutex *mutex; /* guards both; made at first use */

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

/* The position of the batch, or KEPT_MAX. Must be called with the mutex held. */
static size_t find(const char *batch)
{
    size_t at = 0;
    while (at < KEPT_MAX &&
           (kept[at].batch == NULL || strcmp(kept[at].batch, batch) != 0)) {
        at++;
    }
    return at;
}

void giq_batch_failing_note(const char *batch)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    size_t at = find(batch);
    if (at == KEPT_MAX) {
        at = next;
        next = (next + 1) % KEPT_MAX;
        CPLFree(kept[at].batch);
        kept[at].batch = CPLStrdup(batch);
    }
    kept[at].until_ms = now_ms() + GIQ_BATCH_FAILING_MS;
    CPLReleaseMutex(mutex);
}

bool giq_batch_failing_check(const char *batch)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    size_t at = find(batch);
    bool is_failing = at < KEPT_MAX && now_ms() < kept[at].until_ms;
    CPLReleaseMutex(mutex);
    if (is_failing) {
        giq_batch_failing_note(batch);
        CPLErrorSetState(CE_Failure, CPLE_AppDefined,
                         "GIQ[batch] an earlier row of the batch could not be read");
    }
    return is_failing;
}

void giq_batch_failing_forget(const char *batch)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    size_t at = find(batch);
    if (at < KEPT_MAX) {
        kept[at].until_ms = 0;
    }
    CPLReleaseMutex(mutex);
}
