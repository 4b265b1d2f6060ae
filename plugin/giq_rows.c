/*
 * Reads the features of a layer as requests. What is wrong with a row is noted, so that
 * one error can count all rows that are not valid.
 */
#include "giq_rows.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_hash_set.h>
#include <cpl_string.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "area/giq_vector_source.h"
#include "giq_batch_failures.h"
#include "giq_files_table.h"
#include "giq_interrupt.h"
#include "giq_row_uploads.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_path.h"

enum {
    AREAS_MAX = 256 * 1024 * 1024, /* bytes of all areas */
    ROWS_FIRST = 64,               /* capacity of the first list of rows */
    LABEL_SIZE = 41,               /* of the name of a row in messages, with its end */
    REASON_MAX = 220,              /* bytes of what is wrong with a row */
    HALF_TURN = 180,               /* degrees */
};

struct giq_rows {
    struct giq_session *session;     /* borrowed */
    char *member;                    /* of the batch, or NULL */
    CPLHashSet *texts;               /* values of the requests, each text once */
    CPLHashSet *ids;                 /* of all rows */
    struct giq_row_uploads *uploads; /* NULL until a row uploads a file */
    struct giq_request *requests;
    const char **id; /* of each row; its text is in `ids` */
    size_t count;
    size_t capacity;
    size_t area_bytes;
};

/* The fields that are read. */
enum field { MODEL, FILE_NAME, FILE_ID, UPLOAD, RERUN, ID, FIELDS };

static const struct {
    const char *name;
    enum giq_conn_key key;
} fields[FIELDS] = {
    [MODEL] = {"model", GIQ_CONN_KEY_MODEL},
    [FILE_NAME] = {"file", GIQ_CONN_KEY_FILE},
    [FILE_ID] = {"file_id", GIQ_CONN_KEY_FILE},
    [UPLOAD] = {"upload", GIQ_CONN_KEY_UPLOAD},
    [RERUN] = {"rerun", GIQ_CONN_KEY_RERUN},
    [ID] = {"id", GIQ_CONN_KEY_COUNT}, /* no key */
};

/* A layer that is being read. */
struct reading {
    struct giq_rows *rows;
    const struct giq_conn *defaults; /* of the batch */
    struct giq_vector_source source;
    struct giq_project *project; /* NULL: coordinates are not projected */
    struct giq_conn_part part;
    int field[FIELDS]; /* their index in the layer, or -1 */
    bool has_areas;
    int64_t position; /* of the next feature */
    size_t seen;      /* rows of the part */
    size_t invalid;
    char label[LABEL_SIZE];             /* names the current row in messages */
    char problems[GIQ_ERROR_TEXT_SIZE]; /* of the first invalid rows */
};

/* ---- fields ---- */

/* The text of a field; "" if it is NULL, or the layer does not have it. Valid until the
 * feature is destroyed or another text of it is got. */
static const char *field_text(const struct reading *reading, OGRFeatureH feature,
                              enum field field)
{
    int index = reading->field[field];
    bool is_set = index >= 0 && OGR_F_IsFieldSetAndNotNull(feature, index);
    return is_set ? OGR_F_GetFieldAsString(feature, index) : "";
}

/* Find the field of this name in upper or lower case; `*out` is -1 if there is none. */
static bool find_field(OGRFeatureDefnH layer, const char *name, int *out,
                       struct giq_error *err)
{
    const char *found = NULL;
    *out = -1;
    for (int i = 0; i < OGR_FD_GetFieldCount(layer); i++) {
        const char *other = OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(layer, i));
        if (!EQUAL(other, name)) {
            continue;
        }
        if (found != NULL) {
            return giq_fail(err, GIQ_E_USAGE,
                            "the batch has two fields \"%s\", \"%s\" and \"%s\"; rename "
                            "one of them",
                            name, found, other);
        }
        found = other;
        *out = i;
    }
    return true;
}

static bool find_fields(struct reading *reading, struct giq_error *err)
{
    OGRFeatureDefnH layer = NULL;
    if (!giq_vector_source_defn(&reading->source, &layer, err)) {
        return false;
    }
    for (int i = 0; i < FIELDS; i++) {
        if (!find_field(layer, fields[i].name, &reading->field[i], err)) {
            return false;
        }
    }
    reading->has_areas = reading->rows->session->config.use_geometry &&
                         OGR_FD_GetGeomFieldCount(layer) > 0;
    return true;
}

