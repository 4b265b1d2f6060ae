/*
 * The core of the GIQ driver: what plugin/ and other hosts may use of it.
 *
 * An inference job is paid for when it is submitted, and runs on a remote service. The
 * core turns a request (model, file, area) into exactly one such job, waits for it, and
 * publishes its result in a store on disk.
 *
 * Calling sequence of a host:
 *   giq_conn_parse()          parse the connection string
 *   giq_geom_area_from_wkt()  check and normalise the area (giq/geom.h)
 *   giq_base_url()            check the URL of the service
 *   giq_cred_new()            keep the key or token
 *   giq_service_new()         describe the service; sends nothing
 *   giq_store_open()          open the folder of records and results
 *   giq_upload_identify()     identify the content of a local file to upload
 *   giq_job_new(), giq_job_step() until GIQ_STEP_DONE, giq_job_free()
 *
 * Errors: a function that can fail returns false and sets `err`. It writes its other
 * outputs only on success.
 * Ownership: arguments are borrowed for the call unless stated otherwise. "The caller
 * frees" means free(). Functions that free or close an object accept NULL.
 * Texts are UTF-8 and end in NUL. The names of times end in their unit, mostly _ms:
 * milliseconds of a duration, on the monotonic clock, or since 1970-01-01 UTC, as stated.
 * Threads: an object may be used by one thread at a time, different objects by different
 * threads. The only global state is libcurl's one-time initialisation, libarchive, which
 * stays loaded once it was needed, the list of the locks that the process holds, and the
 * handlers of fork() that close these in a child.
 */
#ifndef GIQ_GIQ_H
#define GIQ_GIQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many elements an array has. */
#define GIQ_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- errors ---------------------------------------------------------- */

enum giq_code {
    GIQ_E_NONE,
    GIQ_E_USAGE,       /* the connection string or the value of an option */
    GIQ_E_AREA,        /* the area of interest */
    GIQ_E_CREDENTIALS, /* missing, or refused by the service */
    GIQ_E_NETWORK,     /* the service cannot be reached, or a transfer failed */
    GIQ_E_SERVICE,     /* an error status, or an unexpected response */
    GIQ_E_REFUSED,     /* the service refused to start the job */
    GIQ_E_FAILED,      /* the job failed */
    GIQ_E_UNKNOWN,     /* it is not known whether a job was started */
    GIQ_E_TIMEOUT,     /* TIMEOUT passed; the job, or another open, continues */
    GIQ_E_CANCELLED,   /* the host cancelled the open; a submitted job continues */
    GIQ_E_GONE,        /* the service no longer has the job, or its result */
    GIQ_E_INCOMPLETE,  /* the download was truncated, or may have been */
    GIQ_E_RESULT,      /* the result cannot be opened as requested */
    GIQ_E_STORE,       /* the store: a disk, a record, a lock */
    GIQ_E_BATCH,       /* rows of a batch are invalid, or have failed */
    GIQ_E_READONLY,    /* an attempt to write */
    GIQ_E_MEMORY,      /* out of memory */
};

enum { GIQ_CODE_COUNT = GIQ_E_MEMORY + 1 };

/* Bytes, with the final NUL, so that a message with its tag has at most 2000. */
enum { GIQ_ERROR_TEXT_SIZE = 1984 };

/* An error, on the caller's stack; initialise it with `{0}`. `text` has no tag, no
 * control characters and no secret. */
struct giq_error {
    enum giq_code code;
    int http_status; /* of the response that caused it, or 0 */
    int sys_errno;   /* of the system call that caused it, or 0 */
    bool permanent;  /* retrying cannot fix it, for example a bad certificate */
    char text[GIQ_ERROR_TEXT_SIZE];
};

/* The tag of a code in messages, for example "usage"; static, never NULL. Tags are the
 * same in all versions. */
const char *giq_code_tag(enum giq_code code);

/* Set `err` from a printf() format, overwriting an earlier error, and return false, so
 * that callers can write `return giq_fail(...)`. A text that is too long is cut between
 * two characters. */
