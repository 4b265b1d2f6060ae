/* The JSON of summaries, and reading and recording them. */
#include "store/giq_summary.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_text.h"
#include "store/giq_lock.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"
#include "store/giq_store.h"

static const char summary_member[] = "summary";
static const char proof_member[] = "proof"; /* of the summary */

/* ---- lists ---- */

/* Append a zeroed element of `size` bytes to a list of `*count`. Returns the element, and
 * the list, which may have moved, in `*out_list`. NULL when out of memory; the list is
 * then unchanged. */
static void *append(void *list, size_t *count, size_t size, void **out_list)
{
    char *grown = reallocarray(list, *count + 1, size);
    if (grown == NULL) {
        return NULL;
    }
    *out_list = grown;
    void *added = grown + *count * size;
    (*count)++;
    return memset(added, 0, size);
}

/* The body of a function that appends an element to owner->list, and returns it. */
#define APPEND(owner, list, count)                                                       \
    __typeof__((owner)->list) before = (owner)->list;                                    \
    void *after = before;                                                                \
    void *added = append(before, &(owner)->count, sizeof *before, &after);               \
    (owner)->list = after;                                                               \
    return added

struct giq_summary_file *giq_summary_add_file(struct giq_summary *summary)
{
    APPEND(summary, files, file_count);
}

struct giq_summary_layer *giq_summary_add_layer(struct giq_summary_file *file)
{
    APPEND(file, layers, layer_count);
}

struct giq_summary_field *giq_summary_add_field(struct giq_summary_layer *layer)
{
    APPEND(layer, fields, field_count);
}

struct giq_summary_band *giq_summary_add_band(struct giq_summary_raster *raster)
{
    APPEND(raster, bands, band_count);
}

/* ---- members of the JSON ---- */

enum kind { TEXT, INTEGER, BOOLEAN };

/* A member of an object of the JSON, and where its value is in the struct. */
struct member {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define MEMBER(type, kind, name)                                                         \
    {                                                                                    \
#name, kind, offsetof(struct type, name)                                         \
    }

static const struct member field_members[] = {
    MEMBER(giq_summary_field, TEXT, name),
    MEMBER(giq_summary_field, TEXT, type),
    MEMBER(giq_summary_field, TEXT, subtype),
};

static const struct member layer_members[] = {
    MEMBER(giq_summary_layer, TEXT, name),
    MEMBER(giq_summary_layer, INTEGER, geometry_type),
    MEMBER(giq_summary_layer, TEXT, srs),
    MEMBER(giq_summary_layer, INTEGER, features),
    MEMBER(giq_summary_layer, TEXT, extent),
};

static const struct member band_members[] = {
    MEMBER(giq_summary_band, TEXT, type),
    MEMBER(giq_summary_band, TEXT, interpretation),
    MEMBER(giq_summary_band, TEXT, nodata),
    MEMBER(giq_summary_band, TEXT, offset),
    MEMBER(giq_summary_band, TEXT, scale),
    MEMBER(giq_summary_band, TEXT, unit),
    MEMBER(giq_summary_band, TEXT, description),
    MEMBER(giq_summary_band, TEXT, colors),
    MEMBER(giq_summary_band, INTEGER, block_width),
    MEMBER(giq_summary_band, INTEGER, block_height),
};

static const struct member raster_members[] = {
    MEMBER(giq_summary_raster, INTEGER, width),
    MEMBER(giq_summary_raster, INTEGER, height),
    MEMBER(giq_summary_raster, TEXT, geotransform),
    MEMBER(giq_summary_raster, TEXT, srs),
    MEMBER(giq_summary_raster, BOOLEAN, has_mask),
};

static const struct member file_members[] = {
    MEMBER(giq_summary_file, TEXT, name),
    MEMBER(giq_summary_file, TEXT, driver),
    MEMBER(giq_summary_file, TEXT, other_driver),
    MEMBER(giq_summary_file, BOOLEAN, is_vector),
};

/* Set the members of `json` to the values in the struct at `at`; get_members() does the
 * reverse. A boolean that is false is left out. */
static bool set_members(struct giq_json *json, const void *at,
                        const struct member *members, size_t count)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const void *value = (const char *)at + members[i].offset;
        switch (members[i].kind) {
        case TEXT:
            ok = giq_json_set_text(json, members[i].name, *(char *const *)value);
            break;
        case INTEGER:
            ok = giq_json_set_integer(json, members[i].name, *(const int64_t *)value);
            break;
        case BOOLEAN:
            ok = !*(const bool *)value || giq_json_set_bool(json, members[i].name, true);
            break;
        }
    }
    return ok;
}

