#include "model_wait.h"

#include <cpl_conv.h>
#include <ogr_api.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

/* The area as GeoJSON, to be passed to CPLFree(); without an area a unit square. */
static char *area_as_json(const char *area)
{
    char *at = (char *)(area == NULL ? "POLYGON((0 0,1 0,1 1,0 1,0 0))" : area);
    OGRGeometryH geometry = NULL;
    char *json = OGR_G_CreateFromWkt(&at, NULL, &geometry) == OGRERR_NONE
                     ? OGR_G_ExportToJson(geometry)
                     : NULL;
    OGR_G_DestroyGeometry(geometry);
    return json;
}

bool model_wait(const struct model_task *task, const char *path,
                char error[MODEL_ERROR_SIZE])
{
    char *geometry = area_as_json(task->area);
    if (geometry == NULL) {
        (void)snprintf(error, MODEL_ERROR_SIZE, "the area cannot be read");
        return false;
    }
    char *text = text_make("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":"
                           "\"Feature\",\"properties\":{\"number\":1},\"geometry\":%s}]}",
                           geometry);
    bool ok = text_save(path, text);
    if (!ok) {
        (void)snprintf(error, MODEL_ERROR_SIZE, "the result cannot be written");
    }
    free(text);
    CPLFree(geometry);
    return ok;
}
