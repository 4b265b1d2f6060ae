/* Unpacking of archives. Input: 'z', 't', 'g' or 'x' (zip, tar, tar.gz, one file in a
 * gzip), then the bytes. */
#include "unpacking.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    if (data[0] == 'x') {
        unpacking_check_gzip(data + 1, size - 1);
        return 0;
    }
    unpacking_check(data[0] == 'z'   ? GIQ_ARCHIVE_ZIP
                    : data[0] == 't' ? GIQ_ARCHIVE_TAR
                                     : GIQ_ARCHIVE_TAR_GZ,
                    data + 1, size - 1);
    return 0;
}
