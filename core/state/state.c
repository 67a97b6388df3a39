#include "state/state.h"

#include <jangbu/command.h>

#include "base/calendar.h"
#include "base/error.h"
#include "base/steps.h"
#include "state/around.h"
#include "state/behind.h"
#include "state/papers.h"

/* A reader's state, or that of a process that seldom writes, begins again from the store when it
 * holds this many events more than it. */
#define OVERLAY_EVENTS_MAX 400000

static const char *const table_names[JB_STATE_TABLES] = {
    "globals", "wallets", "archive", "ids", "due", "returns", "days", "txns", "facts"};
const struct jb_store_schema jb_state_schema = {"state.mdb", JB_STATE_VERSION, JB_STATE_TABLES,
                                                table_names, true};

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for the ledger's state");
}

static void
drop_slot(struct jb_state *b, size_t i)
{
    if (b->slots.at[i] != NULL) {
        jb_slot_free(&b->memory, b->slots.at[i]);
        b->slots.at[i] = NULL;
        b->loaded--;
    }
}

/* Slots in which nothing lies cost a fraction of one that makes room: they may be more. */
#define EMPTY_FOR_EACH 64

void
jb_state_trim(struct jb_state *b, size_t keep, size_t most)
{
    jb_facts_trim(b);
    size_t look = b->slots.n / EMPTY_FOR_EACH < most ? b->slots.n : most * EMPTY_FOR_EACH;
    for (; look > 0 && most > 0 && b->loaded > keep && b->store != NULL && !b->save.live; look--) {
        b->hand = b->hand < b->slots.n ? b->hand : 0;
        const struct jb_cached_wallet *s = b->slots.at[b->hand];
        if (s != NULL && !jb_behind_has(b, s)) {
            const struct jb_text id = jb_id_of(&s->w);
            jb_map_remove(&b->wallet_ids, jb_state_hash(b, id.s, id.n), s->w.number);
            drop_slot(b, b->hand);
            most--;
        }
        b->hand++;
    }
}

void
jb_news_clear(struct jb_news *n)
{
    jb_map_clear(&n->ids);
    jb_map_clear(&n->returns);
    jb_map_clear(&n->txn_index);
    jb_facts_clear(&n->facts);
    n->id_entries.n = n->id_bytes.n = n->returned.n = n->txns.n = n->due.n = n->closed.n = 0;
    n->due_sorted = 0;
}

void
jb_news_free(struct jb_news *n)
{
    jb_map_free(&n->ids);
    jb_map_free(&n->returns);
    jb_map_free(&n->txn_index);
    jb_facts_free(&n->facts);
    jb_vec_free(&n->id_entries);
    free(n->id_bytes.at);
    jb_vec_free(&n->returned);
    jb_vec_free(&n->txns);
    jb_vec_free(&n->due);
    jb_vec_free(&n->closed);
}

void
jb_state_forget_stored(struct jb_state *b)
{
    b->stored_in.n = 0;
    b->stored_known = 0;
    b->runs_writes = UINT64_MAX;
}

void
jb_state_note_stored(struct jb_state *b, uint32_t number, uint64_t writes)
{
    if (b->behind == NULL || number > b->slots.n) {
        return; /* it is looked for in all of them */
    }
    if (number > b->stored_in.n) {
        if (!jb_vec_reserve(&b->stored_in, b->slots.n)) {
            return;
        }
        memset(b->stored_in.at + b->stored_in.n, 0,
               (b->slots.n - b->stored_in.n) * sizeof *b->stored_in.at);
        b->stored_in.n = b->slots.n;
    }
    b->stored_in.at[number - 1] = writes <= UINT32_MAX ? (uint32_t)writes : 0;
}

