/* Loads libarchive and finds its functions. */
#include "result/giq_libarchive.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/giq_error.h"
#include "base/giq_text.h"

struct function {
    const char *name;
    size_t offset; /* in struct giq_libarchive */
};

#define FUNCTION(name) {#name, offsetof(struct giq_libarchive, name)},
static const struct function functions[] = {GIQ_LIBARCHIVE_FUNCTIONS(FUNCTION)};

/* Whether a message of dlerror(), which returns no error code, contains the text of
 * `sys_errno`. */
static bool has_message(const char *why, int sys_errno)
{
    char words[GIQ_ERROR_STRERROR_SIZE];
    giq_error_strerror(sys_errno, words, sizeof words);
    return strstr(why, words) != NULL;
}

/* The error of dlopen() or dlsym(). dlerror() does not mention that memory ran out. */
static bool fail_load(int sys_errno, struct giq_error *err)
{
    static const int too_many[] = {EMFILE, ENFILE};
    const char *why = dlerror();
    why = why == NULL ? "no reason given" : why;
    if (sys_errno == ENOMEM) {
        return giq_fail_memory(err);
    }
    for (size_t i = 0; i < GIQ_COUNT(too_many); i++) {
        if (has_message(why, too_many[i])) {
            return giq_fail_sys(err, GIQ_E_STORE, too_many[i],
                                "libarchive, which unpacks archives, cannot be loaded");
        }
    }
    struct giq_printable printable;
    return giq_fail(err, GIQ_E_RESULT,
                    "archives cannot be unpacked: %s; install or update libarchive",
                    giq_text_printable(why, &printable));
}

static bool find_functions(struct giq_libarchive *out, struct giq_error *err)
{
    for (size_t i = 0; i < GIQ_COUNT(functions); i++) {
        errno = 0;
        void *address = dlsym(out->handle, functions[i].name);
        if (address == NULL) {
            return fail_load(errno, err);
        }
        /* POSIX, unlike C, allows a function pointer to be stored in an object pointer.
         */
        memcpy((char *)out + functions[i].offset, &address, sizeof address);
    }
    return true;
}

bool giq_libarchive_load(struct giq_libarchive *out, struct giq_error *err)
{
    memset(out, 0, sizeof *out);
    errno = 0;
    out->handle = dlopen(GIQ_LIBARCHIVE_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (out->handle == NULL) {
        return fail_load(errno, err);
    }
    if (!find_functions(out, err)) {
        giq_libarchive_release(out);
        return false;
    }
    return true;
}

void giq_libarchive_release(struct giq_libarchive *libarchive)
{
    if (libarchive->handle != NULL) {
        (void)dlclose(libarchive->handle);
        memset(libarchive, 0, sizeof *libarchive);
    }
}
