/* The handle: opening views.mdb, following the log, and storing behind it. */
#include "projections/bulk.h"
#include "projections/page.h"
#include "projections/query.h"

#include "base/clock.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

/* So long a tail is not folded in memory first. */
#define BACKLOG_EVENTS_MIN 400000
#define UNSTORED_US_MAX INT64_C(1000000)
#define LIMIT_US_MAX (3600 * JB_US_PER_SECOND)
/* Map growths that one flush may need. */
#define GROWTHS_MAX 40

/* ---- the time that a query may take ---- */

static _Thread_local struct jb_limit limit;
#define LOOKS 64U /* at what there is to do for one at the clock */

struct jb_limit
jb_limit_set(const struct jb_views *v)
{
    const struct jb_limit before = limit;
    const int64_t us = v != NULL ? v->limit_us : 0;
    if (v == NULL || limit.v != v) {
        limit = (struct jb_limit){v, us, .until = us != 0 ? jb_monotonic_us() + us : 0};
    }
    return before;
}

void
jb_limit_back(const struct jb_limit *before)
{
    limit = *before;
}

static jb_status
over(struct jb_error *err)
{
    return jb_fail(err, JB_E_BUSY,
                   "the query takes longer than the %lld ms that it may; ask for less at a time",
                   (long long)(limit.us / 1000));
}

jb_status
jb_limit_look(struct jb_error *err)
{
    if (limit.us == 0 || ++limit.looks % LOOKS != 0) {
        return JB_OK;
    }
    return jb_monotonic_us() < limit.until ? JB_OK : over(err);
}

#define LOOKED_MIN 1024U
#define ASKED_EACH 16U /* for one look at the clock */

bool
jb_page_is_over(uint32_t looked)
{
    static _Thread_local uint32_t asked;
    if (looked < LOOKED_MIN || looked >= JB_PAGE_EVENTS_MAX || limit.us == 0) {
        return looked >= JB_PAGE_EVENTS_MAX;
    }
    return ++asked % ASKED_EACH == 0 && jb_monotonic_us() >= limit.until - limit.us / 2;
}

/* ---- standing on the store ---- */

static jb_status
rolled_back(struct jb_error *err, const char *dir, jb_seq seq)
{
    jb_status status = jb_fail(err, JB_E_ROLLBACK,
                               "%s/views.mdb includes event %llu of a log that is not this "
                               "one: the log was put back to an older state. "
                               "If that is right: `jangbu rebuild --accept-rollback`",
                               dir, (unsigned long long)seq);
    if (err != NULL) {
        err->at = seq;
    }
    return status;
}

static bool
stands_on(const struct jb_views *v, const struct jb_store_meta *meta)
{
    return v->has_base && meta->seq == v->stored_meta.seq &&
           meta->generation == v->stored_meta.generation &&
           memcmp(meta->chain, v->stored_meta.chain, 16) == 0;
}

/* Stands on what the store has now. The fold of a tail over an older store is thrown away: whoever
 * stored had folded it, too. */
static jb_status
rebase(struct jb_views *v, struct jb_store_txn *t, struct jb_error *err)
{
    struct jb_store_meta meta = t != NULL ? t->meta : (struct jb_store_meta){0};
    if (stands_on(v, &meta)) {
        return JB_OK;
    }
    if (meta.seq > 0) {
        uint8_t chain[16];
        jb_status status = jb_chain_at(v->l, meta.seq, chain, err);
        if (status == JB_E_NOTFOUND || (status == JB_OK && memcmp(chain, meta.chain, 16) != 0)) {
            return rolled_back(err, v->info.dir, meta.seq);
        }
        if (status != JB_OK) {
            return status;
        }
    }
    struct jb_view_global g;
    jb_status status = jb_stored_global(t, &g, err);
    if (status != JB_OK) {
        return status;
    }
    jb_fold_reset(&v->fold, &g);
    v->stored_meta = meta;
    v->has_base = true;
    v->unstored_since_us = 0;
    return JB_OK;
}

/* JB_OK, or JB_END where someone else stored meanwhile: the caller stands on that instead. bulk
 * (may be NULL) has the wallets. */
