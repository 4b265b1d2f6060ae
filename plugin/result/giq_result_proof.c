/* Makes proofs from the state of a file, and compares them with it. */
#include "result/giq_result_proof.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"

char *giq_result_proof_state(const char *path)
{
    VSIStatBufL st;
    if (VSIStatL(path, &st) != 0 || !VSI_ISREG(st.st_mode)) {
        return NULL;
    }
    return CPLStrdup(CPLSPrintf("%lld bytes of %lld.%09ld", (long long)st.st_size,
                                (long long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec));
}

char *giq_result_proof(const char *state, const char *driver)
{
    return CPLStrdup(CPLSPrintf("check %d, GDAL %s, %s, %s",
                                (int)GIQ_RESULT_PROOF_VERSION,
                                GDALVersionInfo("RELEASE_NAME"), driver, state));
}

static bool is_alone(const char *path)
{
    enum { LISTED_MAX = 4 }; /* the file, ".", "..", and one that it must not have */
    GIQ_AUTO_CPL char *folder = CPLStrdup(CPLGetPath(path));
    GIQ_AUTO_CSL char **names = VSIReadDirEx(folder, LISTED_MAX);
    int files = 0;
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        files += strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0 ? 1 : 0;
    }
    return files == 1;
}

bool giq_result_proof_is_unchanged(const char *proof, const char *path)
{
    GIQ_AUTO_CPL char *state = giq_result_proof_state(path);
    if (state == NULL) {
        return false;
    }
    /* With the separator, or "12 bytes" would be the end of "112 bytes". */
    GIQ_AUTO_CPL char *end = CPLStrdup(CPLSPrintf(", %s", state));
    return strlen(end) <= strlen(proof) &&
           strcmp(proof + strlen(proof) - strlen(end), end) == 0;
}

bool giq_result_proof_holds(const char *proof, const char *path, const char *driver)
{
    if (proof == NULL) {
        return false;
    }
    GIQ_AUTO_CPL char *state = giq_result_proof_state(path);
    if (state == NULL) {
        return false;
    }
    GIQ_AUTO_CPL char *now = giq_result_proof(state, driver);
    return strcmp(now, proof) == 0 && is_alone(path);
}
