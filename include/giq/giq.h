/*
 * The core of the GIQ driver: what plugin/ and other hosts may use.
 *
 * An inference job is paid for when it is submitted and computed far away. The
 * core turns a request (model, file, area) into exactly one such job, follows
 * it, and publishes its result in a store on disk.
 *
 * Calling sequence of a host:
 *   giq_conn_parse()      what the user typed
 *   giq_geom_area()       the area, checked and normalised
 *   giq_service_new()     how to reach the service; no traffic yet
 *   giq_store_open()      where records and results lie
 *   giq_upload_identify() which content a local file has, where one is to be uploaded
 *   giq_job_new(), giq_job_step() until GIQ_STEP_DONE, giq_job_free()
 *
 * Errors: functions return false and set `err` once; outputs are written only
 * on success. What frees or closes an object takes NULL. Objects may be used by
 * one thread at a time; different objects by different threads. Nothing is
 * global but that the network library is started once, and the list of the locks that
 * the process holds.
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
    GIQ_E_USAGE,       /* what was typed, or the value of an option */
    GIQ_E_AREA,        /* the area of interest */
    GIQ_E_CREDENTIALS, /* there are none, or the service does not take them */
    GIQ_E_NETWORK,     /* the service is not reached */
    GIQ_E_SERVICE,     /* it answers with an error, or what makes no sense */
    GIQ_E_REFUSED,     /* it refused to start the job */
    GIQ_E_FAILED,      /* the job failed */
    GIQ_E_UNKNOWN,     /* it is not known whether a job was started */
    GIQ_E_TIMEOUT,     /* the time is over, and the job or another's work goes on */
    GIQ_E_CANCELLED,   /* the host or a signal ended the wait; the job goes on */
    GIQ_E_GONE,        /* the service does not know the job or has no result of it */
    GIQ_E_INCOMPLETE,  /* the download was cut, or cannot be proved whole */
    GIQ_E_RESULT,      /* the result is no dataset that may be opened as was asked */
    GIQ_E_STORE,       /* the disk, a record, a lock */
    GIQ_E_READONLY,    /* something tried to write */
    GIQ_E_MEMORY,
};

/* A value on the caller's stack; start from `{0}`. `text` is UTF-8 without a
 * tag, without control characters and without a secret. */
struct giq_error {
    enum giq_code code;
    int http_status; /* of the answer that caused it, or 0 */
    int sys_errno;   /* of the system call that caused it, or 0 */
    bool permanent;  /* there is no way to the service, and waiting opens none: a
                     certificate, a proxy that refuses */
    char text[1024];
};

/* The stable word for scripts, for example "usage"; never NULL. */
const char *giq_code_tag(enum giq_code code);

