/*
 * The files of the service: those of a folder that are there from the start, under
 * their names, and those that were uploaded. Thread-safe.
 */
#ifndef SANDBOX_FILES_H
#define SANDBOX_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct files;

/* `folder` and `state` must exist. Ends the program when out of memory. */
struct files *files_new(const char *folder, const char *state);
void files_free(struct files *files);

/* The UUID of a file of the folder in the catalogue, which its name determines. */
enum { FILES_UUID_SIZE = 37 };
void files_uuid(const char *name, char out[FILES_UUID_SIZE]);

/* The names of the files of the folder, sorted; they and the list are to be freed. */
char **files_list(struct files *files, size_t *count);

/* The path of a file by its name or UUID, or by the id of an upload. To be freed; NULL
 * where the id is not known. */
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
