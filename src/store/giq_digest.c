/* SHA-256 by the low-level functions of OpenSSL. */
#include "store/giq_digest.h"

/*
 * The functions of sha.h are deprecated since 3.0 in favour of EVP. But the first use of
 * EVP in a process loads the providers and all their algorithms, which would take most of
 * the time of opening a recorded result.
 */
#define OPENSSL_API_COMPAT 0x10101000L

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct giq_digest {
    SHA256_CTX sha;
};

bool giq_digest_bytes(const char *bytes, size_t len, char out[GIQ_DIGEST_HEX_SIZE],
                      struct giq_error *err)
{
    struct giq_digest digest;
    return giq_digest_restart(&digest, err) && giq_digest_add(&digest, bytes, len, err) &&
           giq_digest_finish(&digest, out, err);
}

bool giq_digest_is_valid(const char *text)
{
    return strspn(text, "0123456789abcdef") == GIQ_DIGEST_HEX_SIZE - 1 &&
           text[GIQ_DIGEST_HEX_SIZE - 1] == '\0';
}

bool giq_digest_new(struct giq_digest **out, struct giq_error *err)
{
    struct giq_digest *digest = malloc(sizeof *digest);
    if (digest == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_digest_restart(digest, err)) {
        giq_digest_free(digest);
        return false;
    }
    *out = digest;
    return true;
}

void giq_digest_free(struct giq_digest *digest)
{
    free(digest);
}

bool giq_digest_restart(struct giq_digest *digest, struct giq_error *err)
{
    if (SHA256_Init(&digest->sha) != 1) {
        return giq_fail_memory(err);
    }
    return true;
}

bool giq_digest_add(struct giq_digest *digest, const void *bytes, size_t len,
                    struct giq_error *err)
{
    if (SHA256_Update(&digest->sha, bytes, len) != 1) {
        return giq_fail_memory(err);
    }
    return true;
}

bool giq_digest_finish(struct giq_digest *digest, char out[GIQ_DIGEST_HEX_SIZE],
                       struct giq_error *err)
{
    unsigned char bytes[SHA256_DIGEST_LENGTH];
    if (SHA256_Final(bytes, &digest->sha) != 1) {
        return giq_fail_memory(err);
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
}
