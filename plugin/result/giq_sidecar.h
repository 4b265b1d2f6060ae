/*
 * Sidecars in an unpacked archive: files that GDAL reads beside another file. They may
 * hold what the data needs (.aux.xml: coordinate system, no-data, colours; .msk: a mask),
 * or external references. Sidecars that cannot be shown to be safe are removed.
 * Thread-safe.
 */
#ifndef GIQ_SIDECAR_H
#define GIQ_SIDECAR_H

#include "result/giq_references.h"

/*
 * Remove the unsafe sidecars of an archive that was unpacked into `folder`. Must be
 * called before a dataset of any file in it is opened. Removed are
 * - overviews, journals and spill files,
 * - an .aux.xml that is larger than 8 MiB, is not a PAM file of known elements, or has an
 *   external reference,
 * - an .msk that is not a TIFF without external references.
 *
 * Their names, relative to the folder, are added to `*removed`, a GDAL string list of the
 * caller's, on failure too. Errors: GIQ_E_STORE.
 */
bool giq_sidecar_remove(struct giq_references *references, const char *folder,
                        char ***removed, struct giq_error *err);

/* Whether the file `path` is an .aux.xml or .msk of another file in its folder, and so
 * not a dataset itself. */
bool giq_sidecar_is_sidecar(const char *path);

#endif
