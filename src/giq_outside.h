/*
 * Texts in a result that would make its reader read another file or ask a host:
 * definitions of coordinate systems, of tables, and whole text files. Pure.
 *
 * The functions are in giq/giq.h.
 */
#ifndef GIQ_OUTSIDE_H
#define GIQ_OUTSIDE_H

#include "giq/giq.h"

#endif
