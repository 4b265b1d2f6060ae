/* Remembers options that threads have set for themselves. */
#include "options/giq_thread_options.h"

#include <cpl_conv.h>
#include <cpl_multiproc.h>
#include <cpl_string.h>
#include <string.h>

enum { MUTEX_WAIT_S = 1000, NAMES_SIZE = 128 };

#define BIT(i) (1u << (i))

static const enum giq_option_id watched[] = {
    GIQ_OPTION_BASE_URL, GIQ_OPTION_STORE_DIR,    GIQ_OPTION_SUBMIT,
    GIQ_OPTION_API_KEY,  GIQ_OPTION_API_KEY_FILE, GIQ_OPTION_BEARER_TOKEN,
};
enum { WATCHED = GIQ_COUNT(watched) };

/* The rows of `watched` that are credentials. */
static const unsigned key_bits = BIT(3) | BIT(4) | BIT(5);

/* The options that some thread of the process has set in its own configuration. */
static unsigned set_by_threads;
static CPLMutex *mutex; /* guards it; made at first use */

/* Add `own` to the options set by threads, and return all of them. */
static unsigned note(unsigned own)
{
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    set_by_threads |= own;
    unsigned bits = set_by_threads;
    CPLReleaseMutex(mutex);
    return bits;
}

/* BASE_URL alone cannot be an option of the service's path. */
static const char *value_of(struct giq_reader *reader, enum giq_option_id option)
{
    const char *name = giq_options[option].config_name;
    const char *value = option == GIQ_OPTION_BASE_URL ? CPLGetConfigOption(name, "")
                                                      : giq_reader_config(reader, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

unsigned giq_thread_options_read(struct giq_reader *reader)
{
    unsigned own = 0;
    unsigned unset = 0;
    for (int i = 0; i < WATCHED; i++) {
        const char *value = value_of(reader, watched[i]);
        const char *of_thread =
            CPLGetThreadLocalConfigOption(giq_options[watched[i]].config_name, NULL);
        if (value == NULL) {
            unset |= BIT(i);
        } else if (of_thread != NULL && strcmp(value, of_thread) == 0) {
            own |= BIT(i);
        }
    }
    bool has_key = (unset & key_bits) != key_bits;
    (void)note(own);
    return has_key ? unset & ~key_bits : unset;
}

static bool fail(enum giq_code code, unsigned bits, struct giq_error *err)
{
    char names[NAMES_SIZE] = "";
    for (int i = 0; i < WATCHED; i++) {
        if (bits & BIT(i)) {
            (void)CPLStrlcat(names, names[0] == '\0' ? "" : ", ", NAMES_SIZE);
            (void)CPLStrlcat(names, giq_options[watched[i]].config_name, NAMES_SIZE);
        }
    }
    return giq_fail(err, code,
                    "%s: set for one thread, or within a block such as rasterio.Env, "
                    "but without a value in this open, so nothing was sent; open "
                    "within the block, or set it for the whole program with "
                    "gdal.SetConfigOption() or in the environment",
                    names);
}

bool giq_thread_options_check(unsigned unset, struct giq_error *err)
{
    unsigned lost = unset == 0 ? 0 : unset & note(0);
    return lost == 0 || fail(GIQ_E_USAGE, lost, err);
}

bool giq_thread_options_check_key(unsigned unset, struct giq_error *err)
{
    unsigned lost = (unset & key_bits) == 0 ? 0 : unset & key_bits & note(0);
    return lost == 0 || fail(GIQ_E_CREDENTIALS, lost, err);
}
