/* Error values and their printable texts. */
#include "base/giq_error.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/giq_text.h"

#undef giq_fail /* the macro of giq/giq.h: the function is defined here */

static const char *const tags[] = {
    [GIQ_E_NONE] = "none",
    [GIQ_E_USAGE] = "usage",
    [GIQ_E_AREA] = "area",
    [GIQ_E_CREDENTIALS] = "credentials",
    [GIQ_E_NETWORK] = "network",
    [GIQ_E_SERVICE] = "service",
    [GIQ_E_REFUSED] = "refused",
    [GIQ_E_FAILED] = "failed",
    [GIQ_E_UNKNOWN] = "unknown",
    [GIQ_E_TIMEOUT] = "timeout",
    [GIQ_E_CANCELLED] = "cancelled",
    [GIQ_E_GONE] = "gone",
    [GIQ_E_INCOMPLETE] = "incomplete",
    [GIQ_E_RESULT] = "result",
    [GIQ_E_STORE] = "store",
    [GIQ_E_BATCH] = "batch",
    [GIQ_E_READONLY] = "readonly",
    [GIQ_E_MEMORY] = "memory",
};

const char *giq_code_tag(enum giq_code code)
{
    return tags[code];
}

/* Whether the `left` bytes at `text` are a UTF-8 character without its last bytes. */
static bool is_cut_character(const char *text, size_t left)
{
    if (left >= 4 || (unsigned char)text[0] < 0xC0) {
        return false;
    }
    for (size_t i = 1; i < left; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* Make `text` printable, in place. Paths and messages of libraries may hold control
 * characters. A text that was cut may end within a character, which is dropped:
 * giq_text_make_printable() would make it '?'. */
static void make_printable(char *text)
{
    char *out = text;
    size_t left = strlen(text);
    while (left > 0) {
        size_t size = giq_text_utf8_char_len(text, left);
        if (size == 0 && is_cut_character(text, left)) {
            break;
        }
        if (size == 0) {
            *out++ = '?';
            size = 1;
        } else if (giq_text_is_control(giq_text_code_point(text, size))) {
            *out++ = ' ';
        } else {
            memmove(out, text, size);
            out += size;
        }
        text += size;
        left -= size;
    }
    *out = '\0';
}

static void set_text(struct giq_error *err, enum giq_code code, const char *fmt,
                     va_list args)
{
    *err = (struct giq_error){.code = code};
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
    make_printable(err->text);
}

bool giq_fail(struct giq_error *err, enum giq_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set_text(err, code, fmt, args);
    va_end(args);
    return false;
}

void giq_error_strerror(int sys_errno, char *out, size_t size)
{
    /* strerror_r() differs between C libraries, and strerror_l() does not accept the
     * global locale. */
    locale_t locale = duplocale(uselocale((locale_t)0));
    if (locale == (locale_t)0) {
        (void)snprintf(out, size, "error %d", sys_errno);
        return;
    }
    (void)snprintf(out, size, "%s", strerror_l(sys_errno, locale));
    freelocale(locale);
}

bool giq_fail_sys(struct giq_error *err, enum giq_code code, int sys_errno,
                  const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set_text(err, code, fmt, args);
    va_end(args);
    err->sys_errno = sys_errno;

    char words[GIQ_ERROR_STRERROR_SIZE];
    size_t len = strlen(err->text);
    giq_error_strerror(sys_errno, words, sizeof words);
    (void)snprintf(err->text + len, sizeof err->text - len, ": %s", words);
    make_printable(err->text);
    return false;
}

bool giq_error_replace(struct giq_error *err, enum giq_code code, const char *fmt, ...)
{
    const struct giq_error cause = *err;
    va_list args;
    va_start(args, fmt);
    set_text(err, code, fmt, args);
    va_end(args);
    err->http_status = cause.http_status;
    err->sys_errno = cause.sys_errno;
    err->permanent = cause.permanent;
    return false;
}

bool giq_error_context(struct giq_error *err, const char *fmt, ...)
{
    char before[sizeof err->text];
    memcpy(before, err->text, sizeof before);

    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);

    size_t len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof err->text - len, ": %s", before);
    make_printable(err->text);
    return false;
}