/* Forgets everything in memory. */
static void
forget(struct jb_state *b)
{
    JB_ASSERT(!b->save.live);
    jb_behind_drop(b);
    for (size_t i = 0; i < b->slots.n; i++) {
        drop_slot(b, i);
    }
    b->slots.n = 0;
    jb_slots_clear(&b->memory);
    jb_map_clear(&b->wallet_ids);
    jb_state_forget_stored(b);
    jb_news_clear(&b->news);
    b->written = (struct jb_news_mark){0};
    jb_facts_clear(&b->facts);
    b->last_roles.n = 0;
    b->dirty.n = 0;
    jb_globals_free(&b->g);
    memset(&b->g, 0, sizeof b->g);
    b->g.recorded_at = JB_NO_INSTANT;
    b->g.first_open_day = b->g.closed_through = JB_NO_DAY;
    b->g.utc_offset_s = b->identity.utc_offset_s;
    b->head = (struct jb_log_head){0};
    memcpy(b->head.chain, b->identity.root, JB_CHAIN_BYTES);
    b->stored_seq = 0;
    jb_keys_begin(b, 0, b->generation);
    b->usable = false;
}

jb_status
jb_state_open(struct jb_log *log, struct jb_store *store, const struct jb_log_identity *identity,
              struct jb_state **ret, struct jb_error *err)
{
    struct jb_state *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return no_memory(err);
    }
    b->log = log;
    b->store = store;
    b->identity = *identity;
    b->epoch = 1;
    jb_status status = jb_log_reader_open(log, &b->follow, err);
    if (status == JB_OK) {
        jb_log_reader_reset(b->follow);
        status = jb_log_reader_open(log, &b->look, err);
    }
    if (status != JB_OK) {
        jb_state_close(b);
        return status;
    }
    jb_log_reader_reset(b->look);
    jb_log_reader_offset(b->follow, identity->utc_offset_s);
    jb_log_reader_offset(b->look, identity->utc_offset_s);
    forget(b);
    *ret = b;
    return JB_OK;
}

struct jb_state *
jb_state_close(struct jb_state *b)
{
    if (b == NULL) {
        return NULL;
    }
    if (b->save.live) {
        jb_savepoint_rollback(b);
    }
    jb_keys_free(b);
    jb_state_release(b);
    jb_behind_free(b);
    forget(b);
    jb_vec_free(&b->slots);
    jb_map_free(&b->wallet_ids);
    jb_vec_free(&b->stored_in);
    jb_news_free(&b->news);
    jb_facts_free(&b->facts);
    jb_vec_free(&b->last_roles);
    jb_vec_free(&b->dirty);
    jb_savepoint_free(&b->save);
    jb_globals_free(&b->g);
    jb_event_space_free(&b->pending_space);
    jb_log_reader_close(b->follow);
    jb_log_reader_close(b->look);
    free(b);
    return NULL;
}

void
jb_state_release(struct jb_state *b)
{
    if (b->follow != NULL) {
        jb_log_reader_reset(b->follow);
    }
    if (b->look != NULL) { /* NULL: opening failed half-way */
        jb_log_reader_reset(b->look);
    }
    b->look_live = false;
    if (b->store != NULL) {
        jb_store_end(&b->snap);
    }
}

/* ---- beginning ---- */

static jb_status
rolled_back(struct jb_error *err, jb_seq stored, jb_seq log_end)
{
    return jb_fail(err, JB_E_ROLLBACK,
                   "the log is older than what was derived from it: state.mdb includes event %llu, "
                   "the log ends at %llu or has another event there. "
                   "Was an old copy of log.mdb put back? If that is meant to be, run `jangbu "
                   "rebuild --accept-rollback`",
                   (unsigned long long)stored, (unsigned long long)log_end);
}

