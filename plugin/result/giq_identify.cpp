/*
 * Calls the identify functions of GDAL's drivers. C++, because GDALOpenInfo and the
 * members of GDALDriver have no C interface.
 */
#include "result/giq_identify.h"

#include <gdal_priv.h>

GDALDriverH giq_identify_driver(const char *path)
{
    GDALOpenInfo info(path, GDAL_OF_RASTER | GDAL_OF_VECTOR);
    GDALDriverH found = nullptr;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    for (int i = 0; found == nullptr && i < GDALGetDriverCount(); i++) {
        GDALDriver *driver = GDALDriver::FromHandle(GDALGetDriver(i));
        if (driver->pfnIdentify != nullptr && driver->pfnIdentify(&info) > 0) {
            found = GDALDriver::ToHandle(driver);
        }
    }
    CPLPopErrorHandler();
    return found;
}
