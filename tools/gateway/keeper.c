#include "keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "config.h"
#include "gateway.h"
#include "heap.h"
#include "lang.h"
#include "log.h"
#include "metrics.h"
#include "submit.h"

#define SECOND INT64_C(1000000)
#define LOCK_US SECOND /* in which the writer lock has to be had */
#define HEAP_US (60 * SECOND)

enum trouble {
    TROUBLE_STARTING, /* nothing was looked at yet */
    TROUBLE_LEDGER,   /* what the ledger says when it is asked to decide something */
    TROUBLE_LOCK,     /* the writer lock is with somebody else */
    TROUBLE_VIEWS,
    TROUBLE_LAG,
    TROUBLE_DISK,
    TROUBLE_ROLLED_BACK,
    TROUBLE_FEED, /* the log cannot be read for those who follow it */
    /* Those from here on are asked for when somebody wants to know. */
    TROUBLE_BROKEN,
    TROUBLE_WRITES,
    TROUBLE_STOPPING,
    TROUBLES
};

static const char *const words[TROUBLES] = {
    [TROUBLE_STARTING] = "starting", [TROUBLE_LEDGER] = "ledger",
    [TROUBLE_LOCK] = "writer_lock",  [TROUBLE_VIEWS] = "projections",
    [TROUBLE_LAG] = "lag",           [TROUBLE_DISK] = "disk",
    [TROUBLE_FEED] = "feed",         [TROUBLE_ROLLED_BACK] = "rolled_back",
    [TROUBLE_BROKEN] = "broken",     [TROUBLE_WRITES] = "writes",
    [TROUBLE_STOPPING] = "stopping"};

struct state {
    bool now[TROUBLES];
    char why[TROUBLES][JB_ERROR_TEXT_BYTES];
};

struct keeper {
    struct gateway *g;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t end;
    bool ending;
    struct state state;
    int64_t probe_due; /* from when on the ledger owes a decision: it is asked, or was to be */
};

static int64_t
now_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

/* Waits; true: it is to end. */
static bool
rest(struct keeper *k, int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(us / SECOND);
    until.tv_nsec += (long)(us % SECOND * 1000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&k->lock);
    while (!k->ending && pthread_cond_timedwait(&k->end, &k->lock, &until) == 0) {
    }
    const bool ending = k->ending;
    pthread_mutex_unlock(&k->lock);
    return ending;
}

/* why NULL: all is well. The log has a line when that changes. */
static void
note(struct keeper *k, enum trouble t, const char *why)
{
    pthread_mutex_lock(&k->lock);
    const bool before = k->state.now[t];
    k->state.now[t] = why != NULL;
    snprintf(k->state.why[t], sizeof k->state.why[t], "%s", why != NULL ? why : "");
    pthread_mutex_unlock(&k->lock);
    if (why != NULL && !before) {
        log_trouble(words[t], why);
    } else if (why == NULL && before) {
        log_trouble(words[t], NULL);
    }
}

void
keeper_feed(struct keeper *k, const char *why)
{
    note(k, TROUBLE_FEED, why);
}

/* ---- the writer lock ---- */

/* A command that the rules refuse, tried and not carried out: it takes the way of all others, and
 * leaves nothing. A submitter does it. */
static void
probe(void *data, jb_answers *answers)
{
    struct keeper *k = data;
    struct jb_command c = JB_SIZED(struct jb_command);
    struct jb_submit_options options = JB_SIZED(struct jb_submit_options);
    struct jb_error err;
    c.op = JB_OP_WALLET_OFF;
    c.has = JB_HAS(JB_CF_WALLET);
    c.wallet = (struct jb_text){"jangbud", 7};
    options.dry_run = 1;
    const jb_status status = jb_submit(k->g->ledger, &c, 1, &options, answers, NULL, &err);
    pthread_mutex_lock(&k->lock);
    k->probe_due = now_us(CLOCK_MONOTONIC) + SECOND;
    pthread_mutex_unlock(&k->lock);
    const struct jb_answer *a = status == JB_OK ? jb_answers_at(answers, 0) : NULL;
    const bool clock =
        a != NULL && (a->code == JB_CODE_CLOCK_BEHIND || a->code == JB_CODE_CLOCK_AHEAD);
    note(k, TROUBLE_LOCK, status == JB_E_BUSY ? err.text : NULL);
    struct jb_error broken;
    const bool ended = submit_broken(k->g->submitters, &broken) != JB_OK;
    note(k, TROUBLE_LEDGER,
         ended                                    ? broken.text
         : status != JB_OK && status != JB_E_BUSY ? err.text
         : clock                                  ? jb_answer_message(a)
                                                  : NULL);
}

