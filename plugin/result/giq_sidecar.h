/*
 * Sidecars in an unpacked archive: files that GDAL reads beside another one. They may
 * carry what the data needs (.aux.xml: coordinate system, no-data, colours; .msk: a mask)
 * or name other files and hosts, so what a check cannot prove harmless is removed.
 */
#ifndef GIQ_SIDECAR_H
#define GIQ_SIDECAR_H

#include "result/giq_references.h"

/*
 * Remove from the folder of an archive, before a dataset of any file in it is made, the
 * sidecars that may not stay: overviews, journals and spill files; an .aux.xml that is
 * not plainly a PAM file without names of files or hosts; an .msk that is no plain TIFF.
 * Their names, relative to the folder, are added to `*removed`, a GDAL string list of the
 * caller's, on failure too. Errors: GIQ_E_STORE.
 */
bool giq_sidecar_remove(const struct giq_references *reach, const char *folder,
                        char ***removed, struct giq_error *err);

/* Whether a file is a sidecar of another one in its folder, and so no dataset itself. */
bool giq_sidecar_is_one(const char *path);

/* Whether the text of an .aux.xml is PAM's, of elements that hold no source of data, and
 * no value of it names a file or a host. */
bool giq_sidecar_is_plain_pam(const char *text, size_t len);

#endif
