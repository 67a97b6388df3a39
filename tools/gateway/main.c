/* jangbud: opens the ledger, serves it, and ends in order. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth.h"
#include "config.h"
#include "feed.h"
#include "example.h"
#include "gateway.h"
#include "heap.h"
#include "html.h"
#include "http.h"
#include "keeper.h"
#include "lang.h"
#include "log.h"
#include "metrics.h"
#include "openapi.h"
#include "places.h"
#include "session.h"
#include "submit.h"
#include "workers.h"

#define KO(en, ko) {en, ko},
static const struct lang_row rows[] = {
#include "korean_gateway.def"
};
#undef KO

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

/* Of a read in a loop, and of each query of one that is tried first; who takes longer begins anew
 * in a slow worker. */
#define BRIEF_US (JB_US_PER_SECOND / 20)

/* Their queries write nothing: the keeper's do. */
static jb_status
open_views(struct gateway *g, struct asked *a, int64_t limit_us, int32_t utc_offset_s,
           struct jb_error *err)
{
    struct jb_views_options options = JB_SIZED(struct jb_views_options);
    options.sync_stores = 1;
    options.limit_us = limit_us;
    a->ledger = g->ledger;
    a->utc_offset_s = utc_offset_s;
    return jb_views_open_with(g->ledger, &options, &a->views, err);
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
        status = jb_views_open(g->ledger, &g->stores, err);
    }
    const int32_t offset = info.utc_offset_s;
    status = status == JB_OK ? open_views(g, &g->quick, BRIEF_US, offset, err) : status;
    status = status == JB_OK ? open_views(g, &g->brief, BRIEF_US, offset, err) : status;
    for (unsigned i = 0; i < SLOW_WORKERS && status == JB_OK; i++) {
        status = open_views(g, &g->slow[i], c->slow_us, offset, err);
    }
    return status;
}

static void
warn(const struct gateway *g, const char *text)
{
    if (g->config->check) {
        fprintf(stderr, tr("jangbud: warning: %s\n"), text);
    } else {
        log_event(LOG_WARNING, text);
    }
}

/* What does not keep it from being served, and should be put right. */
static void
say_warnings(const struct gateway *g)
{
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    if (jb_info_get(g->ledger, &info, NULL) != JB_OK) {
        return;
    }
    if (info.warning != NULL) {
        warn(g, info.warning);
    }
    if (info.sealed) {
        warn(g, info.sealed_why);
    }
    if (info.secret_lost) {
        warn(g, tr("the file `secret` is lost or damaged: repeated keys are answered without a "
                   "comparison of their content; put it back from a backup (one made after "
                   "`people encrypt`, if that was run)"));
    }
    if (info.head_damaged) {
        warn(g, tr("the file HEAD was damaged: whether the log was put back to an older state was "
                   "not looked at"));
    }
}

static void
close_ledger(struct gateway *g)
{
    if (g->stores != NULL) {
        (void)!jb_views_sync(g->stores, true, NULL); /* who opens next has nothing to fold */
    }
    for (unsigned i = 0; i < SLOW_WORKERS; i++) {
        jb_views_close(g->slow[i].views);
    }
    jb_views_close(g->brief.views);
    jb_views_close(g->quick.views);
    jb_views_close(g->stores);
    jb_close(g->ledger);
}

/* ---- serving ---- */

static bool
start(struct gateway *g, char *bad, size_t bad_n)
{
    struct jb_error err;
    g->metrics = metrics_new();
    g->places = places_new(g->config);
    g->openapi = (struct out){.first = true};
    openapi_json(&g->openapi);
    g->pages = pages_new((size_t)g->config->page_sessions, (uint32_t)g->config->page_rate);
    g->auth = auth_open(g->config->tokens, g->config->owner == 0, &err);
    g->submitters = g->auth != NULL ? submitters_start(g, &err) : NULL;
    if (g->submitters == NULL) {
        snprintf(bad, bad_n, "%s", err.text);
        return false;
    }
    g->brief_worker = workers_start("brief", 1, (size_t)g->config->slow_queue);
    g->workers = workers_start("slow", SLOW_WORKERS, (size_t)g->config->slow_queue);
    g->takers = workers_start("bodies", 1, (size_t)g->config->slow_queue);
    g->keeper = g->metrics != NULL ? keeper_start(g) : NULL;
    if (g->brief_worker == NULL || g->workers == NULL || g->takers == NULL || g->keeper == NULL ||
        g->pages == NULL || g->places == NULL || g->openapi.no_memory) {
        snprintf(bad, bad_n, "%s", tr("the workers could not be started"));
        return false;
    }
    g->feed = feed_start(g, &err); /* which tells the keeper what is wrong with it */
    if (g->feed == NULL) {
        snprintf(bad, bad_n, "%s", err.text);
        return false;
    }
    g->http = http_open(g, bad, bad_n);
    return g->http != NULL && http_start(g->http, bad, bad_n);
}

/* What the ledger itself may still take when clients have had their time: a command that waits for
 * the writer lock, a long read that waits for a worker and then goes on. */
static int64_t
ledger_us(const struct config *c)
{
    return c->lock_wait_us > 2 * c->slow_us ? c->lock_wait_us : 2 * c->slow_us;
}

static bool
drained(struct gateway *g)
{
    return http_drain(g->http, g->config->stop_us) || http_drain(g->http, ledger_us(g->config));
}

#define STOP_SPARE_US (5 * JB_US_PER_SECOND) /* to store the projections and to close */

/* However long the settings let a stop take, systemd waits for it: the keeper's look at the writer
 * lock may begin when all else is over. */
