/* Finds and reads what a key or an open option gives. */
#include "giq_given.h"

#include "area/giq_area.h"
#include "giq_interrupt.h"
#include "result/giq_inner.h"

bool giq_given_fail_duplicate(const char *key, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "\"%s\" is given in the connection string and as an open option; "
                    "give only one of them",
                    key);
}

bool giq_given_find_area(const struct giq_conn *conn, const struct giq_config *config,
                         struct giq_given_area *out, struct giq_error *err)
{
    static const struct {
        enum giq_conn_key key;
        const char *name;
    } kinds[GIQ_AREA_KINDS] = {
        [GIQ_AREA_GEOMETRY] = {GIQ_CONN_KEY_GEOMETRY, "geometry"},
        [GIQ_AREA_AOI] = {GIQ_CONN_KEY_AOI, "aoi"},
        [GIQ_AREA_BBOX] = {GIQ_CONN_KEY_BBOX, "bbox"},
    };
    *out = (struct giq_given_area){.text = NULL};
    for (enum giq_area_kind kind = 0; kind < GIQ_AREA_KINDS; kind++) {
        const char *typed = conn->value[kinds[kind].key];
        const char *option = config->area[kind];
        if (typed != NULL && option != NULL) {
            return giq_given_fail_duplicate(kinds[kind].name, err);
        }
        if (typed == NULL && option == NULL) {
            continue;
        }
        if (out->text != NULL) {
            return giq_fail(err, GIQ_E_USAGE,
                            "\"%s\" and \"%s\" both give the area; give only one of "
                            "them",
                            kinds[out->kind].name, kinds[kind].name);
        }
        out->kind = kind;
        out->text = typed == NULL ? option : typed;
    }
    return true;
}

bool giq_given_read_area(struct giq_session *session, const struct giq_given_area *area,
                         unsigned flags, char **out, struct giq_error *err)
{
    /* The key was checked by giq_conn_parse(); the option follows the same rule. */
    if (area->kind == GIQ_AREA_AOI && !giq_conn_check_file_name("AOI", area->text, err)) {
        return false;
    }
    (void)giq_interrupt_begin(&session->report.interrupt);
    giq_activity_begin(&session->report.activity, GIQ_ACTIVITY_AREA);
    return giq_area_read(area->kind, area->text, flags, &session->env, out, err);
}

bool giq_given_read_wait(const struct giq_conn *conn, const struct giq_config *config,
                         unsigned flags, bool *out, struct giq_error *err)
{
    const char *typed = conn->value[GIQ_CONN_KEY_WAIT];
    bool waits = config->wait;
    if (typed != NULL && config->is_wait_given) {
        return giq_given_fail_duplicate("wait", err);
    }
    if (typed != NULL && !giq_conn_to_bool("\"wait\"", typed, &waits, err)) {
        return false;
    }
    if (!waits && giq_inner_is_raster_only(flags)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "wait=no returns a table of jobs, which is not a raster; use "
                        "ogrinfo, or omit wait=no");
    }
    *out = waits;
    return true;
}
