/*
 * JSON of the service and of records, by cJSON: typed getters that accept absent members
 * and members of another type. Numbers are printed as they were written, digit for digit.
 *
 * The caller who parses a document owns it; getters return parts that are borrowed from
 * it. A document may be used by one thread at a time.
 */
#ifndef GIQ_JSON_H
#define GIQ_JSON_H

#include "base/giq_cleanup.h"
#include "base/giq_error.h"

struct giq_json;

enum { GIQ_JSON_VALUES_MAX = 1000000 };

/* Parse `len` bytes that are exactly one JSON value; `bytes` may be NULL. Bytes that are
 * not UTF-8, and \u0000, become U+FFFD. The caller frees `*out` with giq_json_free().
 * Returns true with `*out` NULL if the bytes are not JSON, are nested deeper than the
 * library's limit, or have more than GIQ_JSON_VALUES_MAX values. Errors: GIQ_E_MEMORY. */
bool giq_json_read(const char *bytes, size_t len, struct giq_json **out,
                   struct giq_error *err);
/* The same without the member `name` of the object; in most cases that member is not
 * parsed at all. If `name` is NULL, nothing is left out. Whether the bytes are JSON does
 * not depend on `name`. */
bool giq_json_read_without(const char *bytes, size_t len, const char *name,
                           struct giq_json **out, struct giq_error *err);
/* As giq_json_read(); NULL also when out of memory. */
struct giq_json *giq_json_parse(const char *bytes, size_t len);

/* An empty object, owned by the caller; NULL when out of memory. */
struct giq_json *giq_json_new_object(void);
/* NULL is allowed. */
void giq_json_free(struct giq_json *json);
/* For a local that is freed at the end of its block. */
GIQ_AUTO_DEFINE(giq_json_free, struct giq_json)
#define GIQ_AUTO_JSON GIQ_AUTO(giq_json_free_auto)

/* A copy, owned by the caller; NULL when out of memory. */
struct giq_json *giq_json_copy(const struct giq_json *json);

/* One line of text, freed by the caller; NULL when out of memory. */
char *giq_json_print(const struct giq_json *json);

/* ---- reading; NULL is an absent value, and is not allowed in giq_json_next() ---- */

bool giq_json_is_object(const struct giq_json *json);
bool giq_json_is_true(const struct giq_json *json);
bool giq_json_is_list(const struct giq_json *json);
/* The member of this name; NULL if it is absent or `object` is not an object. */
const struct giq_json *giq_json_get(const struct giq_json *object, const char *name);

/* The first item of a list, and the item that follows another item; NULL if there is
 * none. */
const struct giq_json *giq_json_first(const struct giq_json *list);
const struct giq_json *giq_json_next(const struct giq_json *item);

/* The number of items of a list, or of members of an object. */
size_t giq_json_count(const struct giq_json *json);

/* A string, else NULL. */
const char *giq_json_text(const struct giq_json *json);
/* Copy a string into `out`, which has `size` bytes; "" if it is not a string or does not
 * fit. */
void giq_json_copy_short(const struct giq_json *json, char *out, size_t size);
/* A whole number greater than -2^53 and less than 2^53, else `otherwise`. */
int64_t giq_json_integer(const struct giq_json *json, int64_t otherwise);

/* A number as it was written, borrowed; NULL for anything else. */
const char *giq_json_number_text(const struct giq_json *json);

/* Copy a string, or a number as it was written, into a new text, which the caller frees;
 * `*out` is NULL for anything else and for an empty string. False when out of memory. */
bool giq_json_copy_scalar(const struct giq_json *json, char **out);
/* The same; NULL also when out of memory. */
char *giq_json_scalar_text(const struct giq_json *json);

/*
 * Copy an identifier, a string or a whole number with all its digits, into a new text,
 * which the caller frees. `*out` is NULL if the value cannot be an id: an empty string; a
 * string that holds an ASCII control character or U+FFFD, which replaces bytes that are
 * not UTF-8; a number that is not whole, or that is written with a fraction or an
 * exponent and has an absolute value of 2^53 or more; more than GIQ_JSON_ID_MAX bytes.
 * False when out of memory.
 */
enum { GIQ_JSON_ID_MAX = 512 };
bool giq_json_copy_id(const struct giq_json *json, char **out);
/* The same; NULL also when out of memory. */
char *giq_json_id(const struct giq_json *json);

/* A time in milliseconds since 1970-01-01 UTC, from ISO 8601 (as giq_text_to_time()),
 * epoch milliseconds, epoch seconds (numbers below 10^11), or a list [y,m,d,h,m,s,ns]
 * whose last two items may be absent. GIQ_TIME_NONE for anything else, including numbers
 * below 0 and times after the year 9999. */
int64_t giq_json_time(const struct giq_json *json);

/* ---- writing; false when out of memory ---- */

/* Set the member `name`. A NULL text or GIQ_TIME_NONE removes it. */
bool giq_json_set_text(struct giq_json *object, const char *name, const char *text);
bool giq_json_set_integer(struct giq_json *object, const char *name, int64_t value);
bool giq_json_set_null(struct giq_json *object, const char *name);
bool giq_json_set_bool(struct giq_json *object, const char *name, bool value);
bool giq_json_set_time(struct giq_json *object, const char *name, int64_t ms);
/* A copy of `value`. */
bool giq_json_set_copy(struct giq_json *object, const char *name,
                       const struct giq_json *value);
/* Append a text to the member `name`, which becomes an empty list first unless it is a
 * list. */
bool giq_json_add_text(struct giq_json *object, const char *name, const char *text);
/* Set the member `name` to an empty list. */
bool giq_json_set_list(struct giq_json *object, const char *name);
/* Append an empty object to the member `name`, which is a list, and return it; NULL when
 * out of memory. */
struct giq_json *giq_json_add_object(struct giq_json *object, const char *name);
/* The member if it is an object, else a new empty object in its place; NULL when out of
 * memory. */
struct giq_json *giq_json_ensure_object(struct giq_json *object, const char *name);
/* Remove all members of this name. */
void giq_json_remove(struct giq_json *object, const char *name);
/* Call `each` for every string and every member name in `json`, which is not NULL. `each`
 * may overwrite characters, but not lengthen the text. Numbers are not passed. */
void giq_json_each_text(struct giq_json *json, void (*each)(void *ctx, char *text),
                        void *ctx);

#endif
