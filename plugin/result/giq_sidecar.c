/*
 * Removes the sidecars of an unpacked archive that cannot be shown to be safe.
 */
#include "result/giq_sidecar.h"

#include <cpl_minixml.h>
#include <cpl_string.h>
#include <errno.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"
#include "result/giq_inner.h"

enum {
    PAM_BYTES_MAX = 8 << 20,
    DEPTH_MAX = 32, /* of nested elements in a PAM file */
};

/* ---- names ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);
    return len > end_len && EQUAL(name + len - end_len, end);
}

static bool is_pam(const char *name)
{
    return ends_with(name, ".aux.xml");
}

static bool is_mask(const char *name)
{
    return ends_with(name, ".msk");
}

/* Whether the file is a sidecar whose content is not checked here, so that it is always
 * removed: an overview, a spill file or a journal. */
static bool is_never_kept(const char *name)
{
    static const char *const ends[] = {".ovr", ".aux", ".rrd",     ".rde",
                                       ".ige", "-wal", "-journal", "-shm"};
    for (size_t i = 0; i < GIQ_COUNT(ends); i++) {
        if (ends_with(name, ends[i])) {
            return true;
        }
    }
    return false;
}

static bool is_file(const char *path)
{
    VSIStatBufL st;
    return VSIStatL(path, &st) == 0 && VSI_ISREG(st.st_mode);
}

bool giq_sidecar_is_sidecar(const char *path)
{
    size_t tail = 0;
    if (is_pam(path)) {
        tail = strlen(".aux.xml");
    } else if (is_mask(path)) {
        tail = strlen(".msk");
    } else {
        return false;
    }
    GIQ_AUTO_CPL char *other = CPLStrdup(path);
    other[strlen(path) - tail] = '\0';
    return is_file(other);
}

/* ---- .aux.xml: PAM files ---- */

/* The elements that a PAM file may have, each with its parent. */
static const struct {
    const char *parent, *element;
} allowed_elements[] = {
    {"", "PAMDataset"},
    {"PAMDataset", "SRS"},
    {"PAMDataset", "GeoTransform"},
    {"PAMDataset", "GCPList"},
    {"PAMDataset", "Metadata"},
    {"PAMDataset", "PAMRasterBand"},
    {"PAMDataset", "Subdataset"},
    {"Subdataset", "PAMDataset"},
    {"GCPList", "GCP"},
    {"Metadata", "MDI"},
    {"PAMRasterBand", "Description"},
    {"PAMRasterBand", "NoDataValue"},
    {"PAMRasterBand", "UnitType"},
    {"PAMRasterBand", "Offset"},
    {"PAMRasterBand", "Scale"},
    {"PAMRasterBand", "ColorInterp"},
    {"PAMRasterBand", "CategoryNames"},
    {"PAMRasterBand", "ColorTable"},
    {"PAMRasterBand", "Minimum"},
    {"PAMRasterBand", "Maximum"},
    {"PAMRasterBand", "Histograms"},
    {"PAMRasterBand", "GDALRasterAttributeTable"},
    {"PAMRasterBand", "Metadata"},
    {"CategoryNames", "Category"},
    {"ColorTable", "Entry"},
    {"Histograms", "HistItem"},
    {"HistItem", "HistMin"},
    {"HistItem", "HistMax"},
    {"HistItem", "BucketCount"},
    {"HistItem", "IncludeOutOfRange"},
    {"HistItem", "Approximate"},
    {"HistItem", "HistCounts"},
    {"GDALRasterAttributeTable", "FieldDefn"},
    {"GDALRasterAttributeTable", "Row"},
    {"FieldDefn", "Name"},
    {"FieldDefn", "Type"},
    {"FieldDefn", "Usage"},
    {"Row", "F"},
};

/* Metadata domains from which GDAL reads no file names. */
static const char *const domains[] = {
    "", "IMAGE_STRUCTURE", "RPC", "IMD", "EXIF", "TIFF", "COLOR_PROFILE", "Esri",
};

/* The metadata domain of ArcGIS, with XML of its own. */
#define ESRI "xml:ESRI"

static bool is_allowed_element(const char *parent, const char *element)
{
    for (size_t i = 0; i < GIQ_COUNT(allowed_elements); i++) {
        if (EQUAL(parent, allowed_elements[i].parent) &&
            EQUAL(element, allowed_elements[i].element)) {
            return true;
        }
    }
    return false;
}

static bool is_safe_domain(const char *domain)
{
    for (size_t i = 0; i < GIQ_COUNT(domains); i++) {
        if (EQUAL(domain, domains[i])) {
            return true;
        }
    }
    return false;
}

/* Whether a coordinate system is empty, an EPSG code, or WKT that names no file: GDAL
 * does not read these from a file. */
static bool is_definition(const char *value)
{
    enum { LEN_MAX = 65536 };
    value += strspn(value, " \t\r\n");
    size_t len = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    if (STARTS_WITH(value, "EPSG:")) {
        const char *code = value + strlen("EPSG:");
        return strspn(code, "0123456789") == strlen(code);
    }
    bool is_wkt = len > 0 && value[len] == '[';
    return value[0] == '\0' ||
           (is_wkt && strlen(value) <= LEN_MAX && !giq_external_srs(value));
}

static bool is_safe_attribute(const CPLXMLNode *node, bool is_esri)
{
    /* A namespace is a URI that is never fetched. */
    if (is_esri &&
        (EQUAL(node->pszValue, "xmlns") || STARTS_WITH(node->pszValue, "xmlns:"))) {
        return true;
    }
    const char *value = node->psChild == NULL ? "" : node->psChild->pszValue;
    return !giq_external_value(value) && !EQUAL(value, "OVERVIEW_FILE") &&
           (!EQUAL(node->pszValue, "Projection") || is_definition(value));
}

