/*
 * Registration: C++ because GDALOpenInfo and the functions of a GDALDriver are.
 */
#include <gdal_priv.h>

#include "giq_open.h"

static int identify(GDALOpenInfo *info)
{
    return giq_open_identify(info->pszFilename);
}

static GDALDataset *open(GDALOpenInfo *info)
{
    if (!giq_open_identify(info->pszFilename)) {
        return nullptr;
    }
    const giq_open_info what = {
        info->pszFilename,
        static_cast<unsigned>(info->nOpenFlags),
        info->eAccess == GA_Update,
        info->papszOpenOptions,
    };
    return GDALDataset::FromHandle(giq_open_dataset(&what));
}

/* GDAL's own versions open the dataset and work on the files of the result. */
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
    /* Set after registering, which would list the driver as able to create. The options
     * are constant in later GDALs. */
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
    /* Not `new GDALDriver`: its size is that of the GDAL that runs. */
    GDALDriver *driver = GDALDriver::FromHandle(GDALCreateDriver());
    giq_open_describe(driver);
    driver->pfnIdentify = identify;
    driver->pfnOpen = open;
    register_read_only(driver);
}