/* Begins again from what is stored, after checking that it is a state of this very log. */
static jb_status
begin_from_store(struct jb_state *b, jb_seq log_end, struct jb_error *err)
{
    forget(b);
    if (b->store == NULL || b->snap.meta.seq == 0) {
        b->generation = b->store != NULL ? b->snap.meta.generation : 0;
        jb_keys_begin(b, 0, b->generation);
        b->usable = true;
        return JB_OK;
    }
    uint8_t chain[JB_CHAIN_BYTES];
    jb_seq stored = b->snap.meta.seq;
    jb_status status =
        stored > log_end ? JB_E_NOTFOUND : jb_log_reader_chain(b->follow, stored, chain, err);
    if (status == JB_E_NOTFOUND ||
        (status == JB_OK && memcmp(chain, b->snap.meta.chain, JB_CHAIN_BYTES) != 0)) {
        return rolled_back(err, stored, log_end);
    }
    if (status != JB_OK) {
        return status;
    }
    const void *value;
    size_t n;
    status = jb_store_get(&b->snap, JB_TABLE_GLOBALS, "g", 1, &value, &n, err);
    jb_status read = status == JB_OK ? jb_read_globals(value, n, &b->g) : status;
    if (status == JB_E_NOTFOUND || read == JB_E_STALE) {
        return jb_store_damaged(b->store, "what it says of the ledger", err);
    }
    if (status != JB_OK || read != JB_OK) {
        return status != JB_OK ? status : no_memory(err);
    }
    b->stored_seq = b->head.seq = stored;
    b->generation = b->snap.meta.generation;
    jb_keys_begin(b, stored, b->generation);
    memcpy(b->head.chain, chain, JB_CHAIN_BYTES);
    b->usable = true;
    return JB_OK;
}

/* Usual events of the frame at hand, one behind the other. */
static void
fold_usual(struct jb_state *b, jb_seq last)
{
    struct jb_event_usual e;
    size_t n = 1;
    while (n > 0 && b->g.seq < last) {
        n = jb_log_reader_usual(b->follow, &e);
        if (n > 0) {
            const uint64_t hash = e.key.s != NULL ? jb_state_key_hash(b, e.caller, e.key) : 0;
            n = jb_state_apply_usual(b, b->g.seq + 1, &e, hash) ? n : 0;
        }
        if (n > 0) {
            jb_steps.folded++;
            jb_log_reader_skip(b->follow, n);
        }
    }
}

static jb_status
catch_up_once(struct jb_state *b, jb_seq last, struct jb_error *err)
{
    /* First the store, then the log: so the log is never behind the store. */
    jb_status status = JB_OK;
    jb_behind_look(b);
    if (b->store != NULL) {
        jb_store_end(&b->snap);
        status = jb_store_read(b->store, &b->snap, err);
    }
    struct jb_log_head end;
    if (status == JB_OK) {
        status = jb_log_reader_renew(b->follow, &end, err);
    }
    if (status != JB_OK) {
        return status;
    }
    b->look_live = false;
    /* A store that is ahead of this state would give wallets that include events which are still to
     * be folded: it jumps there. */
    bool other =
        b->store != NULL && (b->snap.meta.generation != b->generation ||
                             b->snap.meta.seq < b->stored_seq || b->snap.meta.seq > b->g.seq ||
                             (b->snap.meta.seq > b->stored_seq && b->behind == NULL &&
                              b->g.seq - b->stored_seq > OVERLAY_EVENTS_MAX));
    if (!b->usable || other) {
        status = begin_from_store(b, end.seq, err);
        if (status != JB_OK) {
            b->usable = false;
            return status;
        }
    }
    if (end.seq < b->g.seq) {
        b->usable = false;
        return rolled_back(err, b->g.seq, end.seq);
    }
    /* What was decided through this state is folded already: the reader goes on behind it. */
    jb_log_reader_seek(b->follow, b->g.seq + 1, b->head.chain);
    while (b->g.seq < last) {
        const struct jb_event *e;
        status = jb_log_reader_next(b->follow, &e, err);
        if (status == JB_END) {
            break;
        }
        if (status == JB_OK) {
            jb_steps.folded++;
            status = jb_state_apply(b, e, err);
        }
        if (status == JB_OK && b->store == NULL) {
            fold_usual(b, last);
        }
        if (status == JB_OK && jb_keys_many(&b->keys)) {
            status = jb_keys_fold(b, jb_log_reader_current(b->follow), b->g.seq, err);
        }
        if (status != JB_OK) {
            b->usable = false;
            return status;
        }
    }
    if (b->g.seq > b->head.seq) {
        struct jb_frame frame;
        status = jb_log_reader_frame(b->follow, b->g.seq, &frame, err);
        if (status != JB_OK) {
            return status;
        }
        b->head.seq = b->g.seq;
        memcpy(b->head.chain, frame.chain, JB_CHAIN_BYTES);
    }
    b->head.frames = end.frames;
    return JB_OK;
}

