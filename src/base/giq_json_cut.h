/*
 * Cuts the value of one member out of the text of a JSON object, without parsing it: a
 * large member that nobody needs costs most of the time of parsing an object.
 *
 * Thread-safe.
 */
#ifndef GIQ_JSON_CUT_H
#define GIQ_JSON_CUT_H

#include <stdbool.h>

/*
 * Replace the value of the first member `name` of the object in `text` by null. `name` is
 * ASCII without quotes and backslashes.
 *
 * A text that giq_json_parse() refuses is still refused, unless the fault is within the
 * value that is cut out. Returns false, and does not change the
 * text, if there is no such member, if its value is shorter than "null", or if its value
 * or an earlier one is damaged or unusual: deeply nested, with a number of many digits,
 * or with \u in a string.
 */
bool giq_json_cut(char *text, const char *name);

#endif
