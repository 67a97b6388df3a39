/*
 * The connections: who they are, how many there may be, and how long each may take. libmicrohttpd's
 * time-outs are of inactivity: who sends a byte now and then is cut here.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "http_inner.h"

#define LOOK_MS 100 /* between looks at deadlines */

void
phase(struct conn *c, enum phase p)
{
    atomic_store(&c->since, now_us());
    atomic_store(&c->phase, (int)p);
}

void
loop_wake(struct loop *l)
{
    const uint64_t one = 1;
    if (!atomic_exchange(&l->woken, true)) {
        (void)!write(l->wake, &one, sizeof one);
    }
}

/* Under the lock. */
static void
conn_unlink(struct http *h, struct conn *c)
{
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        h->first = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    if (h->by_fd[c->fd] == c) {
        h->by_fd[c->fd] = NULL;
    }
    h->conns--;
}

void
conn_drop(struct http *h, struct conn *c)
{
    pthread_mutex_lock(&h->lock);
    conn_unlink(h, c);
    pthread_mutex_unlock(&h->lock);
    free(c);
}

void
conn_lost(struct http *h, int fd, struct conn *c)
{
    pthread_mutex_lock(&h->lock);
    const bool there = h->by_fd[fd] == c;
    if (there) {
        conn_unlink(h, c);
    }
    pthread_mutex_unlock(&h->lock);
    if (there) {
        free(c);
    }
}

/* Under the lock: how many connections the address has. */
static unsigned
of_address(const struct http *h, const struct in6_addr *address)
{
    unsigned n = 0;
    for (const struct conn *c = h->first; c != NULL; c = c->next) {
        n += c->from == LISTEN_TCP && memcmp(&c->address, address, sizeof *address) == 0 ? 1 : 0;
    }
    return n;
}

/* Lists the connection; false: there are too many. */
static bool
conn_list(struct http *h, struct conn *c)
{
    const struct config *config = h->config;
    pthread_mutex_lock(&h->lock);
    const unsigned more = c->from == LISTEN_OPERATIONS ? OPERATIONS_MORE : 0;
    bool room = (size_t)c->fd < h->by_fd_n && h->conns < config->connections + more;
    if (room && c->from == LISTEN_TCP && config->per_address > 0) {
        room = of_address(h, &c->address) < config->per_address;
    }
    if (room) {
        struct conn *stale = h->by_fd[c->fd];
        if (stale != NULL) { /* it was given to a loop that could not take it */
            conn_unlink(h, stale);
            free(stale);
        }
        h->by_fd[c->fd] = c;
        c->next = h->first;
        if (h->first != NULL) {
            h->first->prev = c;
        }
        h->first = c;
        h->conns++;
    }
    pthread_mutex_unlock(&h->lock);
    return room;
}

static void
turn_away(int fd)
{
    static const char full[] =
        WIRE("HTTP/1.1 503 Service Unavailable\r\n"
             "Content-Type: application/problem+json\r\nContent-Length: 117\r\n"
             "Retry-After: 1\r\nConnection: close\r\n\r\n"
             "{\"type\":\"https://jangbu.invalid/codes/CONNECTIONS\","
             "\"title\":\"too many connections\",\"status\":503,"
             "\"code\":\"CONNECTIONS\"}\n");
    (void)!send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    close(fd);
}

static void
address_of(struct conn *c, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET6) {
        c->address = ((const struct sockaddr_in6 *)from)->sin6_addr;
    } else if (from->ss_family == AF_INET) {
        memcpy(c->address.s6_addr + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    }
}