bool giq_fail(struct giq_error *err, enum giq_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A macro over the function of the same name, so that compilers and analyzers see at each
 * call that the value is false. */
#define giq_fail(...) ((void)giq_fail(__VA_ARGS__), false)

/* Set `err` to GIQ_E_MEMORY; returns false. */
static inline bool giq_fail_memory(struct giq_error *err)
{
    (void)giq_fail(err, GIQ_E_MEMORY, "out of memory");
    return false;
}

/* Bytes of a SHA-256 in lower-case hexadecimal digits, with the final NUL. */
enum { GIQ_DIGEST_HEX_SIZE = 65 };

/* ---- environment ------------------------------------------------------ */

/* What an open is doing. */
enum giq_activity {
    GIQ_ACTIVITY_AREA,   /* reading and checking areas */
    GIQ_ACTIVITY_MODELS, /* getting the list of models */
    GIQ_ACTIVITY_UPLOAD,
    GIQ_ACTIVITY_SUBMIT, /* sending the run request, until its response */
    GIQ_ACTIVITY_WAIT,
    GIQ_ACTIVITY_DOWNLOAD,
    GIQ_ACTIVITY_UNPACK, /* of the download, and checking it */
};

/*
 * Functions of the host. Each is required unless its comment allows NULL. The structure
 * is borrowed and must outlive every object that was made with it. The functions are
 * called in the thread that calls the core.
 */
struct giq_env {
    int64_t (*now_ms)(void *ctx);  /* the monotonic clock */
    int64_t (*boot_ms)(void *ctx); /* one that runs while the system is suspended too;
                                      NULL: now_ms */
    int64_t (*wall_ms)(void *ctx); /* the time of day, since 1970-01-01 UTC */
    void (*sleep_ms)(void *ctx, int64_t ms); /* may return early */
    /* Whether the host has cancelled the open. Every wait, retry and transfer then ends
     * with GIQ_E_CANCELLED. Exception: the response to a run request that was sent is
     * still awaited and recorded. Called often, so it must be cheap. Once true, it must
     * stay true. */
    bool (*cancelled)(void *ctx);
    uint32_t (*random)(void *ctx);              /* for jitter; need not be secure */
    void (*warn)(void *ctx, const char *text);  /* a warning to the user, one line */
    void (*debug)(void *ctx, const char *text); /* a line for the log */
    /* An activity begins. May be NULL. */
    void (*begin)(void *ctx, enum giq_activity activity);
    /* How many bytes of the upload or download were transferred so far (-1: nothing new
     * is known), and of how many (-1: not known). Called in every transfer, several times
     * a second, so it must be cheap. May be NULL. */
    void (*transferred)(void *ctx, int64_t bytes, int64_t total);
    void *ctx; /* passed to each of them */
};

/* The operating system's clocks, sleep and random numbers. It is never cancelled, and
 * drops warnings and log. */
extern const struct giq_env giq_env_system;

/* ---- terminal, time and text -------------------------------------------- */

/* Whether standard error is a terminal. */
bool giq_env_is_terminal(void);

/* U+FEFF as UTF-8, which programs on Windows write at the start of a text file. */
#define GIQ_TEXT_BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* A time in UTC; months and days count from 1. */
struct giq_civil {
    int year, month, day;
    int hour, minute, second, ms;
};

/* The time at `ms` since 1970-01-01 UTC; pure. */
struct giq_civil giq_text_civil_from_ms(int64_t ms);

/* Room for a printed time with its NUL, even if its numbers are out of range. */
enum { GIQ_TEXT_TIME_SIZE = 96 };

/* Write the time at `ms` since 1970-01-01 UTC as "2024-05-01T10:20:30.500Z" into `out`,
 * which has GIQ_TEXT_TIME_SIZE bytes. */
void giq_text_from_time(int64_t ms, char *out);

/* The length of the longest prefix of `text` that has at most `max` bytes and does not
 * end within a UTF-8 character: the precision of "%.*s" in a message. NULL gives 0. */
int giq_text_cut_len(const char *text, int max);

/* Make a text printable, in place: control characters (C0, DEL, C1) and line ends, with
 * the spaces after them, become one space, and bytes that are not UTF-8 become '?'. */
void giq_text_make_printable(char *text);

/* The byte that the "%xx" at the beginning of `text` encodes, or -1 if there is none. */
int giq_text_percent_byte(const char *text);

/* ---- connection strings ------------------------------------------------ */

enum giq_conn_kind {
    GIQ_CONN_MODELS,  /* GIQ: or GIQ:models */
    GIQ_CONN_FILES,   /* GIQ:files, optionally narrowed, as in GIQ:files;bbox=... */
    GIQ_CONN_JOBS,    /* GIQ:jobs */
    GIQ_CONN_REQUEST, /* GIQ:model=...;file=..., optionally with a job to adopt */
    GIQ_CONN_JOB,     /* GIQ:job=... */
    GIQ_CONN_BATCH,   /* GIQ:batch=... */
};

enum giq_conn_key {
    GIQ_CONN_KEY_MODEL,
    GIQ_CONN_KEY_FILE,
    GIQ_CONN_KEY_JOB,
    GIQ_CONN_KEY_GEOMETRY,
    GIQ_CONN_KEY_RERUN,
    GIQ_CONN_KEY_WAIT,
    GIQ_CONN_KEY_MEMBER,
    GIQ_CONN_KEY_UPLOAD,
    GIQ_CONN_KEY_AOI,
    GIQ_CONN_KEY_BBOX,
    GIQ_CONN_KEY_DATETIME,
    GIQ_CONN_KEY_COLLECTION,
    GIQ_CONN_KEY_LIMIT,
    GIQ_CONN_KEY_BATCH,
    GIQ_CONN_KEY_PART,
    GIQ_CONN_KEY_COUNT,
};

/* A parsed connection string. Values are owned, without white space around them, and NULL
 * for keys that are absent. */
struct giq_conn {
    enum giq_conn_kind kind;
    char *value[GIQ_CONN_KEY_COUNT];
};

/* Whether `text`, which may be NULL, begins with "GIQ:", ignoring case, optionally
 * after archive prefixes (/vsizip/, /vsigzip/, /vsitar/) that programs prepend. Opens no
 * file. */
bool giq_conn_identify(const char *text);

/*
 * Parse `text` ("GIQ:model=m;file=f"), which giq_conn_identify() accepts. Checks the
 * grammar, the keys, their values and which keys may be combined.
 *
 * On success the caller passes `*out` to giq_conn_release(). Errors: GIQ_E_USAGE, which
 * names the key and what is allowed and never repeats a secret; GIQ_E_MEMORY.
 */
bool giq_conn_parse(const char *text, struct giq_conn *out, struct giq_error *err);

/* Free the values and set them to NULL. */
void giq_conn_release(struct giq_conn *conn);

/* A value of any key as a connection string holds it, in quotes only if the grammar needs
 * them. The caller frees it; NULL when out of memory. */
char *giq_conn_quote(const char *value);

/*
 * Replace the value of a key by `text`, in which quotes, ';' and '|' have no meaning:
 * white space around it is dropped, as is a slash that a program added after the
 * extension of an archive, and the value is checked. An empty text changes nothing.
 * Errors: GIQ_E_USAGE, which names the key; GIQ_E_MEMORY.
 */
bool giq_conn_set(struct giq_conn *conn, enum giq_conn_key key, const char *text,
                  struct giq_error *err);

/* The connection string of a request, a job or a batch, which giq_conn_parse() turns into
 * the same values. The caller frees it; NULL when out of memory. */
char *giq_conn_write(const struct giq_conn *conn);

/* A part of the rows of a batch: those whose position modulo `count` is `index`. */
struct giq_conn_part {
    int64_t index;
    int64_t count;
};

/* Parse the value of `part`, "k/n". Errors: GIQ_E_USAGE. */
bool giq_conn_to_part(const char *value, struct giq_conn_part *out,
                      struct giq_error *err);

/* Parse YES, TRUE, ON, 1 or NO, FALSE, OFF, 0, ignoring case. `name` is the option or key
 * as the message names it. Errors: GIQ_E_USAGE. */
bool giq_conn_to_bool(const char *name, const char *value, bool *out,
                      struct giq_error *err);

/* Fail if the file name `value` ends in '/': programs that take the connection string for
 * a path append one. `name` as above. Errors: GIQ_E_USAGE. */
bool giq_conn_check_file_name(const char *name, const char *value, struct giq_error *err);

/* ---- credentials ---------------------------------------------------------- */

/* Secrets of the user; they are overwritten when the object is freed. */
struct giq_cred;

/* `api_key` and `bearer_token` are copied; each may be NULL or empty. The caller passes
 * `*out` to giq_cred_free(). Errors: GIQ_E_CREDENTIALS if one is not printable ASCII
 * without spaces, is longer than 16 KiB, or was copied with quotes, a name or a part of
 * another text; GIQ_E_MEMORY. */
bool giq_cred_new(const char *api_key, const char *bearer_token, struct giq_cred **out,
                  struct giq_error *err);
void giq_cred_free(struct giq_cred *cred);

/*
 * Add a header line ("Name: value") that is sent together with the credentials; `line` is
 * copied and its value becomes a secret. `*out_added` is false, and the line is not sent,
 * if it is not a header with a value of at most 16 KiB, if the driver sets that header
 * itself, if it is X-API-KEY although giq_cred_new() got a key, or Authorization although
 * it got a token, or if there are 66 headers already: 64 of the user, and those of the
 * key and the token. Errors: GIQ_E_CREDENTIALS, as giq_cred_add_secret(); GIQ_E_MEMORY.
 */
bool giq_cred_add_header(struct giq_cred *cred, const char *line, bool *out_added,
                         struct giq_error *err);

/* Add a text that giq_cred_mask() must mask; it is copied. Texts of fewer than 4 bytes
 * are not masked. Errors: GIQ_E_CREDENTIALS if there are too many; GIQ_E_MEMORY. */
bool giq_cred_add_secret(struct giq_cred *cred, const char *secret,
                         struct giq_error *err);

/*
 * Read the first line of a key file, a regular file of at most 64 KiB.
 *
 * On success the caller passes `*out_key` to giq_cred_wipe() and frees it. `*out_exposed`
 * is true if users other than the owner can read the file. Errors: GIQ_E_CREDENTIALS,
 * GIQ_E_MEMORY.
 */
bool giq_cred_read_file(const char *path, char **out_key, bool *out_exposed,
                        struct giq_error *err);

/* Overwrite a text that held a secret; NULL is allowed. */
void giq_cred_wipe(char *text);

/* Overwrite each secret that occurs in `text` with asterisks. `cred` may be NULL: then
 * there are none. */
void giq_cred_mask(const struct giq_cred *cred, char *text);

/* As giq_cred_mask(), for a message whose parts may be truncated: any prefix of the key
 * or token that has eight bytes or more is masked too. */
void giq_cred_mask_message(const struct giq_cred *cred, char *text);

/* ---- the service --------------------------------------------------------- */

/* Options of libcurl, as text. NULL: libcurl's default. */
enum giq_net_option {
    GIQ_NET_PROXY,         /* for http and https */
    GIQ_NET_HTTPS_PROXY,   /* for https, in place of GIQ_NET_PROXY */
    GIQ_NET_PROXY_USERPWD, /* user:password; a secret */
    GIQ_NET_PROXY_AUTH,    /* BASIC, DIGEST, NTLM, NEGOTIATE, ANY, ANYSAFE */
    GIQ_NET_USERAGENT,
    GIQ_NET_HTTP_VERSION,  /* 1.0, 1.1, 2 (2.0), 2TLS, 2PRIOR_KNOWLEDGE */
    GIQ_NET_CA_BUNDLE,     /* path */
    GIQ_NET_CA_PATH,       /* path of a folder of certificates, named by their hashes */
    GIQ_NET_UNSAFE_SSL,    /* YES, NO: accept any certificate */
    GIQ_NET_TCP_KEEPALIVE, /* YES, NO: probe an idle connection */
    GIQ_NET_TCP_KEEPIDLE,  /* seconds before the first probe; libcurl's default is 60 */
    GIQ_NET_TCP_KEEPINTVL, /* seconds between probes; libcurl's default is 60 */
    /* The options below are used only for the origin of the service. */
    GIQ_NET_NETRC,      /* YES, NO: user and password of ~/.netrc */
    GIQ_NET_NETRC_FILE, /* path, in place of ~/.netrc */
    GIQ_NET_SSL_CERT,   /* path of the client's certificate */
    GIQ_NET_SSL_KEY,    /* path of the certificate's private key */
    GIQ_NET_KEY_PASSWD, /* passphrase of that key; a secret */
    GIQ_NET_COUNT,
};

/* Settings of one open. Texts are borrowed; giq_service_new() copies them. */
struct giq_settings {
    const char *base_url; /* from giq_base_url() */
    const char *net[GIQ_NET_COUNT];
    int timeout_ms;         /* the longest wait of the open; 0: check once */
    int poll_interval_ms;   /* between two status calls; 0: adaptive */
    int max_retry;          /* retries of a call that is safe to repeat */
    int retry_delay_ms;     /* before the first retry; doubled for each further one, up to
                               30 s; used with jitter, and not if there is a Retry-After */
    int http_timeout_ms;    /* for one small GET, and for the response to an upload if
                               timeout_ms is 0 */
    int connect_timeout_ms; /* for establishing one connection */
    int low_speed_time_s; /* end a transfer that is below low_speed_limit for this long */
    int low_speed_limit;  /* bytes a second */
    bool allow_unverified_length; /* accept downloads that do not prove their length */
    bool log_transfers;           /* write libcurl's debug output to the log */
};

enum giq_base_url_flags {
    GIQ_BASE_URL_ALLOW_HTTP = 1, /* http also to hosts that are not loopback */
};

/*
 * Check the base URL of a service and normalise it: scheme and host in lower case, no
 * slash at the end. The caller frees `*out`. Errors: GIQ_E_USAGE (not http or https, a
 * user, a query, a fragment, http that is not allowed), GIQ_E_MEMORY.
 */
bool giq_base_url(const char *text, unsigned flags, char **out, struct giq_error *err);

/* One service, as one open uses it. Sends nothing until a call needs it. */
struct giq_service;

/*
 * `settings` and its texts are copied. `env` and `cred` are borrowed for the life of the
 * object; `cred` may be NULL, then every call fails with GIQ_E_CREDENTIALS. The time
 * limit of the open begins now. The caller passes `*out` to giq_service_free(). Errors:
 * GIQ_E_MEMORY.
 */
bool giq_service_new(const struct giq_settings *settings, const struct giq_cred *cred,
                     const struct giq_env *env, struct giq_service **out,
                     struct giq_error *err);
void giq_service_free(struct giq_service *service);

/*
 * Until the service has reported the state of the job, or sent a page of files, try each
 * call only once, as with a timeout of 0: there are no pauses and no retries, and calls
 * end after 2 s, or after the timeout of the settings if that is shorter and not 0.
 */
void giq_service_limit_to_one_try(struct giq_service *service);

/* Make only one status call to find out whether the job is finished. Submitting and
 * downloading keep the timeouts of the settings. */
void giq_service_limit_to_one_poll(struct giq_service *service);

/* Whether calls are tried only once at present, by either limit. */
bool giq_service_is_limited(const struct giq_service *service);

/* A model of the service. Texts are owned; NULL if the service does not report them. */
struct giq_model {
    char *id;
    char *name;
    char *version;
    char *type;
    char **labels; /* ends in NULL; NULL if there are none */
    char *json;    /* the model as the service reports it */
};

struct giq_models {
    struct giq_model *item;
    size_t count;
    bool is_incomplete; /* the service has more models than it listed */
};

/* Get the list of models. The caller passes `*out` to giq_models_release(). Errors:
 * GIQ_E_CREDENTIALS, _NETWORK, _SERVICE, _CANCELLED, _MEMORY. */
bool giq_models_get(struct giq_service *service, struct giq_models *out,
                    struct giq_error *err);
void giq_models_release(struct giq_models *models);

/* ---- files of the service ---------------------------------------------------- */

/* A file of the service's catalogue. Texts are owned by the core and valid during the
 * call; NULL, and times GIQ_TIME_NONE, if the service does not report them. Addresses
 * have neither user, query nor fragment, except that `preview` keeps the parameters of
 * the picture if it is of the service's own origin. */
struct giq_file {
    char *item_id;
    char *file_id; /* what `file` of a connection string takes */
    char *name;
    char *collection;
    const char *collection_title;
    int64_t datetime_ms; /* since 1970-01-01 UTC */
    int64_t ingested_ms;
    char *source_type;
    char *layer_type;
    char *source;
    char *source_sub_type;
    char *preview; /* address of a picture */
    char *json;    /* the item as the service reports it */
    /* The footprint, for giq_geom_filter_check(): WKT and a box, neither of them checked.
     */
    char *geometry;
    char *box;
};

enum { GIQ_FILES_MAX = 100000 }; /* the most files that a search may select */

enum { GIQ_FILES_BOXES_MAX = 2 }; /* an area across the antimeridian has two */

/* A box as text, "minx,miny,maxx,maxy" in degrees. */
struct giq_geom_box {
    char text[128];
};

/* What to search for. All is borrowed. */
struct giq_files_query {
    const struct giq_geom_box *boxes; /* searched one after the other */
    size_t box_count;                 /* at most GIQ_FILES_BOXES_MAX; 0: everywhere */
    /* Values of the keys of a connection string, or NULL. */
    const char *datetime;
    const char *collection;
    const char *limit;
};

/* Functions of the host for one search. They are called in the thread that calls
 * giq_files_search(). */
struct giq_files_host {
    /* Take a file, and store in `*out_selected` whether it is one of those that were
     * searched for. If `is_limit_reached` is true, the limit is reached: only report
     * whether it would be selected. */
    bool (*add)(void *ctx, const struct giq_file *file, bool is_limit_reached,
                bool *out_selected, struct giq_error *err);
    /* Show a line to the user. May be NULL. */
    void (*progress)(void *ctx, const char *text);
    void *ctx; /* passed to each of them */
};

/*
 * Search for files, box after box, in each the newest first, and pass each of them to the
 * host once. At most `limit` are selected (1000 if it is NULL); the search ends at one
 * more, for which env->warn() is called.
 * One page of 100 files is in memory at a time.
 *
 * Errors: GIQ_E_USAGE (a value of the query; nothing was sent), GIQ_E_CREDENTIALS,
 * _NETWORK, _SERVICE (also if the list has more than 2000 pages), _TIMEOUT, _CANCELLED,
 * _MEMORY, and those of the host. Some files may have been passed to the host before.
 */
bool giq_files_search(struct giq_service *service, const struct giq_files_query *query,
                      const struct giq_files_host *host, struct giq_error *err);

/* ---- the store -------------------------------------------------------------- */

/* The folder of records and results. May be used by several threads at a time. */
struct giq_store;

enum giq_store_flags {
    /* New folders get mode 0700 and new files 0600. Without this flag they also get the
     * permissions of the store's folder, if it exists, up to 0775 and 0664. */
    GIQ_STORE_PRIVATE = 1,
};

/* Check the folder at `path`, which is copied and need not exist. Creates and writes
 * nothing. The caller passes `*out` to giq_store_close(). Errors: GIQ_E_STORE (an empty
 * path, not a folder, a folder that is world-writable or cannot be entered),
 * GIQ_E_MEMORY.
 */
bool giq_store_open(const char *path, unsigned flags, struct giq_store **out,
                    struct giq_error *err);
void giq_store_close(struct giq_store *store);

/* ---- files to upload -------------------------------------------------------------- */

/* The status of a file. A file counts as having the same content if its absolute path and
 * all of these are the same, and its inode is not 0. */
struct giq_source_stat {
    int64_t size;        /* bytes */
    int64_t modified_ns; /* since 1970-01-01 UTC; any program can set it */
    int64_t changed_ns;  /* of the content or the inode; only the system sets it */
    uint64_t device;
    uint64_t inode; /* 0 if there is none: the file is read at every open */
};

/* A file that the host reads for the core. Its functions fail with GIQ_E_USAGE and name
 * the file; they are called by one thread at a time. */
struct giq_source {
    const char *path;          /* as it may be printed and recorded */
    const char *absolute_path; /* identifies the file in the store */
    bool (*stat)(void *ctx, struct giq_source_stat *out, struct giq_error *err);
    /* Open the file, or rewind it if it is open. */
    bool (*open)(void *ctx, struct giq_error *err);
    /* Read up to `max` bytes into `out`; `*out_len` is 0 at the end of the file. */
    bool (*read)(void *ctx, char *out, size_t max, size_t *out_len,
                 struct giq_error *err);
    /* Close the file if it is open. */
    void (*close)(void *ctx);
    void *ctx; /* passed to each of them */
};

/* The service's limit for one upload, in bytes. */
enum { GIQ_UPLOAD_BYTES_MAX = 100 * 1000 * 1000 };

/* A file as part of a request, identified by its content and not by its name. */
struct giq_upload {
    const struct giq_source *source; /* borrowed */
    const char *type;                /* from giq_upload_type() */
    int64_t size;                    /* bytes */
    char digest[GIQ_DIGEST_HEX_SIZE];
};

/* The values of `sourceType` in the service's API. */
#define GIQ_SOURCE_TYPES(X)                                                              \
    X("MULTISPECTRAL")                                                                   \
    X("HYPERSPECTRAL")                                                                   \
    X("SAR")                                                                             \
    X("PANCHROMATIC")                                                                    \
    X("THERMAL")                                                                         \
    X("FULL_MOTION_VIDEO")                                                               \
    X("HEIGHTMAP")                                                                       \
    X("IMAGE")                                                                           \
    X("COMPLEX")                                                                         \
    X("POINT")                                                                           \
    X("LINESTRING")                                                                      \
    X("POLYGON")                                                                         \
    X("GEOMETRYCOLLECTION")                                                              \
    X("TILES3D")                                                                         \
    X("ANNOTATION")                                                                      \
    X("NETCDF")                                                                          \
    X("LAND_SUBSIDENCE")                                                                 \
    X("PDF")                                                                             \
    X("CZML")                                                                            \
    X("UNKNOWN")

/* Find the type that `text` names, ignoring case; `*out` is static. Errors: GIQ_E_USAGE,
 * which lists the types; `option` is the option that was set, for the message. */
bool giq_upload_type(const char *option, const char *text, const char **out,
                     struct giq_error *err);

/*
 * Identify the content of a file by the store's record of it, or by reading it once. What
 * was read is recorded in the store for the next time; a failure of that is only logged.
 * Sends nothing. `type` and `source` are borrowed for the life of `*out`. Errors:
 * GIQ_E_USAGE (empty, too large for the service, changed while it was read, and those of
 * the source), GIQ_E_CANCELLED, GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_upload_identify(const struct giq_store *store, const struct giq_source *source,
                         const char *type, const struct giq_env *env,
                         struct giq_upload *out, struct giq_error *err);

/* ---- jobs --------------------------------------------------------------------- */

/*
 * A request: either `model` and one of `file` and `upload`, or `job` alone. `job`
 * together with the others adopts the job for the request. The identity of the request
 * does not include `retry` and `geometry_crs`, nor `job` if there is a model. Members
 * that do not apply are NULL.
 */
struct giq_request {
    const char *model;
    const char *file;
    const struct giq_upload *upload; /* borrowed as long as the request is used */
    const char *area;                /* from the functions of giq/geom.h */
    const char *rerun;               /* a label: each one makes a request of its own */
    const char *job;                 /* id of an existing job */
    /* Label of RETRY: starts one new job per label for a request whose job failed or is
     * gone, whose outcome is unknown, or whose record is damaged. */
    const char *retry;
    /* "AS_IS" if the coordinates of the area are sent as they were given
     * (GIQ_GEOM_AS_IS); NULL: they are EPSG:4326. */
    const char *geometry_crs;
};

/* Check a label of RETRY: it is recorded as JSON, so it must be UTF-8. Errors:
 * GIQ_E_USAGE. */
bool giq_retry_check_label(const char *label, struct giq_error *err);

/* The states of a record, in the order of a job's life; the last two are its other ends.
 * States are compared: those above
 * GIQ_JOB_SENDING mean that a run request was sent, by this store or another program, and
 * that what is known of its outcome is recorded. */
enum giq_job_state {
    GIQ_JOB_NONE,      /* nothing is recorded */
    GIQ_JOB_INTENT,    /* about to submit; nothing was sent */
    GIQ_JOB_SENDING,   /* the run request is being sent, and may arrive */
    GIQ_JOB_SUBMITTED, /* the service returned the id of the job */
    GIQ_JOB_SUCCEEDED, /* the job succeeded; its result is not fetched yet */
    GIQ_JOB_PUBLISHED, /* the result is in the store */
    GIQ_JOB_FAILED,    /* the service reported that the job failed */
    GIQ_JOB_UNKNOWN,   /* the run request was sent; its outcome is not known */
};

#define GIQ_TIME_NONE INT64_MIN

/* A job as it is recorded and reported. Texts are borrowed until the next step or view;
 * they are NULL, and times are GIQ_TIME_NONE, if unknown. Times are since 1970-01-01
 * UTC. */
struct giq_job_view {
    enum giq_job_state state;
    const char *key; /* of the request: the name of its folder in the store */
    const char *model_id;
    const char *file_id;
    const char *upload; /* path of the file that was uploaded */
    const char *area;   /* in EPSG:4326; NULL also if it is in another system */
    const char *label;  /* of `rerun` */
    const char *job_id;
    bool is_external; /* the job has no record: its id is from the connection string, and
                         it may not exist */
    /* The state as a text that is never NULL: "not submitted" if nothing is recorded,
     * "gone" if the service does not know the job or no longer has its result, "damaged"
     * if the record cannot be read, otherwise the name of `state`. */
    const char *state_name;
    /* The text that the service reports while the job runs, otherwise `state_name`; NULL
     * if nothing is recorded or the record cannot be read. */
    const char *status;
    const char *type; /* of the job, as the service reports it */
    /* What an open of a request that failed, is gone, unknown or damaged reports; for a
     * dry run the spending limit that forbids the job. */
    const char *error;
    const char *result_path; /* a file, or a folder if the result was an archive; NULL if
                                there is none, or when out of memory */
    int64_t result_size;     /* bytes as downloaded; -1 if there is no result */
    int64_t started_ms;      /* as the service reports it */
    int64_t submitted_ms;
    int64_t finished_ms;
    int64_t expected_ms; /* how long the job is expected to take in all, from earlier jobs
                            of its model; 0: not known, or it is not waited for */
};

enum { GIQ_JOBS_A_DAY_MAX = 1000000 };

/* Limits for new jobs; adopted jobs do not count. Start from `{0}`: no limit is set. */
struct giq_limits {
    double max_area_km2; /* of the area, which must then be known; 0: no limit */
    bool has_max_jobs;
    int max_jobs; /* started from one store on one day (UTC): 0 to GIQ_JOBS_A_DAY_MAX */
};

/* Functions and limits of the host for one job. The functions are called in the thread
 * that calls giq_job_step(). */
struct giq_job_host {
    /* Whether the downloaded result at `path` (as in result_path) can be opened. Called
     * before it is published, and may call giq_job_get_view(). Required unless
     * GIQ_JOB_NO_WAIT is set. */
    bool (*accept)(void *ctx, const char *path, struct giq_error *err);
    /* Show a line to the user: the state of the job, or an upload. `detail`, which may be
     * empty, is what else is known, such as the time left. The function may be NULL. */
    void (*progress)(void *ctx, const char *text, const char *detail);
    /* Whether the host allows an upload, a new job, or recording an external job.
     * Called before anything is sent for it. NULL: all are allowed. */
    bool (*may_start)(void *ctx, struct giq_error *err);
    void *ctx; /* passed to each of them; borrowed for the job's life */
    struct giq_limits limits;
};

enum giq_job_flags {
    GIQ_JOB_NO_SUBMIT = 1, /* never start a job */
    GIQ_JOB_NO_WAIT = 2,   /* submit, or check the state once; do not fetch the result */
    /* Both together are a dry run if nothing is recorded: the view states what would be
     * sent. */
    GIQ_JOB_KEEP_UNKNOWN = 4, /* `retry` starts no job if the outcome of the recorded one
                                 is unknown */
    GIQ_JOB_NO_FETCH = 8,     /* fail with GIQ_E_USAGE rather than wait for a job or
                                 download its result; not with GIQ_JOB_NO_WAIT */
};

enum giq_step {
    GIQ_STEP_AGAIN, /* call giq_job_step() again at `*due_ms` on the monotonic clock */
    GIQ_STEP_DONE,  /* the result is published; GIQ_JOB_NO_WAIT: the state was checked */
};

struct giq_job;

/* `service`, `store`, the upload and `host->ctx` are borrowed for the life of the job;
 * all else in `request` and `host` is copied. Reads and writes nothing on disk. The
 * caller passes `*out` to giq_job_free(). Errors: GIQ_E_USAGE (the label of RETRY),
 * GIQ_E_MEMORY. */
bool giq_job_new(struct giq_service *service, struct giq_store *store,
                 const struct giq_request *request, unsigned flags,
                 const struct giq_job_host *host, struct giq_job **out,
                 struct giq_error *err);
void giq_job_free(struct giq_job *job);

/*
 * Do one step: read the record, submit, poll the state, or fetch and publish the result.
 * Never sleeps between two status calls; the host does, until `*due_ms`.
 *
 * After an error the job must not be stepped again; the next open of the request finds a
 * job that was submitted. When env->cancelled() is true, the next step fails with
 * GIQ_E_CANCELLED, and if no run request was sent it leaves no record.
 *
 * Errors: GIQ_E_USAGE (nothing is recorded and GIQ_JOB_NO_SUBMIT, a spending limit, an
 * unknown model, the request has another job than the one to adopt), GIQ_E_FAILED,
 * _UNKNOWN, _GONE (as recorded or reported), _REFUSED (no job was started), _TIMEOUT,
 * _CANCELLED, _CREDENTIALS, _NETWORK, _SERVICE, _INCOMPLETE, _RESULT, _STORE, _MEMORY,
 * and those of the host and of the upload's source.
 */
bool giq_job_step(struct giq_job *job, enum giq_step *out, int64_t *due_ms,
                  struct giq_error *err);

/* Read the record again if no job id is known yet: another process may have submitted the
 * request. Lets the message of an interrupted open name the job. Takes no lock; a failure
 * changes nothing. */
void giq_job_refresh(struct giq_job *job);

/* Warn the user of something that concerns the job, through the giq_env of its service:
 * for a function of the host that the job calls. */
void giq_job_warn(const struct giq_job *job, const char *text);

/* Fill `*out` with what is known now. */
void giq_job_get_view(struct giq_job *job, struct giq_job_view *out);

/*
 * Call `each` for every request that has a record in the store, in no particular order;
 * `job` is valid during the call. A record that cannot be read has an `error` and no
 * `status`. Takes no lock. If `each` returns false, the listing ends with its error.
 * Errors: GIQ_E_STORE (the store cannot be listed), GIQ_E_MEMORY, and those of `each`.
 */
bool giq_jobs_each(const struct giq_store *store,
                   bool (*each)(void *ctx, const struct giq_job_view *job,
                                struct giq_error *err),
                   void *ctx, struct giq_error *err);

#ifdef __cplusplus
}
#endif

#endif
