/*
 * Numbers in a text of JSON, found without parsing it. Pure.
 */
#ifndef GIQ_NUMBER_H
#define GIQ_NUMBER_H

#include <stddef.h>

/* The next number at or behind `json`, which is valid JSON or begins behind a value of
 * it; the end of the text where there is none. */
const char *giq_number_find(const char *json);

/* How many characters that numbers are made of `text` begins with. */
size_t giq_number_run(const char *text);

/* Length of the number that `text` begins with, as RFC 8259, 6, has it; 0 where it begins
 * with none. */
size_t giq_number_length(const char *text);

#endif
