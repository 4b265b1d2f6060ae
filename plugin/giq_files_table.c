/* Searches for files, and makes the table of what was found. */
#include "giq_files_table.h"

#include <cpl_string.h>
#include <stdlib.h>

#include "giq/geom.h"
#include "giq_await.h"
#include "giq_given.h"
#include "giq_table.h"
#include "options/giq_gdal_cleanup.h"

enum column {
    ITEM_ID,
    FILE_ID,
    NAME,
    COLLECTION,
    COLLECTION_TITLE,
    DATETIME,
    INGESTED_AT,
    SOURCE_TYPE,
    LAYER_TYPE,
    SOURCE,
    SOURCE_SUB_TYPE,
    PREVIEW,
    JSON,
};

static const struct giq_table_column columns[] = {
    [ITEM_ID] = {"item_id", OFTString},
    [FILE_ID] = {"file_id", OFTString},
    [NAME] = {"name", OFTString},
    [COLLECTION] = {"collection", OFTString},
    [COLLECTION_TITLE] = {"collection_title", OFTString},
    [DATETIME] = {"datetime", OFTDateTime},
    [INGESTED_AT] = {"ingested_at", OFTDateTime},
    [SOURCE_TYPE] = {"source_type", OFTString},
    [LAYER_TYPE] = {"layer_type", OFTString},
    [SOURCE] = {"source", OFTString},
    [SOURCE_SUB_TYPE] = {"source_sub_type", OFTString},
    [PREVIEW] = {"preview", OFTString},
    [JSON] = {"json", OFTString},
};

/* A table while it is filled. */
struct filling {
    OGRLayerH layer;
    struct giq_geom_filter *filter;
    struct giq_progress *progress;
};

/* ---- options ---- */

/* Open options of a search; all others are for requests. */
static const enum giq_option_id allowed[] = {
    GIQ_OPTION_GEOMETRY,
    GIQ_OPTION_AOI,
    GIQ_OPTION_BBOX,
    GIQ_OPTION_MAKE_VALID,
    GIQ_OPTION_TIMEOUT,
    GIQ_OPTION_MAX_RETRY,
    GIQ_OPTION_RETRY_DELAY,
    GIQ_OPTION_HTTP_TIMEOUT,
    GIQ_OPTION_CONNECT_TIMEOUT,
    GIQ_OPTION_LOW_SPEED_TIME,
    GIQ_OPTION_LOW_SPEED_LIMIT,
    GIQ_OPTION_PROGRESS,
};

static bool is_allowed(enum giq_option_id option)
{
    for (size_t i = 0; i < GIQ_COUNT(allowed); i++) {
        if (allowed[i] == option) {
            return true;
        }
    }
    return false;
}

static bool check_options(char **open_options, struct giq_error *err)
{
    for (int id = 0; id < GIQ_OPTION_COUNT; id++) {
        const struct giq_option *option = &giq_options[id];
        if (option->is_open && !is_allowed((enum giq_option_id)id) &&
            CSLFetchNameValue(open_options, option->name) != NULL) {
            return giq_fail(err, GIQ_E_USAGE,
                            "the open option %s is for requests, not for GIQ:files; "
                            "remove it",
                            option->name);
        }
    }
    return true;
}

/* ---- rows ---- */

static OGRFeatureH make_row(OGRLayerH layer, const struct giq_file *file,
                            const char *footprint)
{
    OGRFeatureH row = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    giq_table_set_text(row, ITEM_ID, file->item_id);
    giq_table_set_text(row, FILE_ID, file->file_id);
    giq_table_set_text(row, NAME, file->name);
    giq_table_set_text(row, COLLECTION, file->collection);
    giq_table_set_text(row, COLLECTION_TITLE, file->collection_title);
    giq_table_set_time(row, DATETIME, file->datetime_ms);
    giq_table_set_time(row, INGESTED_AT, file->ingested_ms);
    giq_table_set_text(row, SOURCE_TYPE, file->source_type);
    giq_table_set_text(row, LAYER_TYPE, file->layer_type);
    giq_table_set_text(row, SOURCE, file->source);
    giq_table_set_text(row, SOURCE_SUB_TYPE, file->source_sub_type);
    giq_table_set_text(row, PREVIEW, file->preview);
    giq_table_set_text(row, JSON, file->json);
    giq_table_set_area(row, footprint);
    return row;
}

static bool add_file(void *ctx, const struct giq_file *file, bool is_limit_reached,
                     bool *out_selected, struct giq_error *err)
{
    const struct filling *filling = ctx;
    char *footprint = NULL;
    if (!giq_geom_filter_check(filling->filter, file->geometry, file->box, &footprint,
                               out_selected, err)) {
        return false;
    }
    bool ok = true;
    if (*out_selected && !is_limit_reached) {
        ok = giq_table_add_row(filling->layer, make_row(filling->layer, file, footprint),
                               err);
    }
    free(footprint);
    return ok;
}

static void report_progress(void *ctx, const char *text)
{
    const struct filling *filling = ctx;
    giq_progress_set(filling->progress, text, "");
}

/* ---- the search ---- */

/* Make the filter of the area that is given; without one it selects every file. An area
 * of a search is always in degrees. */
static bool make_filter(struct giq_session *session, const struct giq_conn *conn,
                        struct giq_geom_filter **out, struct giq_error *err)
{
    struct giq_given_area given;
    char *area = NULL;
    unsigned flags = session->config.geom_flags & ~(unsigned)GIQ_GEOM_AS_IS;
    if (!giq_given_find_area(conn, &session->config, &given, err)) {
        return false;
    }
    if (given.text != NULL && !giq_given_read_area(session, &given, flags, &area, err)) {
        return false;
    }
    bool ok = giq_geom_filter_new(area, out, err);
    free(area);
    return ok;
}

static bool fill(struct giq_session *session, const struct giq_conn *conn,
                 struct filling *filling, struct giq_error *err)
{
    struct giq_geom_box boxes[GIQ_FILES_BOXES_MAX];
    const struct giq_files_query query = {
        .boxes = boxes,
        .box_count = giq_geom_filter_boxes(filling->filter, boxes),
        .datetime = conn->value[GIQ_CONN_KEY_DATETIME],
        .collection = conn->value[GIQ_CONN_KEY_COLLECTION],
        .limit = conn->value[GIQ_CONN_KEY_LIMIT],
    };
    const struct giq_files_host host = {
        .add = add_file, .progress = report_progress, .ctx = filling};
    return giq_await_files(session->service, session->config.base_url, &session->report,
                           &query, &host, err);
}

bool giq_files_table_open(struct giq_session *session, const struct giq_conn *conn,
                          char **open_options, GDALDatasetH *out, struct giq_error *err)
{
    struct filling filling = {.progress = &session->report.progress};
    if (!check_options(open_options, err) ||
        !make_filter(session, conn, &filling.filter, err)) {
        return false;
    }
    GIQ_AUTO_DATASET GDALDatasetH dataset = giq_table_new(
        "files", wkbMultiPolygon, columns, GIQ_COUNT(columns), &filling.layer, err);
    bool ok = dataset != NULL && fill(session, conn, &filling, err);
    giq_geom_filter_free(filling.filter);
    if (!ok) {
        return false;
    }
    *out = dataset;
    dataset = NULL;
    return true;
}
