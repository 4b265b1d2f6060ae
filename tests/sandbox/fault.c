#include "fault.h"

#include <cJSON.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "odd.h"
#include "text.h"

enum { FAULTS_MAX = 64, CALL_SIZE = 16 };

struct entry {
    char call[CALL_SIZE];
    long seen; /* requests of the call since it was set */
    long first;
    long last;
    struct fault fault;
};

struct faults {
    struct entry entry[FAULTS_MAX];
    int count;
    pthread_mutex_t lock;
};

/* What the value of a kind is. */
enum value { VALUE_NONE, VALUE_NUMBER, VALUE_TEXT };

static const struct {
    const char *name;
    enum fault_kind kind;
    enum value value;
} kinds[] = {
    {"status", FAULT_STATUS, VALUE_NUMBER},
    {"body", FAULT_BODY, VALUE_TEXT},
    {"lost", FAULT_LOST, VALUE_NONE},
    {"reset-before", FAULT_RESET_BEFORE, VALUE_NONE},
    {"reset-after", FAULT_RESET_AFTER, VALUE_NONE},
    {"late", FAULT_LATE, VALUE_NUMBER},
    {"hang", FAULT_HANG, VALUE_NONE},
    {"state", FAULT_STATE, VALUE_TEXT},
    {"cut", FAULT_CUT, VALUE_NUMBER},
    {"odd", FAULT_ODD, VALUE_TEXT},
};

struct faults *faults_new(void)
{
    struct faults *faults = calloc(1, sizeof *faults);
    if (faults == NULL) {
        abort();
    }
    (void)pthread_mutex_init(&faults->lock, NULL);
    return faults;
}

void faults_free(struct faults *faults)
{
    (void)pthread_mutex_destroy(&faults->lock);
    free(faults);
}

/* ---- reading ---- */

static bool read_number(const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0;
}

/* "@2" or "@2-5", taken off the end of `spec`. */
static bool take_range(char *spec, struct entry *entry)
{
    char *at = strrchr(spec, '@');
    char *end = NULL;
    entry->first = 1;
    entry->last = LONG_MAX;
    if (at == NULL) {
        return true;
    }
    *at = '\0';
    entry->first = strtol(at + 1, &end, 10);
    entry->last = entry->first;
    if (*end == '-') {
        entry->last = strtol(end + 1, &end, 10);
    }
    return *end == '\0' && entry->first >= 1 && entry->last >= entry->first;
}

static bool take_retry_after(char *spec, struct entry *entry)
{
    static const char name[] = ",retry-after=";
    char *at = strstr(spec, name);
    entry->fault.retry_after = -1;
    if (at == NULL) {
        return true;
    }
    *at = '\0';
    return read_number(at + sizeof name - 1, &entry->fault.retry_after);
}

static bool take_kind(const char *text, struct fault *out)
{
    const char *equals = strchr(text, '=');
    size_t len = equals == NULL ? strlen(text) : (size_t)(equals - text);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i].name) != len || strncmp(kinds[i].name, text, len) != 0) {
            continue;
        }
        out->kind = kinds[i].kind;
        if (kinds[i].value == VALUE_NONE || equals == NULL) {
            return kinds[i].value == VALUE_NONE && equals == NULL;
        }
        if (kinds[i].value == VALUE_NUMBER) {
            return read_number(equals + 1, &out->number);
        }
        return snprintf(out->text, sizeof out->text, "%s", equals + 1) <
                   (int)sizeof out->text &&
               (out->kind != FAULT_ODD || odd_parse(out->text, &out->odd));
    }
    return false;
}

static bool read_spec(const char *text, struct entry *out)
{
    static const char *const calls[] = {"models",   "run",    "status",
                                        "download", "upload", "collections",
                                        "items",    "item",   "search"};
    char *spec = text_make("%s", text);
    char *colon = strchr(spec, ':');
    bool ok = false;
    *out = (struct entry){.seen = 0};
    for (size_t i = 0; colon != NULL && i < sizeof calls / sizeof calls[0]; i++) {
        if (strncmp(spec, calls[i], (size_t)(colon - spec)) == 0 &&
            strlen(calls[i]) == (size_t)(colon - spec)) {
            (void)memcpy(out->call, calls[i], strlen(calls[i]) + 1);
            ok = true;
        }
    }
    ok = ok && take_range(colon, out) && take_retry_after(colon, out) &&
         take_kind(colon + 1, &out->fault);
    free(spec);
    return ok;
}

/* ---- setting and taking ---- */

bool faults_add(struct faults *faults, const char *spec)
{
    struct entry entry;
    bool ok = read_spec(spec, &entry);
    (void)pthread_mutex_lock(&faults->lock);
    ok = ok && faults->count < FAULTS_MAX;
    if (ok) {
        faults->entry[faults->count++] = entry;
    }
    (void)pthread_mutex_unlock(&faults->lock);
    return ok;
}

bool faults_replace(struct faults *faults, const char *json)
{
    cJSON *list = cJSON_Parse(json);
    struct entry *entries = calloc(FAULTS_MAX, sizeof *entries);
    const cJSON *item = NULL;
    int count = 0;
    bool ok =
        entries != NULL && cJSON_IsArray(list) && cJSON_GetArraySize(list) <= FAULTS_MAX;
    cJSON_ArrayForEach(item, list)
    {
        const char *spec = cJSON_GetStringValue(item);
        ok = ok && spec != NULL && read_spec(spec, &entries[count++]);
    }
    if (ok) {
        (void)pthread_mutex_lock(&faults->lock);
        (void)memcpy(faults->entry, entries, sizeof faults->entry);
        faults->count = count;
        (void)pthread_mutex_unlock(&faults->lock);
    }
    free(entries);
    cJSON_Delete(list);
    return ok;
}

struct fault faults_take(struct faults *faults, const char *call)
{
    struct fault taken = {.kind = FAULT_NONE, .retry_after = -1};
    (void)pthread_mutex_lock(&faults->lock);
    for (int i = 0; i < faults->count; i++) {
        struct entry *entry = &faults->entry[i];
        if (strcmp(entry->call, call) == 0) {
            entry->seen++;
            if (taken.kind == FAULT_NONE && entry->seen >= entry->first &&
                entry->seen <= entry->last) {
                taken = entry->fault;
            }
        }
    }
    (void)pthread_mutex_unlock(&faults->lock);
    return taken;
}
