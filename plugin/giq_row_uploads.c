/* Identifies each file to upload of a batch once, and hands out readers of it. */
#include "giq_row_uploads.h"

#include <cpl_conv.h>
#include <cpl_hash_set.h>
#include <cpl_string.h>

#include "giq_upload_file.h"

/* A path, which is the key of the set. */
struct entry {
    char *path;                   /* as a row gives it */
    struct giq_upload_file *file; /* NULL if it cannot be used */
    struct giq_upload upload;     /* what `file` holds */
    struct giq_error *problem;    /* why it cannot be used, or NULL */
};

/* The upload of one row. */
struct row_upload {
    struct row_upload *next;
    struct giq_upload_file *file;
    struct giq_upload upload;
};

struct giq_row_uploads {
    struct giq_session *session;
    CPLHashSet *entries;
    struct row_upload *rows; /* the last one first */
};

static unsigned long hash_entry(const void *element)
{
    return CPLHashSetHashStr(((const struct entry *)element)->path);
}

static int are_equal(const void *a, const void *b)
{
    return CPLHashSetEqualStr(((const struct entry *)a)->path,
                              ((const struct entry *)b)->path);
}

static void free_entry(void *element)
{
    struct entry *entry = element;
    giq_upload_file_free(entry->file);
    CPLFree(entry->problem);
    CPLFree(entry->path);
    CPLFree(entry);
}

struct giq_row_uploads *giq_row_uploads_new(struct giq_session *session)
{
    struct giq_row_uploads *uploads = CPLCalloc(1, sizeof *uploads);
    uploads->session = session;
    uploads->entries = CPLHashSetNew(hash_entry, are_equal, free_entry);
    return uploads;
}

void giq_row_uploads_free(struct giq_row_uploads *uploads)
{
    if (uploads == NULL) {
        return;
    }
    while (uploads->rows != NULL) {
        struct row_upload *row = uploads->rows;
        uploads->rows = row->next;
        giq_upload_file_free(row->file);
        CPLFree(row);
    }
    CPLHashSetDestroy(uploads->entries);
    CPLFree(uploads);
}

static bool identify(const struct giq_session *session, struct entry *entry,
                     struct giq_error *err)
{
    if (!giq_upload_file_new(entry->path, &entry->file, err)) {
        return false;
    }
    return giq_upload_identify(session->store, giq_upload_file_source(entry->file),
                               session->config.source_type, &session->env, &entry->upload,
                               err);
}

/* The entry of a path; a file that cannot be used has a `problem`. NULL after an error
 * that concerns more than this file. */
static const struct entry *find_entry(struct giq_row_uploads *uploads, const char *path,
                                      struct giq_error *err)
{
    const struct entry key = {.path = (char *)path};
    const struct entry *known = CPLHashSetLookup(uploads->entries, &key);
    if (known != NULL) {
        return known;
    }
    struct giq_error problem = {0};
    struct entry *entry = CPLCalloc(1, sizeof *entry);
    entry->path = CPLStrdup(path);
    if (!identify(uploads->session, entry, &problem)) {
        if (problem.code != GIQ_E_USAGE) {
            free_entry(entry);
            *err = problem;
            return NULL;
        }
        entry->problem = CPLMalloc(sizeof problem);
        *entry->problem = problem;
    }
    (void)CPLHashSetInsert(uploads->entries, entry);
    return entry;
}

bool giq_row_uploads_add(struct giq_row_uploads *uploads, const char *path,
                         const struct giq_upload **out, struct giq_error *err)
{
    const struct entry *entry = find_entry(uploads, path, err);
    if (entry == NULL) {
        return false;
    }
    if (entry->problem != NULL) {
        *err = *entry->problem;
        return false;
    }
    struct row_upload *row = CPLCalloc(1, sizeof *row);
    row->file = giq_upload_file_clone(entry->file);
    row->upload = entry->upload;
    row->upload.source = giq_upload_file_source(row->file);
    row->next = uploads->rows;
    uploads->rows = row;
    *out = &row->upload;
    return true;
}
