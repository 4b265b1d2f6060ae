/* Claims of results. Input: the text of one. */
#include "fuzz.h"

#include "base/giq_os.h"
#include "store/giq_claim.h"

static char *path;

/* None leads out of the folder of the key, and one that names nothing has nothing. */
static void check(const struct giq_claim *claim)
{
    MUST(claim->generation == 1);
    if (claim->folder == NULL) {
        MUST(claim->job_id == NULL && claim->name == NULL && claim->summary == NULL);
        return;
    }
    MUST(claim->job_id != NULL && claim->job_id[0] != '\0' && claim->size >= 0);
    MUST(strlen(claim->folder) == strlen("result.") + GIQ_OS_TOKEN_SIZE - 1);
    MUST(strchr(claim->folder, '/') == NULL);
    MUST(claim->name == NULL || (strchr(claim->name, '/') == NULL &&
                                 claim->name[0] != '.' && claim->name[0] != '\0'));
}

/* The same claim, made again, reads the same. */
static void check_rewrite(const struct giq_claim *claim)
{
    struct giq_error err = {0};
    struct giq_claim again = {0};
    bool made = false;
    MUST(giq_os_remove(path, &err));
    MUST(giq_claim_make(fuzz_folder(), GIQ_OS_PRIVATE, claim, &made, &again, &err));
    MUST(made);
    MUST(giq_claim_read_newest(fuzz_folder(), &again, &err));
    check(&again);
    MUST(again.folder != NULL && strcmp(again.folder, claim->folder) == 0);
    MUST(strcmp(again.job_id, claim->job_id) == 0 && again.size == claim->size);
    MUST((again.name == NULL) == (claim->name == NULL));
    MUST(again.name == NULL || strcmp(again.name, claim->name) == 0);
    MUST((again.summary == NULL) == (claim->summary == NULL));
    giq_claim_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct giq_error err = {0};
    struct giq_claim claim = {0};
    if (path == NULL) {
        path = giq_os_join(fuzz_folder(), "published.1");
        MUST(path != NULL);
    }
    fuzz_write(path, (const char *)data, size);
    if (giq_claim_read_newest(fuzz_folder(), &claim, &err)) {
        check(&claim);
        if (claim.folder != NULL) {
            check_rewrite(&claim);
        }
    } else {
        MUST(err.code == GIQ_E_STORE);
    }
    giq_claim_release(&claim);
    return 0;
}