/* Let the driver skip what is not read. */
static void ignore_other_fields(struct reading *reading)
{
    OGRLayerH layer = reading->source.layer;
    if (!OGR_L_TestCapability(layer, OLCIgnoreFields)) {
        return;
    }
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(layer);
    GIQ_AUTO_CSL char **ignored = CSLAddString(NULL, "OGR_STYLE");
    if (!reading->has_areas) {
        ignored = CSLAddString(ignored, "OGR_GEOMETRY");
    }
    for (int i = 0; i < OGR_FD_GetFieldCount(defn); i++) {
        bool is_read = false;
        for (int field = 0; field < FIELDS; field++) {
            is_read = is_read || reading->field[field] == i;
        }
        if (!is_read) {
            const char *name = OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(defn, i));
            ignored = CSLAddString(ignored, name);
        }
    }
    (void)OGR_L_SetIgnoredFields(layer, (const char **)ignored);
}

/* The one copy of a text that rows share, or NULL for NULL. */
static const char *share_text(struct giq_rows *rows, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    const char *known = CPLHashSetLookup(rows->texts, text);
    if (known == NULL) {
        char *copy = CPLStrdup(text);
        (void)CPLHashSetInsert(rows->texts, copy);
        known = copy;
    }
    return known;
}

/* ---- the name of a row ---- */

/* Set the label, and get the name of the row, which must be new. */
static bool read_id(struct reading *reading, OGRFeatureH feature, const char **out,
                    struct giq_error *err)
{
    bool has_field = reading->field[ID] >= 0;
    GIntBig fid = OGR_F_GetFID(feature);
    /* Some drivers give features no id. */
    GIntBig number = fid == OGRNullFID ? reading->position : fid;
    const char *text = has_field ? field_text(reading, feature, ID) : "";
    if (text[0] == '\0') {
        (void)snprintf(reading->label, LABEL_SIZE, "%s" CPL_FRMT_GIB,
                       has_field ? "with feature id " : "", number);
    } else {
        (void)snprintf(reading->label, LABEL_SIZE, "%.*s",
                       giq_text_cut_len(text, LABEL_SIZE - 1), text);
    }
    if (has_field && text[0] == '\0') {
        return giq_fail(err, GIQ_E_USAGE, "its \"id\" is NULL; give each row one");
    }
    if (!CPLIsUTF8(text, -1)) {
        return giq_fail(err, GIQ_E_USAGE, "its \"id\" is not UTF-8");
    }
    char *id = CPLStrdup(has_field ? text : reading->label);
    if (CPLHashSetLookup(reading->rows->ids, id) != NULL) {
        CPLFree(id);
        return giq_fail(err, GIQ_E_USAGE,
                        "another row has the same id; each must have its own");
    }
    (void)CPLHashSetInsert(reading->rows->ids, id);
    *out = id;
    return true;
}

/* ---- the request of a row ---- */

/* Read the fields of a row into the keys that they override. */
static bool read_values(const struct reading *reading, OGRFeatureH feature,
                        struct giq_conn *out, struct giq_error *err)
{
    /* A field that comes later wins: `file` over `file_id`. */
    static const enum field read[] = {MODEL, FILE_ID, FILE_NAME, UPLOAD, RERUN};
    for (size_t i = 0; i < GIQ_COUNT(read); i++) {
        const char *text = field_text(reading, feature, read[i]);
        if (!giq_conn_set(out, fields[read[i]].key, text, err)) {
            return false;
        }
    }
    if (out->value[GIQ_CONN_KEY_FILE] != NULL &&
        out->value[GIQ_CONN_KEY_UPLOAD] != NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "it has both a \"file\" and an \"upload\"; leave one of them "
                        "empty");
    }
    return true;
}

static bool fail_missing(const char *what, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "it has no %s, and the connection string gives none", what);
}

static bool find_upload(struct reading *reading, const char *path,
                        const struct giq_upload **out, struct giq_error *err)
{
    struct giq_rows *rows = reading->rows;
    if (!giq_session_open_store(rows->session, err)) {
        return false;
    }
    if (rows->uploads == NULL) {
        rows->uploads = giq_row_uploads_new(rows->session);
    }
    return giq_row_uploads_add(rows->uploads, path, out, err);
}

