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
 * A text that is not JSON stays one that is not. Returns false, and leaves the text as it
 * is, if there is no such member, or if its value or one before it is damaged or unusual:
 * deeply nested, with a number of many digits, or with \u in a string.
 */
bool giq_json_cut(char *text, const char *name);

#endif