static bool get_members(const struct giq_json *json, void *at,
                        const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *value = (char *)at + members[i].offset;
        const struct giq_json *member = giq_json_get(json, members[i].name);
        if (members[i].kind == INTEGER) {
            *(int64_t *)value = giq_json_integer(member, 0);
        } else if (members[i].kind == BOOLEAN) {
            *(bool *)value = giq_json_is_true(member);
        } else if (!giq_text_set(value, giq_json_text(member))) {
            return false;
        }
    }
    return true;
}

static void free_members(void *at, const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i].kind == TEXT) {
            free(giq_take((char *)at + members[i].offset));
        }
    }
}

#define SET(json, at, members) set_members(json, at, members, GIQ_COUNT(members))
#define GET(json, at, members) get_members(json, at, members, GIQ_COUNT(members))
#define FREE(at, members)      free_members(at, members, GIQ_COUNT(members))

static void release_file(struct giq_summary_file *file)
{
    for (size_t i = 0; i < file->layer_count; i++) {
        struct giq_summary_layer *layer = &file->layers[i];
        for (size_t j = 0; j < layer->field_count; j++) {
            FREE(&layer->fields[j], field_members);
        }
        free(layer->fields);
        FREE(layer, layer_members);
    }
    free(file->layers);
    for (size_t i = 0; i < file->raster.band_count; i++) {
        FREE(&file->raster.bands[i], band_members);
    }
    free(file->raster.bands);
    FREE(&file->raster, raster_members);
    FREE(file, file_members);
}

void giq_summary_release(struct giq_summary *summary)
{
    for (size_t i = 0; i < summary->file_count; i++) {
        release_file(&summary->files[i]);
    }
    free(summary->files);
    free(summary->proof);
    *summary = (struct giq_summary){0};
}

/* ---- writing ---- */

static bool add_layer(struct giq_json *file, const struct giq_summary_layer *layer)
{
    struct giq_json *json = giq_json_add_object(file, "layers");
    if (json == NULL || !SET(json, layer, layer_members) ||
        !giq_json_set_list(json, "fields")) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < layer->field_count; i++) {
        struct giq_json *field = giq_json_add_object(json, "fields");
        ok = field != NULL && SET(field, &layer->fields[i], field_members);
    }
    return ok;
}

static bool add_raster(struct giq_json *file, const struct giq_summary_raster *raster)
{
    struct giq_json *json = giq_json_ensure_object(file, "raster");
    if (json == NULL || !SET(json, raster, raster_members) ||
        !giq_json_set_list(json, "bands")) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < raster->band_count; i++) {
        struct giq_json *band = giq_json_add_object(json, "bands");
        ok = band != NULL && SET(band, &raster->bands[i], band_members);
    }
    return ok;
}

static bool add_file(struct giq_json *summary, const struct giq_summary_file *file)
{
    struct giq_json *json = giq_json_add_object(summary, "files");
    if (json == NULL || !SET(json, file, file_members)) {
        return false;
    }
    bool ok = file->raster.width == 0 || add_raster(json, &file->raster);
    ok = ok && (file->layer_count == 0 || giq_json_set_list(json, "layers"));
    for (size_t i = 0; ok && i < file->layer_count; i++) {
        ok = add_layer(json, &file->layers[i]);
    }
    return ok;
}

static bool fill(struct giq_json *json, const struct giq_summary *summary)
{
    bool ok = giq_json_set_text(json, proof_member, summary->proof) &&
              giq_json_set_list(json, "files");
    for (size_t i = 0; ok && i < summary->file_count; i++) {
        ok = add_file(json, &summary->files[i]);
    }
    return ok;
}

bool giq_summary_to_json(const struct giq_summary *summary, struct giq_json **out,
                         struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    if (json == NULL || !fill(json, summary)) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO_FREE char *text = giq_json_print(json);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    bool is_recordable = strlen(text) <= GIQ_SUMMARY_BYTES_MAX && giq_text_is_utf8(text);
    *out = is_recordable ? giq_take(&json) : NULL;
    return true;
}

/* ---- reading ---- */

static bool parse_layer(const struct giq_json *json, struct giq_summary_file *file)
{
    struct giq_summary_layer *layer = giq_summary_add_layer(file);
    if (layer == NULL || !GET(json, layer, layer_members)) {
        return false;
    }
    const struct giq_json *item = giq_json_first(giq_json_get(json, "fields"));
    for (; item != NULL; item = giq_json_next(item)) {
        struct giq_summary_field *field = giq_summary_add_field(layer);
        if (field == NULL || !GET(item, field, field_members)) {
            return false;
        }
    }
    return true;
}

static bool parse_raster(const struct giq_json *json, struct giq_summary_raster *raster)
{
    if (!GET(json, raster, raster_members)) {
        return false;
    }
    const struct giq_json *item = giq_json_first(giq_json_get(json, "bands"));
    for (; item != NULL; item = giq_json_next(item)) {
        struct giq_summary_band *band = giq_summary_add_band(raster);
        if (band == NULL || !GET(item, band, band_members)) {
            return false;
        }
    }
    return true;
}

