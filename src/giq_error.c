#include "giq_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const tags[] = {
    [GIQ_E_NONE] = "none",         [GIQ_E_USAGE] = "usage",
    [GIQ_E_AREA] = "area",         [GIQ_E_CREDENTIALS] = "credentials",
    [GIQ_E_NETWORK] = "network",   [GIQ_E_SERVICE] = "service",
    [GIQ_E_REFUSED] = "refused",   [GIQ_E_FAILED] = "failed",
    [GIQ_E_UNKNOWN] = "unknown",   [GIQ_E_TIMEOUT] = "timeout",
    [GIQ_E_GONE] = "gone",         [GIQ_E_INCOMPLETE] = "incomplete",
    [GIQ_E_RESULT] = "result",     [GIQ_E_STORE] = "store",
    [GIQ_E_READONLY] = "readonly", [GIQ_E_MEMORY] = "memory",
};

const char *giq_code_tag(enum giq_code code)
{
    return tags[code];
}

static void set_text(struct giq_error *err, enum giq_code code, const char *fmt,
                     va_list args)
{
    *err = (struct giq_error){.code = code};
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
}

bool giq_fail(struct giq_error *err, enum giq_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set_text(err, code, fmt, args);
    va_end(args);
    return false;
}

bool giq_fail_sys(struct giq_error *err, enum giq_code code, int sys_errno,
                  const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set_text(err, code, fmt, args);
    va_end(args);
    err->sys_errno = sys_errno;

    char room[128];
    size_t len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof err->text - len, ": %s",
                   strerror_r(sys_errno, room, sizeof room));
    return false;
}

bool giq_fail_memory(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_MEMORY, "out of memory");
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
    return false;
}
