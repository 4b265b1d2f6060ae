/* Checks the output of a command, and copies the result to it. */
#include "giq_command_copy.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal_utils.h>

#include "options/giq_config.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_path.h"

/* GDAL's callback with the program's, which notes whether that has cancelled. */
struct watched {
    GDALProgressFunc function;
    void *data;
    bool is_cancelled;
};

static int CPL_STDCALL watch(double share, const char *text, void *data)
{
    struct watched *watched = data;
    if (!watched->function(share, text, watched->data)) {
        watched->is_cancelled = true;
    }
    return !watched->is_cancelled;
}

/* Whether a driver that the command allows can write this kind (GDAL_OF_...). */
static bool can_write(const struct giq_command *command, int kind)
{
    if (command->output_format == NULL) {
        GIQ_AUTO_CSL char **drivers =
            GDALGetOutputDriversForDatasetName(command->output, kind, true, false);
        return drivers != NULL && drivers[0] != NULL;
    }
    GDALDriverH driver = GDALGetDriverByName(command->output_format);
    const char *capability = kind == GDAL_OF_RASTER ? GDAL_DCAP_RASTER : GDAL_DCAP_VECTOR;
    return driver != NULL && GDALGetMetadataItem(driver, capability, NULL) != NULL &&
           (GDALGetMetadataItem(driver, GDAL_DCAP_CREATE, NULL) != NULL ||
            GDALGetMetadataItem(driver, GDAL_DCAP_CREATECOPY, NULL) != NULL);
}

static bool exists(const char *path, bool *out_is_folder)
{
    VSIStatBufL st;
    bool found = VSIStatL(path, &st) == 0;
    *out_is_folder = found && VSI_ISDIR(st.st_mode);
    return found;
}

/* The length of "PG" in "PG:dbname=x": 0 for a path. */
static int connection_prefix_len(const char *output)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    int len = (int)strspn(output, letters);
    return len > 1 && output[len] == ':' ? len : 0;
}

/* The output as messages name it: a connection string may have a password. */
static const char *name_of_output(const struct giq_command *command)
{
    int prefix_len = connection_prefix_len(command->output);
    if (prefix_len > 0) {
        return CPLSPrintf("%.*s:...", prefix_len, command->output);
    }
    GIQ_AUTO_CPL char *printable = giq_path_printable(command->output);
    return CPLSPrintf("%s", printable);
}

/* Fail if the output is in the store: to replace a result would remove what is copied. An
 * option that is wrong is reported by the open. */
static bool check_is_outside_store(const struct giq_command *command,
                                   struct giq_error *err)
{
    struct giq_config config;
    struct giq_error ignored = {0};
    if (!giq_config_read(command->options, &config, &ignored)) {
        return true;
    }
    bool is_inside = giq_config_find_store(&config, &ignored) &&
                     giq_path_is_below(command->output, config.store_dir);
    giq_config_release(&config);
    if (is_inside) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the output %s is in the store, whose files only the driver "
                        "writes; name a file in another folder",
                        name_of_output(command));
    }
    return true;
}

/* Whether the output is the dataset `source`, which may have ",layer" after its path. */
static bool is_output(const struct giq_command *command, const char *source)
{
    GIQ_AUTO_CPL char *path = CPLStrdup(source);
    bool is_same = giq_path_is_same(path, command->output);
    for (char *at = strrchr(path, ','); !is_same && at != NULL; at = strrchr(path, ',')) {
        *at = '\0';
        is_same = giq_path_is_same(path, command->output);
    }
    return is_same;
}

/* Fail if the output is a file that the request reads: `--overwrite` would lose it. */
static bool check_is_no_input(const struct giq_command *command, struct giq_error *err)
{
    static const char *const inputs[] = {"batch", "upload", "aoi", "geometry"};
    char **const given[] = {command->keys, command->options};
    for (size_t i = 0; i < GIQ_COUNT(inputs) * GIQ_COUNT(given); i++) {
        const char *input = inputs[i / GIQ_COUNT(given)];
        const char *value = CSLFetchNameValueDef(given[i % GIQ_COUNT(given)], input, "");
        bool is_text = EQUAL(input, "geometry") && value[0] != '@';
        if (!is_text && is_output(command, value[0] == '@' ? value + 1 : value)) {
            return giq_fail(err, GIQ_E_USAGE,
                            "the output %s is the file of --%s, which is read; name "
                            "another file",
                            name_of_output(command), input);
        }
    }
    return true;
}

