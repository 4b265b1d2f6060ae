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
static CPLErr refuse_delete(const char *)
{
    return giq_open_refuse("deleted");
}

static CPLErr refuse_rename(const char *, const char *)
{
    return giq_open_refuse("renamed");
}

static CPLErr refuse_copy(const char *, const char *)
{
    return giq_open_refuse("copied as files");
}

/* The options of these two are constant in later GDALs. */
template <typename Options>
static GDALDataset *refuse_create(const char *, int, int, int, GDALDataType, Options)
{
    giq_open_refuse("created");
    return nullptr;
}

template <typename Options>
static GDALDataset *refuse_create_copy(const char *, GDALDataset *, int, Options,
                                       GDALProgressFunc, void *)
{
    giq_open_refuse("created");
    return nullptr;
}

extern "C" CPL_DLL void GDALRegister_GIQ(void)
{
    if (!GDAL_CHECK_VERSION("GIQ driver") || GDALGetDriverByName("GIQ") != nullptr) {
        return;
    }
    /* Not `new GDALDriver`: its size is that of the GDAL that runs. */
    GDALDriverH handle = GDALCreateDriver();
    giq_open_describe(handle);
    GDALDriver *driver = GDALDriver::FromHandle(handle);
    driver->pfnIdentify = identify;
    driver->pfnOpen = open;
    driver->pfnDelete = refuse_delete;
    driver->pfnRename = refuse_rename;
    driver->pfnCopyFiles = refuse_copy;
    GDALRegisterDriver(handle);
    /* Set after registering, which would list the driver as able to create. */
    driver->pfnCreate = refuse_create;
    driver->pfnCreateCopy = refuse_create_copy;
}