static void
notify_stopping(const struct config *c)
{
    char state[80];
    snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
             (long long)(c->stop_us + ledger_us(c) + c->lock_wait_us + STOP_SPARE_US));
    notify(state);
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
    feed_stop(g->feed);
    /* Requests that came before give to the workers and to the queue until they are answered. */
    if (g->http != NULL && !drained(g)) {
        return false;
    }
    g->brief_worker = workers_end(g->brief_worker); /* which gives to those */
    g->workers = workers_end(g->workers);
    g->takers = workers_end(g->takers);
    submitters_end(g->submitters);
    g->http = http_close(g->http);
    g->feed = feed_free(g->feed);
    g->keeper = keeper_end(g->keeper);
    g->pages = pages_free(g->pages);
    g->submitters = submitters_free(g->submitters);
    g->auth = auth_close(g->auth);
    g->metrics = metrics_free(g->metrics);
    free(g->openapi.at);
    places_free(g->places);
    return true;
}

/* Where main reads its signals, which every thread has blocked; -1: there is none. */
static int
block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void
read_tokens(struct gateway *g)
{
    struct jb_error err = {.status = JB_OK};
    const bool read = auth_reload(g->auth, &err) == JB_OK;
    if (read) {
        feed_look_again(g->feed);
    }
    log_event(read ? LOG_TOKENS : LOG_TOKENS_NOT_READ, read ? NULL : err.text);
}

/* Connections are taken here: nothing else is asked of this thread until it is told to end. */
static void
serve_until_told(struct gateway *g, int signals)
{
    struct signalfd_siginfo got = {.ssi_signo = 0};
    while (got.ssi_signo != SIGTERM && got.ssi_signo != SIGINT) {
        http_accept(g->http, signals);
        if (read(signals, &got, sizeof got) == sizeof got && got.ssi_signo == SIGHUP) {
            read_tokens(g);
        }
    }
}

static int
serve(struct gateway *g)
{
    char bad[JB_ERROR_TEXT_BYTES];
    const int signals = block_signals();
    snprintf(bad, sizeof bad, "%s", tr("a thread could not be started"));
    if (signals < 0 || !log_start((enum log_what)g->config->log) || !start(g, bad, sizeof bad)) {
        fprintf(stderr, "jangbud: %s\n", bad);
        stop(g);
        log_end();
        return EXIT_MACHINE;
    }
    log_listening(http_address(g->http, false), http_address(g->http, true),
                  strcmp(g->config->unix_path, "none") != 0 ? g->config->unix_path : NULL);
    say_warnings(g);
    if (g->example) {
        example_print(g->pages, http_address(g->http, false));
    }
    notify("READY=1");
    serve_until_told(g, signals);
    notify_stopping(g->config);
    log_event(LOG_STOPPING, NULL);
    const bool stopped = stop(g);
    log_event(stopped ? LOG_STOPPED : LOG_NOT_STOPPED, NULL);
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
    if ((g->example && example_make(g->config->ledger, &err) != JB_OK) ||
        open_ledger(g, &err) != JB_OK) {
        fprintf(stderr, "jangbud: %s\n", err.text);
        close_ledger(g);
        return EXIT_MACHINE;
    }
    if (g->config->check) {
        say_warnings(g);
    }
    const int result = g->config->check ? EXIT_WELL : serve(g);
    close_ledger(g);
    return result;
}

static int
print_openapi(void)
{
    struct out o = {.first = true};
    openapi_json(&o);
    const bool whole = !o.no_memory && fwrite(o.at, 1, o.n, stdout) == o.n && fflush(stdout) == 0;
    free(o.at);
    return whole ? EXIT_WELL : EXIT_MACHINE;
}

/* `jangbud token ...`: --tokens, or the file of settings that --config names, says where. */
static int
tokens_main(struct config *config, int argc, char **argv)
{
    char bad[CONFIG_TEXT_BYTES + 512];
    char *own[8], *rest[64];
    int own_n = 1, rest_n = 0;
    own[0] = argv[0];
    for (int i = 2; i < argc && rest_n < 64; i++) {
        const bool config_flag = strncmp(argv[i], "--tokens", 8) == 0 ||
                                 strncmp(argv[i], "--config", 8) == 0 ||
                                 strncmp(argv[i], "--lang", 6) == 0;
        if (!config_flag || own_n > 5) {
            rest[rest_n++] = argv[i];
            continue;
        }
        own[own_n++] = argv[i];
        if (strchr(argv[i], '=') == NULL && i + 1 < argc) {
            own[own_n++] = argv[++i];
        }
    }
    if (!config_read_flags(config, own_n, own, bad, sizeof bad)) {
        fprintf(stderr, "jangbud: %s\n", bad);
        return EXIT_USAGE;
    }
    lang_of_process = config_lang(config);
    return token_main(config->tokens, rest_n, rest);
}

int
main(int argc, char **argv)
{
    static struct config config;
    struct gateway g = {.config = &config};
    char bad[CONFIG_TEXT_BYTES + 512];
    heap_begin();
    config_init(&config);
    lang_also(rows, sizeof rows / sizeof rows[0]);
    html_language();
    lang_of_process = JB_LANG_EN;
    if (argc > 1 && strcmp(argv[1], "token") == 0) {
        return tokens_main(&config, argc, argv);
    }
    if (argc == 2 && strcmp(argv[1], "help") == 0) {
        config_help(stdout);
        return EXIT_WELL;
    }
    g.example = example_asked(&config, &argc, argv);
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
    if (config.openapi) {
        return print_openapi();
    }
    if (!read || !config_finish(&config, bad, sizeof bad)) {
        fprintf(stderr, "jangbud: %s\n", bad);
        return EXIT_USAGE;
    }
    return run(&g);
}