void
jb_state_drop_store(struct jb_state *b)
{
    jb_state_release(b);
    jb_behind_wait(b);
    b->store = NULL;
    b->usable = false;
}

jb_status
jb_state_catch_up_to(struct jb_state *b, jb_seq last, struct jb_error *err)
{
    jb_status status = catch_up_once(b, last, err);
    if (status == JB_E_STALE && b->store != NULL) {
        jb_state_drop_store(b);
        status = catch_up_once(b, last, err);
    }
    return status;
}

jb_status
jb_state_catch_up(struct jb_state *b, struct jb_error *err)
{
    return jb_state_catch_up_to(b, UINT64_MAX, err);
}

/* ---- applying ---- */

/* Whether anybody will look for it. */
static bool
is_kept(const struct jb_state *b, enum jb_named what, uint64_t hash)
{
    return b->repeats == NULL || jb_repeats_has(b->repeats, jb_name(what, hash));
}

static bool
index_id(struct jb_state *b, char kind, uint32_t wallet, struct jb_text id, uint32_t ordinal)
{
    uint8_t key[JB_ID_KEY_BYTES_MAX], value[JB_NUMBER_BYTES_MAX];
    size_t n = jb_state_id_key(kind, wallet, id, key);
    uint64_t hash = jb_state_hash(b, key, n);
    if (b->tallies != NULL) {
        jb_tally_add(&b->tallies->ids, key, n, value, jb_number_put(value, ordinal));
    }
    /* Those of a wallet are many; wallets, channels and agencies are looked for at any time. */
    if (wallet != 0 && !is_kept(b, JB_NAMED_ID, hash)) {
        return true;
    }
    if (!jb_vec_reserve(&b->news.id_entries, b->news.id_entries.n + 1) ||
        !jb_vec_grow((void **)&b->news.id_bytes.at, &b->news.id_bytes.cap,
                     b->news.id_bytes.n + id.n, 1) ||
        !jb_map_put(&b->news.ids, hash, b->news.id_entries.n)) {
        return false;
    }
    b->news.id_entries.at[b->news.id_entries.n++] = (struct jb_id_entry){
        b->g.seq, wallet, ordinal, (uint32_t)b->news.id_bytes.n, (uint8_t)id.n, kind};
    memcpy(b->news.id_bytes.at + b->news.id_bytes.n, id.s, id.n);
    b->news.id_bytes.n += id.n;
    return true;
}

/* The first of a gateway's transaction. What is stored already is not looked for: it came before.
 */
static bool
index_txn(struct jb_state *b, const struct jb_event *e)
{
    const struct jb_charge_settled *c = &e->charge_settled;
    uint8_t hash[16];
    if (!jb_state_txn_hash(b, c->pg, c->txn_ref, hash) || jb_state_txn(b, hash) != NULL) {
        return true;
    }
    if (b->tallies != NULL) {
        uint8_t value[JB_NUMBER_BYTES_MAX];
        jb_tally_add(&b->tallies->txns, hash, sizeof hash, value, jb_number_put(value, e->seq));
    }
    if (!is_kept(b, JB_NAMED_TXN, jb_get_be(hash, 8))) {
        return true;
    }
    if (!jb_vec_reserve(&b->news.txns, b->news.txns.n + 1) ||
        !jb_map_put(&b->news.txn_index, jb_get_be(hash, 8), b->news.txns.n)) {
        return false;
    }
    struct jb_txn *t = &b->news.txns.at[b->news.txns.n++];
    memcpy(t->hash, hash, sizeof hash);
    t->seq = e->seq;
    return true;
}

jb_status
jb_state_index_id(struct jb_state *b, char kind, uint32_t wallet, struct jb_text id,
                  uint32_t ordinal, struct jb_error *err)
{
    return index_id(b, kind, wallet, id, ordinal) ? JB_OK : no_memory(err);
}

