/*
 * Finds numbers, and the ends of strings, in JSON text without parsing it. Pure.
 */
#ifndef GIQ_NUMBER_H
#define GIQ_NUMBER_H

#include <stddef.h>

/* Where the first number outside of strings begins in `json`; the end of the text if
 * there is none. `json` is valid JSON, or the rest of valid JSON after one of its values.
 */
const char *giq_number_find(const char *json);

/* The first quote or backslash at or after `json`, which is within a string; the end of
 * the text if there is none. */
const char *giq_number_string_run(const char *json);

/* How many bytes at the start of `text` are digits, signs, points, 'e' or 'E'. */
size_t giq_number_span(const char *text);

/* Length of the number at the start of `text` (RFC 8259, 6); 0 if there is none. */
size_t giq_number_length(const char *text);

#endif
