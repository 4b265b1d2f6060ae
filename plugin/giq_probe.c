/* Knows the program by its command line, which is read from /proc once. */
#include "giq_probe.h"

#include "options/giq_gdal_cleanup.h"
#include "options/giq_gdal_compat.h"

#include <cpl_error.h>
#include <cpl_vsi.h>
#include <stdatomic.h>
#include <string.h>

enum { WORDS_MAX_BYTES = 4096 };

enum program {
    UNREAD,
    OTHER,
    OGR2OGR,
    GDAL,
    COMPLETION, /* `gdal completion`, which a shell runs */
};

static atomic_int program;
static atomic_bool is_for_writing;

static enum program read_program(void)
{
    char words[WORDS_MAX_BYTES + 2];
    GIQ_AUTO_VSI VSILFILE *file = VSIFOpenL("/proc/self/cmdline", "rb");
    if (file == NULL) {
        return OTHER;
    }
    size_t length = VSIFReadL(words, 1, WORDS_MAX_BYTES, file);
    words[length] = '\0';
    words[length + 1] = '\0';
    const char *name = CPLGetFilename(words);
    if (strcmp(name, "gdal") != 0) {
        return strcmp(name, "ogr2ogr") == 0 ? OGR2OGR : OTHER;
    }
    const char *command = words + strlen(words) + 1;
    return strcmp(command, "completion") == 0 ? COMPLETION : GDAL;
}

static enum program current_program(void)
{
    if (program == UNREAD) {
        program = (int)read_program();
    }
    return (enum program)program;
}

bool giq_probe_is_one(unsigned flags)
{
    /* The program hides the errors of an open that may fail; where it will read what it
     * opens so, it asks the driver for errors. */
    bool is_quiet = (flags & GDAL_OF_VERBOSE_ERROR) == 0 && GIQ_GDAL_ERRORS_ARE_HIDDEN;
    enum program found = current_program();
    return found == COMPLETION || (found == GDAL && is_quiet);
}

void giq_probe_note_update(void)
{
    is_for_writing = true;
}

bool giq_probe_is_for_writing(void)
{
    enum program found = current_program();
    return is_for_writing && (found == GDAL || found == OGR2OGR);
}
