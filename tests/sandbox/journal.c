#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

struct journal {
    int fd;
    long count;
    pthread_mutex_t lock;
};

static long count_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    long count = 0;
    for (int c; file != NULL && (c = getc(file)) != EOF;) {
        count += c == '\n';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return count;
}

struct journal *journal_open(const char *path)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        abort();
    }
    journal->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (journal->fd < 0) {
        text_log("cannot open %s: %s", path, strerror(errno));
        free(journal);
        return NULL;
    }
    journal->count = count_lines(path);
    (void)pthread_mutex_init(&journal->lock, NULL);
    return journal;
}

void journal_close(struct journal *journal)
{
    (void)close(journal->fd);
    (void)pthread_mutex_destroy(&journal->lock);
    free(journal);
}

void journal_write(struct journal *journal, cJSON *entry)
{
    char when[TEXT_TIME_SIZE];
    (void)pthread_mutex_lock(&journal->lock);
    text_time(text_now_ms(), when);
    (void)cJSON_ReplaceItemInObject(entry, "n",
                                    cJSON_CreateNumber((double)++journal->count));
    (void)cJSON_ReplaceItemInObject(entry, "time", cJSON_CreateString(when));
    char *text = cJSON_PrintUnformatted(entry);
    char *line = text_make("%s\n", text == NULL ? "{}" : text);
    if (write(journal->fd, line, strlen(line)) != (ssize_t)strlen(line)) {
        text_log("cannot write the journal: %s", strerror(errno));
    }
    free(line);
    cJSON_free(text);
    (void)pthread_mutex_unlock(&journal->lock);
}
