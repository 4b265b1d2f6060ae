#include "catalogue.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

const struct catalogue_collection catalogue_collections[CATALOGUE_COLLECTIONS] = {
    {"rasters", "Raster scenes", "Files with pixels", "raster"},
    {"vectors", "Vector layers", "Files with features", "vector"},
};

struct catalogue {
    struct files *files;
    struct catalogue_item *item;
    size_t count;
    bool is_made_up;
    pthread_mutex_t lock;
};

static void *room_for(size_t count)
{
    void *room = calloc(count + 1, sizeof(struct catalogue_item));
    if (room == NULL) {
        abort();
    }
    return room;
}

/* ---- made-up items ---- */

/* Spread over the globe, off 180 degrees and the poles, and over five years. */
static void make_up(struct catalogue_item *item, int i, int count)
{
    static const int64_t first_ms = INT64_C(1577836800000); /* 2020-01-01 */
    static const double years_ms = 5 * 365.25 * 86400 * 1000;
    const double x = -180 + 359.5 * fmod(i * 0.6180339887498949, 1);
    const double y = -80 + 159.5 * fmod(i * 0.7548776662466927, 1);
    item->id = text_make("made-up-%06d-ortho.zip", i);
    files_uuid(item->id, item->uuid);
    item->collection = &catalogue_collections[i % CATALOGUE_COLLECTIONS];
    item->footprint = (struct footprint){
        .box = {x, y, x + 0.25, y + 0.25},
        .is_raster = i % CATALOGUE_COLLECTIONS == 0,
        .source_type = i % CATALOGUE_COLLECTIONS == 0 ? "MULTISPECTRAL" : "POLYGON",
        .driver = "made-up",
    };
    item->taken_ms = first_ms + (int64_t)(years_ms * i / count) / 1000 * 1000;
    item->changed_ms = item->taken_ms + INT64_C(86400000);
}

/* ---- files ---- */

static int64_t changed_ms(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static void read_file(const char *path, const char *name, const struct stat *st,
                      struct catalogue_item *item)
{
    item->id = text_make("%s", name);
    files_uuid(name, item->uuid);
    item->changed_ms = changed_ms(st);
    item->size = st->st_size;
    if (footprint_read(path, &item->footprint)) {
        item->collection = &catalogue_collections[item->footprint.is_raster ? 0 : 1];
        item->taken_ms =
            item->footprint.taken_ms >= 0 ? item->footprint.taken_ms : item->changed_ms;
    }
}

/* Take an item over from the last reading if its file is unchanged. */
static bool take_known(struct catalogue *catalogue, const char *name,
                       const struct stat *st, struct catalogue_item *out)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        struct catalogue_item *item = &catalogue->item[i];
        if (item->id != NULL && strcmp(item->id, name) == 0 &&
            item->size == st->st_size && item->changed_ms == changed_ms(st)) {
            *out = *item;
            *item = (struct catalogue_item){.id = NULL};
            return true;
        }
    }
    return false;
}

static void forget(struct catalogue *catalogue)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        free(catalogue->item[i].id);
        footprint_release(&catalogue->item[i].footprint);
    }
    free(catalogue->item);
}

static void read_folder(struct catalogue *catalogue)
{
    size_t names = 0;
    char **name = files_list(catalogue->files, &names);
    struct catalogue_item *item = room_for(names);
    size_t count = 0;
    for (size_t i = 0; i < names; i++) {
        struct stat st;
        char *path = files_find(catalogue->files, name[i]);
        if (path != NULL && stat(path, &st) == 0) {
            if (!take_known(catalogue, name[i], &st, &item[count])) {
                read_file(path, name[i], &st, &item[count]);
            }
            count++;
        }
        free(path);
        free(name[i]);
    }
    free(name);
    forget(catalogue);
    catalogue->item = item;
    catalogue->count = count;
}

/* ---- the whole ---- */

struct catalogue *catalogue_new(struct files *files, int made_up)
{
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (catalogue == NULL) {
        abort();
    }
    catalogue->files = files;
    catalogue->is_made_up = made_up > 0;
    catalogue->item = room_for((size_t)made_up);
    catalogue->count = (size_t)made_up;
    for (int i = 0; i < made_up; i++) {
        make_up(&catalogue->item[i], i, made_up);
    }
    (void)pthread_mutex_init(&catalogue->lock, NULL);
    return catalogue;
}

void catalogue_free(struct catalogue *catalogue)
{
    forget(catalogue);
    (void)pthread_mutex_destroy(&catalogue->lock);
    free(catalogue);
}

const struct catalogue_item *catalogue_open(struct catalogue *catalogue, size_t *count)
{
    (void)pthread_mutex_lock(&catalogue->lock);
    if (!catalogue->is_made_up) {
        read_folder(catalogue);
    }
    *count = catalogue->count;
    return catalogue->item;
}

void catalogue_close(struct catalogue *catalogue)
{
    (void)pthread_mutex_unlock(&catalogue->lock);
}