static bool
index_key(struct jb_state *b, uint64_t hash, jb_seq seq)
{
    if (b->tallies != NULL) {
        jb_keys_tally(&b->tallies->keys, hash, seq, true);
    }
    return !is_kept(b, JB_NAMED_KEY, hash) || jb_keys_add(b, hash, seq);
}

static bool
index_event(struct jb_state *b, const struct jb_event *e)
{
    if ((e->flags & JB_EVF_KEY) != 0 &&
        !index_key(b, jb_state_key_hash(b, e->caller, e->key), e->seq)) {
        return false;
    }
    switch ((jb_event_type)e->type) {
    case JB_EV_WALLET_CREATED:
        return index_id(b, 'W', 0, e->wallet_created.id, e->wallet);
    case JB_EV_CHARGE_SETTLED:
        return index_txn(b, e) &&
               index_id(b, 'C', e->wallet, e->charge_settled.charge, e->charge_settled.lot);
    case JB_EV_REFUND_REQUESTED:
        return index_id(b, 'R', e->wallet, e->refund_requested.refund,
                        e->refund_requested.refund_no);
    case JB_EV_FREE_GRANTED:
        if (!jb_vec_reserve(&b->news.due, b->news.due.n + 1)) {
            return false;
        }
        b->news.due.at[b->news.due.n++] =
            (struct jb_due){e->free_granted.expires_on, e->wallet, e->free_granted.grant_no};
        return index_id(b, 'G', e->wallet, e->free_granted.grant, e->free_granted.grant_no);
    case JB_EV_DAY_CLOSED:
        if (!jb_vec_reserve(&b->news.closed, b->news.closed.n + 1)) {
            return false;
        }
        b->news.closed.at[b->news.closed.n++] = (struct jb_closed){e->day_closed.day, e->seq};
        return true;
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_WALLET_RENAMED:
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_WALLET_DELETED:
    case JB_EV_CHARGE_REVERSED:
    case JB_EV_DEBT_REPAID:
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
    case JB_EV_CASH_CONSUMED:
    case JB_EV_CONSUMPTION_REVERSED:
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_APPROVED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
    case JB_EV_MEMBER_INVITED:
    case JB_EV_MEMBER_JOINED:
    case JB_EV_MEMBER_LEFT:
    case JB_EV_MASTER_TRANSFERRED:
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
    case JB_EV_INVOICE_EMAIL_SET:
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
    case JB_EV_SETTLEMENT_CHANGED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
    case JB_EV_NOTICE_SENT:
    case JB_EV_INVOICE_ISSUED:
    case JB_EV_INVOICE_CONFIRMED:
    case JB_EV_INVOICE_FAILED:
    case JB_EV_INVOICE_MAILED:
    case JB_EV_TYPES:
        break; /* nothing is named by it */
    }
    return true;
}

/* last 0: there is no row. */
static void
tally_return(struct jb_tally *t, jb_seq consumption, jb_seq last, jb_amount sum, bool add)
{
    uint8_t key[8], value[JB_RETURN_BYTES_MAX];
    size_t n = jb_record_return(last, sum, value);
    jb_put_be(key, 8, consumption);
    if (last != 0 && add) {
        jb_tally_add(t, key, sizeof key, value, n);
    } else if (last != 0) {
        jb_tally_take(t, key, sizeof key, value, n);
    }
}

/* A return with the sum of all returns of its consumption, so that nobody walks them. */
static jb_status
index_return(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_consumption_reversed *r = &e->consumption_reversed;
    jb_seq last;
    jb_amount sum;
    jb_status status = jb_state_returned(b, r->consumption, &last, &sum, err);
    if (status != JB_OK) {
        return status;
    }
    if (sum > JB_BALANCE_MAX - r->amount) {
        return jb_fail(err, JB_E_CORRUPT,
                       "event %llu contradicts the log before it: a consumption was returned many "
                       "times over. Run `jangbu audit`",
                       (unsigned long long)e->seq);
    }
    sum += r->amount;
    if (b->tallies != NULL) {
        tally_return(&b->tallies->returns, r->consumption, last, sum - r->amount, false);
        tally_return(&b->tallies->returns, r->consumption, e->seq, sum, true);
    }
    if (!is_kept(b, JB_NAMED_RETURN, r->consumption)) {
        return JB_OK;
    }
    if (!jb_vec_reserve(&b->news.returned, b->news.returned.n + 1) ||
        !jb_map_put(&b->news.returns, r->consumption, b->news.returned.n)) {
        return no_memory(err);
    }
    b->news.returned.at[b->news.returned.n++] = (struct jb_returned){e->seq, sum};
    return JB_OK;
}