static bool is_safe_text(const CPLXMLNode *node, const char *parent)
{
    bool is_srs = EQUAL(parent, "SRS") || EQUAL(parent, "WKT");
    return !giq_external_value(node->pszValue) &&
           (!is_srs || is_definition(node->pszValue));
}

static bool are_siblings_safe(const CPLXMLNode *node, const char *parent, bool is_esri,
                              int depth);

static bool is_safe_element(const CPLXMLNode *node, const char *parent, bool is_esri,
                            int depth) // NOLINT(misc-no-recursion)
{
    if (depth == DEPTH_MAX || (!is_esri && !is_allowed_element(parent, node->pszValue))) {
        return false;
    }
    if (EQUAL(node->pszValue, "Metadata")) {
        const char *domain = CPLGetXMLValue(node, "domain", "");
        is_esri = is_esri || EQUAL(domain, ESRI);
        if (!EQUAL(domain, ESRI) && !is_safe_domain(domain)) {
            return false;
        }
    }
    return are_siblings_safe(node->psChild, node->pszValue, is_esri, depth + 1);
}

/* Whether the node and its next siblings, in the element `parent`, have no external
 * references. */
static bool are_siblings_safe(const CPLXMLNode *node, const char *parent, bool is_esri,
                              int depth) // NOLINT(misc-no-recursion)
{
    for (; node != NULL; node = node->psNext) {
        bool ok = false;
        switch (node->eType) {
        case CXT_Comment:
            ok = true;
            break;
        case CXT_Text:
            ok = is_safe_text(node, parent);
            break;
        case CXT_Attribute:
            ok = is_safe_attribute(node, is_esri);
            break;
        case CXT_Element:
            ok = is_safe_element(node, parent, is_esri, depth);
            break;
        case CXT_Literal:
            break;
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Whether only comments begin with "<!": a DOCTYPE may define entities. */
static bool has_only_comments(const char *text)
{
    for (const char *at = text; (at = strstr(at, "<!")) != NULL; at++) {
        if (!STARTS_WITH(at, "<!--")) {
            return false;
        }
    }
    return true;
}

/* The first node after the XML declaration, or NULL if that states an encoding other than
 * UTF-8 and its subset US-ASCII. */
static const CPLXMLNode *root_of(const CPLXMLNode *node)
{
    if (node != NULL && node->eType == CXT_Element && EQUAL(node->pszValue, "?xml")) {
        const char *encoding = CPLGetXMLValue(node, "encoding", "UTF-8");
        return EQUAL(encoding, "UTF-8") || EQUAL(encoding, "US-ASCII") ? node->psNext
                                                                       : NULL;
    }
    return node;
}

static bool is_safe_pam(const char *text, size_t len)
{
    if (memchr(text, '\0', len) != NULL || !CPLIsUTF8(text, (int)len) ||
        !has_only_comments(text)) {
        return false;
    }
    CPLXMLNode *tree = CPLParseXMLString(text);
    const CPLXMLNode *root = root_of(tree);
    bool is_safe = root != NULL && are_siblings_safe(root, "", false, 0);
    CPLDestroyXMLNode(tree);
    return is_safe;
}

static bool is_safe_pam_file(const char *path)
{
    GByte *bytes = NULL;
    vsi_l_offset len = 0;
    if (!VSIIngestFile(NULL, path, &bytes, &len, PAM_BYTES_MAX)) {
        return false;
    }
    bool is_safe = is_safe_pam((const char *)bytes, (size_t)len);
    VSIFree(bytes);
    return is_safe;
}

/* ---- .msk ---- */

/* GDAL opens a mask with any driver, so only what GTiff opens may stay. */
static bool is_safe_mask(struct giq_references *references, const char *path)
{
    char *drivers[] = {"GTiff", NULL};
    struct giq_error ignored = {0};
    GIQ_AUTO_DATASET GDALDatasetH dataset =
        giq_inner_open(path, GDAL_OF_RASTER, drivers, NULL);
    return dataset != NULL &&
           giq_references_check(references, dataset, path, drivers, &ignored);
}

/* ---- the folder of an archive ---- */

/* All but masks, which is_unsafe_mask() checks. */
static bool is_unsafe_sidecar(struct giq_references *references, const char *path)
{
    (void)references;
    return is_never_kept(path) || (is_pam(path) && !is_safe_pam_file(path));
}

static bool is_unsafe_mask(struct giq_references *references, const char *path)
{
    return is_mask(path) && !is_safe_mask(references, path);
}

static bool remove_matching(bool (*is_unsafe)(struct giq_references *, const char *),
                            struct giq_references *references, const char *folder,
                            char ***removed, struct giq_error *err)
{
    GIQ_AUTO_CSL char **names = giq_list_folder(folder);
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        GIQ_AUTO_CPL char *path = CPLStrdup(CPLFormFilename(folder, names[i], NULL));
        if (!is_file(path) || !is_unsafe(references, path)) {
            continue;
        }
        *removed = CSLAddString(*removed, names[i]);
        errno = 0;
        if (VSIUnlink(path) != 0) {
            return giq_fail(err, GIQ_E_STORE, "cannot remove %.*s: %s",
                            giq_text_cut_len(path, 300), path, VSIStrerror(errno));
        }
    }
    return true;
}

/* Masks are checked last: checking opens them, and GDAL then reads their own sidecars. */
bool giq_sidecar_remove(struct giq_references *references, const char *folder,
                        char ***removed, struct giq_error *err)
{
    return remove_matching(is_unsafe_sidecar, references, folder, removed, err) &&
           remove_matching(is_unsafe_mask, references, folder, removed, err);
}
