#include "layer.h"

OGRLayerH layer_make(const char *driver, const char *path, const char *name,
                     OGRSpatialReferenceH srs, OGRwkbGeometryType geometry,
                     const struct layer_field *fields, char **options, GDALDatasetH *out)
{
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName(driver), path, 0, 0, 0, GDT_Unknown, NULL);
    OGRLayerH layer = dataset == NULL
                          ? NULL
                          : GDALDatasetCreateLayer(dataset, name, srs, geometry, options);
    for (; layer != NULL && fields != NULL && fields->name != NULL; fields++) {
        OGRFieldDefnH field = OGR_Fld_Create(fields->name, fields->type);
        (void)OGR_L_CreateField(layer, field, 1);
        OGR_Fld_Destroy(field);
    }
    *out = dataset;
    return layer;
}
