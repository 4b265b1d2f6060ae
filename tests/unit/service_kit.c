#include "service_kit.h"

#include "unit.h"

void service_kit_reopen(struct service_kit *kit)
{
    const struct giq_settings settings = {
        .base_url = http_kit_url(kit->http),
        .net = {[GIQ_NET_PROXY] = "", [GIQ_NET_USERAGENT] = "giq-unit"},
        .timeout_ms = 600 * 1000,
        .max_retry = 3,
        .retry_delay_ms = 1000,
        .http_timeout_ms = 20 * 1000,
        .connect_timeout_ms = 20 * 1000,
        .low_speed_time_s = 20,
        .low_speed_limit = 1,
    };
    giq_service_free(kit->service);
    assert_true(
        giq_service_new(&settings, kit->cred, &kit->clock.env, &kit->service, &kit->err));
}

void service_kit_start(struct service_kit *kit, const struct http_kit_response *responses,
                       size_t count)
{
    *kit = (struct service_kit){0};
    env_kit_init(&kit->clock);
    kit->http = http_kit_start(responses, count);
    assert_true(giq_cred_new(SERVICE_KIT_KEY, NULL, &kit->cred, &kit->err));
    service_kit_reopen(kit);
}

void service_kit_stop(struct service_kit *kit)
{
    giq_service_free(kit->service);
    giq_cred_free(kit->cred);
    http_kit_stop(kit->http);
}

const char *service_kit_line(struct service_kit *kit, size_t i,
                             char out[SERVICE_KIT_LINE_SIZE])
{
    const char *request = http_kit_request(kit->http, i);
    (void)snprintf(out, SERVICE_KIT_LINE_SIZE, "%.*s", (int)strcspn(request, "\r"),
                   request);
    return out;
}

bool service_kit_sent(struct service_kit *kit, size_t i, const char *text)
{
    return strstr(http_kit_request(kit->http, i), text) != NULL;
}
