/*
 * The catalogue: an item for each file of the service's folder that has a location,
 * or a number of made-up items in their place. Files are read again when they change.
 *
 * Usage: catalogue_open(), read the items, catalogue_close(). Thread-safe.
 */
#ifndef SANDBOX_CATALOGUE_H
#define SANDBOX_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "footprint.h"

struct catalogue_collection {
    const char *id;
    const char *title;
    const char *description;
    const char *keyword;
};

enum { CATALOGUE_COLLECTIONS = 2 };
extern const struct catalogue_collection catalogue_collections[CATALOGUE_COLLECTIONS];

struct catalogue_item {
    char *id; /* the name of the file */
    char uuid[FILES_UUID_SIZE];
    const struct catalogue_collection *collection; /* NULL: no location, not listed */
    struct footprint footprint; /* `geometry` is NULL in a made-up item: its box */
    int64_t taken_ms;
    int64_t changed_ms; /* of the file; when the service took it in */
    int64_t size;
};

struct catalogue;

/* `made_up`: how many items there are in place of those of `files`; 0: none. */
struct catalogue *catalogue_new(struct files *files, int made_up);
void catalogue_free(struct catalogue *catalogue);

/* All items, ordered by id, until catalogue_close() is called by the same thread. */
const struct catalogue_item *catalogue_open(struct catalogue *catalogue, size_t *count);
void catalogue_close(struct catalogue *catalogue);

#endif
