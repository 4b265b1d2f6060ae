#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <string.h>

#include "result/giq_sidecar.h"

enum { DEPTH_MAX = 32 };

/* The elements of PAM files, and what may stand in them. */
static const struct {
    const char *parent, *element;
} grammar[] = {
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

/* Domains of metadata that GDAL does not read names of files from. */
static const char *const domains[] = {
    "", "IMAGE_STRUCTURE", "RPC", "IMD", "EXIF", "TIFF", "COLOR_PROFILE", "Esri",
};

/* That of ArcGIS, which holds XML of its own. */
#define ESRI "xml:ESRI"

static bool is_allowed(const char *parent, const char *element)
{
    for (size_t i = 0; i < GIQ_COUNT(grammar); i++) {
        if (EQUAL(parent, grammar[i].parent) && EQUAL(element, grammar[i].element)) {
            return true;
        }
    }
    return false;
}

static bool is_plain_domain(const char *domain)
{
    for (size_t i = 0; i < GIQ_COUNT(domains); i++) {
        if (EQUAL(domain, domains[i])) {
            return true;
        }
    }
    return false;
}

/* Whether a value is a path or an address, or holds one. */
static bool is_cross_origin(const char *value)
{
    bool is_drive =
        value[0] != '\0' && value[1] == ':' && strchr("/\\", value[2]) != NULL;
    return is_drive || value[0] == '/' || value[0] == '\\' || value[0] == '~' ||
           strcasestr(value, "/vsi") != NULL || strstr(value, "://") != NULL ||
           strstr(value, "../") != NULL || strstr(value, "..\\") != NULL;
}

/* Whether a coordinate system is a definition (WKT, or a code of EPSG) and no name of
 * one, and names no file. */
static bool is_definition(const char *value)
{
    enum { LEN_MAX = 65536 };
    value += strspn(value, " \t\r\n");
    size_t len = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    const char *code = value + strlen("EPSG:");
    bool is_wkt = len > 0 && value[len] == '[';
    bool is_code =
        STARTS_WITH(value, "EPSG:") && strspn(code, "0123456789") == strlen(code);
    return value[0] == '\0' || is_code ||
           (is_wkt && strlen(value) <= LEN_MAX && !giq_external_srs(value));
}

static bool is_plain_attribute(const CPLXMLNode *node, bool is_esri)
{
    /* The names of namespaces are addresses that nobody asks. */
    if (is_esri &&
        (EQUAL(node->pszValue, "xmlns") || STARTS_WITH(node->pszValue, "xmlns:"))) {
        return true;
    }
    const char *value = node->psChild == NULL ? "" : node->psChild->pszValue;
    return !is_cross_origin(value) && !EQUAL(value, "OVERVIEW_FILE") &&
           (!EQUAL(node->pszValue, "Projection") || is_definition(value));
}

static bool is_plain_text(const CPLXMLNode *node, const char *parent)
{
    bool is_system = EQUAL(parent, "SRS") || EQUAL(parent, "WKT");
    return !is_cross_origin(node->pszValue) &&
           (!is_system || is_definition(node->pszValue));
}

/* Whether a list of siblings in the element `parent` is plain. */
static bool is_plain(const CPLXMLNode *node, const char *parent, bool is_esri,
                     int depth) // NOLINT(misc-no-recursion)
{
    for (; node != NULL; node = node->psNext) {
        bool ok = false;
        switch (node->eType) {
        case CXT_Comment:
            ok = true;
            break;
        case CXT_Text:
            ok = is_plain_text(node, parent);
            break;
        case CXT_Attribute:
            ok = is_plain_attribute(node, is_esri);
            break;
        case CXT_Element: {
            const char *domain = CPLGetXMLValue(node, "domain", "");
            bool is_metadata = EQUAL(node->pszValue, "Metadata");
            bool opens_esri = is_metadata && EQUAL(domain, ESRI);
            ok =
                depth < DEPTH_MAX && (is_esri || is_allowed(parent, node->pszValue)) &&
                (!is_metadata || opens_esri || is_plain_domain(domain)) &&
                is_plain(node->psChild, node->pszValue, is_esri || opens_esri, depth + 1);
            break;
        }
        case CXT_Literal:
            break;
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Whether nothing but comments begins with "<!": a DOCTYPE may define entities. */
static bool has_only_comments(const char *text)
{
    for (const char *at = text; (at = strstr(at, "<!")) != NULL; at++) {
        if (!STARTS_WITH(at, "<!--")) {
            return false;
        }
    }
    return true;
}

/* The first element behind the XML declaration, or NULL where that states an encoding
 * other than UTF-8. */
static const CPLXMLNode *root_of(const CPLXMLNode *node)
{
    if (node != NULL && node->eType == CXT_Element && EQUAL(node->pszValue, "?xml")) {
        const char *encoding = CPLGetXMLValue(node, "encoding", "UTF-8");
        return EQUAL(encoding, "UTF-8") || EQUAL(encoding, "US-ASCII") ? node->psNext
                                                                       : NULL;
    }
    return node;
}

bool giq_sidecar_is_plain_pam(const char *text, size_t len)
{
    if (memchr(text, '\0', len) != NULL || !CPLIsUTF8(text, (int)len) ||
        !has_only_comments(text)) {
        return false;
    }
    CPLXMLNode *tree = CPLParseXMLString(text);
    const CPLXMLNode *root = root_of(tree);
    bool found = root != NULL && is_plain(root, "", false, 0);
    CPLDestroyXMLNode(tree);
    return found;
}
