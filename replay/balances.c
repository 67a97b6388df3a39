/*
 * Balances from the log alone, its chain verified: as much of a replay as figures need. Nearly all
 * events are consumptions out of one lot, and of these only the numbers are read; every other event
 * is decoded, and goes by what the projections' fold says that it moves.
 */
#include <jangbu/replay.h>

#include "base/error.h"
#include "event/plain.h"
#include "ledger/requires.h"
#include "log/log.h"
#include "projections/wallet_summary.h"
#include "storage/lmdb_env.h"

struct tally {
    jb_seq version; /* the wallet's last event */
    jb_amount paid, free, dormant;
};

struct replay {
    struct jb_replay_options o;
    struct jb_log_identity identity;
    struct jb_event_space space;
    JB_VEC(struct tally) wallets; /* by number - 1 */
    uint8_t chain[JB_CHAIN_BYTES];
    jb_seq next;
    uint64_t frames, frames_n;
};

static jb_status
contradiction(struct jb_error *err, jb_seq seq, const char *why)
{
    jb_status status =
        jb_fail(err, JB_E_CORRUPT, "event %llu: %s. The log contradicts itself: run `jangbu audit`",
                (unsigned long long)seq, jb_tr(why));
    if (err != NULL) {
        err->at = seq;
    }
    return status;
}

/* ---- the usual event ---- */

/* Applies it, if it is one and nothing is wrong with it. Returns its bytes; else 0. */
static inline size_t
plain_consumption(struct replay *r, const uint8_t *bytes, size_t n, jb_seq seq)
{
    struct jb_plain_form f;
    const size_t taken = jb_plain_read(bytes, n, seq, &f);
    if (taken == 0 || f.wallet > r->wallets.n) {
        return 0;
    }
    struct tally *w = &r->wallets.at[f.wallet - 1];
    jb_amount paid;
    if (seq - f.back != w->version || __builtin_sub_overflow(w->paid, (jb_amount)f.amount, &paid)) {
        return 0;
    }
    w->paid = paid;
    w->version = seq;
    return taken;
}

/* ---- every event ---- */

static jb_status
apply(struct replay *r, const struct jb_event *e, struct jb_error *err)
{
    if (e->wallet == 0) {
        return JB_OK;
    }
    if (e->type == JB_EV_WALLET_CREATED && e->wallet == r->wallets.n + 1) {
        if (!jb_vec_reserve(&r->wallets, r->wallets.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
        }
        r->wallets.at[r->wallets.n++] = (struct tally){0};
    }
    struct tally *w = e->wallet <= r->wallets.n ? &r->wallets.at[e->wallet - 1] : NULL;
    if (w == NULL || (w->version == 0) != (e->type == JB_EV_WALLET_CREATED)) {
        return contradiction(err, e->seq,
                             "a wallet does not begin with its creation, or begins twice");
    }
    struct jb_move m;
    const char *why = e->prev == w->version ? jb_move_of(e, &m)
                                            : "an event does not name its wallet's event before it";
    if (why != NULL) {
        return contradiction(err, e->seq, why);
    }
    if (__builtin_add_overflow(w->paid, m.paid, &w->paid) ||
        __builtin_add_overflow(w->free, m.free, &w->free) ||
        __builtin_add_overflow(w->dormant, m.dormant, &w->dormant)) {
        return contradiction(err, e->seq, "an amount is out of range");
    }
    w->version = e->seq;
    return JB_OK;
}

static jb_status
not_decoded(const struct jb_frame *f, jb_seq seq, size_t at, const struct jb_decode_failure *why,
            struct jb_error *err)
{
    if (why->no_memory) {
        return jb_fail(err, JB_E_NOMEM, "no memory to read event %llu", (unsigned long long)seq);
    }
    jb_status status =
        why->newer
            ? jb_fail(err, JB_E_FORMAT,
                      "event %llu was written by a newer version of jangbu: %s. Use that version",
                      (unsigned long long)seq, jb_tr(why->why))
            : jb_fail(err, JB_E_CORRUPT,
                      "event %llu is damaged (frame %llu, byte %zu): %s. Run `jangbu audit`",
                      (unsigned long long)seq, (unsigned long long)f->first,
                      JB_FRAME_EVENTS + at + why->at, jb_tr(why->why));
    if (err != NULL) {
        err->at = seq;
        err->frame = f->first;
    }
    return status;
}

static jb_status
one_frame(struct replay *r, const struct jb_frame *f, struct jb_error *err)
{
    const struct jb_event_context context = {f->base, r->identity.utc_offset_s};
    size_t at = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        const jb_seq seq = f->first + i;
        size_t n = plain_consumption(r, f->events + at, f->bytes - at, seq);
        if (n == 0) {
            struct jb_event e;
            struct jb_decode_failure why;
            n = jb_event_decode(f->events + at, f->bytes - at, seq, &context, &e, &r->space, &why);
            if (n == 0) {
                return not_decoded(f, seq, at, &why, err);
            }
            jb_status status = apply(r, &e, err);
            if (status != JB_OK) {
                return status;
            }
        }
        at += n;
    }
    if (at != f->bytes) {
        const jb_seq behind = f->first + f->count;
        return jb_fail(err, JB_E_CORRUPT,
                       "frame %llu does not hold event %llu where it should. Run `jangbu audit`",
                       (unsigned long long)f->first, (unsigned long long)behind);
    }
    return JB_OK;
}

