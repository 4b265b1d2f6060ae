/*
 * Registration of the driver. C++, because GDALOpenInfo and the callbacks of a GDALDriver
 * have no C API.
 */
#include <gdal_priv.h>

#include "giq_open.h"

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 11, 0)
#include "giq_commands.h"
#endif

static int identify(GDALOpenInfo *info)
{
    return giq_open_identify(info->pszFilename);
}

static GDALDataset *open(GDALOpenInfo *info)
{
    if (!giq_open_identify(info->pszFilename)) {
        return nullptr;
    }
    const giq_open_info arguments = {
        info->pszFilename,
        static_cast<unsigned>(info->nOpenFlags),
        info->eAccess == GA_Update,
        info->papszOpenOptions,
        nullptr,
        nullptr,
        nullptr,
    };
    return GDALDataset::FromHandle(giq_open_dataset(&arguments));
}

/* GDAL's default implementations would open the dataset, which may start a job, and
 * delete, rename or copy the files of the result. */
static void register_read_only(GDALDriver *driver)
{
    driver->pfnDelete = [](const char *) { return giq_open_refuse("deleted"); };
    driver->pfnRename = [](const char *, const char *) {
        return giq_open_refuse("renamed");
    };
    driver->pfnCopyFiles = [](const char *, const char *) {
        return giq_open_refuse("copied as files");
    };
    GDALRegisterDriver(driver);
    /* Set after GDALRegisterDriver(), which would otherwise declare GDAL_DCAP_CREATE.
     * `auto`: the type of the options differs between GDAL versions. */
    driver->pfnCreate = [](const char *, int, int, int, GDALDataType, auto) {
        giq_open_refuse("created");
        return static_cast<GDALDataset *>(nullptr);
    };
    driver->pfnCreateCopy = [](const char *, GDALDataset *, int, auto, GDALProgressFunc,
                               void *) {
        giq_open_refuse("created");
        return static_cast<GDALDataset *>(nullptr);
    };
}

extern "C" CPL_DLL void GDALRegister_GIQ(void)
{
    if (!GDAL_CHECK_VERSION("GIQ driver") || GDALGetDriverByName("GIQ") != nullptr) {
        return;
    }
    /* Not `new GDALDriver`: the size of the class depends on the GDAL that runs. */
    GDALDriver *driver = GDALDriver::FromHandle(GDALCreateDriver());
    giq_open_describe(driver);
    driver->pfnIdentify = identify;
    driver->pfnOpen = open;
#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 11, 0)
    giq_commands_declare(driver);
#endif
    register_read_only(driver);
}
