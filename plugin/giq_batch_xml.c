/* Builds and escapes the text of VRT files. */
#include "giq_batch_xml.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdarg.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"

enum { CAPACITY_MIN = 4096, FORMATTED_SIZE = 1001 };

void giq_batch_xml_release(struct giq_batch_xml *xml)
{
    CPLFree(xml->text);
    *xml = (struct giq_batch_xml){0};
}

static void add_bytes(struct giq_batch_xml *xml, const char *bytes, size_t len)
{
    if (xml->len + len + 1 > xml->capacity) {
        size_t doubled = xml->capacity * 2;
        size_t needed = xml->len + len + 1;
        xml->capacity = doubled > needed ? doubled : needed;
        if (xml->capacity < CAPACITY_MIN) {
            xml->capacity = CAPACITY_MIN;
        }
        xml->text = CPLRealloc(xml->text, xml->capacity);
    }
    memcpy(xml->text + xml->len, bytes, len);
    xml->len += len;
    xml->text[xml->len] = '\0';
}

void giq_batch_xml_add(struct giq_batch_xml *xml, const char *markup)
{
    add_bytes(xml, markup, strlen(markup));
}

void giq_batch_xml_addf(struct giq_batch_xml *xml, const char *format, ...)
{
    char text[FORMATTED_SIZE];
    va_list args;
    va_start(args, format);
    (void)CPLvsnprintf(text, sizeof text, format, args);
    va_end(args);
    giq_batch_xml_add(xml, text);
}

/* GDAL drops white space before a text, and CPLEscapeString() drops control characters:
 * all these are written as numbers. */
void giq_batch_xml_add_text(struct giq_batch_xml *xml, const char *text)
{
    static const char special[] =
        "&<>\"\t\n\r\v\f\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f"
        "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c"
        "\x1d\x1e\x1f";
    if (text[0] == ' ') {
        giq_batch_xml_add(xml, "&#32;");
        text++;
    }
    while (text[0] != '\0') {
        size_t len = strcspn(text, special);
        add_bytes(xml, text, len);
        text += len;
        if (text[0] != '\0') {
            giq_batch_xml_addf(xml, "&#%u;", (unsigned)(unsigned char)text[0]);
            text++;
        }
    }
}

void giq_batch_xml_add_element(struct giq_batch_xml *xml, const char *name,
                               const char *text)
{
    if (text != NULL) {
        giq_batch_xml_addf(xml, "<%s>", name);
        giq_batch_xml_add_text(xml, text);
        giq_batch_xml_addf(xml, "</%s>", name);
    }
}

void giq_batch_xml_add_options(struct giq_batch_xml *xml, char **options)
{
    giq_batch_xml_add(xml, "<OpenOptions>");
    for (int i = 0; options != NULL && options[i] != NULL; i++) {
        GIQ_AUTO_CPL char *name = NULL;
        const char *value = CPLParseNameValue(options[i], &name);
        if (name != NULL && value != NULL) {
            giq_batch_xml_addf(xml, "<OOI key=\"%s\">", name);
            giq_batch_xml_add_text(xml, value);
            giq_batch_xml_add(xml, "</OOI>");
        }
    }
    giq_batch_xml_add(xml, "</OpenOptions>");
}