static uint64_t
wallet_hash(const struct jb_state *b, const struct jb_wallet *w)
{
    const struct jb_text id = jb_id_of(w);
    return jb_state_hash(b, id.s, id.n);
}

/* What was taken back left its entry behind, which serves again: however often a wallet is created
 * on trial there is one. A wallet that is not in memory can do without its own. */
static bool
note_created(struct jb_state *b, uint64_t hash, uint32_t number)
{
    struct jb_map_entry *e = jb_map_change(&b->wallet_ids, hash);
    const struct jb_cached_wallet *s =
        e != NULL && e->value <= b->slots.n ? b->slots.at[e->value - 1] : NULL;
    if (e != NULL && (s == NULL || wallet_hash(b, &s->w) != hash)) {
        e->value = number;
        return true;
    }
    return jb_map_put(&b->wallet_ids, hash, number);
}

/* A slot for a wallet that the event creates. */
static jb_status
make_slot(struct jb_state *b, const struct jb_event *e, struct jb_cached_wallet **ret,
          struct jb_error *err)
{
    if (e->wallet != b->g.wallets_given + 1) {
        return jb_fail(
            err, JB_E_CORRUPT,
            "event %llu contradicts the log before it: a new wallet has a number out of order",
            (unsigned long long)e->seq);
    }
    size_t slots = b->slots.n;
    struct jb_cached_wallet *s =
        jb_vec_reserve(&b->slots, e->wallet) ? jb_slot_new(&b->memory) : NULL;
    if (s == NULL) {
        return no_memory(err);
    }
    while (slots < e->wallet) {
        b->slots.at[slots++] = NULL;
    }
    b->slots.n = slots;
    b->slots.at[e->wallet - 1] = s;
    b->loaded++;
    const struct jb_text id = e->wallet_created.id;
    if (!note_created(b, jb_state_hash(b, id.s, id.n), e->wallet)) {
        return no_memory(err);
    }
    *ret = s;
    return JB_OK;
}

/* The usual consumption of a wallet that is in memory. False: it goes the long way; nothing was
 * done. */
static bool
apply_plain(struct jb_state *b, const struct jb_event *e, jb_status *ret, struct jb_error *err)
{
    if (e->type != JB_EV_CASH_CONSUMED || e->wallet == 0 || e->wallet > b->slots.n ||
        b->save.live || !jb_vec_reserve(&b->dirty, b->dirty.n + 1)) {
        return false;
    }
    struct jb_cached_wallet *s = b->slots.at[e->wallet - 1];
    if (s == NULL || !jb_apply_plain(&b->g, &jb_behind_use(b, s)->w, e)) {
        return false;
    }
    if (s->touched != b->epoch) {
        s->touched = b->epoch;
        b->dirty.at[b->dirty.n++] = e->wallet;
    }
    *ret = jb_papers_apply(b, s, e, err); /* there is nothing else to note */
    return true;
}

