#include "options/giq_thread_options.h"

#include <cpl_conv.h>
#include <cpl_multiproc.h>
#include <string.h>

enum { PATIENCE_S = 1000, NAMES_SIZE = 128 };

#define BIT(i) (1u << (i))

static const enum giq_option_id watched[] = {
    GIQ_OPTION_BASE_URL, GIQ_OPTION_STORE_DIR,    GIQ_OPTION_SUBMIT,
    GIQ_OPTION_API_KEY,  GIQ_OPTION_API_KEY_FILE, GIQ_OPTION_BEARER_TOKEN,
};
enum { WATCHED = GIQ_COUNT(watched) };

/* Any of them is a key. */
static const unsigned key_bits = BIT(3) | BIT(4) | BIT(5);

/* Which options any thread had for itself. */
static unsigned had;
static CPLMutex *mutex; /* made when first needed */

/* Add to what threads had for themselves, and return all of it. */
static unsigned note(unsigned own)
{
    (void)CPLCreateOrAcquireMutex(&mutex, PATIENCE_S);
    had |= own;
    unsigned bits = had;
    CPLReleaseMutex(mutex);
    return bits;
}

/* BASE_URL is the one option that cannot be one of the service's path. */
static const char *value_of(struct giq_reader *reader, enum giq_option_id option)
{
    const char *name = giq_options[option].config_name;
    const char *value = option == GIQ_OPTION_BASE_URL ? CPLGetConfigOption(name, "")
                                                      : giq_reader_config(reader, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

void giq_thread_options_read(struct giq_reader *reader)
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
    reader->config->unset_options = has_key ? unset & ~key_bits : unset;
    (void)note(own);
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
                    "only, and without a value in this open, so nothing was sent; open "
                    "within the block, or set it for the whole program with "
                    "gdal.SetConfigOption() or in the environment",
                    names);
}

bool giq_thread_options_check(const struct giq_config *config, struct giq_error *err)
{
    unsigned lost = config->unset_options;
    lost = lost == 0 ? 0 : lost & note(0);
    return lost == 0 || fail(GIQ_E_USAGE, lost, err);
}

bool giq_thread_options_check_key(const struct giq_config *config, struct giq_error *err)
{
    unsigned lost = config->unset_options & key_bits;
    lost = lost == 0 ? 0 : lost & note(0);
    return lost == 0 || fail(GIQ_E_CREDENTIALS, lost, err);
}