/* Complete the values of a row by those of the batch, and make all but the area of the
 * request. */
static bool make_request(struct reading *reading, const struct giq_conn *row,
                         struct giq_request *out, struct giq_error *err)
{
    struct giq_rows *rows = reading->rows;
    char *const *own = row->value;
    char *const *given = reading->defaults->value;
    bool has_file = own[GIQ_CONN_KEY_FILE] != NULL || own[GIQ_CONN_KEY_UPLOAD] != NULL;
    char *const *of_file = has_file ? own : given;
    bool has_model = own[GIQ_CONN_KEY_MODEL] != NULL;
    bool has_rerun = own[GIQ_CONN_KEY_RERUN] != NULL;
    const char *path = of_file[GIQ_CONN_KEY_UPLOAD];
    struct giq_request request = {
        .model = share_text(rows, (has_model ? own : given)[GIQ_CONN_KEY_MODEL]),
        .file = share_text(rows, of_file[GIQ_CONN_KEY_FILE]),
        .rerun = share_text(rows, (has_rerun ? own : given)[GIQ_CONN_KEY_RERUN]),
        .retry = rows->session->config.retry,
    };
    if (request.model == NULL) {
        return fail_missing("\"model\"", err);
    }
    if (request.file == NULL && path == NULL) {
        return fail_missing("\"file\" or \"upload\"", err);
    }
    if (path != NULL && !find_upload(reading, path, &request.upload, err)) {
        return false;
    }
    *out = request;
    return true;
}

/* ---- the area of a row ---- */

static bool fail_without_polygons(OGRFeatureH feature, struct giq_error *err)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    static const char advice[] = "it needs polygons, or USE_GEOMETRY=NO for whole files";
    if (geometry == NULL) {
        return giq_fail(err, GIQ_E_AREA, "its geometry is NULL; %s", advice);
    }
    return giq_fail(err, GIQ_E_AREA, "its geometry, %s%s, has no polygons; %s",
                    OGR_G_IsEmpty(geometry) ? "an empty " : "a ",
                    OGR_G_GetGeometryName(geometry), advice);
}

/* Read the area of a feature as that of an AOI with this feature alone. */
static bool read_area(const struct reading *reading, OGRFeatureH feature, char **out,
                      struct giq_error *err)
{
    struct giq_geom *geom = NULL;
    size_t polygons = 0;
    if (!giq_geom_new(reading->rows->session->config.geom_flags, &geom, err)) {
        return false;
    }
    giq_geom_set_env(geom, reading->source.env);
    bool ok = giq_vector_source_add(&reading->source, feature, geom, &polygons, err) &&
              (polygons > 0 || fail_without_polygons(feature, err)) &&
              giq_vector_source_write(geom, reading->project, out, err);
    giq_geom_free(geom);
    return ok;
}

static bool fail_large_areas(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_BATCH,
                    "the areas of the batch have more than %d MiB; simplify them, or "
                    "open the batch in parts, part=0/2 and part=1/2",
                    AREAS_MAX / (1024 * 1024));
}

/* Set the area of a request, unless it is for the whole file. */
static bool set_area(struct reading *reading, OGRFeatureH feature,
                     struct giq_request *request, struct giq_error *err)
{
    struct giq_rows *rows = reading->rows;
    char *area = NULL;
    if (!reading->has_areas) {
        return true;
    }
    if (!read_area(reading, feature, &area, err)) {
        return false;
    }
    rows->area_bytes += strlen(area);
    request->area = area;
    bool is_as_is = (rows->session->config.geom_flags & GIQ_GEOM_AS_IS) != 0;
    request->geometry_crs = is_as_is ? "AS_IS" : NULL;
    return true;
}

/* ---- rows ---- */

static bool reserve_row(struct giq_rows *rows, struct giq_error *err)
{
    if (rows->count < rows->capacity) {
        return true;
    }
    size_t capacity = rows->capacity == 0 ? ROWS_FIRST : 2 * rows->capacity;
    void *requests = realloc(rows->requests, capacity * sizeof *rows->requests);
    if (requests == NULL) {
        return giq_fail_memory(err);
    }
    rows->requests = requests;
    void *id = realloc(rows->id, capacity * sizeof *rows->id);
    if (id == NULL) {
        return giq_fail_memory(err);
    }
    rows->id = id;
    rows->capacity = capacity;
    return true;
}

