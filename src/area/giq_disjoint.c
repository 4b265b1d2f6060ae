#include "area/giq_disjoint.h"

#include <stdlib.h>

bool giq_disjoint_init(struct giq_disjoint *c, size_t count)
{
    *c = (struct giq_disjoint){.lower = calloc(count + 1, sizeof(size_t)),
                               .next = calloc(count + 1, sizeof(size_t)),
                               .count = count};
    for (size_t i = 0; c->lower != NULL && i < count; i++) {
        c->lower[i] = i;
    }
    return c->lower != NULL && c->next != NULL;
}

void giq_disjoint_release(struct giq_disjoint *c)
{
    free(c->lower);
    free(c->next);
    *c = (struct giq_disjoint){0};
}

static size_t find_first(struct giq_disjoint *c, size_t i)
{
    while (c->lower[i] != i) {
        c->lower[i] = c->lower[c->lower[i]];
        i = c->lower[i];
    }
    return i;
}

bool giq_disjoint_are_joined(struct giq_disjoint *c, size_t a, size_t b)
{
    return find_first(c, a) == find_first(c, b);
}

void giq_disjoint_join(struct giq_disjoint *c, size_t a, size_t b)
{
    size_t first_a = find_first(c, a);
    size_t first_b = find_first(c, b);
    if (first_a < first_b) {
        c->lower[first_b] = first_a;
    } else {
        c->lower[first_a] = first_b;
    }
}

void giq_disjoint_close(struct giq_disjoint *c)
{
    for (size_t i = c->count; i-- > 0;) {
        size_t first = find_first(c, i);
        if (first != i) {
            c->next[i] = c->next[first];
            c->next[first] = i;
        }
    }
}

bool giq_disjoint_is_first(const struct giq_disjoint *c, size_t number)
{
    return c->lower[number] == number;
}

size_t giq_disjoint_next(const struct giq_disjoint *c, size_t number)
{
    return c->next[number];
}
