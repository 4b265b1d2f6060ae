/*
 * Numbers in a text of JSON, found without parsing it. Pure.
 */
#ifndef GIQ_NUMBER_H
#define GIQ_NUMBER_H

#include <stddef.h>

/* The first number in `json`, which must be valid JSON, or what follows a value in it;
 * the end of the text if there is none. */
const char *giq_number_find(const char *json);

/* The length of the longest beginning of `text` that consists of characters of numbers.
 */
size_t giq_number_span(const char *text);

/* Length of the number at the start of `text` (RFC 8259, 6); 0 if there is none. */
size_t giq_number_length(const char *text);

#endif
