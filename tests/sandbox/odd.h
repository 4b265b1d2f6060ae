/*
 * Odd responses of the STAC calls, which a client must put up with. They are written
 * as words joined by `+`:
 *
 *   repeat           `offset` is ignored: the same page for ever
 *   short            pages of half the limit, though there is more
 *   half             the text of the response ends in its middle
 *   wrapped          the response is the member `data` of an object
 *   next             a link `next` to another origin
 *   bare             items with nothing but `type` and `id`
 *   no-geometry      `geometry` is null
 *   bad-geometry     `geometry` has text for coordinates
 *   bow-tie          `geometry` intersects itself
 *   no-box           without `bbox`
 *   box-3d           `bbox` of six numbers
 *   box-180          `bbox` from 179 to -179 degrees
 *   no-zone          dates without a zone
 *   null-properties  `properties` is null
 */
#ifndef SANDBOX_ODD_H
#define SANDBOX_ODD_H

#include <cJSON.h>
#include <stdbool.h>

enum odd {
    ODD_REPEAT = 1 << 0,
    ODD_SHORT = 1 << 1,
    ODD_HALF = 1 << 2,
    ODD_WRAPPED = 1 << 3,
    ODD_NEXT = 1 << 4,
    ODD_BARE = 1 << 5,
    ODD_NO_GEOMETRY = 1 << 6,
    ODD_BAD_GEOMETRY = 1 << 7,
    ODD_BOW_TIE = 1 << 8,
    ODD_NO_BOX = 1 << 9,
    ODD_BOX_3D = 1 << 10,
    ODD_BOX_180 = 1 << 11,
    ODD_NO_ZONE = 1 << 12,
    ODD_NULL_PROPERTIES = 1 << 13,
};

/* False where a word is not known. */
bool odd_parse(const char *text, unsigned *out);

/* Make an item odd. */
void odd_change_item(cJSON *item, unsigned odd);

/* Make a whole response odd, and return it; `port` is that of the other origin. */
cJSON *odd_change_page(cJSON *page, unsigned odd, int port);

#endif