/* Set `err` and return false, so that callers can `return giq_fail(...)`. */
bool giq_fail(struct giq_error *err, enum giq_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Lets compilers and analyzers see at each call that it is false. */
#define giq_fail(...) ((void)giq_fail(__VA_ARGS__), false)

/* A SHA-256 in lower-case hexadecimal digits, with its end. */
enum { GIQ_DIGEST_HEX_SIZE = 65 };

/* ---- environment ------------------------------------------------------ */

/* What a host lends to the core. All functions are required and must be
 * callable for as long as an object made with the environment lives. */
struct giq_env {
    int64_t (*now_ms)(void *ctx);               /* monotonic clock */
    int64_t (*wall_ms)(void *ctx);              /* UTC since 1970 */
    void (*sleep_ms)(void *ctx, int64_t ms);    /* may wake early */
    bool (*cancelled)(void *ctx);               /* what waits is to end soon */
    uint32_t (*random)(void *ctx);              /* for jitter only */
    void (*warn)(void *ctx, const char *text);  /* to the user */
    void (*debug)(void *ctx, const char *text); /* to a log */
    void *ctx;
};

/* The operating system's clocks and sleep; warnings and log go nowhere. */
extern const struct giq_env giq_env_system;

/* Whether a person watches standard error: it is a terminal. */
bool giq_env_is_terminal(void);

/* A point in time as UTC has it. */
struct giq_civil {
    int year, month, day;
    int hour, minute, second, ms;
};
struct giq_civil giq_text_civil_of(int64_t ms);

/* "2024-05-01T10:20:30.500Z" into `out` of at least GIQ_TEXT_TIME_SIZE, from
 * milliseconds since 1970. */
enum { GIQ_TEXT_TIME_SIZE = 40 };
void giq_text_from_time(int64_t ms, char *out);

/* The byte that the "%xx" at the beginning of `text` encodes; -1 where there is none. */
int giq_text_percent_byte(const char *text);

/* ---- connection strings ------------------------------------------------ */

enum giq_conn_kind {
    GIQ_CONN_MODELS,  /* GIQ: or GIQ:models */
    GIQ_CONN_JOBS,    /* GIQ:jobs */
    GIQ_CONN_REQUEST, /* GIQ:model=...;file=..., perhaps with a job to adopt */
    GIQ_CONN_JOB,     /* GIQ:job=... */
};

enum giq_conn_key {
    GIQ_KEY_MODEL,
    GIQ_KEY_FILE,
    GIQ_KEY_JOB,
    GIQ_KEY_GEOMETRY,
    GIQ_KEY_RERUN,
    GIQ_KEY_WAIT,
    GIQ_KEY_MEMBER,
    GIQ_KEY_UPLOAD,
    GIQ_KEY_AOI,
    GIQ_KEY_BBOX,
    GIQ_KEY_COUNT,
};

/* A parsed connection string. Values are owned UTF-8 text without outer white
 * space, or NULL where the key is absent. */
struct giq_conn {
    enum giq_conn_kind kind;
    char *value[GIQ_KEY_COUNT];
};

/* Whether `text` begins with the prefix, in any case, perhaps behind the handlers of
 * archives (/vsizip/, /vsigzip/, /vsitar/) that programs put there. Pure and cheap. */
bool giq_conn_identify(const char *text);

/*
 * Parse `text` ("GIQ:model=m;file=f"). Checks the grammar, the keys and which
 * of them go together; knows nothing of options. On success the caller owns
 * `*out` and passes it to giq_conn_release(). Errors: GIQ_E_USAGE, which names
 * the key and what is allowed and never repeats a secret; GIQ_E_MEMORY.
 */
bool giq_conn_parse(const char *text, struct giq_conn *out, struct giq_error *err);
void giq_conn_release(struct giq_conn *conn);

/* A value as a connection string holds it, in quotes only where the grammar needs them,
 * to be freed with free(); NULL when out of memory. */
char *giq_conn_quote(const char *value);

/* ---- credentials ---------------------------------------------------------- */

/* Holds secrets; wiped when freed. */
struct giq_cred;

/* `api_key` and `bearer_token` are copied; either may be NULL or empty. Errors:
 * GIQ_E_CREDENTIALS where one cannot be the value of a header; GIQ_E_MEMORY. */
bool giq_cred_new(const char *api_key, const char *bearer_token, struct giq_cred **out,
                  struct giq_error *err);
void giq_cred_free(struct giq_cred *cred);

/*
 * Add a header line ("Name: value") that goes where the credentials go. Left out
 * (`*out_added` is false) is what is no header line, what the driver says itself,
 * and a key or token beside those of giq_cred_new(). Its value is a secret from
 * now on. Errors: GIQ_E_MEMORY.
 */
bool giq_cred_add_header(struct giq_cred *cred, const char *line, bool *out_added,
                         struct giq_error *err);

/* Note a text that must not be shown: giq_cred_mask() takes it out. Errors:
 * GIQ_E_MEMORY. */
bool giq_cred_add_secret(struct giq_cred *cred, const char *secret,
                         struct giq_error *err);

/*
 * Read the first line of a key file: a regular file of at most 64 KiB. On
 * success `*out_key` is owned by the caller (giq_cred_wipe(), then free()), and
 * `*out_exposed` says whether others than the owner can read the file.
 * Errors: GIQ_E_CREDENTIALS, GIQ_E_MEMORY.
 */
bool giq_cred_read_file(const char *path, char **out_key, bool *out_exposed,
                        struct giq_error *err);

/* Overwrite a text that held a secret; NULL is allowed. */
void giq_cred_wipe(char *text);

/* Overwrite every occurrence of a secret in `text` with asterisks; without `cred`
 * (NULL) there is none. */
void giq_cred_mask(const struct giq_cred *cred, char *text);

/* The same for a message, whose parts were cut to fit: what begins as the key or the
 * token does, for eight bytes or more, goes too. */
void giq_cred_mask_message(const struct giq_cred *cred, char *text);

/* ---- the service --------------------------------------------------------- */

/* Settings that go to the network library as they are. NULL means default. */
enum giq_net_option {
    GIQ_NET_PROXY,         /* for http and https */
    GIQ_NET_HTTPS_PROXY,   /* for https, before GIQ_NET_PROXY */
    GIQ_NET_PROXY_USERPWD, /* user:password; a secret */
    GIQ_NET_PROXY_AUTH,    /* BASIC, DIGEST, NTLM, NEGOTIATE, ANY, ANYSAFE */
    GIQ_NET_USERAGENT,
    GIQ_NET_HTTP_VERSION,  /* 1.0, 1.1, 2 (2.0), 2TLS, 2PRIOR_KNOWLEDGE */
    GIQ_NET_CA_BUNDLE,     /* path */
    GIQ_NET_CA_PATH,       /* path of a folder of certificates, hashed */
    GIQ_NET_UNSAFE_SSL,    /* YES, NO */
    GIQ_NET_TCP_KEEPALIVE, /* YES, NO: probe an idle connection */
    GIQ_NET_TCP_KEEPIDLE,  /* seconds before the first probe; default 60 */
    GIQ_NET_TCP_KEEPINTVL, /* seconds between probes; default 60 */
    GIQ_NET_NETRC,         /* YES, NO: user and password of ~/.netrc. This and what
                              follows go to the service's own origin alone */
    GIQ_NET_NETRC_FILE,    /* path, in place of ~/.netrc */
    GIQ_NET_SSL_CERT,      /* path of the client's certificate */
    GIQ_NET_SSL_KEY,       /* path of its key */
    GIQ_NET_KEY_PASSWD,    /* a secret */
    GIQ_NET_COUNT,
};

struct giq_settings {
    const char *base_url; /* from giq_base_url() */
    const char *net[GIQ_NET_COUNT];
    int timeout_ms;       /* whole open; 0 checks once */
    int poll_interval_ms; /* 0: adaptive */
    int max_retry;        /* of one call that is safe to repeat */
    int retry_delay_ms;
    int http_timeout_ms; /* one small GET */
    int connect_timeout_ms;
    int low_speed_time_s;
    int low_speed_limit; /* bytes a second */
    bool allow_unverified_length;
    bool traces; /* the network library's doings go to the log */
};

enum giq_base_url_flags {
    GIQ_BASE_URL_ALLOW_HTTP = 1, /* http to hosts that are not loopback */
};

/*
 * Check the address of a service and bring it to its one form: scheme and host
 * in lower case, no slash at its end. `*out` is freed by the caller. Errors:
 * GIQ_E_USAGE (no http or https, user, query, fragment, refused http).
 */
bool giq_base_url(const char *text, unsigned flags, char **out, struct giq_error *err);

/* One service as one open sees it. Sends nothing before it is asked to. */
struct giq_service;

/*
 * `settings` and `cred` are copied or borrowed as follows: `settings` and its
 * texts are copied, `env` and `cred` are borrowed for the object's life; `cred`
 * may be NULL, then every call fails with GIQ_E_CREDENTIALS. The time limit of
 * the open begins now. Errors: GIQ_E_MEMORY.
 */
bool giq_service_new(const struct giq_settings *settings, const struct giq_cred *cred,
                     const struct giq_env *env, struct giq_service **out,
                     struct giq_error *err);
void giq_service_free(struct giq_service *service);

/*
 * From now on the open checks once, as with a timeout of 0: there is no pause and no
 * second try, and its calls end after 2 s, or the timeout of the settings where that is
 * shorter. It waits as its settings say once the service has told the state of the job.
 */
void giq_service_check_once(struct giq_service *service);

/*
 * The open checks once whether the job is finished, and does not wait for it. What comes
 * before and after, submitting and downloading, has the times of the settings.
 */
void giq_service_poll_once(struct giq_service *service);

/* Whether the open checks once now, and has not resumed. */
bool giq_service_checks_once(const struct giq_service *service);

/* A model of the service; texts are owned UTF-8, NULL where not told. */
struct giq_model {
    char *id;
    char *name;
    char *version;
    char *type;
    char **labels; /* ends in NULL; NULL where none are told */
    char *json;    /* what the service says of it, whole */
};

struct giq_models {
    struct giq_model *item;
    size_t count;
    bool is_part; /* the service says that there are more than it listed */
};

/* The list of models. Errors: GIQ_E_CREDENTIALS, _NETWORK, _SERVICE, _MEMORY. */
bool giq_models_get(struct giq_service *service, struct giq_models *out,
                    struct giq_error *err);
void giq_models_release(struct giq_models *models);

/* ---- the store -------------------------------------------------------------- */

/* The folder of records and results. */
struct giq_store;

enum giq_store_flags {
    GIQ_STORE_PRIVATE = 1, /* the default store: folders 0700, files 0600 */
};

/* Looks at the folder, which need not exist, and makes and writes nothing. Errors:
 * GIQ_E_STORE (an empty path, no folder, one that anybody may write to, one that cannot
 * be looked at), GIQ_E_MEMORY. */
bool giq_store_open(const char *path, unsigned flags, struct giq_store **out,
                    struct giq_error *err);
void giq_store_close(struct giq_store *store);

/* ---- files to upload -------------------------------------------------------------- */

/* What is known of a file without reading it. Files with the same inode that is not 0,
 * size, times and path are taken to hold the same. */
struct giq_source_stat {
    int64_t size;
    int64_t modified_ns; /* since 1970; anybody can set it */
    int64_t changed_ns;  /* of the content or the inode, as the system alone sets it */
    uint64_t device;
    uint64_t inode; /* 0 where there is none: the file is read at every open */
};

/* A file that a host lends for reading. Errors of its functions are GIQ_E_USAGE and
 * name the file. */
struct giq_source {
    const char *path;          /* as it may be shown and recorded */
    const char *absolute_path; /* what it is known by: the absolute path */
    bool (*stat)(void *ctx, struct giq_source_stat *out, struct giq_error *err);
    /* Open it, or go back to the first byte of the open one. */
    bool (*open)(void *ctx, struct giq_error *err);
    /* Read up to `max` bytes; `*out_len` is 0 at the end. */
    bool (*read)(void *ctx, char *out, size_t max, size_t *out_len,
                 struct giq_error *err);
    void (*close)(void *ctx); /* close it, if it is open */
    void *ctx;
};

enum { GIQ_UPLOAD_BYTES_MAX = 100 * 1000 * 1000 };

/* A file as part of a request: its content, whatever it is called. */
struct giq_upload {
    const struct giq_source *source; /* borrowed */
    const char *type;                /* from giq_upload_type() */
    int64_t size;
    char digest[GIQ_DIGEST_HEX_SIZE];
};

/* The kinds of files that the service knows. */
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

/* The kind of a file as the service calls it (static), from a text in any case. Errors:
 * GIQ_E_USAGE, which lists them. */
bool giq_upload_type(const char *text, const char **out, struct giq_error *err);

/*
 * Find out which content a file has, from what the store knows of it, or by reading it
 * once. `type` and `source` are borrowed for the life of `*out`. Sends nothing. Errors:
 * GIQ_E_USAGE (empty, too large for the service, changed while it was read, and those
 * of the source), GIQ_E_CANCELLED, GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_upload_identify(const struct giq_store *store, const struct giq_source *source,
                         const char *type, const struct giq_env *env,
                         struct giq_upload *out, struct giq_error *err);

/* ---- jobs --------------------------------------------------------------------- */

/* What is asked for: `model` and one of `file` and `upload`, or `job` alone; `job` with
 * the others adopts the job for the request. `retry` is no part of a request's
 * identity. */
struct giq_request {
    const char *model;
    const char *file;
    const struct giq_upload *upload; /* borrowed as long as the request is used */
    const char *area;                /* from giq_geom_area() and its like, or NULL */
    const char *rerun;               /* label, or NULL */
    const char *job;                 /* id of a job that exists, or NULL */
    const char *retry; /* label under which what ended badly gets one new job, or NULL */
    /* What the area is in where that is not EPSG:4326 (AS_IS), else NULL. No part of
     * the identity: the service is sent the same. */
    const char *geometry_crs;
};

/* States of a record, in the order of a job's life. */
enum giq_job_state {
    GIQ_JOB_NONE, /* nothing recorded */
    GIQ_JOB_INTENT,
    GIQ_JOB_SENDING,
    GIQ_JOB_SUBMITTED,
    GIQ_JOB_SUCCEEDED,
    GIQ_JOB_PUBLISHED,
    GIQ_JOB_FAILED,
    GIQ_JOB_UNKNOWN,
};

/* What is known of a job. Texts are borrowed until the next step or look; NULL or
 * GIQ_TIME_NONE where not known. */
#define GIQ_TIME_NONE INT64_MIN
struct giq_job_view {
    enum giq_job_state state;
    const char *key;
    const char *model_id;
    const char *file_id;
    const char *upload; /* path of the file that was uploaded */
    const char *area;   /* in EPSG:4326; NULL too where it is in a system of its own */
    const char *label;
    const char *job_id;
    const char *status; /* the service's word while the job runs, "gone" where the service
                           no longer knows it or has its result, else the state */
    const char *type;
    const char *error;
    const char *result_path; /* file, or folder where the result was an archive; NULL
                                where there is none, or no memory for it */
    int64_t result_size;     /* bytes as downloaded, -1 where there is none */
    int64_t started_ms;      /* UTC since 1970, as the service says */
    int64_t submitted_ms;
    int64_t finished_ms;
};

/* What a host adds to a job. */
struct giq_job_host {
    /* Whether the downloaded result at `path` (as in result_path) can be read.
     * Called before it is published, in the caller's thread; giq_job_get_view() is
     * allowed in it. Needed unless GIQ_JOB_POLL_ONCE is set. */
    bool (*accept)(void *ctx, const char *path, struct giq_error *err);
    /* A job was submitted or found; `text` is one line for a person. May be NULL. */
    void (*progress)(void *ctx, const char *text);
    /* Whether the host may upload, start a job, or record a job that was not recorded.
     * Called before anything is sent for it. May be NULL. */
    bool (*may_begin)(void *ctx, struct giq_error *err);
    void *ctx;
};

enum giq_job_flags {
    GIQ_JOB_NO_SUBMIT = 1, /* never start a job */
    GIQ_JOB_POLL_ONCE = 2, /* submit or look once, fetch nothing */
};

enum giq_step {
    GIQ_STEP_AGAIN, /* call again at `*due_ms` on the monotonic clock */
    GIQ_STEP_DONE,  /* published, or with GIQ_JOB_POLL_ONCE looked at */
};

struct giq_job;

/* `service`, `store`, the upload and the host's `ctx` are borrowed for the job's life;
 * what else `request` and `host` hold is copied. Reads and writes nothing. Errors:
 * GIQ_E_MEMORY. */
bool giq_job_new(struct giq_service *service, struct giq_store *store,
                 const struct giq_request *request, unsigned flags,
                 const struct giq_job_host *host, struct giq_job **out,
                 struct giq_error *err);
void giq_job_free(struct giq_job *job);

/*
 * Take one step: look at the record, submit, ask for the state, or fetch and
 * publish. Never sleeps between status calls; the loop that does stands above.
 * Errors end the open; a job that was paid for is found again by the next one:
 * GIQ_E_USAGE (nothing recorded and GIQ_JOB_NO_SUBMIT, an unknown model, another job
 * adopted already), GIQ_E_FAILED, _UNKNOWN, _GONE (what is recorded or became of the
 * job), GIQ_E_REFUSED (nothing was started), GIQ_E_TIMEOUT, GIQ_E_CREDENTIALS,
 * _NETWORK, _SERVICE, _INCOMPLETE, _RESULT, _STORE, _MEMORY, and those of the host and
 * of the upload's source.
 */
bool giq_job_step(struct giq_job *job, enum giq_step *out, int64_t *due_ms,
                  struct giq_error *err);

/* Read the record again where no job is known yet, as another process may be submitting
 * one: for an open that ends early. Takes no lock; a failure changes nothing. */
void giq_job_refresh(struct giq_job *job);

/* What is known now. */
void giq_job_get_view(struct giq_job *job, struct giq_job_view *out);

/*
 * Call `each` for every request that the store has a record of, in no order. A
 * record that cannot be read comes with its `error` and without a `status`. Takes no
 * lock. Ends with the first call that returns false, and its error. Errors:
 * GIQ_E_STORE (the store cannot be listed), GIQ_E_MEMORY.
 */
bool giq_jobs_each(const struct giq_store *store,
                   bool (*each)(void *ctx, const struct giq_job_view *job,
                                struct giq_error *err),
                   void *ctx, struct giq_error *err);

#ifdef __cplusplus
}
#endif

#endif
