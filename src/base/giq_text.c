/* Printable text, masked addresses, UTF-8, YES/NO words and times. */
#include "base/giq_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS_PER_S = 1000, TM_YEAR_BASE = 1900 };

/* Not tolower(), which follows the locale: "I" and "i" differ in Turkish. */
static char fold(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

size_t giq_text_utf8_char_len(const char *text, size_t len)
{
    /* The ranges of the second byte exclude overlong forms, surrogates and characters
     * beyond U+10FFFF (Unicode, table 3-7). */
    static const struct {
        unsigned char lead_lo, lead_hi, second_lo, second_hi, size;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    const unsigned char *s = (const unsigned char *)text;
    if (len == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        return 1;
    }
    for (size_t i = 0; i < GIQ_COUNT(forms); i++) {
        if (s[0] < forms[i].lead_lo || s[0] > forms[i].lead_hi) {
            continue;
        }
        if (len < forms[i].size || s[1] < forms[i].second_lo ||
            s[1] > forms[i].second_hi) {
            return 0;
        }
        for (size_t k = 2; k < forms[i].size; k++) {
            if ((s[k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return forms[i].size;
    }
    return 0;
}

/* How many bytes precede the first that is not ASCII; compares eight at a time. */
static size_t ascii_run(const char *text, size_t len)
{
    uint64_t block = 0;
    size_t run = 0;
    for (; run + sizeof block <= len; run += sizeof block) {
        memcpy(&block, text + run, sizeof block);
        if ((block & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    while (run < len && (unsigned char)text[run] < 0x80) {
        run++;
    }
    return run;
}

size_t giq_text_utf8_prefix_len(const char *text, size_t len)
{
    for (size_t run = 0;;) {
        run += ascii_run(text + run, len - run);
        size_t size = giq_text_utf8_char_len(text + run, len - run);
        if (size == 0) {
            return run;
        }
        run += size;
    }
}

bool giq_text_is_utf8(const char *text)
{
    size_t len = strlen(text);
    return giq_text_utf8_prefix_len(text, len) == len;
}

uint32_t giq_text_code_point(const char *text, size_t len)
{
    static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *s = (const unsigned char *)text;
    uint32_t code = s[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++) {
        code = code << 6 | (s[i] & 0x3F);
    }
    return code;
}

bool giq_text_is_control(uint32_t code_point)
{
    /* U+2028 and U+2029 separate lines and paragraphs. */
    return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
           code_point == 0x2028 || code_point == 0x2029;
}

bool giq_text_has_ascii_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return true;
        }
    }
    return false;
}

bool giq_text_is_same_id(const char *a, const char *b)
{
    return giq_text_equal_nocase(a, b);
}

/* Write the printable form of `text` (giq_text_printable()), at most `max` bytes and a
 * NUL. `out` may be `text` itself: what is written is never longer than what was read. */
static void write_printable(const char *text, char *out, size_t max)
{
    size_t n = 0;
    size_t left = strlen(text);
    bool is_after_control = false;
    while (left > 0) {
        size_t size = giq_text_utf8_char_len(text, left);
        const char *printable = text;
        size_t printable_size = size;
        bool is_control = false;
        if (size == 0) {
            printable = "?";
            printable_size = 1;
            size = 1;
        } else if (giq_text_is_control(giq_text_code_point(text, size))) {
            printable = " ";
            printable_size = 1;
            is_control = true;
        }
        if (n + printable_size > max) {
            break;
        }
        bool is_blank = printable[0] == ' ';
        is_after_control = is_control || (is_after_control && is_blank);
        bool is_repeated = is_after_control && is_blank && n > 0 && out[n - 1] == ' ';
        if (!is_repeated) {
            memmove(out + n, printable, printable_size);
            n += printable_size;
        }
        text += size;
        left -= size;
    }
    out[n] = '\0';
}

const char *giq_text_printable(const char *text, struct giq_printable *out)
{
    write_printable(text == NULL ? "" : text, out->text, GIQ_TEXT_PRINTABLE_MAX);
    return out->text;
}

void giq_text_make_printable(char *text)
{
    write_printable(text, text, SIZE_MAX);
}

int giq_text_cut_len(const char *text, int max)
{
    if (text == NULL) {
        return 0;
    }
    enum { CONTINUATION_BYTES_MAX = 3 }; /* of one character */
    int len = (int)strnlen(text, (size_t)max);
    int start = len;
    while (start > 0 && len - start < CONTINUATION_BYTES_MAX &&
           (text[start] & 0xC0) == 0x80) {
        start--;
    }
    return (text[start] & 0xC0) == 0x80 ? len : start;
}

/* ---- addresses ---- */

static const char scheme_mark[] = "://";

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Not strspn(), which under AddressSanitizer reads the whole text at each call. */
static size_t leading_space_len(const char *text)
{
    size_t len = 0;
    while (is_space(text[len])) {
        len++;
    }
    return len;
}

static size_t leading_word_len(const char *text)
{
    size_t len = 0;
    while (text[len] != '\0' && !is_space(text[len])) {
        len++;
    }
    return len;
}

/* Write at most three asterisks in place of `len` bytes; returns their end. */
static char *put_mask(char *out, size_t len)
{
    enum { MASK_LEN = 3 };
    len = len < MASK_LEN ? len : MASK_LEN;
    memset(out, '*', len);
    return out + len;
}

/* A word that may hold an address. */
struct word {
    char *end;
    char *host;           /* after "://", or `end` */
    char *at;             /* the last '@', or NULL */
    char *last_separator; /* the last '&' or '@', or NULL */
};

static struct word word_at(char *text)
{
    size_t len = leading_word_len(text);
    char *scheme = memmem(text, len, scheme_mark, strlen(scheme_mark));
    char *amp = memrchr(text, '&', len);
    struct word word = {.end = text + len, .at = memrchr(text, '@', len)};
    word.host = scheme == NULL ? word.end : scheme + strlen(scheme_mark);
    word.last_separator = word.at;
    if (amp != NULL && (word.at == NULL || amp > word.at)) {
        word.last_separator = amp;
    }
    return word;
}

/* The end of a query: the first quote, '<', '>' or ')' after its last '&' or '@', or the
 * end of the word. Such a character before the last '&' or '@' is part of the query. */
static char *query_end(const struct word *word, char *query)
{
    char *end = query;
    if (word->last_separator != NULL && word->last_separator >= query) {
        end = word->last_separator + 1;
    }
    while (end < word->end && strchr("\"'`<>)", *end) == NULL) {
        end++;
    }
    return end;
}

/* The end of the user and password, or `host` if there are none. If a '?' precedes the
 * '@', a password cannot be distinguished from a query: both are masked, up to the end of
 * the query. */
static char *user_end(const struct word *word)
{
    if (word->at == NULL || word->at < word->host) {
        return word->host;
    }
    char *query = memchr(word->host, '?', (size_t)(word->at - word->host));
    return query == NULL ? word->at : query_end(word, query);
}

/* Write what follows a '?' to `*out`, masked if it is a query: if it is in an address, or
 * has a '='. Returns its end in the word. */
static char *mask_query(const struct word *word, char **out, char *query)
{
    char *end = query_end(word, query);
    size_t len = (size_t)(end - query);
    if (query > word->host || memchr(query, '=', len) != NULL) {
        *out = put_mask(*out, len);
        return end;
    }
    if (end > word->host) { /* mask_word() must see the host */
        end = word->host;
        len = (size_t)(end - query);
    }
    (void)memmove(*out, query, len);
    *out += len;
    return end;
}

/* Write the masked word to `out`, which is not after `in`; returns its end:
 * "https://user:password@host/x?key=1" keeps only "https://", "@host/x?"
 * and asterisks. */
static char *mask_word(const struct word *word, char *out, char *in)
{
    while (in < word->end) {
        if (in == word->host && user_end(word) > in) {
            char *end = user_end(word);
            out = put_mask(out, (size_t)(end - in));
            in = end;
            continue;
        }
        char c = *in++;
        *out++ = c;
        if (c == '?') {
            in = mask_query(word, &out, in);
        }
    }
    return out;
}

void giq_text_mask_addresses(char *text)
{
    char *in = text;
    char *out = text;
    while (in != NULL && *in != '\0') {
        size_t gap = leading_space_len(in);
        (void)memmove(out, in, gap);
        in += gap;
        struct word word = word_at(in);
        out = mask_word(&word, out + gap, in);
        in = word.end;
    }
    if (out != NULL) {
        *out = '\0';
    }
}

static bool is_scheme_char(char c)
{
    return (fold(c) >= 'a' && fold(c) <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
}

/* Whether the text begins with a scheme and "://". */
static bool begins_with_scheme(const char *text)
{
    size_t len = 0;
    while (is_scheme_char(text[len])) {
        len++;
    }
    return len > 0 && strncmp(text + len, scheme_mark, strlen(scheme_mark)) == 0;
}

/* The length of the character at `text` if it is `c`, or the percent-escape of `c` with
 * these digits, which may be escaped again: "?", "%3F", "%253f". Otherwise 0. */
static size_t char_len(const char *text, size_t len, char c, const char *digits)
{
    if (len == 0 || text[0] != '%') {
        return len > 0 && text[0] == c ? 1 : 0;
    }
    size_t at = 1;
    while (at + 2 <= len && text[at] == '2' && text[at + 1] == '5') {
        at += 2;
    }
    bool is_escape =
        at + 2 <= len && fold(text[at]) == digits[0] && fold(text[at + 1]) == digits[1];
    return is_escape ? at + 2 : 0;
}

static size_t slash_len(const char *text, size_t len)
{
    return char_len(text, len, '/', "2f");
}

static size_t equals_len(const char *text, size_t len)
{
    return char_len(text, len, '=', "3d");
}

/* The length of the two slashes before a host; otherwise 0. */
static size_t slashes_len(const char *text, size_t len)
{
    size_t first = slash_len(text, len);
    size_t second = first == 0 ? 0 : slash_len(text + first, len - first);
    return second == 0 ? 0 : first + second;
}

/* Whether "://" is in the text, also as percent-escapes. */
static bool has_scheme_mark(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t colon = char_len(text + i, len - i, ':', "3a");
        if (colon > 0 && slashes_len(text + i + colon, len - i - colon) > 0) {
            return true;
        }
    }
    return false;
}

/* Whether the text begins with "&<name>=". */
static bool begins_with_parameter(const char *text, size_t len)
{
    size_t first = char_len(text, len, '&', "26");
    size_t at = first;
    if (first == 0) {
        return false;
    }
    while (at < len && (is_scheme_char(text[at]) || text[at] == '_')) {
        at++;
    }
    return at > first && equals_len(text + at, len - at) > 0;
}

/* The length of the part of a word of `len` bytes that precedes its query or fragment. */
static size_t length_before_query(const char *word, size_t len)
{
    bool has_scheme = has_scheme_mark(word, len);
    bool has_slash = false;
    size_t last_equals = 0;
    for (size_t i = 0; i < len; i++) {
        if (equals_len(word + i, len - i) > 0) {
            last_equals = i;
        }
    }
    for (size_t i = 0; i < len; i++) {
        bool is_query = char_len(word + i, len - i, '?', "3f") > 0;
        bool is_certain = has_scheme || (is_query && has_slash) || i < last_equals;
        if ((is_query || word[i] == '#') && is_certain) {
            return i;
        }
        if (begins_with_parameter(word + i, len - i)) {
            return i;
        }
        has_slash = has_slash || slash_len(word + i, len - i) > 0;
    }
    return len;
}

/* The length of the user and password at the beginning of `text`, with the '@' after
 * them; 0 if there are none. */
static size_t user_len(const char *text, size_t len)
{
    size_t found = 0;
    for (size_t i = 0; i < len && slash_len(text + i, len - i) == 0; i++) {
        size_t at = char_len(text + i, len - i, '@', "40");
        if (at > 0) {
            found = i + at;
        }
    }
    return found;
}

/* Remove the users of the addresses in a word of `len` bytes: they follow "//" at the
 * beginning of the word or after punctuation, and "//" with the first slash escaped
 * anywhere. Returns the new length. */
static size_t remove_users(char *word, size_t len)
{
    size_t in = 0;
    size_t out = 0;
    while (in < len) {
        bool can_begin =
            in == 0 || word[in] == '%' || strchr(":\"'`(<=,[{", word[in - 1]) != NULL;
        size_t mark = can_begin ? slashes_len(word + in, len - in) : 0;
        size_t kept = mark == 0 ? 1 : mark;
        (void)memmove(word + out, word + in, kept);
        in += kept;
        out += kept;
        if (mark > 0) {
            in += user_len(word + in, len - in);
        }
    }
    return out;
}

void giq_text_strip_addresses(char *text)
{
    char *in = text;
    char *out = text;
    bool is_one_word = begins_with_scheme(text);
    if (strpbrk(text, "?#&%@") == NULL) {
        return; /* most texts have no address with a secret */
    }
    while (*in != '\0') {
        size_t gap = leading_space_len(in);
        (void)memmove(out, in, gap);
        in += gap;
        out += gap;
        size_t word_len = is_one_word ? strlen(in) : leading_word_len(in);
        size_t len = remove_users(in, length_before_query(in, word_len));
        (void)memmove(out, in, len);
        in += word_len;
        out += len;
    }
    *out = '\0';
}

bool giq_text_is_address(const char *text)
{
    /* Parts of the query of a presigned address. */
    static const char *const signatures[] = {
        "x-amz-", "x-goog-", "signature=", "signature%3d", "sig=", "sig%3d"};
    size_t len = strlen(text);
    size_t before_query = length_before_query(text, len);
    if (has_scheme_mark(text, len)) {
        return true;
    }
    for (size_t i = 0; i < GIQ_COUNT(signatures); i++) {
        if (strcasestr(text + before_query, signatures[i]) != NULL) {
            return true;
        }
    }
    for (size_t i = 0; i < before_query && before_query < len; i++) {
        if (slash_len(text + i, before_query - i) > 0) {
            return true;
        }
    }
    return slashes_len(text, len) > 0;
}

char *giq_text_trim(const char *text, size_t len)
{
    len = strnlen(text, len);
    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1])) {
        len--;
    }
    return strndup(text, len);
}

bool giq_text_set(char **slot, const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (text != NULL && copy == NULL) {
        return false;
    }
    free(*slot);
    *slot = copy;
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at =
        c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return at == NULL ? -1 : (int)(at - digits);
}

int giq_text_percent_byte(const char *text)
{
    int high = text[0] == '%' ? hex_digit(text[1]) : -1;
    int low = high < 0 ? -1 : hex_digit(text[2]);
    return low < 0 ? -1 : high << 4 | low;
}

bool giq_text_equal_nocase(const char *a, const char *b)
{
    while (*a != '\0' && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) == fold(*b);
}

bool giq_text_begins_nocase(const char *text, const char *prefix)
{
    while (*prefix != '\0' && fold(*text) == fold(*prefix)) {
        text++;
        prefix++;
    }
    return *prefix == '\0';
}

bool giq_text_to_bool(const char *text, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        {"YES", true}, {"TRUE", true},   {"ON", true},   {"1", true},
        {"NO", false}, {"FALSE", false}, {"OFF", false}, {"0", false},
    };
    for (size_t i = 0; i < GIQ_COUNT(words); i++) {
        if (giq_text_equal_nocase(text, words[i].word)) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool is_in_years_1_to_9999(int64_t ms)
{
    return ms >= INT64_C(-62135596800000) && ms <= GIQ_TEXT_TIME_MAX_MS;
}

/* Whether the month has that day. Only the date is passed to timegm(): a second 60 might
 * move it to the next day. */
static bool has_day(struct tm tm)
{
    struct tm date = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
    (void)timegm(&date);
    return date.tm_mday == tm.tm_mday;
}

bool giq_text_civil_to_ms(const int64_t fields[6], int64_t *out_ms)
{
    static const int64_t low[] = {1, 1, 1, 0, 0, 0};
    static const int64_t high[] = {9999, 12, 31, 23, 59, 60};
    for (int i = 0; i < 6; i++) {
        if (fields[i] < low[i] || fields[i] > high[i]) {
            return false;
        }
    }
    struct tm tm = {.tm_year = (int)fields[0] - TM_YEAR_BASE,
                    .tm_mon = (int)fields[1] - 1,
                    .tm_mday = (int)fields[2],
                    .tm_hour = (int)fields[3],
                    .tm_min = (int)fields[4],
                    .tm_sec = (int)fields[5]};
    if (!has_day(tm)) {
        return false;
    }
    *out_ms = (int64_t)timegm(&tm) * MS_PER_S;
    return is_in_years_1_to_9999(*out_ms);
}

/* Take exactly `digits` digits as a number; advances `*text`. */
static bool take_digits(const char **text, int digits, int64_t *out)
{
    int64_t value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *text += digits;
    *out = value;
    return true;
}

/* Take ".123456" of a second as milliseconds; 0 if there is no fraction. */
static bool take_fraction(const char **text, int64_t *out_ms)
{
    *out_ms = 0;
    if (**text != '.' && **text != ',') {
        return true;
    }
    (*text)++;
    if (**text < '0' || **text > '9') {
        return false;
    }
    int64_t weight = 100;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        *out_ms += (**text - '0') * weight;
        weight /= 10;
    }
    return true;
}

/* Take "", "Z", "+04", "+0400" or "+04:00" as minutes east of UTC. */
static bool take_zone(const char **text, int64_t *out_minutes)
{
    *out_minutes = 0;
    char sign = **text;
    if (sign == '\0') {
        return true;
    }
    (*text)++;
    if (sign == 'Z' || sign == 'z') {
        return true;
    }
    int64_t hours = 0;
    int64_t minutes = 0;
    if ((sign != '+' && sign != '-') || !take_digits(text, 2, &hours)) {
        return false;
    }
    bool has_colon = **text == ':';
    if (has_colon) {
        (*text)++;
    }
    if ((has_colon || **text != '\0') && !take_digits(text, 2, &minutes)) {
        return false;
    }
    *out_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

bool giq_text_to_time(const char *text, int64_t *out_ms)
{
    /* The character before each field; seconds may be missing. */
    static const char before[] = {'\0', '-', '-', 'T', ':', ':'};
    int64_t field[6] = {0, 0, 0, 0, 0, 0};
    bool has_seconds = true;
    for (int i = 0; i < 6; i++) {
        if (i == 5 && *text != ':') {
            has_seconds = false;
            break;
        }
        if (i > 0) {
            bool is_separated =
                *text == before[i] || (i == 3 && (*text == ' ' || *text == 't'));
            if (!is_separated) {
                return false;
            }
            text++;
        }
        if (!take_digits(&text, i == 0 ? 4 : 2, &field[i])) {
            return false;
        }
    }
    int64_t fraction_ms = 0;
    int64_t zone_minutes = 0;
    int64_t ms = 0;
    if ((has_seconds && !take_fraction(&text, &fraction_ms)) ||
        !take_zone(&text, &zone_minutes) || *text != '\0' ||
        !giq_text_civil_to_ms(field, &ms)) {
        return false;
    }
    ms += fraction_ms - zone_minutes * 60 * MS_PER_S;
    if (!is_in_years_1_to_9999(ms)) {
        return false;
    }
    *out_ms = ms;
    return true;
}

bool giq_text_to_date(const char *text, int64_t *out_ms)
{
    int64_t field[6] = {0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 3; i++) {
        if (i > 0 && *text++ != '-') {
            return false;
        }
        if (!take_digits(&text, i == 0 ? 4 : 2, &field[i])) {
            return false;
        }
    }
    return *text == '\0' && giq_text_civil_to_ms(field, out_ms);
}

struct giq_civil giq_text_civil_from_ms(int64_t ms)
{
    int64_t rest_ms = ms % MS_PER_S;
    time_t seconds = (time_t)(ms / MS_PER_S);
    if (rest_ms < 0) {
        rest_ms += MS_PER_S;
        seconds--;
    }
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    return (struct giq_civil){
        .year = tm.tm_year + TM_YEAR_BASE,
        .month = tm.tm_mon + 1,
        .day = tm.tm_mday,
        .hour = tm.tm_hour,
        .minute = tm.tm_min,
        .second = tm.tm_sec,
        .ms = (int)rest_ms,
    };
}

void giq_text_from_time(int64_t ms, char *out)
{
    const struct giq_civil at = giq_text_civil_from_ms(ms);
    (void)snprintf(out, GIQ_TEXT_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                   at.year, at.month, at.day, at.hour, at.minute, at.second, at.ms);
}

void giq_text_printable_time(int64_t ms, char *out)
{
    const struct giq_civil at = giq_text_civil_from_ms(ms);
    (void)snprintf(out, GIQ_TEXT_TIME_SIZE, "%04d-%02d-%02d %02d:%02d:%02d UTC", at.year,
                   at.month, at.day, at.hour, at.minute, at.second);
}