static jb_status
store_once(struct jb_views *v, struct jb_bulk *bulk, const uint8_t chain[16], struct jb_error *err)
{
    struct jb_store_txn t;
    jb_status status = jb_store_write(v->store, &t, err);
    if (status != JB_OK) {
        return status;
    }
    if (t.meta.seq != v->stored_meta.seq || t.meta.generation != v->stored_meta.generation) {
        jb_store_end(&t);
        return JB_END;
    }
    status = bulk != NULL ? jb_bulk_store(bulk, &v->fold, &t, err)
                          : jb_fold_store(&v->fold, &t, &t, err);
    if (status != JB_OK) {
        jb_store_end(&t);
        return status;
    }
    return jb_store_commit(&t, v->fold.g.seq, chain, err);
}

/* Stores what was folded. Only where a frame ends: a stored number has a chain value. */
static jb_status
store(struct jb_views *v, struct jb_bulk *bulk, struct jb_error *err)
{
    uint8_t chain[16];
    jb_status status = jb_chain_at(v->l, v->fold.g.seq, chain, err);
    for (int i = 0; status == JB_OK && i < GROWTHS_MAX; i++) {
        status = store_once(v, bulk, chain, err);
        if (status != JB_E_FULL || !jb_store_grown(v->store)) {
            break;
        }
        status = JB_OK;
    }
    if (status == JB_OK || status == JB_END) {
        v->has_base = false; /* the next look stands on the store as it is then */
        v->unstored_since_us = 0;
        return JB_OK;
    }
    v->retry_at = v->fold.g.seq + JB_UNSTORED_EVENTS_MAX;
    return status;
}

/* Stores the tail. */
static jb_status
flush(struct jb_views *v, struct jb_error *err)
{
    if (!v->writable || !v->has_base || v->fold.g.seq == v->stored_meta.seq) {
        return JB_OK;
    }
    return store(v, NULL, err);
}

/* A backlog that is long enough to be stored as it is folded. */
static bool
has_backlog(const struct jb_views *v, jb_seq to)
{
    return v->writable && !v->by_event && v->fold.g.seq == v->stored_meta.seq &&
           v->fold.g.seq + 1 >= v->retry_at && to >= v->fold.g.seq + BACKLOG_EVENTS_MIN;
}

/* Folds and stores the next piece of a backlog. What fails here is met again, and told, event by
 * event; want of memory is told at once. */
static jb_status
store_piece(struct jb_views *v, struct jb_bulk *bulk, jb_seq to, struct jb_error *err)
{
    const struct jb_follow how = {.to = to};
    jb_status status = jb_bulk_read(v->l, &v->fold, bulk, &how, err);
    status = status == JB_OK ? store(v, bulk, err) : status;
    v->has_base = false;
    v->by_event |= status == JB_E_CORRUPT || status == JB_E_FORMAT || status == JB_END;
    return status == JB_E_NOMEM || status == JB_E_STALE ? status : JB_OK;
}

/* More than memory is to hold, whoever stores. */
static bool
is_backlog(const struct jb_views *v, jb_seq to)
{
    return to >= v->stored_meta.seq + BACKLOG_EVENTS_MIN;
}

/* Folds up to event `to`, or to the end of a frame when the tail has become long enough to be
 * stored. */
static jb_status
fold_tail(struct jb_views *v, struct jb_store_txn *base, jb_seq to, struct jb_error *err)
{
    const struct jb_follow how = {.to = to,
                                  .bounded = v->writable && v->fold.g.seq + 1 >= v->retry_at &&
                                             (!v->quiet || is_backlog(v, to)),
                                  .stored = v->stored_meta.seq};
    jb_status status = jb_follow(v->l, &v->fold, base, &how, err);
    if (status == JB_END) {
        status = jb_fail(err, JB_E_CORRUPT, "the log ends before event %llu, which it had",
                         (unsigned long long)to);
    }
    if (status != JB_OK) {
        v->has_base = false; /* half an event may be in it */
    } else if (v->unstored_since_us == 0) {
        v->unstored_since_us = jb_monotonic_us();
    }
    return status;
}

/* What is stored cannot be believed, or its file cannot be used: from now on everything is folded
 * from the log, in memory. */
