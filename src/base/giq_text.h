/*
 * Text: printable text for messages, masked addresses, UTF-8, YES/NO words and times.
 * Pure; independent of the host's locale. GIQ_TEXT_BYTE_ORDER_MARK,
 * giq_text_civil_from_ms() and giq_text_from_time() are in giq/giq.h.
 */
#ifndef GIQ_TEXT_H
#define GIQ_TEXT_H

#include "giq/giq.h"

/* Maximum length in bytes of a printable text. */
enum { GIQ_TEXT_PRINTABLE_MAX = 200 };

/* Room for a printable text with its NUL. */
struct giq_printable {
    char text[GIQ_TEXT_PRINTABLE_MAX + 1];
};

/*
 * Make `text` printable: control characters (C1 included) and line ends, with the spaces
 * after them, become one space, bytes that are not UTF-8 become '?', and it is cut
 * between characters, without "...", at GIQ_TEXT_PRINTABLE_MAX bytes. NULL gives "".
 * Secrets must be masked before. Returns `out->text`.
 */
const char *giq_text_printable(const char *text, struct giq_printable *out);

/*
 * Mask, in place, the parts of addresses in a text that may be secret: user and password
 * of "://user:password@host", and the query. The query begins after a '?' in an address;
 * in any other word only if a '=' follows the '?'. It ends before white space, or before
 * a quote, '<', '>' or ')' without an '&' or '@' after it. NULL is allowed.
 */
void giq_text_mask_addresses(char *text);

/*
 * Remove, in place, what may be secret in the addresses of a text: the user and password
 * after "//", and all from the query or fragment to the end of the word. A '?' or '#'
 * begins these in a word that contains "://", and in any other word if a '=' follows it;
 * a '?' also if a '/' precedes it; "&name=" always does, since a query may have spaces.
 * Percent-escapes count as the characters that they stand for. A text that begins with
 * "<scheme>://" is one word, spaces included.
 */
void giq_text_strip_addresses(char *text);

/* Whether a text that may contain a '?' of its own, such as a file name, is an address:
 * it has a scheme, begins with "//", has a path before its query, or has the query of a
 * presigned address. */
bool giq_text_is_address(const char *text);

/* Whether two ids of jobs are the same: the service ignores the case of ASCII letters. */
bool giq_text_is_same_id(const char *a, const char *b);

/* Length in bytes (1 to 4) of the well-formed UTF-8 character at `text`, of at
 * most `len` bytes; 0 if there is none. */
size_t giq_text_utf8_char_len(const char *text, size_t len);

/* Length of the longest prefix of the `len` bytes at `text` that is well-formed UTF-8. */
size_t giq_text_utf8_prefix_len(const char *text, size_t len);

/* Whether the whole text is well-formed UTF-8. */
bool giq_text_is_utf8(const char *text);

/* The code point of a character that giq_text_utf8_char_len() found to be `len` long. */
uint32_t giq_text_code_point(const char *text, size_t len);

/* Whether a code point is a control character (C0, DEL, C1) or ends a line (U+2028,
 * U+2029). */
bool giq_text_is_control(uint32_t code_point);

/* Whether a text has an ASCII control character (C0 or DEL). */
bool giq_text_has_ascii_control(const char *text);

/* A copy of at most `len` bytes, up to a NUL, without ASCII white space at its start and
 * end; the caller frees it. NULL when out of memory. */
char *giq_text_trim(const char *text, size_t len);

/* Replace an owned text by a copy of `text`, or by NULL if that is NULL. False when out
 * of memory; `*slot` is then as it was. */
bool giq_text_set(char **slot, const char *text);

/* Compare without ASCII case. */
bool giq_text_equal_nocase(const char *a, const char *b);
bool giq_text_begins_nocase(const char *text, const char *prefix);

/* Parse YES, TRUE, ON, 1 or NO, FALSE, OFF, 0, in any case. Returns false for anything
 * else; `*out` is then unchanged. */
bool giq_text_to_bool(const char *text, bool *out);

/* The end of the year 9999, the last that GDAL supports. */
#define GIQ_TEXT_TIME_MAX_MS INT64_C(253402300799999)

/* Milliseconds since 1970-01-01 UTC from a date and time of ISO 8601,
 * "2024-05-01T10:20:30.5+04:00": seconds, their fraction and the zone may be missing;
 * without a zone it is UTC. False for anything else, a date without a time included. */
bool giq_text_to_time(const char *text, int64_t *out_ms);

/* Milliseconds since 1970-01-01 UTC from a date of ISO 8601, "2024-05-01": its first
 * moment in UTC. False for anything else. */
bool giq_text_to_date(const char *text, int64_t *out_ms);

/* Milliseconds since 1970-01-01 UTC from year (1 to 9999), month, day, hour, minute and
 * second (0 to 60) in UTC. False if a field is out of range, or the month does not have
 * that day. */
bool giq_text_civil_to_ms(const int64_t fields[6], int64_t *out_ms);

/* A time for messages, "2026-11-30 12:00:00 UTC", into `out`, which has
 * GIQ_TEXT_TIME_SIZE bytes. */
void giq_text_printable_time(int64_t ms, char *out);

#endif