jb_status
jb_state_apply(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    struct jb_cached_wallet *s = NULL;
    jb_status status = JB_OK;
    if (apply_plain(b, e, &status, err)) {
        return status;
    }
    bool created = e->type == JB_EV_WALLET_CREATED;
    if (created) {
        status = make_slot(b, e, &s, err);
    } else if (e->wallet != 0) {
        status = jb_state_wallet(b, e->wallet, &s, err);
    }
    if (status == JB_OK && s != NULL && !created) {
        status = jb_state_load_for(b, s, e, err);
    }
    if (status == JB_OK && s != NULL && b->save.live && !jb_savepoint_before(b, s, e)) {
        status = no_memory(err);
    }
    if (status != JB_OK) {
        return status;
    }
    if (s != NULL && s->touched != b->epoch) {
        if (!jb_vec_reserve(&b->dirty, b->dirty.n + 1)) {
            return no_memory(err);
        }
        s->touched = b->epoch;
        b->dirty.at[b->dirty.n++] = e->wallet;
    }
    if (s != NULL && !created) {
        jb_state_note_changes(&s->w, e);
    }
    const char *why = jb_apply(&b->g, s != NULL ? &s->w : NULL, e);
    if (why == jb_apply_no_memory) {
        return no_memory(err);
    }
    if (why != NULL) {
        int64_t rules = jb_rules(&b->g);
        status = rules > JB_RULES
                     ? jb_fail(err, JB_E_FORMAT,
                               "event %llu was decided by rules %lld, which this version of jangbu "
                               "does not know (%s). Use a newer version",
                               (unsigned long long)e->seq, (long long)rules, jb_tr(why))
                     : jb_fail(err, JB_E_CORRUPT,
                               "event %llu contradicts the log before it: %s. Run `jangbu audit`",
                               (unsigned long long)e->seq, jb_tr(why));
        if (err != NULL) {
            err->at = e->seq;
        }
        return status;
    }
    if (e->type == JB_EV_CONSUMPTION_REVERSED) {
        status = index_return(b, e, err);
    }
    if (status == JB_OK && jb_around_concerns(e->type)) {
        status = jb_around_apply(b, e, err);
    }
    status = status == JB_OK ? jb_papers_apply(b, s, e, err) : status;
    return status != JB_OK || index_event(b, e) ? status : no_memory(err);
}

/* Its key, if it has one, is not the wallet's concern. */
static bool
apply_usual(struct jb_globals *g, struct jb_wallet *w, jb_seq seq, const struct jb_event_plain *p)
{
    struct jb_part part = {JB_PART_LOT, p->lot, p->amount};
    struct jb_event e; /* jb_apply_plain reads what is set here; the long way, of builds for tests,
                          all of it */
    if (JB_CHECKS) {
        memset(&e, 0, sizeof e);
    }
    e.seq = seq;
    e.type = JB_EV_CASH_CONSUMED;
    e.version = 1;
    e.flags = 0;
    e.wallet = p->wallet;
    e.prev = p->prev;
    e.recorded_at = e.occurred_at = p->recorded_at;
    e.posted_on = jb_day_near(p->recorded_at, g->utc_offset_s, g->first_open_day);
    e.cash_consumed =
        (struct jb_cash_consumed){.usage = p->usage, .amount = p->amount, .parts = {&part, 1}};
    return jb_apply_plain(g, w, &e);
}

/* Without a store, so that nothing of a wallet is elsewhere or on its way. */
bool
jb_state_apply_usual(struct jb_state *b, jb_seq seq, const struct jb_event_usual *e,
                     uint64_t key_hash)
{
    const uint32_t number = e->plain.wallet;
    struct jb_cached_wallet *s = number <= b->slots.n ? b->slots.at[number - 1] : NULL;
    JB_ASSERT(b->store == NULL);
    if (s == NULL || s->touched != b->epoch || b->save.live || b->behind != NULL ||
        (b->g.invoice_from != 0 && s->w.kind == JB_KIND_BUSINESS)) {
        return false;
    }
    const size_t keys = b->keys.map.entries.n;
    const bool keyed = e->key.s != NULL;
    if (keyed && is_kept(b, JB_NAMED_KEY, key_hash) && !jb_keys_add(b, key_hash, seq)) {
        return false;
    }
    if (!apply_usual(&b->g, &s->w, seq, &e->plain)) {
        jb_map_cut(&b->keys.map, keys);
        return false;
    }
    if (keyed && b->tallies != NULL) {
        jb_keys_tally(&b->tallies->keys, key_hash, seq, true);
    }
    b->g.keys += keyed;
    return true;
}