static void
drop_store(struct jb_views *v)
{
    v->store = jb_store_close(v->store);
    v->writable = v->has_base = false;
    v->dropped = true;
}

bool
jb_view_read_again(struct jb_view_read *q, jb_status *status, struct jb_error *err)
{
    struct jb_views *v = q->v;
    if (*status != JB_E_STALE || q->stored == NULL) {
        return false;
    }
    jb_seq seq = v->fold.g.seq;
    jb_store_end(q->stored);
    q->stored = NULL;
    drop_store(v);
    *status = rebase(v, NULL, err);
    *status = *status == JB_OK ? fold_tail(v, NULL, seq, err) : *status;
    return *status == JB_OK;
}

static jb_status
look_with(struct jb_views *v, struct jb_bulk *bulk, jb_seq seq, struct jb_view_read *q,
          struct jb_error *err)
{
    for (;;) {
        jb_status status = v->store != NULL ? jb_store_read(v->store, &q->txn, err) : JB_OK;
        if (status == JB_E_STALE) {
            drop_store(v);
            continue;
        }
        if (status != JB_OK) {
            return status;
        }
        q->stored = v->store != NULL ? &q->txn : NULL;
        status = rebase(v, q->stored, err);
        if (status == JB_OK && has_backlog(v, seq)) {
            if (q->stored != NULL) {
                jb_store_end(q->stored);
            }
            status = store_piece(v, bulk, seq, err);
            if (status == JB_OK) {
                continue;
            }
        }
        if (status == JB_OK && v->fold.g.seq < seq) {
            status = fold_tail(v, q->stored, seq, err);
        }
        if (status == JB_OK && v->fold.g.seq >= seq) {
            return JB_OK;
        }
        if (q->stored != NULL) {
            jb_store_end(q->stored);
        }
        if (status == JB_E_STALE && v->store != NULL) {
            drop_store(v);
            continue;
        }
        if (status != JB_OK) {
            return status;
        }
        jb_status ignored =
            flush(v, NULL); /* a store that refuses does not keep a question from being answered */
        (void)ignored;
    }
}

static jb_status
look(struct jb_views *v, jb_seq seq, struct jb_view_read *q, struct jb_error *err)
{
    struct jb_bulk bulk = {.first = 0};
    jb_status status = look_with(v, &bulk, seq, q, err);
    jb_bulk_free(&bulk);
    return status;
}

jb_status
jb_view_read_begin(struct jb_views *v, jb_seq seq, struct jb_view_read *ret, struct jb_error *err)
{
    if (seq == 0) {
        struct jb_head head = JB_SIZED(struct jb_head);
        jb_status status = jb_head_get(v->l, &head, err);
        if (status != JB_OK) {
            return status;
        }
        seq = head.seq;
    }
    *ret = (struct jb_view_read){.v = v, .fold = &v->fold};
    jb_status status =
        limit.us != 0 ? jb_query_lock_within(v->l, &v->lock, limit.until - jb_monotonic_us(), err)
                      : jb_query_lock(v->l, &v->lock, err);
    if (status != JB_OK) {
        return status == JB_END ? over(err) : status;
    }
    status = look(v, seq, ret, err);
    if (status != JB_OK) {
        pthread_mutex_unlock(&v->lock);
    }
    return status;
}

/* Whether what is not stored is to be. */
static bool
is_due(const struct jb_views *v)
{
    jb_seq unstored = v->fold.g.seq - v->stored_meta.seq;
    bool due =
        unstored > JB_UNSTORED_EVENTS_MAX ||
        (v->unstored_since_us != 0 && jb_monotonic_us() - v->unstored_since_us > UNSTORED_US_MAX);
    return unstored > 0 && due && v->fold.g.seq >= v->retry_at;
}

void
jb_view_read_end(struct jb_view_read *q)
{
    struct jb_views *v = q->v;
    q->cursor = jb_cursor_close(q->cursor);
    if (q->stored != NULL) {
        jb_store_end(q->stored);
    }
    if (!v->quiet && is_due(v)) {
        jb_status ignored = flush(v, NULL); /* tried again later; nothing is lost */
        (void)ignored;
    }
    pthread_mutex_unlock(&v->lock);
}

/* ---- opening ---- */

