/*
 * Credentials, and the options that GDAL users set for all network drivers.
 */
#ifndef GIQ_NETWORK_H
#define GIQ_NETWORK_H

#include "options/giq_reader.h"

/*
 * Read the credentials, with the headers that are sent along and the passwords that
 * messages must not contain. On success the caller passes `*out` to giq_cred_free(); it
 * is NULL if no key and no token is set. Errors: GIQ_E_CREDENTIALS, GIQ_E_MEMORY. Warns
 * if others can read the key file.
 */
bool giq_network_read_credentials(struct giq_reader *reader, struct giq_cred **out,
                                  struct giq_error *err);

/* Read GDAL's network options into `settings`, which borrows texts of the reader. The
 * user agent and GDAL_HTTP_NETRC get defaults; the settings of other options that are not
 * set stay as they are. */
void giq_network_read_options(struct giq_reader *reader, struct giq_settings *settings);

#endif
