/* jangbud: opens the ledger, serves it, and ends in order. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "gateway.h"
#include "http.h"
#include "lang.h"
#include "log.h"
#include "workers.h"

#define KO(en, ko) {en, ko},
static const struct lang_row rows[] = {
#include "korean_gateway.def"
};
#undef KO

#define SLOW_WORKERS 2U
enum exits { EXIT_WELL = 0, EXIT_USAGE = 2, EXIT_MACHINE = 3 };

/* ---- systemd ---- */

/* What sd_notify does: a datagram to the socket that NOTIFY_SOCKET names. */
static void
notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path) {
        return;
    }
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@') {
        to.sun_path[0] = '\0'; /* an abstract one */
    }
    const socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, n);
        close(fd);
    }
}

/* ---- the ledger ---- */

static jb_status
open_views(struct gateway *g, struct asked *a, int32_t utc_offset_s, struct jb_error *err)
{
    a->ledger = g->ledger;
    a->utc_offset_s = utc_offset_s;
    return jb_views_open(g->ledger, &a->views, err);
}

static jb_status
open_ledger(struct gateway *g, struct jb_error *err)
{
    const struct config *c = g->config;
    struct jb_open_options options = JB_SIZED(struct jb_open_options);
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    options.key_file = c->key_file[0] != '\0' ? c->key_file : NULL;
    options.lock_wait_us = c->lock_wait_us;
    options.lang = config_lang(c);
    jb_status status = jb_open(c->ledger, &options, &g->ledger, err);
    if (status == JB_OK) {
        status = jb_info_get(g->ledger, &info, err);
    }
    if (status == JB_OK) {
        for (size_t i = 0; i < sizeof info.ledger_id; i++) {
            snprintf(g->ledger_id + 2 * i, 3, "%02x", info.ledger_id[i]);
        }
        status = open_views(g, &g->quick, info.utc_offset_s, err);
    }
    return status == JB_OK ? open_views(g, &g->slow, info.utc_offset_s, err) : status;
}

static void
close_ledger(struct gateway *g)
{
    jb_views_close(g->slow.views);
    jb_views_close(g->quick.views);
    jb_close(g->ledger);
}

/* ---- serving ---- */

static bool
start(struct gateway *g, char *bad, size_t bad_n)
{
    g->workers = workers_start(SLOW_WORKERS, (size_t)g->config->slow_queue);
    if (g->workers == NULL) {
        snprintf(bad, bad_n, "%s", tr("the workers could not be started"));
        return false;
    }
    g->http = http_open(g, bad, bad_n);
    return g->http != NULL && http_start(g->http, bad, bad_n);
}

/* In the order in which each still has what it needs. False: something was not over in time, and
 * must not be taken from under it. */
static bool
stop(struct gateway *g)
{
    atomic_store(&g->stopping, true);
    if (g->http != NULL) {
        http_stop_listening(g->http);
    }
    g->workers = workers_end(g->workers);
    if (g->http != NULL && !http_drain(g->http, g->config->stop_us)) {
        return false;
    }
    g->http = http_close(g->http);
    return true;
}

/* The signals that main waits for; every thread has them blocked. */
static sigset_t
block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return set;
}

static void
wait_for_end(const sigset_t *set)
{
    int got = 0;
    while (sigwait(set, &got) != 0 || (got != SIGTERM && got != SIGINT)) {
    }
}

static int
serve(struct gateway *g)
{
    char bad[JB_ERROR_TEXT_BYTES];
    const sigset_t set = block_signals();
    if (!log_start((enum log_what)g->config->log) || !start(g, bad, sizeof bad)) {
        fprintf(stderr, "jangbud: %s\n", bad);
        stop(g);
        log_end();
        return EXIT_MACHINE;
    }
    log_listening(http_address(g->http, false), http_address(g->http, true),
                  strcmp(g->config->unix_path, "none") != 0 ? g->config->unix_path : NULL);
    notify("READY=1");
    wait_for_end(&set);
    notify("STOPPING=1");
    log_event("stopping", NULL);
    const bool stopped = stop(g);
    log_event(stopped ? "stopped" : "not_stopped", NULL);
    log_end();
    if (!stopped) {
        _exit(EXIT_MACHINE); /* requests still use the ledger; it is whole without being closed */
    }
    return EXIT_WELL;
}

static int
run(struct gateway *g)
{
    struct jb_error err;
    if (open_ledger(g, &err) != JB_OK) {
        fprintf(stderr, "jangbud: %s\n", err.text);
        close_ledger(g);
        return EXIT_MACHINE;
    }
    const int result = g->config->check ? EXIT_WELL : serve(g);
    close_ledger(g);
    return result;
}

int
main(int argc, char **argv)
{
    static struct config config;
    struct gateway g = {.config = &config};
    char bad[CONFIG_TEXT_BYTES + 512];
    config_init(&config);
    lang_also(rows, sizeof rows / sizeof rows[0]);
    lang_of_process = JB_LANG_EN;
    const bool read = config_read_flags(&config, argc, argv, bad, sizeof bad);
    lang_of_process = config_lang(&config);
    if (config.help) {
        config_help(stdout);
        return EXIT_WELL;
    }
    if (config.version) {
        printf("jangbud %s\n", JB_VERSION_STRING);
        return EXIT_WELL;
    }
    if (!read || !config_finish(&config, bad, sizeof bad)) {
        fprintf(stderr, "jangbud: %s\n", bad);
        return EXIT_USAGE;
    }
    return run(&g);
}
