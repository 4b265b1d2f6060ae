#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

char *text_make(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0) {
        abort();
    }
    return text;
}

void text_log(const char *fmt, ...)
{
    char when[TEXT_TIME_SIZE];
    char line[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    text_time(text_now_ms(), when);
    (void)fprintf(stderr, "%s %s\n", when, line);
}

int64_t text_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void text_time(int64_t ms, char out[TEXT_TIME_SIZE])
{
    struct tm civil;
    time_t seconds = (time_t)(ms / 1000);
    (void)gmtime_r(&seconds, &civil);
    size_t len = strftime(out, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &civil);
    (void)snprintf(out + len, TEXT_TIME_SIZE - len, ".%03dZ", (int)(ms % 1000));
}

bool text_is_plain_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

void text_chance(char out[TEXT_CHANCE_SIZE])
{
    uint32_t value = 0;
    (void)!getrandom(&value, sizeof value, 0);
    (void)snprintf(out, TEXT_CHANCE_SIZE, "%06x", (unsigned)(value & 0xFFFFFF));
}

bool text_save(const char *path, const char *text)
{
    char *part = text_make("%s.part", path);
    FILE *file = fopen(part, "we");
    bool ok = file != NULL && fputs(text, file) >= 0;
    if (file != NULL) {
        ok = fclose(file) == 0 && ok;
    }
    ok = ok && rename(part, path) == 0;
    if (!ok) {
        text_log("cannot write %s: %s", path, strerror(errno));
    }
    free(part);
    return ok;
}

char *text_load(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    struct stat st;
    size_t size = fstat(fileno(file), &st) == 0 ? (size_t)st.st_size : 0;
    char *text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    size_t len = fread(text, 1, size, file);
    bool ok = ferror(file) == 0;
    (void)fclose(file);
    if (!ok) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}
