/* Opens and closes what the requests of one open share. */
#include "giq_session.h"

#include "options/giq_thread_options.h"

bool giq_session_open(struct giq_session *session, char **open_options,
                      struct giq_error *err)
{
    struct giq_config *config = &session->config;
    if (!giq_config_read(open_options, config, err)) {
        return false;
    }
    session->report.cred = config->cred;
    giq_progress_init(&session->report.progress, config->progress);
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

void giq_session_close(struct giq_session *session)
{
    giq_interrupt_end(&session->report.interrupt);
    giq_store_close(session->store);
    giq_service_free(session->service);
    giq_config_release(&session->config);
}
