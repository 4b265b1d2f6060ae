#include "http_kit.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 48, REQUESTS_MAX = 256, REQUEST_BYTES_MAX = 1 << 16 };

/* One connection: what has arrived of its request. */
struct connection {
    int fd;
    int number;
    size_t len;
    char bytes[REQUEST_BYTES_MAX + 1];
};

struct request {
    char *text;
    int connection;
};

struct http_kit {
    const struct http_kit_response *responses;
    size_t response_count;
    int listener;
    int stop[2]; /* a pipe */
    char url[64];
    pthread_t thread;
    struct connection *open[CONNECTIONS_MAX];
    size_t open_count;
    int accepted;
    pthread_mutex_t lock; /* of what follows */
    struct request request[REQUESTS_MAX];
    size_t request_count;
};

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void send_response(int fd, const struct http_kit_response *response)
{
    if (response->raw != NULL) {
        (void)send_all(fd, response->raw,
                       response->body_len == 0 ? strlen(response->raw)
                                               : response->body_len);
        return;
    }
    const char *body = response->body == NULL ? "" : response->body;
    size_t body_len = response->body_len == 0 ? strlen(body) : response->body_len;
    const char *headers = response->headers == NULL ? "" : response->headers;
    char head[4096];
    int len =
        snprintf(head, sizeof head, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s\r\n",
                 response->status, body_len + response->fill, headers);
    bool ok = send_all(fd, head, (size_t)len) && send_all(fd, body, body_len);
    char piece[4096];
    memset(piece, 'x', sizeof piece);
    for (size_t left = response->fill; ok && left > 0;) {
        size_t part = left < sizeof piece ? left : sizeof piece;
        ok = send_all(fd, piece, part);
        left -= part;
    }
}

/* Length of the whole request at the start of `bytes`, or 0 while more is to come. */
static size_t request_length(const char *bytes, size_t len)
{
    const char *end = strstr(bytes, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    size_t total = (size_t)(end + 4 - bytes);
    const char *length = strcasestr(bytes, "\r\nContent-Length:");
    if (length != NULL && length < end) {
        total += (size_t)strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    }
    return total <= len ? total : 0;
}

static size_t keep_request(struct http_kit *kit, const struct connection *conn,
                           size_t len)
{
    (void)pthread_mutex_lock(&kit->lock);
    size_t number = kit->request_count;
    if (number < REQUESTS_MAX) {
        kit->request[number] = (struct request){strndup(conn->bytes, len), conn->number};
        kit->request_count++;
    }
    (void)pthread_mutex_unlock(&kit->lock);
    return number;
}

static void end_connection(struct http_kit *kit, size_t i)
{
    (void)close(kit->open[i]->fd);
    free(kit->open[i]);
    kit->open[i] = kit->open[--kit->open_count];
}

/* Answer what came whole. False where the connection is to be closed. */
static bool serve(struct http_kit *kit, struct connection *conn)
{
    static const struct http_kit_response over = {
        .status = 418, .body = "the script is over", .then = HTTP_KIT_CLOSE};
    size_t len = 0;
    while ((len = request_length(conn->bytes, conn->len)) > 0) {
        size_t number = keep_request(kit, conn, len);
        conn->len -= len;
        memmove(conn->bytes, conn->bytes + len, conn->len + 1);
        const struct http_kit_response *response =
            number < kit->response_count ? &kit->responses[number] : &over;
        send_response(conn->fd, response);
        if (response->then == HTTP_KIT_CLOSE) {
            (void)shutdown(conn->fd, SHUT_WR);
            return false;
        }
    }
    return true;
}

static bool receive(struct http_kit *kit, struct connection *conn)
{
    ssize_t n = recv(conn->fd, conn->bytes + conn->len, REQUEST_BYTES_MAX - conn->len, 0);
    if (n <= 0) {
        return false;
    }
    conn->len += (size_t)n;
    conn->bytes[conn->len] = '\0';
    return serve(kit, conn);
}

static void accept_one(struct http_kit *kit)
{
    int fd = accept(kit->listener, NULL, NULL);
    struct connection *conn = calloc(1, sizeof *conn);
    if (fd < 0 || conn == NULL || kit->open_count == CONNECTIONS_MAX) {
        free(conn);
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    /* A response in two pieces would wait for the other side's acknowledgement. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    conn->fd = fd;
    conn->number = kit->accepted++;
    kit->open[kit->open_count++] = conn;
}

static void *run(void *ctx)
{
    struct http_kit *kit = ctx;
    for (;;) {
        struct pollfd polled[CONNECTIONS_MAX + 2];
        size_t count = kit->open_count;
        polled[0] = (struct pollfd){.fd = kit->stop[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = kit->listener, .events = POLLIN};
        for (size_t i = 0; i < count; i++) {
            polled[i + 2] = (struct pollfd){.fd = kit->open[i]->fd, .events = POLLIN};
        }
        if (poll(polled, count + 2, -1) < 0 || polled[0].revents != 0) {
            break;
        }
        for (size_t i = count; i > 0; i--) {
            if (polled[i + 1].revents != 0 && !receive(kit, kit->open[i - 1])) {
                end_connection(kit, i - 1);
            }
        }
        if (polled[1].revents != 0) {
            accept_one(kit);
        }
    }
    while (kit->open_count > 0) {
        end_connection(kit, 0);
    }
    return NULL;
}

struct http_kit *http_kit_start(const struct http_kit_response *responses, size_t count)
{
    struct http_kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    kit->responses = responses;
    kit->response_count = count;
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    kit->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(kit->listener >= 0);
    assert_int_equal(bind(kit->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(kit->listener, CONNECTIONS_MAX), 0);
    assert_int_equal(getsockname(kit->listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(kit->url, sizeof kit->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(pipe(kit->stop), 0);
    assert_int_equal(pthread_mutex_init(&kit->lock, NULL), 0);
    assert_int_equal(pthread_create(&kit->thread, NULL, run, kit), 0);
    return kit;
}

void http_kit_stop(struct http_kit *kit)
{
    if (kit == NULL) {
        return;
    }
    (void)close(kit->stop[1]);
    (void)pthread_join(kit->thread, NULL);
    (void)close(kit->stop[0]);
    (void)close(kit->listener);
    for (size_t i = 0; i < kit->request_count; i++) {
        free(kit->request[i].text);
    }
    (void)pthread_mutex_destroy(&kit->lock);
    free(kit);
}

const char *http_kit_url(const struct http_kit *kit)
{
    return kit->url;
}

size_t http_kit_count(struct http_kit *kit)
{
    (void)pthread_mutex_lock(&kit->lock);
    size_t count = kit->request_count;
    (void)pthread_mutex_unlock(&kit->lock);
    return count;
}

const char *http_kit_request(struct http_kit *kit, size_t i)
{
    (void)pthread_mutex_lock(&kit->lock);
    const char *text = i < kit->request_count ? kit->request[i].text : "";
    (void)pthread_mutex_unlock(&kit->lock);
    return text;
}

int http_kit_connection(struct http_kit *kit, size_t i)
{
    (void)pthread_mutex_lock(&kit->lock);
    int number = i < kit->request_count ? kit->request[i].connection : -1;
    (void)pthread_mutex_unlock(&kit->lock);
    return number;
}
