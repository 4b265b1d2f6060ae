/*
 * The settings of a service and the time limits of an open.
 */
#include "service/giq_service.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_cred.h"
#include "net/giq_http.h"

enum { CHECK_MS = 2000 }; /* time limit of an open that checks once */

/* Replace the texts of `out`, a copy of `settings`, with copies. When out of memory `out`
 * has those made so far, and NULL for the others. */
static bool copy_texts(const struct giq_settings *settings, struct giq_settings *out)
{
    for (size_t i = 0; i < GIQ_NET_COUNT; i++) {
        out->net[i] = NULL;
    }
    out->base_url = strdup(settings->base_url);
    if (out->base_url == NULL) {
        return false;
    }
    for (size_t i = 0; i < GIQ_NET_COUNT; i++) {
        const char *text = settings->net[i];
        if (text == NULL) {
            continue;
        }
        out->net[i] = strdup(text);
        if (out->net[i] == NULL) {
            return false;
        }
    }
    return true;
}

bool giq_service_new(const struct giq_settings *settings, const struct giq_cred *cred,
                     const struct giq_env *env, struct giq_service **out,
                     struct giq_error *err)
{
    struct giq_service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        return giq_fail_memory(err);
    }
    *service = (struct giq_service){
        .settings = *settings,
        .cred = cred,
        .env = env,
        .deadline_ms = env->now_ms(env->ctx) + settings->timeout_ms,
    };
    giq_service_restart_check(service);
    if (!copy_texts(settings, &service->settings)) {
        giq_service_free(service);
        return giq_fail_memory(err);
    }
    *out = service;
    return true;
}

void giq_service_restart_check(struct giq_service *service)
{
    int timeout_ms =
        service->checks_once ? service->resume_timeout_ms : service->settings.timeout_ms;
    service->check_until_ms =
        service->env->now_ms(service->env->ctx) +
        (timeout_ms > 0 && timeout_ms < CHECK_MS ? timeout_ms : CHECK_MS);
}

void giq_service_limit_to_one_try(struct giq_service *service)
{
    if (service->checks_once) {
        return;
    }
    giq_service_restart_check(service);
    service->resume_deadline_ms = service->deadline_ms;
    service->resume_timeout_ms = service->settings.timeout_ms;
    service->settings.timeout_ms = 0;
    service->deadline_ms = service->env->now_ms(service->env->ctx);
    service->checks_once = true;
}

void giq_service_limit_to_one_poll(struct giq_service *service)
{
    service->polls_once = true;
}

bool giq_service_is_limited(const struct giq_service *service)
{
    return service->checks_once;
}

void giq_service_begin_poll(struct giq_service *service)
{
    if (service->polls_once) {
        giq_service_limit_to_one_try(service);
    }
}

void giq_service_end_poll(struct giq_service *service, bool is_finished)
{
    if (service->checks_once && (is_finished || !service->polls_once)) {
        service->settings.timeout_ms = service->resume_timeout_ms;
        service->deadline_ms = service->resume_deadline_ms;
        service->checks_once = false;
    }
}

int64_t giq_service_call_deadline_ms(const struct giq_service *service)
{
    return service->settings.timeout_ms == 0 ? service->check_until_ms
                                             : service->deadline_ms;
}

void giq_service_free(struct giq_service *service)
{
    if (service == NULL) {
        return;
    }
    giq_http_free(service->http);
    /* The texts are const for callers, and copies of the service: see copy_texts(). */
    for (size_t i = 0; i < GIQ_NET_COUNT; i++) {
        giq_cred_wipe((char *)service->settings.net[i]);
        free((char *)service->settings.net[i]);
    }
    free((char *)service->settings.base_url);
    free(service);
}

bool giq_service_check_credentials(const struct giq_service *service,
                                   struct giq_error *err)
{
    return giq_cred_any(service->cred) ||
           giq_fail(
               err, GIQ_E_CREDENTIALS,
               "no API key or bearer token is set: set the configuration option "
               "GIQ_API_KEY (or GIQ_API_KEY_FILE, GIQ_BEARER_TOKEN), for example in the "
               "environment");
}
