#include "result/giq_inner.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>

#include "giq/external.h"
#include "options/giq_gdal_compat.h"

/* What an open asks of GDAL itself, and update, are not for the inner driver. */
#define OF_OUTER                                                                         \
    ((unsigned)(GDAL_OF_SHARED | GDAL_OF_FROM_GDALOPEN | GDAL_OF_THREAD_SAFE |           \
                GDAL_OF_UPDATE))

#define JPEG2000 "JP2OpenJPEG"

/* GDAL's text of an error, in full. */
enum { WORDS_SIZE = 1024 };

/* The first error says what is wrong, and often what to do; later ones come after it. */
static void CPL_STDCALL keep_first(CPLErr level, CPLErrorNum number, const char *text)
{
    char *words = CPLGetErrorHandlerUserData();
    (void)number;
    if (level >= CE_Failure && words[0] == '\0') {
        (void)CPLStrlcpy(words, text, WORDS_SIZE);
    }
}

static GDALDatasetH open_with(const char *path, unsigned flags, char **drivers,
                              char **options)
{
    char words[WORDS_SIZE] = "";
    CPLPushErrorHandlerEx(keep_first, words);
    CPLErrorReset();
    GDALDatasetH dataset =
        GDALOpenEx(path, flags | GDAL_OF_VERBOSE_ERROR, (const char *const *)drivers,
                   (const char *const *)options, NULL);
    CPLPopErrorHandler();
    if (dataset == NULL && words[0] != '\0') {
        CPLErrorSetState(CE_Failure, CPLE_OpenFailed, words);
    }
    return dataset;
}

static bool is_jpeg2000(const char *path, char **drivers)
{
    static const char *const only[] = {JPEG2000, NULL};
    return CSLFindString(drivers, JPEG2000) >= 0 &&
           GDALIdentifyDriverEx(path, GDAL_OF_RASTER, only, NULL) != NULL;
}

const char *giq_inner_source(const char *path, char **drivers)
{
    char head[GIQ_SNIFF_BYTES];
    VSIStatBufL st;
    VSILFILE *file =
        VSIStatL(path, &st) == 0 && VSI_ISREG(st.st_mode) ? VSIFOpenL(path, "rb") : NULL;
    if (file == NULL) {
        return NULL;
    }
    const char *driver = giq_sniff_source(head, VSIFReadL(head, 1, sizeof head, file));
    (void)VSIFCloseL(file);
    return driver != NULL && CSLFindString(drivers, driver) < 0 ? driver : NULL;
}

GDALDatasetH giq_inner_open(const char *path, unsigned flags, char **drivers,
                            char **options)
{
    unsigned inner = flags & ~OF_OUTER;
    bool wants_vector_only = (flags & GIQ_INNER_KINDS) == GDAL_OF_VECTOR;
    /* A driver that goes by the name would take such a text for its own. */
    if (giq_inner_source(path, drivers) != NULL) {
        CPLErrorReset();
        return NULL;
    }
    if (!is_jpeg2000(path, drivers)) {
        return open_with(path, inner, drivers, options);
    }
    /* As vectors it holds GML and KML, which its driver hands to all drivers there are:
     * it is a raster only. */
    if (wants_vector_only) {
        CPLErrorReset();
        return NULL;
    }
    char *only[] = {JPEG2000, NULL};
    inner = (inner & ~GIQ_INNER_KINDS) | (unsigned)GDAL_OF_RASTER;
    return open_with(path, inner, only, options);
}

bool giq_inner_is_renamed(unsigned flags)
{
    return (flags & GDAL_OF_SHARED) != 0 && (flags & GDAL_OF_THREAD_SAFE) == 0;
}

/* PAM must never save under such a name, or it writes "GIQ:....aux.xml" into the current
 * folder. GTiff starts PAM when the geotransform or metadata are asked for. */
GDALDatasetH giq_inner_open_shared(const char *path, unsigned flags, char **drivers,
                                   char **options, const char *name)
{
    char *before = CPLStrdup(CPLGetThreadLocalConfigOption("GDAL_PAM_ENABLED", ""));
    CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", "NO");
    GDALDatasetH dataset = giq_inner_open(path, flags, drivers, options);
    if (dataset != NULL) {
        double ignored[6];
        (void)GDALGetGeoTransform(dataset, ignored);
        (void)GDALGetMetadata(dataset, NULL);
        (void)GDALGetMetadataItem(dataset, "OVERVIEW_FILE", "OVERVIEWS");
        GDALSetDescription(dataset, name);
    }
    CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", before[0] == '\0' ? NULL : before);
    CPLFree(before);
    return dataset;
}

bool giq_inner_can_open(const char *path, unsigned kinds, char **drivers)
{
    GDALDatasetH dataset = giq_inner_open(path, kinds, drivers, NULL);
    if (dataset != NULL) {
        GDALClose(dataset);
    }
    return dataset != NULL;
}