static bool parse_file(const struct giq_json *json, struct giq_summary *summary)
{
    struct giq_summary_file *file = giq_summary_add_file(summary);
    if (file == NULL || !GET(json, file, file_members) ||
        !parse_raster(giq_json_get(json, "raster"), &file->raster)) {
        return false;
    }
    const struct giq_json *item = giq_json_first(giq_json_get(json, "layers"));
    for (; item != NULL; item = giq_json_next(item)) {
        if (!parse_layer(item, file)) {
            return false;
        }
    }
    return true;
}

/* Whether the texts that every reader needs exist. */
static bool is_whole(const struct giq_summary *summary)
{
    bool ok = true;
    for (size_t i = 0; i < summary->file_count; i++) {
        const struct giq_summary_file *file = &summary->files[i];
        ok = ok && file->name != NULL && file->driver != NULL &&
             file->raster.width >= 0 && file->raster.height >= 0;
        for (size_t j = 0; j < file->raster.band_count; j++) {
            const struct giq_summary_band *band = &file->raster.bands[j];
            ok = ok && band->type != NULL && band->interpretation != NULL;
        }
        for (size_t j = 0; j < file->layer_count; j++) {
            const struct giq_summary_layer *layer = &file->layers[j];
            ok = ok && layer->name != NULL;
            for (size_t k = 0; k < layer->field_count; k++) {
                ok = ok && layer->fields[k].name != NULL && layer->fields[k].type != NULL;
            }
        }
    }
    return ok;
}

bool giq_summary_parse(const struct giq_json *json, struct giq_summary *out,
                       bool *out_found, struct giq_error *err)
{
    GIQ_AUTO(giq_summary_release) struct giq_summary summary = {0};
    *out = (struct giq_summary){0};
    *out_found = false;
    if (!giq_text_set(&summary.proof, giq_json_text(giq_json_get(json, proof_member)))) {
        return giq_fail_memory(err);
    }
    const struct giq_json *item = giq_json_first(giq_json_get(json, "files"));
    for (; item != NULL; item = giq_json_next(item)) {
        if (!parse_file(item, &summary)) {
            return giq_fail_memory(err);
        }
    }
    if (summary.file_count > 0 && is_whole(&summary)) {
        *out = summary;
        summary = (struct giq_summary){0};
        *out_found = true;
    }
    return true;
}

/* ---- records ---- */

/* The summary, if it is of the result that is published now; else NULL. An older version,
 * which keeps the member as it is, may have recorded another result since. */
static const struct giq_json *current_summary(const struct giq_record *record)
{
    const struct giq_json *json = giq_json_get(record->document, summary_member);
    const char *job_id = giq_json_text(giq_json_get(json, "job_id"));
    bool is_current =
        record->state == GIQ_JOB_PUBLISHED && job_id != NULL &&
        strcmp(job_id, record->job_id) == 0 &&
        giq_json_integer(giq_json_get(json, "size"), -1) == record->result_size;
    return is_current ? json : NULL;
}

const char *giq_summary_get_proof(const struct giq_record *record)
{
    return giq_json_text(giq_json_get(current_summary(record), proof_member));
}

bool giq_summary_read(const struct giq_store *store, const char *key,
                      struct giq_summary *out, bool *out_found, struct giq_error *err)
{
    GIQ_AUTO(giq_record_release) struct giq_record record;
    GIQ_AUTO_FREE char *folder = giq_store_folder(store, key);
    giq_record_init(&record);
    *out_found = false;
    if (folder == NULL) {
        return giq_fail_memory(err);
    }
    return giq_record_read(folder, NULL, &record, NULL, err) &&
           giq_summary_parse(current_summary(&record), out, out_found, err);
}

/* Must be called with the record lock held. */
static void record_locked(const char *folder, unsigned access, const char *job_id,
                          const struct giq_json *json)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (giq_record_read(folder, NULL, &record, NULL, &ignored) &&
        record.state == GIQ_JOB_PUBLISHED && strcmp(record.job_id, job_id) == 0 &&
        current_summary(&record) == NULL &&
        giq_record_set_summary(&record, json, &ignored)) {
        (void)giq_record_write(folder, access, &record, &ignored);
    }
}

void giq_summary_record(const struct giq_store *store, const char *key,
                        const char *job_id, const struct giq_summary *summary)
{
    struct giq_error ignored = {0};
    struct giq_lock *lock = NULL;
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    GIQ_AUTO_FREE char *folder = giq_store_folder(store, key);
    unsigned access = giq_store_access(store);
    if (folder == NULL || !giq_summary_to_json(summary, &json, &ignored) ||
        json == NULL || !giq_lock_acquire(folder, access, &lock, &ignored)) {
        return;
    }
    record_locked(folder, access, job_id, json);
    giq_lock_release(lock);
}
