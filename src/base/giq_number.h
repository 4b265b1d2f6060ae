/*
 * Numbers in a text of JSON, found without parsing it. Pure.
 */
#ifndef GIQ_NUMBER_H
#define GIQ_NUMBER_H

#include <stddef.h>

/* The first number in `json`, which is valid JSON or the rest of it after a value; the
 * end of the text if there is none. */
const char *giq_number_find(const char *json);

/* How many characters at the start of `text` may be part of a number. */
size_t giq_number_span(const char *text);

/* Length of the number at the start of `text` (RFC 8259, 6); 0 if there is none. */
size_t giq_number_length(const char *text);

#endif
