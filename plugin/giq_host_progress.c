/* Calls the progress callback of a program. */
#include "giq_host_progress.h"

#include <cpl_multiproc.h>

#include "giq/giq.h"

enum { PAUSE_MS = 50 };

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

void giq_host_progress_init(struct giq_host_progress *host, GDALProgressFunc function,
                            void *data)
{
    host->function = function;
    host->data = data;
    host->thread = CPLGetPID();
}

bool giq_host_progress_is_cancelled(const struct giq_host_progress *host)
{
    return atomic_load(&host->is_cancelled);
}

bool giq_host_progress_is_due(const struct giq_host_progress *host)
{
    return host->function != NULL && host->thread == CPLGetPID() &&
           !giq_host_progress_is_cancelled(host) &&
           (host->called_ms == 0 || now_ms() - host->called_ms >= PAUSE_MS);
}

void giq_host_progress_call(struct giq_host_progress *host, double share,
                            const char *text)
{
    host->share = share > host->share ? share : host->share;
    if (!host->function(host->share, text, host->data)) {
        atomic_store(&host->is_cancelled, true);
    }
    /* The callback may have taken long. */
    host->called_ms = now_ms();
}
