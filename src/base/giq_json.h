/*
 * JSON as the service and the records use it: typed getters that tolerate what
 * is absent or of another kind. Numbers are printed as they came, digit for digit.
 * The only user of cJSON.
 *
 * A parsed document is owned by whoever parsed it; what the getters return is
 * borrowed from it. Documents may be used by one thread at a time.
 */
#ifndef GIQ_JSON_H
#define GIQ_JSON_H

#include "base/giq_cleanup.h"
#include "base/giq_error.h"

struct giq_json;

/* Parse exactly one value of `len` bytes. What is not UTF-8 in it, and a NUL, become
 * U+FFFD. `*out` is NULL where it is not JSON, is nested deeper than the library's
 * limit, or has more than GIQ_JSON_VALUES_MAX values. Errors: GIQ_E_MEMORY. */
enum { GIQ_JSON_VALUES_MAX = 250000 };
bool giq_json_read(const char *bytes, size_t len, struct giq_json **out,
                   struct giq_error *err);
/* The same for who need not know why there is none. */
struct giq_json *giq_json_parse(const char *bytes, size_t len);
struct giq_json *giq_json_new_object(void);
void giq_json_free(struct giq_json *json);
/* For a local that is freed at the end of its block. */
GIQ_AUTO_DEFINE(giq_json_free, struct giq_json)
#define GIQ_AUTO_JSON GIQ_AUTO(giq_json_free_auto)

/* A document of its own with the same contents; NULL when out of memory. */
struct giq_json *giq_json_copy(const struct giq_json *json);

/* One line of text, freed by the caller; NULL when out of memory. */
char *giq_json_print(const struct giq_json *json);

/* ---- reading; every function takes NULL for "absent" ---- */

bool giq_json_is_object(const struct giq_json *json);
bool giq_json_is_true(const struct giq_json *json);
bool giq_json_is_list(const struct giq_json *json);
const struct giq_json *giq_json_get(const struct giq_json *object, const char *name);

/* The items of a list, in order. */
const struct giq_json *giq_json_first(const struct giq_json *list);
const struct giq_json *giq_json_next(const struct giq_json *item);

/* How many items or members there are. */
size_t giq_json_count(const struct giq_json *json);

/* A string, else NULL. */
const char *giq_json_text(const struct giq_json *json);
/* A whole number within 2^53, else `otherwise`. */
int64_t giq_json_integer(const struct giq_json *json, int64_t otherwise);

/* A string, or a number as it was written, freed by the caller; NULL where it is
 * neither or is empty. */
char *giq_json_label(const struct giq_json *json);

/*
 * An identifier: a string, or a whole number with all its digits. NULL where it cannot
 * be read: empty, a number beyond 2^53 that is written with a fraction or an exponent, a
 * string that is not UTF-8 or holds a NUL or another control character, or longer than
 * GIQ_JSON_ID_MAX. To be freed.
 */
enum { GIQ_JSON_ID_MAX = 512 };
char *giq_json_id(const struct giq_json *json);

/* ISO 8601, epoch milliseconds, epoch seconds (what is less than 10^11), or
 * [y,m,d,h,m,s,ns] with trailing zeros left out (five items at least). GIQ_TIME_NONE
 * where it is none of them. */
int64_t giq_json_time(const struct giq_json *json);

/* ---- writing; false when out of memory ---- */

/* Each replaces the member. A NULL text, GIQ_TIME_NONE or a NULL list removes it. */
bool giq_json_set_text(struct giq_json *object, const char *name, const char *text);
bool giq_json_set_integer(struct giq_json *object, const char *name, int64_t value);
bool giq_json_set_bool(struct giq_json *object, const char *name, bool value);
bool giq_json_set_time(struct giq_json *object, const char *name, int64_t ms);
/* A copy of `value`. */
bool giq_json_set_copy(struct giq_json *object, const char *name,
                       const struct giq_json *value);
/* Put a text at the end of a list, which is made where it is missing. */
bool giq_json_add_text(struct giq_json *object, const char *name, const char *text);
/* The member that is an object, with what is in it, or an empty one in its place; NULL
 * when out of memory. */
struct giq_json *giq_json_set_object(struct giq_json *object, const char *name);
/* All members of this name. */
void giq_json_remove(struct giq_json *object, const char *name);
/* Call `each` for every string and every name of a member; it may overwrite
 * characters. */
void giq_json_each_text(struct giq_json *json, void (*each)(void *ctx, char *text),
                        void *ctx);

#endif
