/* Opens and closes what the requests of one open share. */
#include "giq_session.h"

#include <stdio.h>

#include "options/giq_thread_options.h"

bool giq_session_open(struct giq_session *session, char **open_options,
                      struct giq_error *err)
{
    struct giq_config *config = &session->config;
    if (!giq_config_read(open_options, config, err)) {
        return false;
    }
    session->report.cred = config->cred;
    session->report.cancel_file = config->cancel_file;
    giq_progress_init(&session->report.progress, config->progress);
    if (session->report.host.function != NULL) {
        giq_progress_share(&session->report.progress);
    }
    giq_activity_init(&session->report.activity, config->progress_file);
    session->env = giq_report_env(&session->report);
    return giq_service_new(&config->settings, config->cred, &session->env,
                           &session->service, err);
}

bool giq_session_open_store(struct giq_session *session, struct giq_error *err)
{
    struct giq_config *config = &session->config;
    if (session->store != NULL) {
        return true;
    }
    if (!giq_config_find_store(config, err)) {
        return false;
    }
    return giq_store_open(config->store_dir, config->store_flags, &session->store, err);
}

void giq_session_report_error(struct giq_session *session, const struct giq_error *err)
{
    struct giq_error reported = *err;
    if (err->code == GIQ_E_CREDENTIALS && session->config.cred == NULL) {
        if (session->config.cred_error.code != GIQ_E_NONE) {
            reported = session->config.cred_error;
        } else {
            (void)giq_thread_options_check_credentials(session->config.unset_options,
                                                       &reported);
        }
    }
    giq_report_error(&session->report, &reported);
}

void giq_session_end(struct giq_session *session, const struct giq_error *err)
{
    struct giq_activity_log *activity = &session->report.activity;
    const struct giq_env *env = &session->env;
    giq_activity_end(activity, err->code);
    if (activity->has_failed) {
        char text[GIQ_ERROR_TEXT_SIZE + sizeof "GIQ_PROGRESS_FILE: "];
        (void)snprintf(text, sizeof text, "GIQ_PROGRESS_FILE: %s",
                       activity->failure.text);
        env->warn(env->ctx, text);
    }
}

void giq_session_close(struct giq_session *session)
{
    giq_interrupt_end(&session->report.interrupt);
    giq_store_close(session->store);
    giq_service_free(session->service);
    giq_config_release(&session->config);
}
