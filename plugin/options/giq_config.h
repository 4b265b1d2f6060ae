/*
 * The configuration of an open: the values of all options, validated and in the form that
 * the core takes. A struct is for one thread at a time.
 */
#ifndef GIQ_CONFIG_H
#define GIQ_CONFIG_H

#include "giq/giq.h"
#include "options/giq_options.h"
#include "options/giq_reader.h"

struct giq_config {
    struct giq_reader reader;
    struct giq_settings settings; /* borrows its texts from `reader` and `base_url` */
    char *base_url;               /* canonical */
    char *typed_url;              /* BASE_URL as typed, without a slash at its end: for
                                     path-specific options */
    char *area[GIQ_AREA_KINDS];   /* from the open options only, or NULL */
    char *retry;                  /* label, or NULL */
    const char *source_type;      /* from giq_upload_type() */
    char *store_dir;              /* NULL before giq_config_find_store() */
    char **result_drivers;        /* drivers that may open a result; a GDAL string list */
    char **result_options;        /* their open options; a GDAL string list, or NULL */
    char **request_options; /* the options, as typed, that are part of a request or of how
                               its result is read: GDAL opens the sources of a batch with
                               them later; a GDAL string list, or NULL */
    struct giq_cred *cred;  /* NULL if none is set or `cred_error` is set */
    struct giq_error cred_error; /* why the credentials cannot be used */
    enum giq_progress_mode progress;
    char *cancel_file;    /* whose existence ends the open, or NULL */
    char *progress_file;  /* to which the progress is written, or NULL */
    unsigned store_flags; /* enum giq_store_flags */
    bool wait;
    bool is_wait_given;  /* by the open option */
    unsigned geom_flags; /* enum giq_geom_flags */
    bool may_submit;
    bool may_fetch; /* download a result, or wait for a job */
    struct giq_limits limits;
    int concurrency;  /* rows of a batch at a time */
    int max_new_jobs; /* that a batch may start */
    bool use_geometry;
    enum giq_on_failed on_failed;
    unsigned unset_options; /* for giq_thread_options_check() */
};

/*
 * Read all options but that of the store. `open_options` is a GDAL string list, borrowed
 * for the call. On success the caller passes `*out` to giq_config_release(). Credentials
 * that are missing or cannot be read are not a failure: a published result opens without
 * them. Errors: GIQ_E_USAGE, which names the option; GIQ_E_MEMORY.
 */
bool giq_config_read(char **open_options, struct giq_config *out, struct giq_error *err);
void giq_config_release(struct giq_config *config);

/* Read only `result_drivers` and `result_options`, and what these need. Otherwise as
 * giq_config_read(). */
bool giq_config_read_results(struct giq_config *out, struct giq_error *err);

/* Find the folder of the store, from GIQ_STORE_DIR, XDG_DATA_HOME or HOME, and set
 * `store_dir` and `store_flags`. May be called once. Errors: GIQ_E_STORE if none of them
 * is set; GIQ_E_USAGE if the folder is not an absolute path on disk. */
bool giq_config_find_store(struct giq_config *config, struct giq_error *err);

#endif
