/*
 * One call of the service: credentials, redirects, time limits and, for calls that are
 * safe to repeat, retries. Which calls there are and what their responses mean is in
 * giq_api, giq_models, giq_download and giq_upload. A service serves one thread at a
 * time.
 */
#ifndef GIQ_CALL_H
#define GIQ_CALL_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_http.h"
#include "service/giq_service.h"

enum { GIQ_CALL_REDIRECTS_MAX = 5 };

/* Make one exchange, with the credentials of the service, and follow its redirects.
 * `request->cred` is ignored. Otherwise as giq_http_exchange(); without credentials it is
 * GIQ_E_CREDENTIALS, and a redirect that is refused, or one too many, GIQ_E_NETWORK. On
 * success `err` is empty. */
bool giq_call_once(struct giq_service *service, const struct giq_http_request *request,
                   struct giq_response *response, struct giq_error *err);

/* giq_call_once() for a GET, a search or an upload: retried after transient errors and
 * statuses, at most max_retry times and within the time limit of the open. */
bool giq_call_with_retries(struct giq_service *service,
                           const struct giq_http_request *request,
                           struct giq_response *response, struct giq_error *err);

/* Whether a retry may help: 408, 429, 500, 502, 503, 504. */
bool giq_call_is_transient_status(int status);

/* Whether a retry may help after an exchange that failed: no response, or only a part of
 * it, was received, and the cause is not permanent. */
bool giq_call_is_transient_error(const struct giq_error *err);

/* The timeout in milliseconds of a small GET or search that begins now: the time that is
 * left, but at least 250 ms, and at most the http_timeout_ms of the settings. */
int64_t giq_call_timeout_ms(const struct giq_service *service);

/* The pause after `attempt` failed attempts (`attempt` is at least 1): `retry_after_ms`
 * unless that is -1; else the base delay, doubled with each attempt, with jitter, at most
 * 30 s. */
int64_t giq_call_delay_ms(const struct giq_service *service, int attempt,
                          int64_t retry_after_ms);

/* Sleep after `attempt` failed attempts. Returns false if no attempt is left, if the
 * pause would exceed the time limit, or if the open was cancelled. Meanwhile `tick`,
 * which may be NULL, is called at least once a minute. */
bool giq_call_pause(const struct giq_service *service, int attempt,
                    int64_t retry_after_ms, void (*tick)(void *ctx), void *ctx);

/* Copy a string or number of a response into a new text, which the caller frees. The
 * user's secrets, and parts of addresses that may be secret, are masked. `*out` is NULL
 * if `json` is neither, or an empty string. False when out of memory. */
bool giq_call_copy_masked(const struct giq_service *service, const struct giq_json *json,
                          char **out);
/* The same; NULL also when out of memory. */
char *giq_call_masked_text(const struct giq_service *service,
                           const struct giq_json *json);

/* A text of the service for a message: masked as by giq_call_copy_masked(), then made
 * printable as by giq_text_printable(). */
const char *giq_call_printable(const struct giq_service *service, const char *text,
                               struct giq_printable *out);

/* The object that a response describes, borrowed: `data` of {"data": {...}}, unless only
 * the outer object has an `id` or `fileId`; else `json` itself. NULL gives NULL. */
const struct giq_json *giq_call_unwrap(const struct giq_json *json);

/*
 * Make a call whose response lists something, with retries. `what` names the list in
 * messages ("the list of models"), in at most 50 bytes; the list is the response itself,
 * or its member `name`, or under a name that services give to any list, such as "items".
 * On success the caller frees `*out`, the whole response, with giq_json_free();
 * `*out_list` is the list in it. Errors: GIQ_E_CREDENTIALS, _NETWORK, _SERVICE (an error
 * status, or no list), _CANCELLED, _MEMORY.
 */
bool giq_call_for_list(struct giq_service *service,
                       const struct giq_http_request *request, const char *what,
                       const char *name, struct giq_json **out,
                       const struct giq_json **out_list, struct giq_error *err);

/* The message of a response: its text `message`, else `error`, at the top or within
 * `data` or `error`; borrowed. NULL if there is none. */
const struct giq_json *giq_call_message(const struct giq_json *json);

/* Set `err` from a response with an error status: "`context`: HTTP <status> <the
 * service's message>", with `http_status`. 401 and 403 of the service are
 * GIQ_E_CREDENTIALS; 407, which a proxy sends, is GIQ_E_NETWORK and permanent; any other
 * is `code`. Returns false. */
bool giq_call_fail_status(const struct giq_service *service,
                          const struct giq_response *response, enum giq_code code,
                          const char *context, struct giq_error *err);

#endif