static bool add_row(struct reading *reading, OGRFeatureH feature, struct giq_error *err)
{
    struct giq_rows *rows = reading->rows;
    struct giq_conn values = {.kind = GIQ_CONN_REQUEST};
    struct giq_request request;
    const char *id = NULL;
    bool ok = read_id(reading, feature, &id, err) && reserve_row(rows, err) &&
              read_values(reading, feature, &values, err) &&
              make_request(reading, &values, &request, err) &&
              set_area(reading, feature, &request, err);
    giq_conn_release(&values);
    if (ok) {
        rows->requests[rows->count] = request;
        rows->id[rows->count++] = id;
    }
    return ok;
}

static void note_problem(struct reading *reading, const struct giq_error *problem)
{
    size_t len = strlen(reading->problems);
    reading->invalid++;
    if (reading->invalid <= GIQ_BATCH_FAILURES_SHOWN) {
        (void)snprintf(reading->problems + len, sizeof reading->problems - len,
                       "%srow %s: %.*s", len == 0 ? "" : "; ", reading->label,
                       giq_text_cut_len(problem->text, REASON_MAX), problem->text);
    }
}

/* Add the row of a feature, or note what is wrong with it. */
static bool read_row(struct reading *reading, OGRFeatureH feature, struct giq_error *err)
{
    struct giq_error problem = {0};
    bool is_in_part = reading->position % reading->part.count == reading->part.index;
    if (!is_in_part) {
        return true;
    }
    if (reading->seen == GIQ_ROWS_MAX) {
        return giq_fail(err, GIQ_E_BATCH,
                        "the batch has more than %d rows; open it in parts, part=0/2 and "
                        "part=1/2",
                        GIQ_ROWS_MAX);
    }
    reading->seen++;
    bool ok = add_row(reading, feature, &problem);
    bool is_of_row = problem.code == GIQ_E_USAGE || problem.code == GIQ_E_AREA;
    if (!ok && !is_of_row) {
        *err = problem;
        return false;
    }
    if (!ok) {
        note_problem(reading, &problem);
    }
    return reading->rows->area_bytes <= AREAS_MAX || fail_large_areas(err);
}

static bool fail_invalid(const struct reading *reading, struct giq_error *err)
{
    char more[40] = ""; /* "; and 99995 more" */
    if (reading->invalid > GIQ_BATCH_FAILURES_SHOWN) {
        (void)snprintf(more, sizeof more, "; and %zu more",
                       reading->invalid - GIQ_BATCH_FAILURES_SHOWN);
    }
    return giq_fail(err, GIQ_E_BATCH,
                    "%zu of %zu rows of the batch %s not valid, so no job was started; "
                    "correct or remove them: %s%s",
                    reading->invalid, reading->seen, reading->invalid == 1 ? "is" : "are",
                    reading->problems, more);
}

static bool read_features(struct reading *reading, struct giq_error *err)
{
    for (;;) {
        OGRFeatureH feature = NULL;
        if (!giq_vector_source_next(&reading->source, &feature, err)) {
            return false;
        }
        if (feature == NULL) {
            return reading->invalid == 0 || fail_invalid(reading, err);
        }
        bool ok = read_row(reading, feature, err);
        OGR_F_Destroy(feature);
        if (!ok) {
            return false;
        }
        reading->position++;
    }
}

/* ---- the layer ---- */

/* Open the dataset of the rows, which may be GIQ:files. */
static bool open_source(struct reading *reading, struct giq_error *err)
{
    const char *name = reading->defaults->value[GIQ_CONN_KEY_BATCH];
    struct giq_session *session = reading->rows->session;
    struct giq_conn conn;
    GDALDatasetH dataset = NULL;
    if (!giq_conn_identify(name)) {
        return giq_vector_source_open(&reading->source, err);
    }
    if (!giq_conn_parse(name, &conn, err)) {
        return false;
    }
    bool ok = true;
    if (conn.kind == GIQ_CONN_FILES) {
        ok = giq_files_table_open(session, &conn, NULL, &dataset, err) &&
             giq_vector_source_take(&reading->source, dataset, err);
    } else {
        ok = giq_fail(err, GIQ_E_USAGE,
                      "the rows of a batch cannot come from a GIQ: dataset other than "
                      "GIQ:files; save it with ogr2ogr first and use the file");
    }
    giq_conn_release(&conn);
    return ok;
}