static jb_status
open_store(struct jb_views *v, struct jb_error *err)
{
    bool remade;
    jb_status status = JB_E_READONLY;
    if (!v->info.read_only) {
        status = jb_store_open(v->info.dir, &jb_views_schema, v->info.ledger_id, false, &v->store,
                               &remade, err);
        v->writable = status == JB_OK;
    }
    if (jb_store_dispensable(status)) {
        v->store = NULL;
        return JB_OK;
    }
    if (status == JB_E_READONLY) {
        status = jb_store_open(v->info.dir, &jb_views_schema, v->info.ledger_id, true, &v->store,
                               &remade, err);
        if (status == JB_E_NOTFOUND || jb_store_dispensable(status) || status == JB_E_READONLY) {
            /* What cannot be made anew here is left aside: the log has everything. */
            v->store = NULL;
            status = JB_OK;
        }
    }
    return status;
}

/* No event is folded yet; a store that is ahead of the log shows here. */
static jb_status
begin(struct jb_views *v, struct jb_error *err)
{
    struct jb_store_txn t = {0};
    jb_status status = v->store != NULL ? jb_store_read(v->store, &t, err) : JB_OK;
    if (status == JB_OK) {
        status = rebase(v, v->store != NULL ? &t : NULL, err);
        jb_store_end(&t);
    }
    return status;
}

static jb_status
read_options(const struct jb_views_options *given, struct jb_views_options *o, struct jb_error *err)
{
    *o = (struct jb_views_options){.size = sizeof *o};
    jb_status status =
        given != NULL ? jb_abi_in(o, sizeof *o, given, "struct jb_views_options", err) : JB_OK;
    if (status == JB_OK) {
        status = jb_abi_reserved(o->reserved, sizeof o->reserved, "struct jb_views_options", err);
    }
    if (status == JB_OK && (o->limit_us < 0 || o->limit_us > LIMIT_US_MAX)) {
        status = jb_fail(err, JB_E_USAGE, "limit_us: from 0 to an hour");
    }
    return status;
}

jb_status
jb_views_open(jb_ledger *l, jb_views **ret, struct jb_error *err)
{
    JB_SPEAK(jb_lang_of(l));
    return jb_views_open_with(l, NULL, ret, err);
}

jb_status
jb_views_open_with(jb_ledger *l, const struct jb_views_options *options, jb_views **ret,
                   struct jb_error *err)
{
    JB_SPEAK(jb_lang_of(l));
    struct jb_views_options o;
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_views_open");
    }
    jb_status asked = read_options(options, &o, err);
    if (asked != JB_OK) {
        return asked;
    }
    struct jb_views *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the projections");
    }
    v->l = l;
    v->lang = jb_lang_of(l);
    v->quiet = o.sync_stores != 0;
    v->limit_us = o.limit_us;
    jb_ledger_hold(l);
    v->info = (struct jb_ledger_info)JB_SIZED(struct jb_ledger_info);
    jb_status status = jb_info_get(l, &v->info, err);
    jb_fold_init(&v->fold, v->info.utc_offset_s);
    jb_query_lock_init(&v->lock);
    pthread_mutex_init(&v->taken_lock, NULL);
    status = status == JB_OK ? jb_query_lock(l, &v->lock, err) : status; /* not behind a fork */
    if (status == JB_OK) {
        pthread_mutex_unlock(&v->lock);
        status = open_store(v, err);
    }
    status = status == JB_OK ? begin(v, err) : status;
    if (status == JB_E_STALE && v->store != NULL) {
        /* Found to be damaged at once: who is alone makes it anew. */
        drop_store(v);
        status = open_store(v, err);
        status = status == JB_OK ? begin(v, err) : status;
        if (status == JB_E_STALE && v->store != NULL) {
            drop_store(v); /* others have it open, or it is not ours to write */
            status = begin(v, err);
        }
    }
    if (status != JB_OK) {
        v->has_base = false;
        jb_views_close(v);
        return status;
    }
    *ret = v;
    return JB_OK;
}

