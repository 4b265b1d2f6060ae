#include "fetch_kit.h"

#include "unit.h"

#include "base/giq_os.h"
#include "env_kit.h"

void fetch_kit_result(const char *folder, const char *job_id, struct giq_claim *out)
{
    struct giq_error err = {0};
    char token[GIQ_OS_TOKEN_SIZE];
    char name[64];
    giq_os_token(token);
    (void)snprintf(name, sizeof name, "result.%s", token);
    char *result = giq_os_join(folder, name);
    assert_true(giq_os_make_folders(result, GIQ_OS_PRIVATE, &err));
    env_kit_write(result, "a", "data");
    free(result);
    *out =
        (struct giq_claim){.job_id = strdup(job_id), .folder = strdup(name), .size = 4};
}
