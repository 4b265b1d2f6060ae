/*
 * Results of the batches that this process has opened, so that their sources, which GDAL
 * opens one after the other while it reads, open without a session, an area or a key.
 *
 * A source whose result is not kept, or has changed since, opens as any other string.
 *
 * Usage: giq_batch_sources_new(), giq_batch_sources_add() for each row, then
 * giq_batch_sources_keep() or giq_batch_sources_free(). What is kept may be used by all
 * threads.
 */
#ifndef GIQ_BATCH_SOURCES_H
#define GIQ_BATCH_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

/* The most rows that are kept, of all batches together; those of the batches that were
 * kept first are dropped. A larger batch is not kept. */
enum { GIQ_BATCH_SOURCES_MAX = 10000 };

struct giq_batch_sources;

struct giq_batch_sources *giq_batch_sources_new(void);
void giq_batch_sources_free(struct giq_batch_sources *sources); /* NULL is allowed */

/* One result; all texts are owned. */
struct giq_batch_source {
    char *name; /* the GIQ: string of its row */
    char *path;
    char *job_id;
    char *proof; /* giq_result_proof.h */
};

void giq_batch_source_release(struct giq_batch_source *source);

/* Add a copy. */
void giq_batch_sources_add(struct giq_batch_sources *sources,
                           const struct giq_batch_source *source);

/* Keep the sources, which are consumed, under the name of their batch, in place of what
 * was kept under that name. */
void giq_batch_sources_keep(const char *batch, struct giq_batch_sources *sources);

/* Find a source that is kept under the name of the batch, which may be NULL. The caller
 * passes `*out` to giq_batch_source_release(). */
bool giq_batch_sources_find(const char *batch, const char *name,
                            struct giq_batch_source *out);

#endif