static bool read_layer(struct reading *reading, struct giq_error *err)
{
    bool is_as_is = (reading->rows->session->config.geom_flags & GIQ_GEOM_AS_IS) != 0;
    if (!open_source(reading, err)) {
        return false;
    }
    /* Again: the search for GIQ:files ends the wait that read_rows() began. */
    (void)giq_interrupt_begin(&reading->rows->session->report.interrupt);
    if (!find_fields(reading, err)) {
        return false;
    }
    ignore_other_fields(reading);
    if (reading->has_areas && !is_as_is) {
        if (!giq_project_check_database(err) ||
            !giq_vector_source_project(&reading->source, &reading->project, err)) {
            return false;
        }
    }
    return read_features(reading, err);
}

/* Options that give one area contradict a batch. */
static bool check_options(const struct giq_config *config, struct giq_error *err)
{
    static const enum giq_option_id ids[GIQ_AREA_KINDS] = {
        [GIQ_AREA_GEOMETRY] = GIQ_OPTION_GEOMETRY,
        [GIQ_AREA_AOI] = GIQ_OPTION_AOI,
        [GIQ_AREA_BBOX] = GIQ_OPTION_BBOX,
    };
    for (int i = 0; i < GIQ_AREA_KINDS; i++) {
        if (config->area[i] != NULL) {
            return giq_fail(err, GIQ_E_USAGE,
                            "the open option %s cannot be combined with a batch: the "
                            "geometry of each row is its area; remove it",
                            giq_options[ids[i]].name);
        }
    }
    return true;
}

static bool read_rows(struct giq_rows *rows, const struct giq_conn *conn,
                      struct giq_error *err)
{
    struct giq_session *session = rows->session;
    const char *part = conn->value[GIQ_CONN_KEY_PART];
    struct reading reading = {
        .rows = rows,
        .defaults = conn,
        .part = {.index = 0, .count = 1},
        .source = {.role = "the batch",
                   .name = conn->value[GIQ_CONN_KEY_BATCH],
                   .code = GIQ_E_USAGE,
                   .env = &session->env},
    };
    if (!check_options(&session->config, err) ||
        (part != NULL && !giq_conn_to_part(part, &reading.part, err))) {
        return false;
    }
    CPLPushErrorHandler(CPLQuietErrorHandler);
    (void)giq_interrupt_begin(&session->report.interrupt);
    giq_activity_begin(&session->report.activity, GIQ_ACTIVITY_AREA);
    bool ok = read_layer(&reading, err);
    giq_project_free(reading.project);
    giq_vector_source_close(&reading.source);
    CPLPopErrorHandler();
    CPLErrorReset();
    return ok;
}

bool giq_rows_read(struct giq_session *session, const struct giq_conn *conn,
                   struct giq_rows **out, struct giq_error *err)
{
    struct giq_rows *rows = CPLCalloc(1, sizeof *rows);
    const char *member = conn->value[GIQ_CONN_KEY_MEMBER];
    rows->session = session;
    rows->member = member == NULL ? NULL : CPLStrdup(member);
    rows->texts = CPLHashSetNew(CPLHashSetHashStr, CPLHashSetEqualStr, CPLFree);
    rows->ids = CPLHashSetNew(CPLHashSetHashStr, CPLHashSetEqualStr, CPLFree);
    if (!read_rows(rows, conn, err)) {
        giq_rows_free(rows);
        return false;
    }
    *out = rows;
    return true;
}

void giq_rows_free(struct giq_rows *rows)
{
    if (rows == NULL) {
        return;
    }
    for (size_t i = 0; i < rows->count; i++) {
        free((char *)rows->requests[i].area);
    }
    free(rows->requests);
    free(rows->id);
    giq_row_uploads_free(rows->uploads);
    CPLHashSetDestroy(rows->texts);
    CPLHashSetDestroy(rows->ids);
    CPLFree(rows->member);
    CPLFree(rows);
}

size_t giq_rows_count(const struct giq_rows *rows)
{
    return rows->count;
}

const struct giq_request *giq_rows_requests(const struct giq_rows *rows)
{
    return rows->requests;
}