static void
admit(struct http *h, enum listener_kind kind, int fd, const struct sockaddr_storage *from)
{
    struct conn *c = calloc(1, sizeof *c);
    if (c == NULL) {
        turn_away(fd);
        return;
    }
    c->http = h;
    c->fd = fd;
    c->from = kind;
    c->uid = UINT32_MAX;
    phase(c, PHASE_PENDING);
    address_of(c, from);
    if (kind == LISTEN_UNIX) {
        struct ucred peer;
        socklen_t n = sizeof peer;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0) {
            c->uid = peer.uid;
        }
    } else {
        const int on = 1;
        (void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (!conn_list(h, c)) {
        free(c);
        turn_away(fd);
        return;
    }
    struct loop *l = &h->loops[h->turn++ % LOOPS];
    c->loop = l;
    pthread_mutex_lock(&l->lock);
    c->arrives = l->arriving;
    l->arriving = c;
    pthread_mutex_unlock(&l->lock);
    loop_wake(l); /* c may be gone already */
}

static void
accept_one(struct http *h, enum listener_kind kind)
{
    struct sockaddr_storage from;
    memset(&from, 0, sizeof from);
    socklen_t n = sizeof from;
    const int fd =
        accept4(h->listeners[kind].fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        admit(h, kind, fd, &from);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        const struct timespec rest = {.tv_nsec = 50000000}; /* until some have ended */
        nanosleep(&rest, NULL);
    }
}

/* How long a connection may be in a phase; 0: for ever. */
static int64_t
allowed(const struct config *c, int p)
{
    switch ((enum phase)p) {
    case PHASE_NEW:
    case PHASE_HEAD:
        return c->head_us;
    case PHASE_BODY:
        return c->body_us;
    case PHASE_ANSWER:
        return c->answer_us;
    case PHASE_IDLE:
        return c->idle_us;
    case PHASE_PENDING:
    case PHASE_BUSY:
    case PHASE_STREAM:
        break;
    }
    return 0;
}

void
look_at_deadlines(struct http *h)
{
    const int64_t now = now_us();
    if (now - h->looked_us < LOOK_MS * 1000) {
        return;
    }
    h->looked_us = now;
    pthread_mutex_lock(&h->lock);
    for (struct conn *c = h->first; c != NULL; c = c->next) {
        const int p = atomic_load(&c->phase);
        const int64_t most = allowed(h->config, p);
        if (most > 0 && now - atomic_load(&c->since) > most) {
            shutdown(c->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&h->lock);
}

void
http_accept(struct http *h, int until)
{
    struct pollfd fds[LISTENERS + 1];
    for (int i = 0; i < LISTENERS; i++) {
        fds[i] = (struct pollfd){.fd = h->listeners[i].fd, .events = POLLIN};
    }
    fds[LISTENERS] = (struct pollfd){.fd = until, .events = POLLIN};
    while (fds[LISTENERS].revents == 0) {
        if (poll(fds, LISTENERS + 1, LOOK_MS) < 0 && errno != EINTR) {
            break;
        }
        look_at_deadlines(h);
        for (int i = 0; i < LISTENERS; i++) {
            if (fds[i].fd >= 0 && fds[i].revents != 0) {
                accept_one(h, (enum listener_kind)i);
            }
        }
    }
}

void
end_resting(struct http *h)
{
    for (struct conn *c = h->first; c != NULL; c = c->next) {
        const int p = atomic_load(&c->phase);
        if (p == PHASE_NEW || p == PHASE_IDLE) {
            shutdown(c->fd, SHUT_RDWR);
        }
        if (c->stream != NULL) {
            exchange_wake(&c->stream->x);
        }
    }
}

/* Those who do not take their answers; what the ledger is still asked is not to be had that way. */
void
cut_answers(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    for (struct conn *c = h->first; c != NULL; c = c->next) {
        const int p = atomic_load(&c->phase);
        if (p == PHASE_ANSWER || p == PHASE_STREAM) {
            shutdown(c->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&h->lock);
}

bool
under_way(struct http *h)
{
    bool any = atomic_load(&h->busy) > 0;
    pthread_mutex_lock(&h->lock);
    for (const struct conn *c = h->first; c != NULL && !any; c = c->next) {
        const int p = atomic_load(&c->phase);
        any = p == PHASE_BUSY || p == PHASE_ANSWER || p == PHASE_STREAM;
    }
    pthread_mutex_unlock(&h->lock);
    return any;
}

unsigned
http_connections(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    const unsigned n = h->conns;
    pthread_mutex_unlock(&h->lock);
    return n;
}
