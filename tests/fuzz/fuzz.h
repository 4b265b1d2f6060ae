/*
 * What every fuzz target includes. A target is one function that libFuzzer calls
 * with bytes of its own making; what must be true of the code whatever they are is
 * said by MUST(). Inputs are texts wherever they can be, so that a seed can be read.
 */
#ifndef GIQ_TESTS_FUZZ_H
#define GIQ_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "giq/giq.h"

/* End the program, whereupon libFuzzer keeps the input, unless `holds`. */
#define MUST(holds) ((holds) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #holds))
_Noreturn void fuzz_fail(const char *file, int line, const char *claim);

/* What libFuzzer calls; defined by each target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- inputs ---- */

/* The input as a text of its own, to be freed. */
char *fuzz_text(const uint8_t *data, size_t size);

/* End the line at `*rest` and return it; `*rest` moves behind it. NULL at the end. */
char *fuzz_line(char **rest);

/* Split a text in place at lines that are "~~~": the first part is returned, `*rest`
 * is what follows, or NULL. */
char *fuzz_part(char **rest);

struct giq_headers;

/* Add the header of a line, as libcurl splits it, where it is one that the driver reads.
 */
void fuzz_add_header(struct giq_headers *headers, const char *line);

/* ---- secrets ---- */

/* Dictionaries hold these, so that inputs do too. */
#define FUZZ_KEY    "sesame-open-42"
#define FUZZ_TOKEN  "to\"ken\\of-trust"
#define FUZZ_HEADER "inner-door-7"

/* Credentials with the secrets above; they live as long as the program. */
const struct giq_cred *fuzz_cred(void);
bool fuzz_has_secret(const char *text);

/* ---- what must hold of texts ---- */

/* Well-formed UTF-8, by a reading that is independent of giq_text. */
bool fuzz_is_utf8(const char *text);
/* UTF-8 without control characters, C1 included. */
bool fuzz_is_plain(const char *text);
/* An error that is set: of this code, fit to be shown, without a secret. */
void fuzz_check_error(const struct giq_error *err, enum giq_code code);

/* ---- the disk ---- */

/* A folder of this program's below TMPDIR; removed at exit. */
const char *fuzz_folder(void);
void fuzz_write(const char *path, const void *bytes, size_t len);

#endif
