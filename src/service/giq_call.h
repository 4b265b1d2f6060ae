/*
 * One call of the service as the rules want it: credentials, redirects, time
 * limits and, for what is safe to repeat, retries. What is called and what the
 * responses mean is decided above (giq_api).
 */
#ifndef GIQ_CALL_H
#define GIQ_CALL_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_http.h"
#include "service/giq_service.h"

enum { GIQ_CALL_REDIRECTS_MAX = 5 };

/* Exchange once, following redirects within the limits. `request->cred` is
 * ignored. As giq_http_exchange() otherwise; a refused redirect is
 * GIQ_E_NETWORK. */
bool giq_call_once(struct giq_service *service, const struct giq_http_request *request,
                   struct giq_response *response, struct giq_error *err);

/* A call that is safe to repeat, a GET or an upload: again after what may pass (no
 * response, 408, 429, 500, 502, 503, 504), at most max_retry times and within the open's
 * time. */
bool giq_call_with_retries(struct giq_service *service,
                           const struct giq_http_request *request,
                           struct giq_response *response, struct giq_error *err);

/* Whether a status tells of something that passes. */
bool giq_call_is_transient_status(int status);

/* Whether an exchange that failed may do better next time: no response came, or not all
 * of it, and nothing bars the way. */
bool giq_call_is_transient_error(const struct giq_error *err);

/* Milliseconds that a small GET may take now. */
int64_t giq_call_timeout_ms(const struct giq_service *service);

/* The pause before try `attempt` (from 1): `asked_ms` where the service said so,
 * else the base delay doubled each time, with jitter, at most 30 s. */
int64_t giq_call_delay_ms(const struct giq_service *service, int attempt,
                          int64_t asked_ms);

/* Sleep before the next try after `attempt` failed ones. False where no try is
 * left, the pause would not end within the open's time, or the host ended it. */
bool giq_call_pause(const struct giq_service *service, int attempt, int64_t asked_ms);

/* A string or number of the service, to be freed, or NULL. The user's secrets are masked,
 * and what may be secret in addresses. */
char *giq_call_masked_text(const struct giq_service *service,
                           const struct giq_json *json);

/* A text of the service as it is shown: masked as by giq_call_masked_text(), then as by
 * giq_text_printable(). */
const char *giq_call_printable(const struct giq_service *service, const char *text,
                               struct giq_printable *out);

/* The object of a response, looking through one wrapping {"data": {...}}, unless it is
 * the outer one that has the id; borrowed. */
const struct giq_json *giq_call_unwrap(const struct giq_json *json);

/* What a response says to a person: its text `message`, else `error`, at the top or
 * within `data` or `error`; borrowed. NULL where there is none. */
const struct giq_json *giq_call_message(const struct giq_json *json);

/* Set `err` from a response with an error status: `what` failed, the status and the
 * service's words. 401 and 403 are GIQ_E_CREDENTIALS; 407, which a proxy says, is
 * GIQ_E_NETWORK; all else is `code`. */
bool giq_call_fail_status(const struct giq_service *service,
                          const struct giq_response *response, enum giq_code code,
                          const char *what, struct giq_error *err);

#endif
