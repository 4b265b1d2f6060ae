/* Knows the program by its command line, which is read from /proc once. */
#include "giq_probe.h"

#include "options/giq_gdal_cleanup.h"
#include "options/giq_gdal_compat.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_multiproc.h>
#include <cpl_vsi.h>
#include <stdatomic.h>
#include <string.h>

enum {
    WORDS_MAX_BYTES = 4096, /* of the command line: its first two words are needed */
    MUTEX_WAIT_S = 1000,    /* GDAL's usual limit; never reached */
};

enum program {
    UNREAD,
    OTHER,
    OGR2OGR,
    GDAL,
    COMPLETION, /* `gdal completion`, which a shell runs */
};

static atomic_int program;
static char *refused;   /* the last name that was opened for update, or NULL */
static CPLMutex *mutex; /* guards `refused`; made when first needed */

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
    /* The program hides the errors of an open that may fail; where it goes on to read the
     * dataset, it sets GDAL_OF_VERBOSE_ERROR. */
    bool is_quiet = (flags & GDAL_OF_VERBOSE_ERROR) == 0 && GIQ_GDAL_ERRORS_ARE_HIDDEN;
    enum program found = current_program();
    return found == COMPLETION || (found == GDAL && is_quiet);
}

static bool is_writer(void)
{
    enum program found = current_program();
    return found == GDAL || found == OGR2OGR;
}

void giq_probe_note_update(const char *name)
{
    if (!is_writer()) {
        return;
    }
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    CPLFree(refused);
    refused = CPLStrdup(name);
    CPLReleaseMutex(mutex);
}

bool giq_probe_is_for_writing(const char *name)
{
    if (!is_writer()) {
        return false;
    }
    (void)CPLCreateOrAcquireMutex(&mutex, MUTEX_WAIT_S);
    bool is_refused = refused != NULL && strcmp(refused, name) == 0;
    CPLReleaseMutex(mutex);
    return is_refused;
}
