/*
 * Locals that are freed on every way out of their block, by the compiler's cleanup
 * attribute.
 *
 * Usage: initialise the variable where it is declared, return early, and hand it over
 * with giq_take():
 *
 *     GIQ_AUTO_FREE char *text = giq_json_print(json);
 *     GIQ_AUTO_BUF struct giq_buf buf;
 *     giq_buf_init(&buf, MAX);
 *     if (text == NULL || !giq_buf_add_text(&buf, text)) {
 *         return giq_fail_memory(err);
 *     }
 *     *out = giq_take(&text);
 *     return true;
 *
 * Locals are freed in the reverse order of their declarations, after the value to return
 * was computed: never return one of them itself.
 */
#ifndef GIQ_CLEANUP_H
#define GIQ_CLEANUP_H

#include <stdlib.h>
#include <string.h>

/* Call `function` with the address of the variable at the end of the variable's block. */
#define GIQ_AUTO(function) __attribute__((cleanup(function)))

/* For pointers that free() frees, of any type. */
#define GIQ_AUTO_FREE GIQ_AUTO(giq_cleanup_free)

/* Define `function`_auto, for use with GIQ_AUTO(), where `function` frees the pointer
 * that it is passed: GIQ_AUTO_DEFINE(giq_json_free, struct giq_json)
 *     GIQ_AUTO(giq_json_free_auto) struct giq_json *json = NULL;
 */
#define GIQ_AUTO_DEFINE(function, type)                                                  \
    static inline void function##_auto(__typeof__(type) **slot)                          \
    {                                                                                    \
        if (*slot != NULL) {                                                             \
            function(*slot);                                                             \
        }                                                                                \
    }

/* Return the pointer in the variable at `slot`, and set the variable to NULL. `slot` is
 * the address of a pointer of any type: passing the pointer itself compiles, but is
 * wrong. */
static inline void *giq_take(void *slot)
{
    void *taken = NULL;
    void *none = NULL;
    memcpy(&taken, slot, sizeof taken);
    memcpy(slot, &none, sizeof none);
    return taken;
}

static inline void giq_cleanup_free(void *slot)
{
    free(giq_take(slot));
}

#endif
