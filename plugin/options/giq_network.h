/*
 * What concerns the network: credentials, and the options that GDAL users set for
 * every network driver.
 */
#ifndef GIQ_NETWORK_H
#define GIQ_NETWORK_H

#include "options/giq_reader.h"

/* Read the credentials and what goes with them. What fails here is told only when
 * a request needs the secret: `config->cred` is NULL then, and `cred_error` says
 * why. */
void giq_network_read_credentials(struct giq_reader *reader);

/* Read GDAL's options for network drivers into the settings. */
void giq_network_read_options(struct giq_reader *reader);

#endif
