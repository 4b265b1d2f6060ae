/*
 * Turns a complete download into files under their own names: identifies its format by
 * its content, then unpacks an archive, decodes a gzip file, or moves any other file
 * unchanged.
 */
#ifndef GIQ_STAGE_H
#define GIQ_STAGE_H

#include "base/giq_error.h"

struct giq_staged {
    char *path;   /* what a driver may open: a file, or the folder of an archive */
    char *name;   /* of that file; NULL for an archive */
    int64_t size; /* of that file, or of the archive as downloaded */
    bool is_as_downloaded; /* the file has the bytes of the download */
    /* The extension of the format of the file or archive (struct giq_format); static;
     * NULL if the format is not known. */
    const char *extension;
};

/*
 * Move the download at `part` into the empty folder `folder`. `disposition` is the value
 * of its Content-Disposition or NULL, `access` is bits of enum giq_os_access. `cred`,
 * which may be NULL, has the secrets to mask in names. `env`, which may be NULL, may
 * cancel it; only its `cancelled` is called. On success the caller passes `out` to
 * giq_staged_release(). After an error the caller removes what was written. Errors: those
 * of giq_archive_unpack(); GIQ_E_RESULT (a web page; a gzip file that contains an
 * archive other than a tar). Thread-safe.
 */
bool giq_stage_download(const char *part, const char *disposition, const char *folder,
                        unsigned access, const struct giq_cred *cred,
                        const struct giq_env *env, struct giq_staged *out,
                        struct giq_error *err);
void giq_staged_release(struct giq_staged *staged);

#endif
