/*
 * The files of the service: those of a folder that are there from the start, under
 * their names, and those that were uploaded. Thread-safe.
 */
#ifndef SANDBOX_FILES_H
#define SANDBOX_FILES_H

#include <stdbool.h>

struct files;

/* `folder` and `state` must exist. Ends the program when out of memory. */
struct files *files_new(const char *folder, const char *state);
void files_free(struct files *files);

/* The path of a file, to be freed; NULL where the id is not known. */
char *files_find(struct files *files, const char *id);

/* A new id for an upload, to be freed. */
char *files_new_id(void);

/* Where an upload is written until it is whole, and making it known under its own
 * (cleaned) name. The path is freed by the caller. */
char *files_part(struct files *files, const char *id);
bool files_keep(struct files *files, const char *id, const char *name);

/* Whether `type` is one of the kinds of files that the service knows. */
bool files_is_source_type(const char *type);

#endif
