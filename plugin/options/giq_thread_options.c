/* Remembers which options threads have set for themselves, and refuses opens that lack
 * them. */
#include "options/giq_thread_options.h"

#include <cpl_conv.h>
#include <cpl_multiproc.h>
#include <cpl_string.h>
#include <string.h>

enum {
    MUTEX_WAIT_S = 1000, /* GDAL's usual limit; never reached */
    NAMES_SIZE = 160,    /* room for the names of all checked options */
};

/* The options that are checked, as bits of a set. */
enum {
    BASE_URL = 1 << 0,
    STORE_DIR = 1 << 1,
    SUBMIT = 1 << 2,
    API_KEY = 1 << 3,
    API_KEY_FILE = 1 << 4,
    BEARER_TOKEN = 1 << 5,
    MAX_JOBS = 1 << 6,
    MAX_AREA = 1 << 7,
    CREDENTIALS = API_KEY | API_KEY_FILE | BEARER_TOKEN,
};

static const struct {
    unsigned bit;
    enum giq_option_id id;
} checked[] = {
    {BASE_URL, GIQ_OPTION_BASE_URL},
    {STORE_DIR, GIQ_OPTION_STORE_DIR},
    {SUBMIT, GIQ_OPTION_SUBMIT},
    {API_KEY, GIQ_OPTION_API_KEY},
    {API_KEY_FILE, GIQ_OPTION_API_KEY_FILE},
    {BEARER_TOKEN, GIQ_OPTION_BEARER_TOKEN},
    {MAX_JOBS, GIQ_OPTION_MAX_JOBS},
    {MAX_AREA, GIQ_OPTION_MAX_AREA},
};

/* The options that some thread of the process has set in its own configuration. */
static unsigned set_by_threads;
static CPLMutex *mutex; /* guards `set_by_threads`; made at first use */

static void add_set_by_threads(unsigned options)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    set_by_threads |= options;
    CPLReleaseMutex(mutex);
}

static unsigned get_set_by_threads(void)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    unsigned options = set_by_threads;
    CPLReleaseMutex(mutex);
    return options;
}

/* BASE_URL is read as a general option: it defines the path that path-specific options
 * are set for. */
static const char *value_of(struct giq_reader *reader, enum giq_option_id option)
{
    const char *name = giq_options[option].config_name;
    const char *value = option == GIQ_OPTION_BASE_URL ? CPLGetConfigOption(name, "")
                                                      : giq_reader_config(reader, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

unsigned giq_thread_options_read(struct giq_reader *reader)
{
    unsigned set_here = 0;
    unsigned unset = 0;
    for (size_t i = 0; i < GIQ_COUNT(checked); i++) {
        const char *name = giq_options[checked[i].id].config_name;
        const char *value = value_of(reader, checked[i].id);
        const char *of_thread = CPLGetThreadLocalConfigOption(name, NULL);
        if (value == NULL) {
            unset |= checked[i].bit;
        } else if (of_thread != NULL && strcmp(value, of_thread) == 0) {
            set_here |= checked[i].bit;
        }
    }
    add_set_by_threads(set_here);
    /* One credential is enough. */
    bool has_credentials = (unset & CREDENTIALS) != CREDENTIALS;
    return has_credentials ? unset & ~(unsigned)CREDENTIALS : unset;
}

static bool fail_missing(enum giq_code code, unsigned options, struct giq_error *err)
{
    char names[NAMES_SIZE] = "";
    for (size_t i = 0; i < GIQ_COUNT(checked); i++) {
        if (options & checked[i].bit) {
            (void)CPLStrlcat(names, names[0] == '\0' ? "" : ", ", NAMES_SIZE);
            (void)CPLStrlcat(names, giq_options[checked[i].id].config_name, NAMES_SIZE);
        }
    }
    return giq_fail(err, code,
                    "%s was set for one thread only, for example in a rasterio.Env "
                    "block, and has no value in this open; nothing was sent; open "
                    "within the block, or set it for the whole program with "
                    "gdal.SetConfigOption() or in the environment",
                    names);
}

bool giq_thread_options_check(unsigned unset, struct giq_error *err)
{
    unsigned missing = unset & get_set_by_threads();
    if (missing == 0) {
        return true;
    }
    return fail_missing(GIQ_E_USAGE, missing, err);
}

bool giq_thread_options_check_credentials(unsigned unset, struct giq_error *err)
{
    unsigned missing = unset & CREDENTIALS & get_set_by_threads();
    if (missing == 0) {
        return true;
    }
    return fail_missing(GIQ_E_CREDENTIALS, missing, err);
}
