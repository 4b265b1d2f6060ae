/*
 * Opens a file of a result with the drivers that may open results, printing no errors.
 */
#include "result/giq_inner.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <string.h>

#include "giq/external.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_gdal_compat.h"

/* Flags that must not reach the inner driver: GDAL's own, and update access. */
#define FLAGS_NOT_PASSED                                                                 \
    ((unsigned)(GDAL_OF_SHARED | GDAL_OF_FROM_GDALOPEN | GDAL_OF_THREAD_SAFE |           \
                GDAL_OF_UPDATE))

#define JPEG2000 "JP2OpenJPEG"

/* Room for a whole message of GDAL. */
enum { MESSAGE_SIZE = 1024 };

/* Later errors follow from the first, which states what is wrong and often what to do. */
static void CPL_STDCALL keep_first(CPLErr level, CPLErrorNum number, const char *text)
{
    char *message = CPLGetErrorHandlerUserData();
    (void)number;
    if (level >= CE_Failure && message[0] == '\0') {
        (void)CPLStrlcpy(message, text, MESSAGE_SIZE);
    }
}

static GDALDatasetH open_with(const char *path, unsigned flags, char **drivers,
                              char **options)
{
    char message[MESSAGE_SIZE] = "";
    CPLPushErrorHandlerEx(keep_first, message);
    CPLErrorReset();
    GDALDatasetH dataset =
        GDALOpenEx(path, flags | GDAL_OF_VERBOSE_ERROR, (const char *const *)drivers,
                   (const char *const *)options, NULL);
    CPLPopErrorHandler();
    if (dataset == NULL && message[0] != '\0') {
        CPLErrorSetState(CE_Failure, CPLE_OpenFailed, message);
    }
    return dataset;
}

/* The leading bytes of a file; none of a folder, and of a file that cannot be read. */
struct head {
    char bytes[GIQ_SNIFF_BYTES];
    size_t len;
};

static void read_head(const char *path, struct head *head)
{
    VSIStatBufL st;
    head->len = 0;
    if (VSIStatL(path, &st) != 0 || !VSI_ISREG(st.st_mode)) {
        return;
    }
    GIQ_AUTO_VSI VSILFILE *file = VSIFOpenL(path, "rb");
    if (file != NULL) {
        head->len = VSIFReadL(head->bytes, 1, sizeof head->bytes, file);
    }
}

/* GDAL takes long to ask one driver whether it identifies a file, so this is only done
 * for files that begin as JPEG 2000 does: a codestream, or boxes. */
static bool is_jpeg2000(const char *path, const struct head *head, char **drivers)
{
    static const char *const only[] = {JPEG2000, NULL};
    bool may_be = head->len >= 6 && (memcmp(head->bytes, "\xff\x4f", 2) == 0 ||
                                     memcmp(head->bytes + 4, "jP", 2) == 0);
    return may_be && CSLFindString(drivers, JPEG2000) >= 0 &&
           GDALIdentifyDriverEx(path, GDAL_OF_RASTER, only, NULL) != NULL;
}

static const char *reference_driver(const struct head *head, char **drivers)
{
    const char *driver = giq_sniff_reference_driver(head->bytes, head->len);
    return driver != NULL && CSLFindString(drivers, driver) < 0 ? driver : NULL;
}

const char *giq_inner_reference_driver(const char *path, char **drivers)
{
    struct head head;
    read_head(path, &head);
    return reference_driver(&head, drivers);
}

GDALDatasetH giq_inner_open(const char *path, unsigned flags, char **drivers,
                            char **options)
{
    unsigned inner = flags & ~FLAGS_NOT_PASSED;
    bool wants_vector_only = (flags & GIQ_INNER_KINDS) == GDAL_OF_VECTOR;
    struct head head;
    read_head(path, &head);
    /* A driver that identifies files by their name might open a list of references. */
    if (reference_driver(&head, drivers) != NULL) {
        CPLErrorReset();
        return NULL;
    }
    if (!is_jpeg2000(path, &head, drivers)) {
        return open_with(path, inner, drivers, options);
    }
    /* Opened as a raster only: GDAL opens the GML and KML in a JPEG 2000 file with any
     * driver. */
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

/* PAM must be initialised before the dataset is renamed, and while it is disabled, or it
 * would write "GIQ:....aux.xml" into the current folder. GTiff initialises it when the
 * geotransform or metadata are read, and that of the overviews when OVERVIEW_FILE is. */
GDALDatasetH giq_inner_open_shared(const char *path, unsigned flags, char **drivers,
                                   char **options, const char *name)
{
    GIQ_AUTO_CPL char *before =
        CPLStrdup(CPLGetThreadLocalConfigOption("GDAL_PAM_ENABLED", ""));
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
    return dataset;
}

bool giq_inner_can_open(const char *path, unsigned kinds, char **drivers)
{
    GIQ_AUTO_DATASET GDALDatasetH dataset = giq_inner_open(path, kinds, drivers, NULL);
    return dataset != NULL;
}
