/*
 * Locals of GDAL's types that are freed on every way out of their block, by the
 * compiler's cleanup attribute. Initialise the variable where it is declared; a variable
 * that is NULL at the end of its block is left alone:
 *
 *     GIQ_AUTO_CSL char **names = CSLTokenizeString2(text, ",", 0);
 *     GIQ_AUTO_CPL char *path = CPLStrdup(folder);
 *     GIQ_AUTO_DATASET GDALDatasetH dataset = GDALOpenEx(path, ...);
 */
#ifndef GIQ_GDAL_CLEANUP_H
#define GIQ_GDAL_CLEANUP_H

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <string.h>

/* Memory of any type that CPLFree() frees. */
#define GIQ_AUTO_CPL __attribute__((cleanup(giq_gdal_cleanup_memory)))
/* A GDAL string list. */
#define GIQ_AUTO_CSL __attribute__((cleanup(giq_gdal_cleanup_list)))
/* A dataset that GDALClose() closes. */
#define GIQ_AUTO_DATASET __attribute__((cleanup(giq_gdal_cleanup_dataset)))
/* A file that VSIFCloseL() closes. */
#define GIQ_AUTO_VSI __attribute__((cleanup(giq_gdal_cleanup_file)))

static inline void giq_gdal_cleanup_memory(void *slot)
{
    void *memory = NULL;
    memcpy(&memory, slot, sizeof memory); /* a pointer of any type */
    CPLFree(memory);
}

static inline void giq_gdal_cleanup_list(char ***list)
{
    CSLDestroy(*list);
}

static inline void giq_gdal_cleanup_dataset(GDALDatasetH *dataset)
{
    if (*dataset != NULL) {
        GDALClose(*dataset);
    }
}

static inline void giq_gdal_cleanup_file(VSILFILE **file)
{
    if (*file != NULL) {
        (void)VSIFCloseL(*file);
    }
}

#endif
