/*
 * The text of a VRT file, built up in memory. Thread-safe, but a text may be used by one
 * thread at a time.
 *
 * Usage: start from `{0}`, the functions that add, giq_batch_xml_release(). Running out
 * of memory ends the process, as in GDAL.
 */
#ifndef GIQ_BATCH_XML_H
#define GIQ_BATCH_XML_H

#include <stddef.h>

struct giq_batch_xml {
    char *text; /* NULL while nothing was added */
    size_t len;
    size_t capacity;
};

void giq_batch_xml_release(struct giq_batch_xml *xml);

/* Append markup as it is. */
void giq_batch_xml_add(struct giq_batch_xml *xml, const char *markup);

/* Append formatted markup, as CPLSPrintf() formats it: independent of the locale. Markup
 * longer than 1,000 bytes is cut, so the caller must not format text of unknown length.
 */
void giq_batch_xml_addf(struct giq_batch_xml *xml, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Append text, escaped so that GDAL reads exactly this text, in an element or between the
 * double quotes of an attribute. */
void giq_batch_xml_add_text(struct giq_batch_xml *xml, const char *text);

/* Append <name>text</name>; nothing if `text` is NULL. */
void giq_batch_xml_add_element(struct giq_batch_xml *xml, const char *name,
                               const char *text);

/* Append <OpenOptions> with the names and values of a GDAL string list. */
void giq_batch_xml_add_options(struct giq_batch_xml *xml, char **options);

#endif