/* It was dropped on the way: where nobody else has it open it is made anew. */
static void
make_store_again(struct jb_views *v)
{
    struct jb_view_read q;
    if (open_store(v, NULL) == JB_OK && v->store != NULL && begin(v, NULL) == JB_OK &&
        jb_view_read_begin(v, 0, &q, NULL) == JB_OK) {
        jb_view_read_end(&q);
    }
}

jb_views *
jb_views_close(jb_views *v)
{
    if (v != NULL) {
        if (flush(v, NULL) == JB_E_STALE && v->store != NULL) {
            drop_store(v);
        }
        if (v->dropped && !v->info.read_only) {
            make_store_again(v);
            (void)!flush(v, NULL); /* what is not stored now is folded by the next who looks */
        }
        jb_fold_free(&v->fold);
        jb_store_close(v->store);
        pthread_mutex_destroy(&v->lock);
        pthread_mutex_destroy(&v->taken_lock);
        jb_taken_back_free(v->taken);
        for (unsigned i = 0; i < JB_FEEDS_KEPT; i++) {
            jb_feed_wallets_free(v->feeds[i]);
        }
        jb_ledger_let_go(v->l);
        free(v);
    }
    return NULL;
}

jb_status
jb_views_sync(jb_views *v, bool now, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    if (v == NULL) {
        return jb_fail_null(err, "jb_views_sync");
    }
    struct jb_view_read q;
    jb_status status = jb_view_read_begin(v, 0, &q, err);
    if (status != JB_OK) {
        return status;
    }
    if (now || (v->quiet && is_due(v))) {
        if (q.stored != NULL) {
            jb_store_end(q.stored);
        }
        const jb_status stored = flush(v, err);
        status = now ? stored : JB_OK; /* else it is tried again later, and nothing is lost */
    }
    jb_view_read_end(&q);
    return status;
}

/* Where a look would begin to fold. JB_E_STALE: it would have to begin anew. */
static jb_status
fold_begin(struct jb_views *v, jb_seq *ret, struct jb_error *err)
{
    struct jb_store_txn t = {0};
    jb_status status = v->store != NULL ? jb_store_read(v->store, &t, err) : JB_OK;
    if (status == JB_OK) {
        *ret = stands_on(v, &t.meta) ? v->fold.g.seq : t.meta.seq;
        jb_store_end(&t);
    }
    return status;
}

static jb_status
not_ready(struct jb_error *err)
{
    return jb_fail(err, JB_E_BUSY, "a query would have to wait, or to fold much first");
}

#define READY_US 200

jb_status
jb_views_ready(jb_views *v, uint64_t events, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    struct jb_head head = JB_SIZED(struct jb_head);
    jb_seq begin = 0;
    if (v == NULL) {
        return jb_fail_null(err, "jb_views_ready");
    }
    jb_status status = jb_head_get(v->l, &head, err);
    if (status == JB_OK) {
        status = jb_reader_near(v->l, head.seq, events, READY_US, err);
    }
    if (status == JB_OK) {
        status = jb_query_lock_within(v->l, &v->lock, READY_US, err);
    }
    if (status != JB_OK) {
        return status == JB_END ? not_ready(err) : status;
    }
    status = fold_begin(v, &begin, err);
    pthread_mutex_unlock(&v->lock);
    return status == JB_OK && begin + events >= head.seq ? JB_OK
           : status == JB_OK || status == JB_E_STALE     ? not_ready(err)
                                                         : status;
}

jb_status
jb_views_stat_get(jb_views *v, struct jb_views_stat *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_views_stat_get");
    }
    struct jb_views_stat full = {.size = sizeof full, .version = JB_VIEWS_VERSION};
    jb_status status = jb_query_lock(v->l, &v->lock, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_store_txn t = {0};
    status = v->store != NULL ? jb_store_read(v->store, &t, err) : JB_OK;
    if (status == JB_E_STALE) {
        drop_store(v);
        status = JB_OK;
    }
    if (status == JB_OK && v->store != NULL) {
        full.stored_seq = t.meta.seq;
        full.rows = t.meta.rows[JB_VT_ROWS];
        jb_store_end(&t);
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/" JB_VIEWS_FILE, v->info.dir);
        full.file_bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    }
    pthread_mutex_unlock(&v->lock);
    return status == JB_OK ? jb_abi_out(ret, &full, sizeof full, err) : status;
}
