/*
 * The search for files: pages of STAC items, each item once, and the titles of the
 * collections.
 */
#include "service/giq_files.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_env.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_url.h"
#include "service/giq_call.h"
#include "service/giq_item.h"
#include "service/giq_period.h"
#include "service/giq_seen.h"

enum {
    PAGE_SIZE = 100,  /* files of a page */
    PAGES_MAX = 2000, /* of one search, in all boxes */
    LIMIT_DEFAULT = 1000,
    /* A service may send fewer files to a page than requested. Its own maximum is then
     * assumed to be at least LEAST_MAXIMUM and a multiple of ROUND_SIZE. */
    LEAST_MAXIMUM = 10,
    ROUND_SIZE = 5,
};

struct title {
    char *collection;
    char *text;
};

/* One search, while it runs. */
struct search {
    struct giq_service *service;
    const struct giq_files_query *query;
    const struct giq_files_host *host;
    char *url;
    const char *period; /* as the service takes it, or NULL */
    struct giq_period_text period_text;
    int limit;
    int selected;  /* files that the host has selected */
    bool has_more; /* the host would have selected one more */
    int pages;     /* that were read */
    size_t box;    /* the number of the box that is searched */
    /* The files of the search in each box: a file may lie in both. */
    struct giq_seen seen[GIQ_FILES_BOXES_MAX];
    struct title *titles;
    size_t title_count;
    bool has_titles; /* they were requested */
};

/* ---- checks ---- */

bool giq_files_parse_limit(const char *text, int *out, struct giq_error *err)
{
    enum { DIGITS_MAX = 6 }; /* those of GIQ_FILES_MAX */
    size_t len = strlen(text);
    bool is_number = strspn(text, "0123456789") == len;
    long value = is_number && len <= DIGITS_MAX ? strtol(text, NULL, 10) : 0;
    if (value >= 1 && value <= GIQ_FILES_MAX) {
        *out = (int)value;
        return true;
    }
    /* Any other text may be a key that was typed in the wrong place. */
    if (!is_number) {
        return giq_fail(err, GIQ_E_USAGE, "\"limit\" must be a whole number from 1 to %d",
                        GIQ_FILES_MAX);
    }
    struct giq_printable printable;
    return giq_fail(err, GIQ_E_USAGE,
                    "\"limit\" must be a whole number from 1 to %d; got \"%s\"",
                    GIQ_FILES_MAX, giq_text_printable(text, &printable));
}

static bool read_query(struct search *s, struct giq_error *err)
{
    struct giq_period period = {GIQ_TIME_NONE, GIQ_TIME_NONE};
    if (s->query->limit != NULL &&
        !giq_files_parse_limit(s->query->limit, &s->limit, err)) {
        return false;
    }
    if (s->query->datetime != NULL &&
        !giq_period_parse(s->query->datetime, &period, err)) {
        return false;
    }
    s->period = giq_period_print(&period, &s->period_text);
    return true;
}

/* ---- titles of collections ---- */

static bool add_titles(struct search *s, const struct giq_json *list)
{
    s->titles = calloc(giq_json_count(list) + 1, sizeof *s->titles);
    if (s->titles == NULL) {
        return false;
    }
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        struct title *title = &s->titles[s->title_count++];
        if (!giq_item_copy_id(s->service, giq_json_get(item, "id"), &title->collection) ||
            !giq_item_copy_text(s->service, giq_json_get(item, "title"), &title->text)) {
            return false;
        }
    }
    return true;
}

/* Get the titles, once. Titles that cannot be read are missing, which is not an error.
 * Errors: GIQ_E_CANCELLED, GIQ_E_MEMORY. */
static bool get_titles(struct search *s, struct giq_error *err)
{
    if (s->has_titles) {
        return true;
    }
    s->has_titles = true;
    GIQ_AUTO_FREE char *url =
        giq_url_make(s->service->settings.base_url, "stac/collections", NULL, NULL);
    if (url == NULL) {
        return giq_fail_memory(err);
    }
    const struct giq_http_request get = {
        .url = url,
        .accept = "application/json",
        .timeout_ms = giq_call_timeout_ms(s->service),
    };
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    const struct giq_json *list = NULL;
    struct giq_error reason = {0};
    if (giq_call_for_list(s->service, &get, "the list of collections", "collections",
                          &json, &list, &reason)) {
        return add_titles(s, list) || giq_fail_memory(err);
    }
    if (reason.code == GIQ_E_CANCELLED || reason.code == GIQ_E_MEMORY) {
        *err = reason;
        return false;
    }
    giq_env_debug(s->service->env, "no titles of collections: %s", reason.text);
    return true;
}

static const char *find_title(const struct search *s, const char *collection)
{
    for (size_t i = 0; i < s->title_count; i++) {
        const struct title *title = &s->titles[i];
        if (title->collection != NULL && strcmp(title->collection, collection) == 0) {
            return title->text;
        }
    }
    return NULL;
}

