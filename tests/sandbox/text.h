/*
 * Small things that the parts of the sandbox share.
 */
#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Formatted text, to be freed; ends the program when out of memory. */
char *text_make(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line with the time on stderr. */
void text_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

enum { TEXT_TIME_SIZE = 40 };

/* Milliseconds since 1970, and such a time as ISO 8601 in UTC. */
int64_t text_now_ms(void);
void text_time(int64_t ms, char out[TEXT_TIME_SIZE]);

/* A name that is a plain file of its folder: no separator, no leading dot. */
bool text_is_plain_name(const char *name);

/* Six hexadecimal digits by chance. */
enum { TEXT_CHANCE_SIZE = 7 };
void text_chance(char out[TEXT_CHANCE_SIZE]);

/* Replace a file so that it is the old or the new one; logs what fails. */
bool text_save(const char *path, const char *text);

/* A whole file of at most 4 MiB, to be freed; NULL where it cannot be read. */
char *text_load(const char *path);

#endif
