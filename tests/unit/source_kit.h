/* A file in memory that a test lends for uploading, and what was done with it. */
#ifndef GIQ_TESTS_SOURCE_KIT_H
#define GIQ_TESTS_SOURCE_KIT_H

#include <stddef.h>

#include "giq/giq.h"

struct source_kit {
    struct giq_source source; /* its ctx is the kit */
    struct giq_source_stat stat;
    char *bytes;
    size_t len;
    size_t at;
    size_t begins;  /* times that it was read from its first byte */
    size_t ends;    /* times that it was closed */
    bool is_absent; /* stat fails */
    bool is_locked; /* cannot be opened */
    /* Called at each beginning, with the number of those before. May be NULL. */
    void (*on_begin)(struct source_kit *kit, size_t before);
};

/* The file /d/scene.tif with this content, last written long before the time of
 * env_kit_init(). End with source_kit_release(). */
void source_kit_init(struct source_kit *kit, const char *text);
void source_kit_release(struct source_kit *kit);

/* Another content, and with `is_told` another time. */
void source_kit_write(struct source_kit *kit, const char *text, bool is_told);

#endif
