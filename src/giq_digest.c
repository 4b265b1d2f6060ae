#include "giq_digest.h"

#include <openssl/evp.h>
#include <stdio.h>

bool giq_digest_text(const char *bytes, size_t len, char out[GIQ_DIGEST_HEX_SIZE],
                     struct giq_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(bytes, len, digest, &size, EVP_sha256(), NULL) != 1) {
        return giq_fail_memory(err);
    }
    for (unsigned int i = 0; i < size; i++) {
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
    return true;
}
