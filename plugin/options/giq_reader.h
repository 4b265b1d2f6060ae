/*
 * Finding the value of an option: open option, configuration option GIQ_<NAME>
 * (of the service's path before the general one), GDAL's own that stands in.
 */
#ifndef GIQ_READER_H
#define GIQ_READER_H

#include "options/giq_config.h"
#include "options/giq_options.h"

#define ID_OF(name, ...) GIQ_OPTION_##name,
enum giq_option_id { GIQ_OPEN_OPTIONS(ID_OF) GIQ_CONFIG_OPTIONS(ID_OF) GIQ_OPTION_COUNT };
#undef ID_OF

/* Of each option. */
struct giq_option {
    const char *name;
    const char *type; /* as GDAL calls it */
    const char *config_name;
    const char *otherwise;
    const char *fallback; /* GDAL's option that stands in, or NULL */
    double least;
    double most;
    bool is_open;
    bool is_config;
};

extern const struct giq_option giq_options[GIQ_OPTION_COUNT];

/* What is being read. */
struct giq_reader {
    char **open_options;
    struct giq_config *config;
    struct giq_error *err;
};

/* The configuration option `name`, or NULL where it is not set. Lives as long as
 * the reader's configuration: GDAL may free its own when another thread sets an
 * option. */
const char *giq_reader_config(struct giq_reader *reader, const char *name);

/* NULL where the option is nowhere set; `*out_name` is what to call it. */
const char *giq_reader_value(struct giq_reader *reader, enum giq_option_id option,
                             const char **out_name);

/* Typed values, the option's default where it is not set. False with GIQ_E_USAGE,
 * which names the option. */
bool giq_reader_number(struct giq_reader *reader, enum giq_option_id option,
                       double factor, int *out);
bool giq_reader_bool(struct giq_reader *reader, enum giq_option_id option, bool *out);

#endif
