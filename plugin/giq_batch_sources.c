/* Keeps the sources of batches in a list, the latest first, that is guarded by a mutex.
 */
#include "giq_batch_sources.h"

#include <cpl_conv.h>
#include <cpl_multiproc.h>
#include <stdlib.h>
#include <string.h>

enum { MUTEX_WAIT_S = 1000 }; /* GDAL's usual limit; never reached */

struct giq_batch_sources {
    struct giq_batch_source *items; /* sorted by name once they are kept */
    size_t count;
    size_t capacity;
    char *batch;
    struct giq_batch_sources *next;
};

static struct giq_batch_sources *kept;
static CPLMutex *mutex; /* guards the list; made at first use */

void giq_batch_source_release(struct giq_batch_source *source)
{
    CPLFree(source->name);
    CPLFree(source->path);
    CPLFree(source->job_id);
    CPLFree(source->proof);
    *source = (struct giq_batch_source){0};
}

struct giq_batch_sources *giq_batch_sources_new(void)
{
    return CPLCalloc(1, sizeof(struct giq_batch_sources));
}

void giq_batch_sources_free(struct giq_batch_sources *sources)
{
    if (sources == NULL) {
        return;
    }
    for (size_t i = 0; i < sources->count; i++) {
        giq_batch_source_release(&sources->items[i]);
    }
    CPLFree(sources->items);
    CPLFree(sources->batch);
    CPLFree(sources);
}

static struct giq_batch_source copy_of(const struct giq_batch_source *source)
{
    return (struct giq_batch_source){
        .name = CPLStrdup(source->name),
        .path = CPLStrdup(source->path),
        .job_id = CPLStrdup(source->job_id),
        .proof = CPLStrdup(source->proof),
    };
}

void giq_batch_sources_add(struct giq_batch_sources *sources,
                           const struct giq_batch_source *source)
{
    if (sources->count > GIQ_BATCH_SOURCES_MAX) {
        return; /* they will not be kept */
    }
    if (sources->count == sources->capacity) {
        sources->capacity = sources->capacity == 0 ? 64 : sources->capacity * 2;
        sources->items =
            CPLRealloc(sources->items, sources->capacity * sizeof *sources->items);
    }
    sources->items[sources->count++] = copy_of(source);
}

static int compare_names(const void *a, const void *b)
{
    const struct giq_batch_source *first = a;
    const struct giq_batch_source *second = b;
    return strcmp(first->name, second->name);
}

/* Remove what is kept under the name, and what goes beyond `room` rows. Must be called
 * with the mutex held. */
static void drop(const char *batch, size_t room)
{
    struct giq_batch_sources **at = &kept;
    while (*at != NULL) {
        struct giq_batch_sources *one = *at;
        if (strcmp(one->batch, batch) == 0 || one->count > room) {
            *at = one->next;
            giq_batch_sources_free(one);
        } else {
            room -= one->count;
            at = &one->next;
        }
    }
}

void giq_batch_sources_keep(const char *batch, struct giq_batch_sources *sources)
{
    if (sources->count > GIQ_BATCH_SOURCES_MAX) {
        giq_batch_sources_free(sources);
        return;
    }
    if (sources->count > 0) {
        qsort(sources->items, sources->count, sizeof *sources->items, compare_names);
    }
    sources->batch = CPLStrdup(batch);
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    drop(batch, GIQ_BATCH_SOURCES_MAX - sources->count);
    sources->next = kept;
    kept = sources;
    CPLReleaseMutex(mutex);
}

/* Must be called with the mutex held. */
static const struct giq_batch_source *find(const char *batch, const char *name)
{
    const struct giq_batch_source wanted = {.name = (char *)name};
    for (const struct giq_batch_sources *one = kept; one != NULL; one = one->next) {
        if (strcmp(one->batch, batch) == 0) {
            return one->count == 0 ? NULL
                                   : bsearch(&wanted, one->items, one->count,
                                             sizeof *one->items, compare_names);
        }
    }
    return NULL;
}

bool giq_batch_sources_find(const char *batch, const char *name,
                            struct giq_batch_source *out)
{
    if (batch == NULL) {
        return false;
    }
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    const struct giq_batch_source *found = find(batch, name);
    if (found != NULL) {
        *out = copy_of(found);
    }
    CPLReleaseMutex(mutex);
    return found != NULL;
}
