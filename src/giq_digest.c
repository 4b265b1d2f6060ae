#include "giq_digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static void print(const unsigned char *digest, unsigned int size, char *out)
{
    for (unsigned int i = 0; i < size; i++) {
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
}

bool giq_digest_text(const char *bytes, size_t len, char out[GIQ_DIGEST_HEX_SIZE],
                     struct giq_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(bytes, len, digest, &size, EVP_sha256(), NULL) != 1) {
        return giq_fail_memory(err);
    }
    print(digest, size, out);
    return true;
}

bool giq_digest_is(const char *text)
{
    return strspn(text, "0123456789abcdef") == GIQ_DIGEST_HEX_SIZE - 1 &&
           text[GIQ_DIGEST_HEX_SIZE - 1] == '\0';
}

/* struct giq_digest is EVP_MD_CTX under another name, so that no header shows it. */
static EVP_MD_CTX *context(struct giq_digest *digest)
{
    return (EVP_MD_CTX *)digest;
}

bool giq_digest_new(struct giq_digest **out, struct giq_error *err)
{
    struct giq_digest *digest = (struct giq_digest *)EVP_MD_CTX_new();
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
    EVP_MD_CTX_free(context(digest));
}

bool giq_digest_restart(struct giq_digest *digest, struct giq_error *err)
{
    return EVP_DigestInit_ex(context(digest), EVP_sha256(), NULL) == 1 ||
           giq_fail_memory(err);
}

bool giq_digest_add(struct giq_digest *digest, const void *bytes, size_t len,
                    struct giq_error *err)
{
    return EVP_DigestUpdate(context(digest), bytes, len) == 1 || giq_fail_memory(err);
}

bool giq_digest_end(struct giq_digest *digest, char out[GIQ_DIGEST_HEX_SIZE],
                    struct giq_error *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context(digest), bytes, &size) != 1) {
        return giq_fail_memory(err);
    }
    print(bytes, size, out);
    return true;
}
