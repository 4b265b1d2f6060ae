/*
 * Numbers in a text of JSON, found without parsing it. Pure.
 */
#ifndef GIQ_NUMBER_H
#define GIQ_NUMBER_H

#include <stddef.h>

/* What a number is made of. */
#define GIQ_NUMBER_CHARACTERS "+-.0123456789eE"

/* The next number at or behind `json`, which is valid JSON or begins behind a value of
 * it; the end of the text where there is none. */
const char *giq_number_find(const char *json);

/* Length of the number that `text` begins with, as RFC 8259, 6, has it; 0 where it begins
 * with none. */
size_t giq_number_length(const char *text);

#endif
