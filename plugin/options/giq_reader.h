/*
 * Finds the value of an option: the open option, else the configuration option
 * GIQ_<NAME> (path-specific before general), else GDAL's own option. A reader is for one
 * thread at a time; start from `{.open_options = ...}`.
 */
#ifndef GIQ_READER_H
#define GIQ_READER_H

#include "options/giq_options.h"

struct giq_reader {
    char **open_options; /* a GDAL string list, borrowed; may be NULL */
    char *paths[2];      /* of giq_reader_set_urls(); NULL: none */
    char **texts;        /* the values that were found; a GDAL string list */
};

/* Search for path-specific options of the service: those of its URL as typed, without a
 * slash at its end, and of its canonical form. Before this call only general options are
 * found. */
void giq_reader_set_urls(struct giq_reader *reader, const char *typed_url,
                         const char *base_url);

/* Wipe and free the values that were found, and free what giq_reader_set_urls() keeps. */
void giq_reader_release(struct giq_reader *reader);

/* The configuration option `name`, or NULL if it is not set or empty. Valid until
 * giq_reader_release(): it is a copy, because GDAL may free its own when another thread
 * sets an option. */
const char *giq_reader_config(struct giq_reader *reader, const char *name);

/* The value of an option, or NULL if it is not set. `*out_name` is the name under which
 * it was found, for messages. */
const char *giq_reader_value(struct giq_reader *reader, enum giq_option_id option,
                             const char **out_name);

/* Whether the configuration option `name` is set to an empty text, which
 * giq_reader_config() takes for not set. */
bool giq_reader_is_empty(const struct giq_reader *reader, const char *name);

/*
 * Typed values; the option's default if it is not set. Fail with GIQ_E_USAGE, which names
 * the option, its value and what is allowed; `*out` is then unchanged.
 *
 * A number is 0 if the option has neither value nor default; one out of range in an
 * option of GDAL's own counts as not set. giq_reader_number() stores it times `factor`,
 * rounded, but at least 1 for a value above 0. giq_reader_choice() stores the index of
 * the word.
 */
bool giq_reader_real(struct giq_reader *reader, enum giq_option_id option, double *out,
                     struct giq_error *err);
bool giq_reader_number(struct giq_reader *reader, enum giq_option_id option,
                       double factor, int *out, struct giq_error *err);
bool giq_reader_bool(struct giq_reader *reader, enum giq_option_id option, bool *out,
                     struct giq_error *err);
bool giq_reader_choice(struct giq_reader *reader, enum giq_option_id option,
                       unsigned *out, struct giq_error *err);

/* The index of the word `text`, in upper or lower case, among those that the option
 * allows. Fails as giq_reader_choice() does; `name` is the name under which the value was
 * found. */
bool giq_reader_parse_choice(enum giq_option_id option, const char *name,
                             const char *text, unsigned *out, struct giq_error *err);

#endif