/* ---- stores, disk ---- */

static int64_t
disk_free(const struct gateway *g)
{
    struct statvfs s;
    if (statvfs(g->config->ledger, &s) != 0) {
        return -1;
    }
    return (int64_t)s.f_bavail * (int64_t)s.f_frsize;
}

static int64_t
audited_at(const struct gateway *g)
{
    struct stat s;
    return g->config->audit_file[0] != '\0' && stat(g->config->audit_file, &s) == 0
               ? (int64_t)s.st_mtime
               : -1;
}

/* Days that are over by the wall clock, and open. */
static int64_t
days_overdue(const struct jb_ledger_stat *s, int32_t utc_offset_s)
{
    const int64_t local = now_us(CLOCK_REALTIME) + utc_offset_s * SECOND;
    const int64_t today = local / JB_US_PER_DAY;
    return s->open_day == JB_NO_DAY || today <= s->open_day ? 0 : today - s->open_day;
}

static int64_t
behind(jb_seq end, jb_seq stored)
{
    return end > stored ? (int64_t)(end - stored) : 0;
}

static jb_status
measure(struct keeper *k, struct gauges *ret, struct jb_error *err)
{
    struct gateway *g = k->g;
    struct jb_ledger_stat s = JB_SIZED(struct jb_ledger_stat);
    struct jb_views_stat v = JB_SIZED(struct jb_views_stat);
    jb_status status = jb_ledger_stat_get(g->ledger, &s, err);
    if (status == JB_OK) {
        status = jb_views_stat_get(g->quick.views, &v, err);
    }
    if (status == JB_OK) {
        *ret = (struct gauges){.log_events = (int64_t)s.events,
                               .log_bytes = (int64_t)s.log_bytes,
                               .state_lag = behind(s.events, s.stored_seq),
                               .views_lag = behind(s.events, v.stored_seq),
                               .days_overdue = days_overdue(&s, g->quick.utc_offset_s),
                               .wallets = s.wallets,
                               .disk_free = disk_free(g),
                               .audited_at = audited_at(g)};
    }
    return status;
}

static void
look(struct keeper *k)
{
    const struct config *c = k->g->config;
    struct gauges found;
    struct jb_error err;
    char why[JB_ERROR_TEXT_BYTES];
    const jb_status status = measure(k, &found, &err);
    if (status != JB_OK) {
        note(k, TROUBLE_VIEWS, err.text);
        return;
    }
    metrics_gauges(k->g->metrics, &found);
    const bool low = found.disk_free >= 0 && found.disk_free < c->disk_bytes;
    snprintf(why, sizeof why, tr("%lld bytes are free on the disk of the ledger"),
             (long long)found.disk_free);
    note(k, TROUBLE_DISK, low ? why : NULL);
    const int64_t lag = found.state_lag > found.views_lag ? found.state_lag : found.views_lag;
    snprintf(why, sizeof why, tr("%lld events are not stored yet"), (long long)lag);
    note(k, TROUBLE_LAG, lag > c->lag_events ? why : NULL);
}

static void
keep(struct keeper *k)
{
    struct jb_error err;
    const jb_status status = jb_views_sync(k->g->stores, false, &err);
    note(k, TROUBLE_VIEWS, status != JB_OK ? err.text : NULL);
    if (status == JB_OK) {
        look(k);
    }
    note(k, TROUBLE_STARTING, NULL);
}

