/* Keeps options of threads, in a list that is guarded by a mutex. */
#include "options/giq_kept_options.h"

#include <cpl_conv.h>
#include <cpl_multiproc.h>
#include <cpl_string.h>
#include <string.h>

#include "giq/giq.h"

enum { MUTEX_WAIT_S = 1000 }; /* GDAL's usual limit; never reached */

static const char *const names[GIQ_KEPT_OPTIONS_COUNT] = {
    "GIQ_STORE_DIR", "GIQ_BASE_URL", "GIQ_ALLOW_HTTP", "GIQ_RESULT_DRIVERS"};

/* The options of one dataset. */
struct kept {
    char *name;
    char **options; /* a GDAL string list */
};

static struct kept kept[GIQ_KEPT_OPTIONS_MAX];
static size_t next;     /* the oldest entry, or a free one */
static CPLMutex *mutex; /* guards both; made at first use */

/* NULL if nothing is kept under this name. */
static struct kept *find(const char *name)
{
    for (size_t i = 0; i < GIQ_KEPT_OPTIONS_MAX && kept[i].name != NULL; i++) {
        if (strcmp(kept[i].name, name) == 0) {
            return &kept[i];
        }
    }
    return NULL;
}

static char **read_options(void)
{
    char **options = NULL;
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        const char *value = CPLGetThreadLocalConfigOption(names[i], NULL);
        if (value != NULL) {
            options = CSLSetNameValue(options, names[i], value);
        }
    }
    return options;
}

void giq_kept_options_keep(const char *name)
{
    char **options = read_options();
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    struct kept *entry = find(name);
    if (entry == NULL && options != NULL) {
        entry = &kept[next];
        next = (next + 1) % GIQ_KEPT_OPTIONS_MAX;
        CPLFree(entry->name);
        entry->name = CPLStrdup(name);
    }
    if (entry != NULL) {
        CSLDestroy(entry->options);
        entry->options = options;
    }
    CPLReleaseMutex(mutex);
}

void giq_kept_options_begin(const char *name, struct giq_kept_options *out)
{
    *out = (struct giq_kept_options){0};
    if (name == NULL) {
        return;
    }
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    const struct kept *entry = find(name);
    char **options = entry == NULL ? NULL : CSLDuplicate(entry->options);
    CPLReleaseMutex(mutex);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        const char *value = CSLFetchNameValue(options, names[i]);
        if (value != NULL && CPLGetThreadLocalConfigOption(names[i], NULL) == NULL) {
            CPLSetThreadLocalConfigOption(names[i], value);
            out->set[i] = names[i];
        }
    }
    CSLDestroy(options);
}

void giq_kept_options_end(const struct giq_kept_options *applied)
{
    for (size_t i = 0; i < GIQ_COUNT(applied->set); i++) {
        if (applied->set[i] != NULL) {
            CPLSetThreadLocalConfigOption(applied->set[i], NULL);
        }
    }
}