bool giq_command_copy_check(const struct giq_command *command, struct giq_error *err)
{
    bool is_folder = false;
    const char *output = command->output;
    if (output == NULL) {
        return true;
    }
    if (command->no_wait) {
        return giq_fail(err, GIQ_E_USAGE,
                        "with --no-wait there is no result yet that --output could be a "
                        "copy of; give one of the two");
    }
    if (!can_write(command, GDAL_OF_RASTER) && !can_write(command, GDAL_OF_VECTOR)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "no driver of GDAL writes \"%s\"%s%s; use another extension or "
                        "--output-format",
                        name_of_output(command),
                        command->output_format == NULL ? "" : " as ",
                        command->output_format == NULL ? "" : command->output_format);
    }
    if (!check_is_outside_store(command, err) || !check_is_no_input(command, err)) {
        return false;
    }
    if (exists(output, &is_folder) && (is_folder || !command->overwrite)) {
        return giq_fail(err, GIQ_E_USAGE,
                        is_folder ? "the output %s is a folder; name a file"
                                  : "the output %s exists; name another file, or replace "
                                    "it with --overwrite",
                        name_of_output(command));
    }
    GIQ_AUTO_CPL char *folder = CPLStrdup(CPLGetDirname(output));
    if (!exists(folder, &is_folder) && !STARTS_WITH(output, "/vsi") &&
        connection_prefix_len(output) == 0) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the folder %s of the output does not exist; make it first",
                        folder);
    }
    return true;
}

static void remove_output(const char *output)
{
    bool is_folder = false;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    if (exists(output, &is_folder) && GDALDeleteDataset(NULL, output) != CE_None) {
        (void)VSIUnlink(output);
    }
    CPLPopErrorHandler();
}

static char **add_creation_options(char **arguments, const struct giq_command *command,
                                   const char *flag)
{
    char **options = command->creation_options;
    for (int i = 0; options != NULL && options[i] != NULL; i++) {
        arguments = CSLAddString(CSLAddString(arguments, flag), options[i]);
    }
    if (command->output_format != NULL) {
        arguments = CSLAddString(CSLAddString(arguments, "-of"), command->output_format);
    }
    return arguments;
}

static GDALDatasetH copy_raster(GDALDatasetH dataset, const struct giq_command *command,
                                struct watched *watched)
{
    GIQ_AUTO_CSL char **arguments = add_creation_options(NULL, command, "-co");
    GDALTranslateOptions *options = GDALTranslateOptionsNew(arguments, NULL);
    if (options == NULL) {
        return NULL;
    }
    if (watched->function != NULL) {
        GDALTranslateOptionsSetProgress(options, watch, watched);
    }
    GDALDatasetH copy = GDALTranslate(command->output, dataset, options, NULL);
    GDALTranslateOptionsFree(options);
    return copy;
}

static GDALDatasetH copy_vector(GDALDatasetH dataset, const struct giq_command *command,
                                struct watched *watched)
{
    GIQ_AUTO_CSL char **arguments = add_creation_options(NULL, command, "-dsco");
    GDALVectorTranslateOptions *options = GDALVectorTranslateOptionsNew(arguments, NULL);
    if (options == NULL) {
        return NULL;
    }
    if (watched->function != NULL) {
        GDALVectorTranslateOptionsSetProgress(options, watch, watched);
    }
    GDALDatasetH copy =
        GDALVectorTranslate(command->output, NULL, 1, &dataset, options, NULL);
    GDALVectorTranslateOptionsFree(options);
    return copy;
}

static bool copy_dataset(GDALDatasetH dataset, const struct giq_command *command,
                         struct watched *watched, struct giq_error *err)
{
    bool has_layers = GDALDatasetGetLayerCount(dataset) > 0;
    bool has_bands = GDALGetRasterCount(dataset) > 0;
    if (!has_layers && !has_bands) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the result has several members, and a copy is of one; name it "
                        "with --member (gdal info lists them): the job is not paid for "
                        "again");
    }
    bool is_vector = has_layers && (!has_bands || can_write(command, GDAL_OF_VECTOR));
    if (!can_write(command, is_vector ? GDAL_OF_VECTOR : GDAL_OF_RASTER)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the result is a %s, which is not what %s can hold; name another "
                        "output: the job is not paid for again",
                        is_vector ? "vector" : "raster", name_of_output(command));
    }
    if (command->overwrite) {
        remove_output(command->output);
    }
    GDALDatasetH copy = is_vector ? copy_vector(dataset, command, watched)
                                  : copy_raster(dataset, command, watched);
    /* Closing writes what is left. */
    bool ok = copy != NULL && GDALClose(copy) == CE_None && !watched->is_cancelled;
    if (ok) {
        return true;
    }
    remove_output(command->output);
    if (watched->is_cancelled) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "the program ended the copy to %s, which was removed; the result "
                        "stays in the store, so the same command repeats the copy alone",
                        name_of_output(command));
    }
    return giq_fail(err, GIQ_E_RESULT,
                    "the result could not be copied to %s; it stays in the store, so the "
                    "same command with another output repeats the copy alone",
                    name_of_output(command));
}

bool giq_command_copy(GDALDatasetH dataset, const struct giq_command *command,
                      double share, struct giq_error *err)
{
    void *scaled =
        GDALCreateScaledProgress(share, 1, command->progress, command->progress_data);
    struct watched watched = {.function = scaled == NULL ? NULL : GDALScaledProgress,
                              .data = scaled};
    bool ok = copy_dataset(dataset, command, &watched, err);
    GDALDestroyScaledProgress(scaled);
    return ok;
}
