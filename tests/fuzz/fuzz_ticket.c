/* Tickets. Input: the text of one. */
#include "fuzz.h"

#include <limits.h>

#include "store/giq_ticket.h"

static char *path;

static bool is_same(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

static void check(const struct giq_ticket *ticket)
{
    MUST(ticket->n == 1);
    MUST(ticket->owner.pid >= 0 && ticket->owner.pid <= INT_MAX);
    MUST(ticket->owner.host[GIQ_OS_HOST_SIZE - 1] == '\0');
    MUST(ticket->owner.boot[GIQ_OS_BOOT_SIZE - 1] == '\0');
    MUST(ticket->token[GIQ_OS_TOKEN_SIZE - 1] == '\0');
    MUST(ticket->outcome != GIQ_TICKET_JOB ||
         (ticket->job_id != NULL && ticket->job_id[0] != '\0'));
    MUST(ticket->retry_after_ms >= 0);
}

/* The outcome is that of the ticket, whatever was read before it. */
static void check_rewrite(struct giq_ticket *ticket)
{
    struct giq_error err = {0};
    struct giq_ticket again;
    bool found = false;
    MUST(giq_ticket_end(fuzz_folder(), GIQ_OS_PRIVATE, ticket, &err));
    giq_ticket_init(&again);
    MUST(giq_ticket_read(fuzz_folder(), 1, &again, &found, &err) && found);
    check(&again);
    MUST(again.outcome == ticket->outcome);
    MUST(again.owner.pid == ticket->owner.pid);
    MUST(again.owner.start == ticket->owner.start);
    MUST(is_same(again.owner.host, ticket->owner.host));
    MUST(is_same(again.job_id, ticket->job_id));
    MUST(is_same(again.label, ticket->label));
    MUST(is_same(again.replaces, ticket->replaces));
    MUST(again.retry_after_ms == ticket->retry_after_ms);
    giq_ticket_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct giq_error err = {0};
    struct giq_ticket ticket;
    bool found = false;
    if (path == NULL) {
        path = giq_os_join(fuzz_folder(), "sent.1");
        MUST(path != NULL);
    }
    fuzz_write(path, (const char *)data, size);
    giq_ticket_init(&ticket);
    if (giq_ticket_read(fuzz_folder(), 1, &ticket, &found, &err)) {
        MUST(found);
        check(&ticket);
        if (ticket.outcome != GIQ_TICKET_NONE) {
            check_rewrite(&ticket);
        }
    } else {
        MUST(err.code == GIQ_E_STORE);
    }
    giq_ticket_release(&ticket);
    return 0;
}