static void release(struct search *s)
{
    for (size_t i = 0; i < s->title_count; i++) {
        free(s->titles[i].collection);
        free(s->titles[i].text);
    }
    free(s->titles);
    for (size_t i = 0; i < GIQ_FILES_BOXES_MAX; i++) {
        giq_seen_release(&s->seen[i]);
    }
    free(s->url);
}

/* ---- one page ---- */

/* Set a member to a value that is given as JSON. False when out of memory. */
static bool set_json(struct giq_json *object, const char *name, const char *text)
{
    GIQ_AUTO_JSON struct giq_json *value = giq_json_parse(text, strlen(text));
    return value != NULL && giq_json_set_copy(object, name, value);
}

/* The body of the request for the page that begins with the file `offset`. `box` is NULL
 * for a search everywhere. The caller frees it; NULL when out of memory. */
static char *make_body(const struct search *s, const struct giq_geom_box *box,
                       int64_t offset)
{
    GIQ_AUTO_JSON struct giq_json *body = giq_json_new_object();
    char bbox[sizeof box->text + sizeof "[]"];
    if (body == NULL) {
        return NULL;
    }
    if (box != NULL) {
        (void)snprintf(bbox, sizeof bbox, "[%s]", box->text);
        if (!set_json(body, "bbox", bbox)) {
            return NULL;
        }
    }
    if (s->query->collection != NULL &&
        !giq_json_add_text(body, "collections", s->query->collection)) {
        return NULL;
    }
    if (!giq_json_set_text(body, "datetime", s->period) ||
        !giq_json_set_integer(body, "limit", PAGE_SIZE) ||
        !giq_json_set_integer(body, "offset", offset) ||
        !set_json(body, "sortby",
                  "[{\"field\":\"properties.datetime\",\"direction\":\"desc\"}]")) {
        return NULL;
    }
    return giq_json_print(body);
}

/* `*out_new` is whether the file was not seen before in this box, `*out_first` whether it
 * was not seen in any box. */
static bool check_seen(struct search *s, const struct giq_file *file, bool *out_new,
                       bool *out_first, struct giq_error *err)
{
    GIQ_AUTO_FREE char *identity = giq_item_identity(file);
    if (identity == NULL) {
        return giq_fail_memory(err);
    }
    *out_first = true;
    for (size_t i = 0; i < s->box; i++) {
        bool is_new = false;
        if (!giq_seen_add(&s->seen[i], identity, &is_new, err)) {
            return false;
        }
        *out_first = *out_first && is_new;
    }
    if (!giq_seen_add(&s->seen[s->box], identity, out_new, err)) {
        return false;
    }
    *out_first = *out_first && *out_new;
    return true;
}

/* Pass a file that is new in this search to the host. */
static bool add_file(struct search *s, struct giq_file *file, struct giq_error *err)
{
    if (file->collection != NULL) {
        if (!get_titles(s, err)) {
            return false;
        }
        file->collection_title = find_title(s, file->collection);
    }
    bool is_limit_reached = s->selected == s->limit;
    bool is_selected = false;
    if (!s->host->add(s->host->ctx, file, is_limit_reached, &is_selected, err)) {
        return false;
    }
    s->has_more = is_limit_reached && is_selected;
    if (is_selected && !is_limit_reached) {
        s->selected++;
    }
    return true;
}

/* `*out_new` is whether the item was not seen before in this box. */
static bool add_item(struct search *s, const struct giq_json *item, bool *out_new,
                     struct giq_error *err)
{
    struct giq_file file;
    bool is_first = false;
    if (!giq_item_parse(s->service, item, &file)) {
        return giq_fail_memory(err);
    }
    bool ok = check_seen(s, &file, out_new, &is_first, err);
    if (ok && is_first) {
        ok = add_file(s, &file, err);
    }
    giq_item_release(&file);
    return ok;
}

/* Pass the items of a page to the host. `*out_new` is whether there was one that was not
 * seen before in this box. Entries that are not objects are skipped. */
static bool add_page(struct search *s, const struct giq_json *list, bool *out_new,
                     struct giq_error *err)
{
    *out_new = false;
    for (const struct giq_json *item = giq_json_first(list); item != NULL && !s->has_more;
         item = giq_json_next(item)) {
        bool is_new = false;
        if (giq_json_is_object(item) && !add_item(s, item, &is_new, err)) {
            return false;
        }
        *out_new = *out_new || is_new;
    }
    return true;
}

/* Whether the response itself states that there are files after the first `end`. */
static bool states_more(const struct giq_json *body, int64_t end)
{
    const struct giq_json *context = giq_json_get(body, "context");
    if (giq_json_integer(giq_json_get(body, "numberMatched"), 0) > end ||
        giq_json_integer(giq_json_get(context, "matched"), 0) > end) {
        return true;
    }
    const struct giq_json *links = giq_json_get(body, "links");
    for (const struct giq_json *link = giq_json_first(links); link != NULL;
         link = giq_json_next(link)) {
        const char *rel = giq_json_text(giq_json_get(link, "rel"));
        if (rel != NULL && giq_text_equal_nocase(rel, "next")) {
            return true;
        }
    }
    return false;
}

