#include <cpl_conv.h>
#include <cpl_string.h>

#include "result/giq_references.h"

enum { DEPTH_MAX = 64 };

/* Attributes that the driver takes for what a user may type for a coordinate system. */
static const char *const attributes[] = {"crs", "srid"};

static bool reaches_out(GDALAttributeH attribute)
{
    const char *text = attribute == NULL ? NULL : GDALAttributeReadAsString(attribute);
    bool is_outside = text != NULL && giq_external_srs(text);
    if (attribute != NULL) {
        GDALAttributeRelease(attribute);
    }
    return is_outside;
}

static bool has_bad_array(GDALGroupH group)
{
    bool found = false;
    char **names = GDALGroupGetMDArrayNames(group, NULL);
    for (int i = 0; !found && names != NULL && names[i] != NULL; i++) {
        GDALMDArrayH array = GDALGroupOpenMDArray(group, names[i], NULL);
        for (size_t k = 0; array != NULL && !found && k < GIQ_COUNT(attributes); k++) {
            found = reaches_out(GDALMDArrayGetAttribute(array, attributes[k]));
        }
        if (array != NULL) {
            GDALMDArrayRelease(array);
        }
    }
    CSLDestroy(names);
    return found;
}

static bool has_bad_group(GDALGroupH group, int depth) // NOLINT(misc-no-recursion)
{
    bool found = depth == DEPTH_MAX || has_bad_array(group);
    for (size_t k = 0; !found && k < GIQ_COUNT(attributes); k++) {
        found = reaches_out(GDALGroupGetAttribute(group, attributes[k]));
    }
    char **names = found ? NULL : GDALGroupGetGroupNames(group, NULL);
    for (int i = 0; !found && names != NULL && names[i] != NULL; i++) {
        GDALGroupH inner = GDALGroupOpenGroup(group, names[i], NULL);
        if (inner != NULL) {
            found = has_bad_group(inner, depth + 1);
            GDALGroupRelease(inner);
        }
    }
    CSLDestroy(names);
    return found;
}

bool giq_references_check_netcdf(const char *path, struct giq_error *err)
{
    static const char *const drivers[] = {"netCDF", NULL};
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_MULTIDIM_RASTER, drivers, NULL, NULL);
    if (dataset == NULL) {
        return true;
    }
    GDALGroupH root = GDALDatasetGetRootGroup(dataset);
    bool found = root != NULL && has_bad_group(root, 0);
    if (root != NULL) {
        GDALGroupRelease(root);
    }
    GDALClose(dataset);
    return !found || giq_fail(err, GIQ_E_RESULT,
                              "an attribute of the result gives a file or an address for "
                              "its coordinate system, and the result is refused");
}
