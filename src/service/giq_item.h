/*
 * A STAC item of the service as a file (struct giq_file of giq/giq.h). Addresses in an
 * item may be presigned: they are kept without user, query and fragment. Thread-safe for
 * different services.
 */
#ifndef GIQ_ITEM_H
#define GIQ_ITEM_H

#include "base/giq_json.h"
#include "service/giq_service.h"

/* Read an item. Members that are missing or of another type are NULL in `*out`, which the
 * caller passes to giq_item_release(). `collection_title` is not set. False when out of
 * memory. */
bool giq_item_parse(const struct giq_service *service, const struct giq_json *json,
                    struct giq_file *out);
void giq_item_release(struct giq_file *file);

/* A text that only this item has: its collection, id and file, or all of it if it has
 * neither an id nor a file. The caller frees it; NULL when out of memory. */
char *giq_item_identity(const struct giq_file *file);

/* Copy a string or number of a response into a new text, which the caller frees, without
 * the secrets of the user and of addresses. `*out` is NULL for anything else and for an
 * empty string. False when out of memory. */
bool giq_item_copy_text(const struct giq_service *service, const struct giq_json *json,
                        char **out);

/* The same for an id, which is changed only if it is an address: the name of a file may
 * contain "?a=b". */
bool giq_item_copy_id(const struct giq_service *service, const struct giq_json *json,
                      char **out);

#endif