static void *
keep_all(void *data)
{
    struct keeper *k = data;
    pthread_setname_np(pthread_self(), "keeper");
    lang_of_call = config_lang(k->g->config);
    int64_t heap_us = now_us(CLOCK_MONOTONIC);
    do {
        keep(k);
        if (now_us(CLOCK_MONOTONIC) - heap_us >= HEAP_US) {
            heap_give_back();
            heap_us = now_us(CLOCK_MONOTONIC);
        }
    } while (!rest(k, k->g->config->sync_us));
    return NULL;
}

/* ---- whether it is ready ---- */

static void
reason(struct out *o, const char *word, const char *why)
{
    js_open(o, NULL, '{');
    js_str(o, "reason", word);
    js_sentence(o, "message", why);
    js_close(o, '}');
}

static void
say(struct state *s, enum trouble t, const char *why)
{
    s->now[t] = true;
    snprintf(s->why[t], sizeof s->why[t], "%s", why);
}

static struct state
state_now(struct keeper *k)
{
    struct jb_error err;
    pthread_mutex_lock(&k->lock);
    struct state s = k->state;
    const int64_t due = k->probe_due;
    pthread_mutex_unlock(&k->lock);
    if (now_us(CLOCK_MONOTONIC) - due > LOCK_US && !s.now[TROUBLE_LOCK]) {
        say(&s, TROUBLE_LOCK, tr("the ledger has not decided anything for a second"));
    }
    if (submit_broken(k->g->submitters, &err) != JB_OK) {
        say(&s, TROUBLE_BROKEN, err.text);
    }
    if (submit_failing(k->g->submitters, &err) != JB_OK) {
        say(&s, TROUBLE_WRITES, err.text);
    }
    if (atomic_load(&k->g->stopping)) {
        say(&s, TROUBLE_STOPPING, tr("the daemon is being stopped; try again"));
    }
    return s;
}

bool
keeper_ready(struct keeper *k, struct out *o)
{
    struct out reasons = {.first = true, .hidden = o->hidden};
    const struct state s = state_now(k);
    bool ready = true;
    for (int i = 0; i < TROUBLES; i++) {
        if (s.now[i]) {
            ready = false;
            reason(&reasons, words[i], s.why[i]);
        }
    }
    js_open(o, NULL, '{');
    js_bool(o, "ready", ready);
    js_open(o, "reasons", '[');
    out_bytes(o, reasons.at, reasons.n);
    js_close(o, ']');
    js_close(o, '}');
    js_line_end(o);
    o->no_memory = o->no_memory || reasons.no_memory;
    free(reasons.at);
    return ready;
}

bool
keeper_stores(struct keeper *k)
{
    return !state_now(k).now[TROUBLE_VIEWS];
}

unsigned
keeper_troubles(struct keeper *k)
{
    const struct state s = state_now(k);
    unsigned bits = 0;
    for (unsigned i = 0; i < TROUBLES; i++) {
        bits |= s.now[i] ? 1U << i : 0;
    }
    return bits;
}

const char *
keeper_word(unsigned i)
{
    return i < TROUBLES ? words[i] : NULL;
}

/* ---- begin, end ---- */

static void
init(struct keeper *k)
{
    pthread_condattr_t attributes;
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&k->end, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&k->lock, NULL);
    k->probe_due = now_us(CLOCK_MONOTONIC);
    k->state.now[TROUBLE_STARTING] = true;
    snprintf(k->state.why[TROUBLE_STARTING], sizeof k->state.why[0], "%s",
             tr("nothing was looked at yet"));
    if (jb_info_get(k->g->ledger, &info, NULL) == JB_OK && info.rolled_back) {
        note(k, TROUBLE_ROLLED_BACK, tr("the log was put back to an older state"));
    }
}

struct keeper *
keeper_start(struct gateway *g)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return NULL;
    }
    k->g = g;
    init(k);
    if (pthread_create(&k->thread, NULL, keep_all, k) != 0) {
        pthread_mutex_destroy(&k->lock);
        pthread_cond_destroy(&k->end);
        free(k);
        return NULL;
    }
    submit_probe(g->submitters, probe, k);
    return k;
}

struct keeper *
keeper_end(struct keeper *k)
{
    if (k == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&k->lock);
    k->ending = true;
    pthread_cond_broadcast(&k->end);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->end);
    free(k);
    return NULL;
}
