/*
 * The options of an open: open options, configuration options GIQ_<NAME> and
 * GDAL's own for network drivers, checked and brought to what the core takes.
 */
#ifndef GIQ_CONFIG_H
#define GIQ_CONFIG_H

#include <cpl_string.h>

#include "giq/giq.h"
#include "options/giq_options.h"

enum giq_progress_mode { GIQ_PROGRESS_AUTO, GIQ_PROGRESS_YES, GIQ_PROGRESS_NO };

struct giq_config {
    struct giq_settings settings; /* its texts lie in `texts` */
    char *base_url;
    char *typed_url;            /* the same as the user typed it, without a slash at its
                                   end: what path-specific options go by */
    char *area[GIQ_AREA_KINDS]; /* as the open option gives it, or NULL */
    char *retry;                /* label, or NULL */
    const char *source_type;    /* of giq_upload_type() */
    char *store_dir;
    char **result_drivers; /* a GDAL string list: who may open a result */
    char **result_options; /* the same, or NULL: open options of those */
    char **texts;          /* a GDAL string list */
    struct giq_cred *cred; /* NULL where none could be had, then: */
    struct giq_error cred_error;
    enum giq_progress_mode progress;
    unsigned store_flags; /* enum giq_store_flags */
    bool waits;
    bool waits_is_set;   /* by the open option */
    unsigned geom_flags; /* enum giq_geom_flags */
    bool may_submit;
    unsigned unset_options; /* of giq_thread_options: those without a value */
};

/* The XML that declares the open options; static. */
extern const char giq_config_open_options[];

/* Tell GDAL which configuration options there are. */
void giq_config_declare(void);

/*
 * Read all options. `open_options` is a GDAL string list. On success the caller
 * passes `*out` to giq_config_release(). Credentials that are absent or cannot
 * be read are no failure here: a published result opens without them.
 * Errors: GIQ_E_USAGE, which names the option; GIQ_E_MEMORY.
 */
bool giq_config_read(char **open_options, struct giq_config *out, struct giq_error *err);
void giq_config_release(struct giq_config *config);

/* Find the folder of the store: an option, XDG_DATA_HOME or HOME. Errors:
 * GIQ_E_STORE where there is none of them. */
bool giq_config_store(struct giq_config *config, struct giq_error *err);

#endif