/* ---- pages ---- */

static bool check_can_continue(const struct search *s, struct giq_error *err)
{
    const struct giq_service *service = s->service;
    if (s->pages == PAGES_MAX) {
        return giq_fail(err, GIQ_E_SERVICE,
                        "the list of files does not end: %d pages were read; narrow the "
                        "search with bbox, datetime or collection",
                        PAGES_MAX);
    }
    bool is_late =
        giq_env_left_ms(service->env, giq_service_call_deadline_ms(service)) == 0;
    if (s->pages > 0 && is_late) {
        return giq_fail(err, GIQ_E_TIMEOUT,
                        "TIMEOUT passed after %d pages of the list of files; narrow the "
                        "search with bbox, datetime or collection, or raise TIMEOUT",
                        s->pages);
    }
    return true;
}

static void report_progress(const struct search *s)
{
    char text[64];
    if (s->host->progress != NULL) {
        (void)snprintf(text, sizeof text, "listing files: %d so far", s->selected);
        s->host->progress(s->host->ctx, text);
    }
}

/* The pages of the search in one box. */
struct pages {
    const struct giq_geom_box *box; /* NULL: everywhere */
    int64_t offset;                 /* files before the next page */
    size_t full_size;               /* of a page that is not the last; 0: not known yet */
    bool is_over;
};

/* The size of full pages, by that of the first one. A first page whose size may be the
 * service's own maximum is not taken for the last. */
static size_t full_size_of(size_t first_size)
{
    bool may_be_maximum = first_size >= LEAST_MAXIMUM && first_size % ROUND_SIZE == 0;
    return may_be_maximum && first_size < PAGE_SIZE ? first_size : PAGE_SIZE;
}

/* Note that a page was read, and whether it is the last. */
static void end_page(struct pages *pages, const struct giq_json *body, size_t size,
                     bool has_new)
{
    if (pages->full_size == 0) {
        pages->full_size = full_size_of(size);
    }
    pages->offset += (int64_t)size;
    bool is_short = size < pages->full_size && !states_more(body, pages->offset);
    pages->is_over = !has_new || is_short;
}

static bool read_page(struct search *s, struct pages *pages, struct giq_error *err)
{
    GIQ_AUTO_FREE char *body = make_body(s, pages->box, pages->offset);
    if (body == NULL) {
        return giq_fail_memory(err);
    }
    const struct giq_http_request post = {
        .url = s->url,
        .accept = "application/geo+json, application/json",
        .json = body,
        .timeout_ms = giq_call_timeout_ms(s->service),
    };
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    const struct giq_json *list = NULL;
    if (!giq_call_for_list(s->service, &post, "the list of files", "features", &json,
                           &list, err)) {
        return false;
    }
    /* The service works: an open that was limited to one try goes on as usual. */
    giq_service_end_poll(s->service, false);
    s->pages++;
    bool has_new = false;
    if (!add_page(s, list, &has_new, err)) {
        return false;
    }
    end_page(pages, giq_call_unwrap(json), giq_json_count(list), has_new);
    report_progress(s);
    return true;
}

/* Search in a box; NULL: everywhere. */
static bool search_box(struct search *s, const struct giq_geom_box *box,
                       struct giq_error *err)
{
    struct pages pages = {.box = box};
    while (!pages.is_over && !s->has_more) {
        if (!check_can_continue(s, err) || !read_page(s, &pages, err)) {
            return false;
        }
    }
    return true;
}

static bool run(struct search *s, struct giq_error *err)
{
    if (!read_query(s, err)) {
        return false;
    }
    s->url = giq_url_make(s->service->settings.base_url, "stac/search", NULL, NULL);
    if (s->url == NULL) {
        return giq_fail_memory(err);
    }
    if (s->query->box_count == 0 && !search_box(s, NULL, err)) {
        return false;
    }
    for (; s->box < s->query->box_count && !s->has_more; s->box++) {
        if (!search_box(s, &s->query->boxes[s->box], err)) {
            return false;
        }
    }
    if (s->has_more) {
        giq_env_warn(s->service->env,
                     "the list ends at the limit of %d files, and the service has more; "
                     "narrow the search with an area, datetime or collection, or raise "
                     "limit (at most %d)",
                     s->limit, GIQ_FILES_MAX);
    }
    return true;
}

bool giq_files_search(struct giq_service *service, const struct giq_files_query *query,
                      const struct giq_files_host *host, struct giq_error *err)
{
    struct search s = {
        .service = service, .query = query, .host = host, .limit = LIMIT_DEFAULT};
    assert(query->box_count <= GIQ_FILES_BOXES_MAX);
    bool ok = run(&s, err);
    release(&s);
    return ok;
}
