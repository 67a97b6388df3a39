/* The listeners: a Unix socket, and addresses of TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_inner.h"
#include "lang.h"

static bool
said(char *bad, size_t bad_n, const char *what, const char *address, int error)
{
    snprintf(bad, bad_n, tr(what), address, strerror(error));
    return false;
}

static bool
listen_unix(struct listener *l, const char *path, char *bad, size_t bad_n)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path) {
        return said(bad, bad_n, SAID("listen-unix: %s cannot be listened at: %s"), path,
                    ENAMETOOLONG);
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* What a daemon left that was killed is in nobody's way; a living one answers. */
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && probe >= 0 &&
        connect(probe, (struct sockaddr *)&to, sizeof to) != 0 && errno == ECONNREFUSED) {
        unlink(path);
    }
    if (probe >= 0) {
        close(probe);
    }
    /* Not by umask, which is of all threads: nobody's at first, then the group's, a proxy's, too.
     */
    if (l->fd < 0 || fchmod(l->fd, 0600) != 0 ||
        bind(l->fd, (struct sockaddr *)&to, sizeof to) != 0 || chmod(path, 0660) != 0 ||
        listen(l->fd, SOMAXCONN) != 0) {
        const int why = errno;
        if (l->fd >= 0) {
            close(l->fd);
        }
        l->fd = -1; /* what lies there is not ours, and stays */
        return said(bad, bad_n, SAID("listen-unix: %s cannot be listened at: %s"), path, why);
    }
    snprintf(l->address, sizeof l->address, "%.95s", path);
    return true;
}

/* "127.0.0.1:8420", "[::1]:0". */
static bool
split_address(const char *address, char *host, size_t host_n, char *port, size_t port_n)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || colon[1] == '\0') {
        return false;
    }
    size_t n = (size_t)(colon - address);
    const bool brackets = address[0] == '[' && n > 2 && address[n - 1] == ']';
    address += brackets ? 1 : 0;
    n -= brackets ? 2 : 0;
    if (n >= host_n || strlen(colon + 1) >= port_n) {
        return false;
    }
    memcpy(host, address, n);
    host[n] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

static void
note_address(struct listener *l)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[64] = "";
    char port[8] = "";
    if (getsockname(l->fd, (struct sockaddr *)&at, &n) == 0 &&
        getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        const bool six = at.ss_family == AF_INET6;
        snprintf(l->address, sizeof l->address, six ? "[%s]:%s" : "%s:%s", host, port);
    }
}

static bool
listen_tcp(struct listener *l, const char *address, char *bad, size_t bad_n)
{
    char host[256];
    char port[16];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    if (!split_address(address, host, sizeof host, port, sizeof port)) {
        return said(bad, bad_n, SAID("listen: %s cannot be listened at: %s"), address, EINVAL);
    }
    const int looked = getaddrinfo(host, port, &hints, &found);
    if (looked != 0) {
        snprintf(bad, bad_n, tr("listen: %s cannot be listened at: %s"), address,
                 gai_strerror(looked));
        return false;
    }
    const int on = 1;
    l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool bound =
        l->fd >= 0 && setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(l->fd, found->ai_addr, found->ai_addrlen) == 0 && listen(l->fd, SOMAXCONN) == 0;
    const int error = errno;
    freeaddrinfo(found);
    if (!bound) {
        return said(bad, bad_n, SAID("listen: %s cannot be listened at: %s"), address, error);
    }
    note_address(l);
    return true;
}

static bool
wanted(const char *address)
{
    return address[0] != '\0' && strcmp(address, "none") != 0;
}

bool
listen_all(struct http *h, char *bad, size_t bad_n)
{
    const struct config *c = h->config;
    if (!wanted(c->unix_path) && !wanted(c->listen)) {
        snprintf(bad, bad_n, "%s", tr("there is no listener: listen and listen-unix are none"));
        return false;
    }
    return (!wanted(c->unix_path) ||
            listen_unix(&h->listeners[LISTEN_UNIX], c->unix_path, bad, bad_n)) &&
           (!wanted(c->listen) || listen_tcp(&h->listeners[LISTEN_TCP], c->listen, bad, bad_n)) &&
           (!wanted(c->ops_listen) ||
            listen_tcp(&h->listeners[LISTEN_OPERATIONS], c->ops_listen, bad, bad_n));
}

void
close_listeners(struct http *h)
{
    for (int i = 0; i < LISTENERS; i++) {
        if (h->listeners[i].fd >= 0) {
            close(h->listeners[i].fd);
            h->listeners[i].fd = -1;
            if (i == LISTEN_UNIX) {
                unlink(h->config->unix_path);
            }
        }
    }
}