/* ---- the log ---- */

static jb_status
chain_breaks(jb_seq frame, struct jb_error *err)
{
    jb_status status = jb_fail(err, JB_E_CORRUPT,
                               "the chain of the log breaks at frame %llu: its bytes, or the "
                               "frame before, are not what was written. Run `jangbu audit`",
                               (unsigned long long)frame);
    if (err != NULL) {
        err->frame = err->at = frame;
    }
    return status;
}

static jb_status
one_value(struct replay *r, const MDB_val *key, const MDB_val *value, struct jb_error *err)
{
    struct jb_frame f;
    struct jb_frame_failure why = {0, "the key of a frame is not 8 bytes", false};
    const jb_seq first = key->mv_size == 8 ? jb_get_be(key->mv_data, 8) : 0;
    if (key->mv_size != 8 || !jb_frame_parse(first, value->mv_data, value->mv_size, &f, &why)) {
        return jb_fail(err, why.newer ? JB_E_FORMAT : JB_E_CORRUPT, "frame %llu cannot be read: %s",
                       (unsigned long long)first, jb_tr(why.why));
    }
    if (f.first != r->next || !jb_frame_chained(&f, r->chain)) {
        return chain_breaks(first, err);
    }
    memcpy(r->chain, f.chain, JB_CHAIN_BYTES);
    r->next = f.first + f.count;
    r->frames++;
    if (r->o.on_progress != NULL) {
        r->o.on_progress(r->o.data, r->frames, r->frames_n);
    }
    return one_frame(r, &f, err);
}

static jb_status
all_values(struct replay *r, struct jb_log *log, MDB_txn *txn, struct jb_error *err)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_stat st;
    int code = mdb_dbi_open(txn, NULL, 0, &dbi);
    code = code == 0 ? mdb_cursor_open(txn, dbi, &cursor) : code;
    if (code != 0) {
        return jb_env_fail(err, code, jb_log_env(log), "reading");
    }
    mdb_stat(txn, dbi, &st);
    r->frames_n = st.ms_entries;
    jb_status status = JB_OK;
    MDB_val key, value;
    while (status == JB_OK && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        status = one_value(r, &key, &value, err);
    }
    mdb_cursor_close(cursor);
    return status != JB_OK || code == MDB_NOTFOUND
               ? status
               : jb_env_fail(err, code, jb_log_env(log), "reading");
}

static jb_status
read_all(struct replay *r, const char *dir, struct jb_error *err)
{
    struct jb_log *log;
    MDB_txn *txn;
    jb_status status = jb_requires_check(dir, false, err);
    status = status == JB_OK ? jb_log_open(dir, true, false, 0, &log, err) : status;
    if (status != JB_OK) {
        return status;
    }
    status = jb_log_identity(log, &r->identity, err);
    memcpy(r->chain, r->identity.root, JB_CHAIN_BYTES);
    status = status == JB_OK ? jb_env_begin(jb_log_env(log), MDB_RDONLY, &txn, err) : status;
    if (status == JB_OK) {
        status = all_values(r, log, txn, err);
        jb_env_abort(jb_log_env(log), txn);
    }
    jb_log_close(log);
    return status;
}

static void
tell(const struct replay *r, bool (*each)(void *data, const struct jb_replayed *w))
{
    bool more = each != NULL;
    for (size_t i = 0; i < r->wallets.n && more; i++) {
        const struct tally *w = &r->wallets.at[i];
        const struct jb_replayed told = {.number = (uint32_t)i + 1,
                                         .version = w->version,
                                         .paid = w->paid,
                                         .free = w->free,
                                         .dormant = w->dormant};
        more = each(r->o.data, &told);
    }
}

static jb_status
begin(struct jb_replay_options *o, const struct jb_replay_options *opts, struct jb_error *err)
{
    o->size = sizeof *o;
    jb_status status =
        opts != NULL ? jb_abi_in(o, sizeof *o, opts, "struct jb_replay_options", err) : JB_OK;
    status = status == JB_OK
                 ? jb_abi_reserved(o->reserved, sizeof o->reserved, "struct jb_replay_options", err)
                 : status;
    jb_lang lang = JB_LANG_EN;
    status = status == JB_OK
                 ? jb_lang_check(o->lang, JB_LANG_EN, "struct jb_replay_options", &lang, err)
                 : status;
    jb_lang_set(lang); /* until jb_replay returns */
    return status;
}

jb_status
jb_replay(const char *dir, const struct jb_replay_options *opts,
          bool (*each)(void *data, const struct jb_replayed *w), struct jb_replay_result *ret,
          struct jb_error *err)
{
    JB_SPEAK(JB_LANG_EN);
    if (dir == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_replay");
    }
    struct replay r = {.next = 1};
    jb_status status = begin(&r.o, opts, err);
    status = status == JB_OK ? read_all(&r, dir, err) : status;
    struct jb_replay_result result = {
        .size = sizeof result, .events = r.next - 1, .frames = r.frames};
    result.wallets = (uint32_t)r.wallets.n;
    memcpy(result.chain, r.chain, sizeof result.chain);
    status = status == JB_OK ? jb_abi_out(ret, &result, sizeof result, err) : status;
    if (status == JB_OK) {
        tell(&r, each);
    }
    jb_vec_free(&r.wallets);
    jb_event_space_free(&r.space);
    return status;
}
