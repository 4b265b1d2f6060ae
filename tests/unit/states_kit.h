/*
 * Opens of one request against every choice of what they meet: for the exhaustive tests
 * of job_states (one open after the other) and job_pairs (two at a time).
 *
 * The calls of the service, and those of libc that change or read the folder of the key,
 * are replaced by the linker (--wrap). Each open runs in a process of its own, so that a
 * crash is a crash. Locks succeed and lock nothing, and nothing is synced: tickets alone
 * must decide. What may happen next depends on nothing but the files in the folder, and
 * on who seems to be alive.
 */
#ifndef GIQ_TESTS_STATES_KIT_H
#define GIQ_TESTS_STATES_KIT_H

#include <semaphore.h>

#include "job/giq_job_internal.h"

enum {
    STATES_KIT_FILES_MAX = 12,
    STATES_KIT_CHOICES_MAX = 60,
    STATES_KIT_CRASHED = 77,
    STATES_KIT_SIGNATURE_SIZE = 400,
    STATES_KIT_TICKETS_MAX = 9,
};

/* ---- the files of the key's folder ---- */

extern char *states_kit_folder;  /* its path */
extern char *states_kit_request; /* the text of request.json */

/* The name of a file in it that decides something: no lock and no temporary file. NULL
 * for other paths. */
const char *states_kit_name(const char *path);

struct states_kit_file {
    char name[48];
    char *text;
};

struct states_kit_state {
    struct states_kit_file file[STATES_KIT_FILES_MAX];
    size_t count;
};

void states_kit_release(struct states_kit_state *state);
struct states_kit_state states_kit_copy(const struct states_kit_state *state);
/* The text of a file; NULL if there is none. */
const char *states_kit_text(const struct states_kit_state *state, const char *name);
/* Set a file to a copy of a text, or remove it if the text is NULL. */
void states_kit_set(struct states_kit_state *state, const char *name, const char *text);

/* Where, and how long ago, the owners of tickets without outcome were seen. */
enum states_kit_owners {
    STATES_KIT_OWNERS_REAL,   /* as their pids are */
    STATES_KIT_OWNERS_REMOTE, /* on another host, a moment ago */
    STATES_KIT_OWNERS_OLD,    /* on another host, more than a minute ago */
};

/* Make the folder be as in this state, and the reverse: a folder that is missing has no
 * files. */
void states_kit_lay_out(const struct states_kit_state *state,
                        enum states_kit_owners owners);
struct states_kit_state states_kit_read_back(void);

/* Remove a file of the folder, or with NULL the folder. */
void states_kit_remove(const char *name);

/* Let a minute pass for the owners of all tickets without outcome. */
void states_kit_age_tickets(void);

/* The result that a fetch leaves. */
extern const char states_kit_result[];

/* ---- what the files state, read without the rules of the code under test ---- */

struct states_kit_meaning {
    char word[32];     /* of the state; "alive" or "dead" (sending), "damaged", "newer",
                          "none" */
    bool has_label[2]; /* a, b */
    int newest;        /* highest ticket */
    int sent;          /* tickets that did not end with nothing */
    char job_id[16];   /* as the code under test reads it; "" if there is none */
};

struct states_kit_meaning states_kit_mean(const struct states_kit_state *state,
                                          bool owners_live);

/* All that rules look at: states with the same signature are the same, whatever the words
 * of an error, the order of labels, and how many tickets ended with nothing. */
void states_kit_sign(const struct states_kit_state *state,
                     char out[STATES_KIT_SIGNATURE_SIZE]);

/* What decides what an open does next: the meaning, job.json without the records that it
 * keeps, and the last ticket. */
void states_kit_classify(const struct states_kit_state *state,
                         char out[STATES_KIT_SIGNATURE_SIZE]);

/* Whether a ticket has no outcome. */
bool states_kit_has_pending(const struct states_kit_state *state);

/* Fail with the text `about` unless the code under test reads the folder, which has these
 * files, as states_kit_mean() does. */
void states_kit_check_reading(const struct states_kit_state *state, bool owners_live,
                              const char *about, struct states_kit_meaning *out);

/* ---- opens ---- */

struct states_kit_kind {
    const char *name;
    const char *retry;
    const char *job;
    unsigned flags;
};

/* Whether such an open may send a run request at all. */
bool states_kit_may_pay(const struct states_kit_meaning *meaning,
                        const struct states_kit_kind *kind);

enum states_kit_run {
    STATES_KIT_RUN_SUBMITTED,
    STATES_KIT_RUN_UNKNOWN,
    STATES_KIT_RUN_REFUSED,
    STATES_KIT_RUN_THROTTLED,
    STATES_KIT_RUN_NOT_SENT,
    STATES_KIT_RUNS,
};

/* A ticket, and the run request that was sent with it and may have started a job. */
struct states_kit_payment {
    int who; /* 0 or 1 */
    int n;   /* its ticket */
    bool has_id;
    bool follows;    /* an earlier ticket of this run did not end with nothing */
    bool may_follow; /* ... and each of these ended badly, or seemed abandoned */
};

/* Shared with the processes that run opens. */
struct states_kit_play {
    /* One open at a time: it chooses. */
    int choice[STATES_KIT_CHOICES_MAX];
    int choices[STATES_KIT_CHOICES_MAX]; /* how many there were */
    int made;
    int misses;        /* status calls in a row that did not know the job */
    bool is_gone;      /* as the service said last */
    bool is_paid_gone; /* ... when the run request was sent */
    /* Two at a time: the test chooses, and lets them go on in turn. */
    bool is_pair;
    enum states_kit_run run[2];
    int stop_at[2]; /* the point before which the open waits for `go`; 0: none */
    int points[2];  /* passed so far */
    bool is_stopped[2];
    bool has_ticket[2]; /* taken in this run */
    bool is_stale[2];   /* does not see names that the other open made */
    bool is_remote[2];  /* runs on another host */
    bool ages;          /* the first one was stopped for more than a minute */
    sem_t go[2];
    sem_t done; /* an open stopped or ended */
    int newest; /* highest ticket before the run */
    struct states_kit_payment payment[4];
    int paid;
};
extern struct states_kit_play *states_kit_play;

void states_kit_start(void);
void states_kit_end(void);

/* Run an open in this process, which is a child of the test. */
void states_kit_open(const struct states_kit_kind *kind, int who);

/* The next series of choices: the last one that has another is moved on. */
bool states_kit_next_choices(void);

#endif