const char *giq_rows_id(const struct giq_rows *rows, size_t row)
{
    return rows->id[row];
}

/* ---- the string of a row ---- */

/* Whether an edge of an area in degrees may span more than half the world. */
static bool may_have_long_edge(const char *area)
{
    double min = HALF_TURN;
    double max = -HALF_TURN;
    for (const char *at = area + strcspn(area, "-0123456789"); *at != '\0';) {
        char *end = NULL;
        double x = CPLStrtod(at, &end);
        min = fmin(min, x);
        max = fmax(max, x);
        at = end + strcspn(end, ",()"); /* skips y */
        at += strcspn(at, "-0123456789");
    }
    return max - min > HALF_TURN;
}

/* Whether a connection string with the text of the area is of the same area. */
static bool is_area_text(const struct giq_request *request)
{
    struct giq_error ignored = {0};
    char *again = NULL;
    if (request->geometry_crs != NULL || !may_have_long_edge(request->area)) {
        return true;
    }
    bool is_same = giq_geom_area_from_wkt(request->area, 0, &again, &ignored) &&
                   strcmp(again, request->area) == 0;
    free(again);
    return is_same;
}

/* Whether the path of a file to upload can be printed as it is. */
static bool has_no_secret(const char *path)
{
    GIQ_AUTO_CPL char *printable = giq_path_printable(path);
    return strcmp(printable, path) == 0;
}

/* Whether a string is parsed to these values: the grammar changes or refuses some names
 * of folders, which an absolute path may have. */
static bool is_read_back(const char *text, const struct giq_conn *conn)
{
    struct giq_conn again;
    struct giq_error ignored = {0};
    if (!giq_conn_parse(text, &again, &ignored)) {
        return false;
    }
    bool is_same = true;
    for (size_t i = 0; i < GIQ_CONN_KEY_COUNT; i++) {
        const char *a = conn->value[i] == NULL ? "" : conn->value[i];
        const char *b = again.value[i] == NULL ? "" : again.value[i];
        is_same = is_same && strcmp(a, b) == 0;
    }
    giq_conn_release(&again);
    return is_same;
}

/* Write a string; `*out_text` is NULL if it would not be parsed to the same values. */
static bool write_string(const struct giq_conn *conn, char **out_text,
                         struct giq_error *err)
{
    char *text = giq_conn_write(conn);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    if (!is_read_back(text, conn)) {
        free(text);
        text = NULL;
    }
    *out_text = text;
    return true;
}

/* Write the string of the request of a row; `*out_text` is NULL if there is none. */
static bool write_request(const struct giq_rows *rows, const struct giq_request *request,
                          char **out_text, struct giq_error *err)
{
    const char *path =
        request->upload == NULL ? NULL : request->upload->source->absolute_path;
    bool can_be_written = (path == NULL || has_no_secret(path)) &&
                          (request->area == NULL || is_area_text(request));
    if (!can_be_written) {
        *out_text = NULL;
        return true;
    }
    const struct giq_conn conn = {.kind = GIQ_CONN_REQUEST,
                                  .value = {
                                      [GIQ_CONN_KEY_MODEL] = (char *)request->model,
                                      [GIQ_CONN_KEY_FILE] = (char *)request->file,
                                      [GIQ_CONN_KEY_UPLOAD] = (char *)path,
                                      [GIQ_CONN_KEY_RERUN] = (char *)request->rerun,
                                      [GIQ_CONN_KEY_MEMBER] = rows->member,
                                      [GIQ_CONN_KEY_GEOMETRY] = (char *)request->area,
                                  }};
    return write_string(&conn, out_text, err);
}

bool giq_rows_location(const struct giq_rows *rows, size_t row, const char *job_id,
                       char **out_text, struct giq_error *err)
{
    char *text = NULL;
    if (!write_request(rows, &rows->requests[row], &text, err)) {
        return false;
    }
    if (text == NULL && job_id != NULL) {
        const struct giq_conn conn = {.kind = GIQ_CONN_JOB,
                                      .value = {
                                          [GIQ_CONN_KEY_JOB] = (char *)job_id,
                                          [GIQ_CONN_KEY_MEMBER] = rows->member,
                                      }};
        return write_string(&conn, out_text, err);
    }
    *out_text = text;
    return true;
}
