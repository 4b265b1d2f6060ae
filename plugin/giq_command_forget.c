/* Forgets records, and reports what became of them as a table. */
#include "giq_command_forget.h"

#include <cpl_string.h>
#include <ogr_api.h>
#include <string.h>

#include "giq/forget.h"
#include "giq_table.h"
#include "options/giq_gdal_cleanup.h"

enum column { KEY, JOB_ID, STATE, OUTCOME, BYTES, LATER_OPEN, REASON };

static const struct giq_table_column columns[] = {
    [KEY] = {"key", OFTString},        [JOB_ID] = {"job_id", OFTString},
    [STATE] = {"state", OFTString},    [OUTCOME] = {"outcome", OFTString},
    [BYTES] = {"bytes", OFTInteger64}, [LATER_OPEN] = {"later_open", OFTString},
    [REASON] = {"reason", OFTString},
};

/* The column `outcome`, and what a later open of the request does. */
static const struct {
    const char *name;
    const char *later_open;
} outcomes[] = {
    [GIQ_FORGET_RECORD] = {"record", "pays again"},
    [GIQ_FORGET_RESULT] = {"result", "downloads again"},
    [GIQ_FORGET_NOTHING] = {"nothing", NULL},
    [GIQ_FORGET_KEPT] = {"kept", NULL},
};

static bool add_row(void *ctx, const struct giq_forgotten *forgotten,
                    struct giq_error *err)
{
    OGRLayerH layer = ctx;
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    giq_table_set_text(row, KEY, forgotten->key);
    giq_table_set_text(row, JOB_ID, forgotten->job_id);
    giq_table_set_text(row, STATE, forgotten->state_name);
    giq_table_set_text(row, OUTCOME, outcomes[forgotten->outcome].name);
    OGR_F_SetFieldInteger64(row, BYTES, forgotten->bytes);
    giq_table_set_text(row, LATER_OPEN, outcomes[forgotten->outcome].later_open);
    giq_table_set_text(row, REASON, forgotten->reason);
    return giq_table_add_row(layer, row, err);
}

static bool find_time(const struct giq_command *command, int64_t *out_ms,
                      struct giq_error *err)
{
    int64_t age_ms = 0;
    *out_ms = GIQ_TIME_NONE;
    if (command->older_than == NULL) {
        return true;
    }
    if (!giq_forget_parse_age(command->older_than, &age_ms, err)) {
        return false;
    }
    *out_ms = giq_env_system.wall_ms(giq_env_system.ctx) - age_ms;
    return true;
}

bool giq_command_forget(struct giq_session *session, const struct giq_command *command,
                        GDALDatasetH *out, struct giq_error *err)
{
    OGRLayerH layer = NULL;
    struct giq_forget_args args = {
        .names = (const char *const *)command->names,
        .count = (size_t)CSLCount(command->names),
        .flags = (command->results_only ? GIQ_FORGET_RESULTS_ONLY : 0u) |
                 (command->force ? GIQ_FORGET_FORCE : 0u) |
                 (command->is_dry_run ? GIQ_FORGET_DRY_RUN : 0u),
        .each = add_row,
    };
    if (!find_time(command, &args.before_ms, err) ||
        !giq_session_open_store(session, err)) {
        return false;
    }
    GIQ_AUTO_DATASET GDALDatasetH dataset =
        giq_table_new("forgotten", wkbNone, columns, GIQ_COUNT(columns), &layer, err);
    if (dataset == NULL) {
        return false;
    }
    args.ctx = layer;
    if (!giq_forget(session->store, &args, err)) {
        return false;
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

void giq_command_forget_sum_up(FILE *out, OGRLayerH layer, bool is_dry_run)
{
    long long records = 0;
    long long results = 0;
    long long bytes = 0;
    OGRFeatureH row = NULL;
    OGR_L_ResetReading(layer);
    while ((row = OGR_L_GetNextFeature(layer)) != NULL) {
        const char *outcome = OGR_F_GetFieldAsString(row, OUTCOME);
        records += strcmp(outcome, outcomes[GIQ_FORGET_RECORD].name) == 0 ? 1 : 0;
        results += strcmp(outcome, outcomes[GIQ_FORGET_RESULT].name) == 0 ? 1 : 0;
        bytes += OGR_F_GetFieldAsInteger64(row, BYTES);
        OGR_F_Destroy(row);
    }
    (void)fprintf(out, "%s: records %lld, results %lld, bytes %lld\n",
                  is_dry_run ? "To be forgotten" : "Forgotten", records, results, bytes);
    if (records > 0) {
        (void)fprintf(out, "A later open of a forgotten request starts a new job, which "
                           "is paid for; GIQ:job=<id> of its job is not, while the "
                           "service keeps the result.\n");
    }
    if (results > 0) {
        (void)fprintf(out, "A later open of a job whose result was removed downloads it "
                           "again, which is free while the service keeps it.\n");
    }
}
