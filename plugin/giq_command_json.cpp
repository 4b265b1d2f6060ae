/* Prints the rows of layers as JSON. C++, because GDAL's JSON writer has no C interface.
 */
#include <cpl_json.h>
#include <ogr_api.h>

#include "giq_command_print.h"

static void add_value(CPLJSONObject &object, OGRFeatureH row, int field)
{
    OGRFieldDefnH column = OGR_F_GetFieldDefnRef(row, field);
    const std::string name = OGR_Fld_GetNameRef(column);
    if (!OGR_F_IsFieldSetAndNotNull(row, field)) {
        object.AddNull(name);
        return;
    }
    switch (OGR_Fld_GetType(column)) {
    case OFTInteger64:
        object.Add(name, static_cast<GInt64>(OGR_F_GetFieldAsInteger64(row, field)));
        break;
    case OFTReal:
        object.Add(name, OGR_F_GetFieldAsDouble(row, field));
        break;
    case OFTDateTime:
        object.Add(name,
                   std::string(OGR_F_GetFieldAsISO8601DateTime(row, field, nullptr)));
        break;
    case OFTStringList: {
        CPLJSONArray list;
        for (char **item = OGR_F_GetFieldAsStringList(row, field);
             item != nullptr && *item != nullptr; item++) {
            list.Add(std::string(*item));
        }
        object.Add(name, list);
        break;
    }
    default:
        object.Add(name, std::string(OGR_F_GetFieldAsString(row, field)));
        break;
    }
}

static void add_geometry(CPLJSONObject &object, OGRFeatureH row)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(row);
    char *text = geometry == nullptr ? nullptr : OGR_G_ExportToJson(geometry);
    CPLJSONDocument document;
    if (text != nullptr && document.LoadMemory(std::string(text))) {
        object.Add("geometry", document.GetRoot());
    } else {
        object.AddNull("geometry");
    }
    CPLFree(text);
}

static void add_rows(CPLJSONArray &array, OGRLayerH layer)
{
    OGR_L_ResetReading(layer);
    while (OGRFeatureH row = OGR_L_GetNextFeature(layer)) {
        CPLJSONObject object;
        for (int field = 0; field < OGR_F_GetFieldCount(row); field++) {
            add_value(object, row, field);
        }
        if (OGR_F_GetGeomFieldCount(row) > 0) {
            add_geometry(object, row);
        }
        array.Add(object);
        OGR_F_Destroy(row);
    }
}

void giq_command_print_json(FILE *out, const OGRLayerH *layers, size_t count)
{
    CPLJSONArray array;
    for (size_t i = 0; i < count; i++) {
        add_rows(array, layers[i]);
    }
    fprintf(out, "%s\n", array.Format(CPLJSONObject::PrettyFormat::Pretty).c_str());
}
