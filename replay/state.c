/* state.mdb, row by row, against a state that was folded from the log alone. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/threads.h"
#include "replay/audit.h"
#include "storage/passed.h"

struct compare {
    struct jb_state *b;
    struct jb_store_txn *t;
    struct jb_findings *f;
    struct jb_buffer expected;
    struct jb_wallet_runs runs; /* those that have the wallets' rows */
};

static void differs(struct compare *c, const char *table, const char *format, ...) JB_PRINTF(3, 4);

static void
differs(struct compare *c, const char *table, const char *format, ...)
{
    char text[1000];
    va_list args;
    if (c->f->no_memory) {
        return; /* what could not be looked at says nothing; the audit ends with that */
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, jb_tr(format), args);
    va_end(args);
    jb_found(c->f, "state", c->t->meta.seq, 0, 0,
             "state.mdb, table %s: %s. `jangbu rebuild` makes it anew from the log", table, text);
}

static bool
stored(struct compare *c, unsigned table, const void *key, size_t key_n, const void **value,
       size_t *n)
{
    struct jb_error err;
    return jb_looked_up(c->f, jb_store_get(c->t, table, key, key_n, value, n, &err));
}

/* True where the row is there and has exactly the expected bytes. */
static bool
row_equals(struct compare *c, unsigned table, const void *key, size_t key_n, const void *expected,
           size_t n)
{
    const void *value;
    size_t value_n;
    return stored(c, table, key, key_n, &value, &value_n) && value_n == n &&
           memcmp(value, expected, n) == 0;
}

static void
check_count(struct compare *c, unsigned table, uint64_t expected)
{
    uint64_t rows = c->t->meta.rows[table];
    if (rows != expected) {
        differs(c, jb_state_schema.tables[table], "it has %llu rows where %llu should be",
                (unsigned long long)rows, (unsigned long long)expected);
    }
}

/* Says in words what is wrong with a wallet's row. */
static void
explain_wallet(struct compare *c, const struct jb_wallet *w, const void *value, size_t n)
{
    struct jb_wallet there;
    memset(&there, 0, sizeof there);
    if (value == NULL || !jb_looked_up(c->f, jb_read_wallet(value, n, &there))) {
        differs(c, "wallets", "wallet %.*s is missing or cannot be read", (int)w->id_n,
                jb_id_of(w).s);
    } else if (there.paid != w->paid || there.free != w->free ||
               jb_rest(&there)->dormant != jb_rest(w)->dormant) {
        differs(c, "wallets",
                "wallet %.*s has paid %lld, free %lld, dormant %lld where the log gives %lld, "
                "%lld, %lld",
                (int)w->id_n, jb_id_of(w).s, (long long)there.paid, (long long)there.free,
                (long long)jb_rest(&there)->dormant, (long long)w->paid, (long long)w->free,
                (long long)jb_rest(w)->dormant);
    } else {
        differs(c, "wallets", "wallet %.*s differs from what the log gives (version %llu)",
                (int)w->id_n, jb_id_of(w).s, (unsigned long long)w->version);
    }
    jb_wallet_free(&there);
}

static void
check_over(struct compare *c, const struct jb_wallet *w, enum jb_archived_kind kind,
           uint32_t ordinal, bool recorded)
{
    uint8_t key[9];
    jb_archive_key(key, w->number, kind, ordinal);
    c->f->no_memory |= !recorded;
    if (recorded &&
        !row_equals(c, JB_TABLE_ARCHIVE, key, sizeof key, c->expected.at, c->expected.n)) {
        differs(c, "over", "item %u of kind %d of wallet %.*s is not what the log gives", ordinal,
                (int)kind, (int)w->id_n, jb_id_of(w).s);
    }
}

#define CHECK_OVER(list, kind, is_over, record)                                                    \
    for (size_t i = 0; i < (list).n; i++) {                                                        \
        if (is_over) {                                                                             \
            c->expected.n = 0;                                                                     \
            check_over(c, w, kind, (list).at[i].ordinal, record(&(list).at[i], &c->expected));     \
            over++;                                                                                \
        }                                                                                          \
    }

static uint64_t
check_wallet(struct compare *c, const struct jb_wallet *w)
{
    struct jb_error err;
    const void *value = NULL;
    size_t n = 0;
    uint64_t over = 0, newest;
    c->expected.n = 0;
    jb_looked_up(c->f,
                 jb_wallet_runs_find(c->t, &c->runs, w->number, 0, 0, &value, &n, &newest, &err));
    bool recorded = jb_record_wallet(w, &c->expected);
    c->f->no_memory |= !recorded;
    if (recorded &&
        (value == NULL || n != c->expected.n || memcmp(value, c->expected.at, n) != 0)) {
        explain_wallet(c, w, value, n);
    }
    const struct jb_wallet_rest *r = jb_rest(w);
    CHECK_OVER(w->lots, jb_archived_lot_kind(&w->lots.at[i]), jb_lot_over(&w->lots.at[i]),
               jb_record_lot)
    CHECK_OVER(r->grants, JB_ARCHIVED_GRANT, jb_grant_over(&r->grants.at[i]), jb_record_grant)
    CHECK_OVER(r->refunds, JB_ARCHIVED_REFUND, jb_refund_over(&r->refunds.at[i]), jb_record_refund)
    CHECK_OVER(r->intervals, JB_ARCHIVED_INTERVAL, jb_interval_over(w, &r->intervals.at[i]),
               jb_record_interval)
    return over;
}

/* ---- what is not kept in memory: a sum over all rows, and where it differs each event ---- */

static bool
has_table(struct compare *c, unsigned table, const struct jb_tally *expected)
{
    struct jb_tally there = {0};
    struct jb_passed passed = {0};
    struct jb_store_row row;
    struct jb_error err;
    jb_status status = jb_store_seek(c->t, table, "", 0, &row, &err);
    while (status == JB_OK) {
        jb_tally_add(&there, row.key, row.key_n, row.value, row.value_n);
        jb_passed(&passed, row.value, row.value_n);
        status = jb_store_next(c->t, table, &row, &err);
    }
    c->f->no_memory |= status == JB_E_NOMEM;
    return status == JB_E_NOTFOUND && jb_tally_same(&there, expected);
}

/* Each event up to where the state stands, once more. */
static void
each_event(struct compare *c, jb_seq from, void (*look)(void *data, const struct jb_event *e),
           void *data)
{
    struct jb_error err;
    jb_looked_up(c->f, jb_audit_events(c->b, from, c->b->g.seq, look, data, &err));
}

static void
check_id(struct compare *c, char kind, uint32_t wallet, struct jb_text id, uint32_t ordinal)
{
    uint8_t key[JB_ID_KEY_BYTES_MAX], value[JB_NUMBER_BYTES_MAX];
    size_t n = jb_state_id_key(kind, wallet, id, key);
    if (!row_equals(c, JB_TABLE_IDS, key, n, value, jb_number_put(value, ordinal))) {
        differs(c, "ids", "id %.*s (kind %c, wallet number %u) is missing or leads elsewhere",
                (int)id.n, id.s, kind, wallet);
    }
}

struct ids {
    struct compare *c;
    size_t at; /* among those in memory */
};

/* Those that are in memory whatever happens, and that events before this one gave. */
static void
check_kept_ids(struct ids *ids, jb_seq before)
{
    const struct jb_state *b = ids->c->b;
    for (; ids->at < b->news.id_entries.n && b->news.id_entries.at[ids->at].seq < before;
         ids->at++) {
        const struct jb_id_entry *e = &b->news.id_entries.at[ids->at];
        const struct jb_text id = {(const char *)b->news.id_bytes.at + e->at, e->n};
        if (e->wallet == 0) {
            check_id(ids->c, e->kind, 0, id, e->ordinal);
        }
    }
}

static void
check_ids_of(void *data, const struct jb_event *e)
{
    struct ids *ids = data;
    check_kept_ids(ids, e->seq);
    if (e->type == JB_EV_CHARGE_SETTLED) {
        check_id(ids->c, 'C', e->wallet, e->charge_settled.charge, e->charge_settled.lot);
    } else if (e->type == JB_EV_REFUND_REQUESTED) {
        check_id(ids->c, 'R', e->wallet, e->refund_requested.refund, e->refund_requested.refund_no);
    } else if (e->type == JB_EV_FREE_GRANTED) {
        check_id(ids->c, 'G', e->wallet, e->free_granted.grant, e->free_granted.grant_no);
    }
}

static void
check_ids(struct compare *c)
{
    const struct jb_tally *expected = &c->b->tallies->ids;
    if (!has_table(c, JB_TABLE_IDS, expected)) {
        struct ids ids = {c, 0};
        each_event(c, 1, check_ids_of, &ids);
        check_kept_ids(&ids, UINT64_MAX);
    }
    check_count(c, JB_TABLE_IDS, expected->rows);
}

/* ---- keys ---- */

/* What the runs have up to an event, gone through by a thread. */
struct jb_stored_keys {
    jb_status opened;
    struct jb_runs *runs;
    jb_seq end; /* of the runs, or where the store stands */
    struct jb_tally there;
    bool done; /* or begun, where there is a thread */
    jb_status status;
    atomic_bool stop; /* nobody asks any more */
    bool started;
    pthread_t thread;
};

struct keys {
    struct compare *c;
    struct jb_runs *runs;
    jb_seq end; /* of what is compared */
    struct jb_tally expected;
    jb_status status;
};

static jb_status
add_key(void *data, const struct jb_run_row *row)
{
    struct jb_stored_keys *k = data;
    jb_seq seq = jb_keys_row_seq(row);
    if (seq <= k->end) {
        jb_keys_tally(&k->there, jb_get_be(row->key, 8), seq, true);
    }
    return atomic_load_explicit(&k->stop, memory_order_relaxed) ? JB_END : JB_OK;
}

static void *
add_keys(void *data)
{
    struct jb_stored_keys *k = data;
    k->status = k->end > 0 ? jb_runs_each(k->runs, add_key, k) : JB_OK;
    return NULL;
}

struct jb_stored_keys *
jb_stored_keys_open(struct jb_state *b, const struct jb_store_txn *t)
{
    struct jb_stored_keys *k = calloc(1, sizeof *k);
    struct jb_error ignored;
    if (k == NULL) {
        return NULL;
    }
    atomic_init(&k->stop, false);
    k->opened = jb_keys_open(b, t->store, t->meta.generation, true, &k->runs, &ignored);
    if (k->opened != JB_OK) {
        return k;
    }
    const jb_seq end = jb_runs_end(k->runs);
    k->end = end < t->meta.seq ? end : t->meta.seq;
    k->started = k->done = jb_thread_start(&k->thread, add_keys, k);
    return k;
}

/* Where there was no thread to be had it is done here. */
static void
await(struct jb_stored_keys *k)
{
    if (k->started) {
        pthread_join(k->thread, NULL);
        k->started = false;
    }
    if (!k->done && !atomic_load(&k->stop)) {
        k->done = true;
        add_keys(k);
    }
}

struct jb_stored_keys *
jb_stored_keys_close(struct jb_stored_keys *k)
{
    if (k != NULL) {
        atomic_store(&k->stop, true);
        await(k);
        if (k->opened == JB_OK) {
            jb_runs_close(k->runs);
        }
        free(k);
    }
    return NULL;
}

/* Of an event behind the end of the runs. */
static void
take_key(void *data, const struct jb_event *e)
{
    struct keys *k = data;
    if ((e->flags & JB_EVF_KEY) != 0) {
        uint64_t hash = jb_state_key_hash(k->c->b, e->caller, e->key);
        jb_keys_tally(&k->expected, hash, e->seq, false);
    }
}

struct key_looked_for {
    jb_seq seq;
    bool found;
};

static jb_status
is_event(void *data, const struct jb_run_row *row)
{
    struct key_looked_for *k = data;
    k->found |= jb_keys_row_seq(row) == k->seq;
    return JB_OK;
}

static void
look_for_key(void *data, const struct jb_event *e)
{
    struct keys *k = data;
    struct key_looked_for look = {e->seq, false};
    if ((e->flags & JB_EVF_KEY) == 0 || e->seq > k->end || k->status != JB_OK) {
        return;
    }
    uint64_t hash = jb_state_key_hash(k->c->b, e->caller, e->key);
    k->status = jb_runs_find(k->runs, hash, is_event, &look);
    if (k->status == JB_OK && !look.found) {
        differs(k->c, "keys", "the idempotency key of event %llu is missing",
                (unsigned long long)e->seq);
    }
}

/* Each by itself: which of them is missing. */
static void
name_keys(struct keys *k)
{
    size_t runs;
    jb_seq end = jb_runs_end(k->runs);
    each_event(k->c, 1, look_for_key, k);
    if (k->status == JB_E_STALE) {
        differs(k->c, "keys", "a file in `state` is damaged");
    }
    uint64_t rows = jb_runs_rows(k->runs, &runs);
    bool comparable = k->status == JB_OK && end <= k->c->b->g.seq; /* others may have gone on */
    if (comparable && rows > k->expected.rows) {
        differs(k->c, "keys", "it has %llu rows for %llu keys", (unsigned long long)rows,
                (unsigned long long)k->expected.rows);
    }
}

/* Every key that the runs cover must be found: a missing one would let a command happen twice. What
 * they do not cover is read from the log. */
static void
check_keys(struct compare *c, struct jb_stored_keys *there)
{
    struct keys k = {.c = c, .expected = c->b->tallies->keys};
    if (there == NULL || there->opened != JB_OK) {
        c->f->no_memory |= there == NULL || there->opened == JB_E_NOMEM;
        return;
    }
    await(there);
    k.runs = there->runs;
    k.end = there->end;
    if (k.end > 0) {
        each_event(c, k.end + 1, take_key, &k);
    } else {
        k.expected = there->there;
    }
    if (there->status != JB_OK || !jb_tally_same(&there->there, &k.expected)) {
        name_keys(&k);
    }
    c->f->no_memory |= there->status == JB_E_NOMEM || k.status == JB_E_NOMEM;
}

static void
check_due(struct compare *c)
{
    uint64_t expected = 0;
    for (size_t i = 0; i < c->b->news.due.n; i++) {
        const struct jb_due *d = &c->b->news.due.at[i];
        if (c->b->g.closed_through != JB_NO_DAY && d->expires_on <= c->b->g.closed_through) {
            continue;
        }
        uint8_t key[12];
        const void *value;
        size_t n;
        jb_put_be_i32(key, d->expires_on);
        jb_put_be(key + 4, 4, d->wallet);
        jb_put_be(key + 8, 4, d->ordinal);
        if (!stored(c, JB_TABLE_DUE, key, sizeof key, &value, &n)) {
            differs(c, "due", "grant %u of wallet number %u is missing in the queue of deadlines",
                    d->ordinal, d->wallet);
        }
        expected++;
    }
    check_count(c, JB_TABLE_DUE, expected);
}

static void
check_return(struct compare *c, jb_seq consumption, jb_seq last, jb_amount sum)
{
    uint8_t key[8], value[JB_RETURN_BYTES_MAX];
    jb_put_be(key, 8, consumption);
    if (!row_equals(c, JB_TABLE_RETURNS, key, 8, value, jb_record_return(last, sum, value))) {
        differs(c, "returns",
                "of consumption %llu event %llu is not the last return, or %lld is not what came "
                "back",
                (unsigned long long)consumption, (unsigned long long)last, (long long)sum);
    }
}

/* What is in memory came back more than once, or may have; all else with this event. */
static void
check_return_of(void *data, const struct jb_event *e)
{
    struct compare *c = data;
    if (e->type != JB_EV_CONSUMPTION_REVERSED) {
        return;
    }
    const jb_seq consumption = e->consumption_reversed.consumption;
    const struct jb_map_entry *newest = jb_map_find(&c->b->news.returns, consumption);
    const struct jb_returned *r = newest != NULL ? &c->b->news.returned.at[newest->value] : NULL;
    if (r == NULL || r->last == e->seq) {
        check_return(c, consumption, e->seq, r != NULL ? r->sum : e->consumption_reversed.amount);
    }
}

static void
check_returns_and_days(struct compare *c)
{
    uint8_t key[4], value[JB_NUMBER_BYTES_MAX];
    if (!has_table(c, JB_TABLE_RETURNS, &c->b->tallies->returns)) {
        each_event(c, 1, check_return_of, c);
    }
    check_count(c, JB_TABLE_RETURNS, c->b->tallies->returns.rows);
    for (size_t i = 0; i < c->b->news.closed.n; i++) {
        char day[JB_DAY_TEXT_BYTES];
        jb_put_be_i32(key, c->b->news.closed.at[i].day);
        if (!row_equals(c, JB_TABLE_DAYS, key, 4, value,
                        jb_number_put(value, c->b->news.closed.at[i].seq))) {
            differs(c, "days", "the closing of %s is not event %llu",
                    jb_day_print(c->b->news.closed.at[i].day, day),
                    (unsigned long long)c->b->news.closed.at[i].seq);
        }
    }
    check_count(c, JB_TABLE_DAYS, c->b->news.closed.n);
}

/* The same of transactions: only the first charge of one is in the table. */
static void
check_txn_of(void *data, const struct jb_event *e)
{
    struct compare *c = data;
    uint8_t hash[16], value[JB_NUMBER_BYTES_MAX];
    if (e->type != JB_EV_CHARGE_SETTLED ||
        !jb_state_txn_hash(c->b, e->charge_settled.pg, e->charge_settled.txn_ref, hash)) {
        return;
    }
    const struct jb_txn *first = jb_state_txn(c->b, hash);
    if ((first == NULL || first->seq == e->seq) &&
        !row_equals(c, JB_TABLE_TXNS, hash, sizeof hash, value, jb_number_put(value, e->seq))) {
        differs(c, "txns", "event %llu is not the first charge of its gateway's transaction",
                (unsigned long long)e->seq);
    }
}

static void
check_txns(struct compare *c)
{
    if (!has_table(c, JB_TABLE_TXNS, &c->b->tallies->txns)) {
        each_event(c, 1, check_txn_of, c);
    }
    check_count(c, JB_TABLE_TXNS, c->b->tallies->txns.rows);
}

/* What a record is about. */
static const char *
fact_word(uint8_t kind)
{
    switch ((enum jb_fact_kind)kind) {
    case JB_FACT_TENURE:
        return JB_SAID("who or what stands in a list");
    case JB_FACT_PAST:
        return JB_SAID("who or what stood in a list");
    case JB_FACT_HOLDING:
        return JB_SAID("a list");
    case JB_FACT_WALLET:
        return JB_SAID("what stands around a wallet");
    case JB_FACT_CHANNEL:
        return JB_SAID("a channel");
    case JB_FACT_AGENCY:
        return JB_SAID("an agency");
    case JB_FACT_PERSON:
        return JB_SAID("how many roles a person has");
    case JB_FACT_BIZ:
        return JB_SAID("a registration number");
    case JB_FACT_MONTH:
        return JB_SAID("a tax month");
    case JB_FACT_PAPERS:
        return JB_SAID("what a wallet has of invoices");
    case JB_FACT_INVOICE:
        return JB_SAID("an invoice");
    case JB_FACT_SLICE:
        return JB_SAID("what an invoice stands for");
    case JB_FACT_NOTICE:
        return JB_SAID("a notice");
    case JB_FACT_GONE:
        return JB_SAID("who or what is forgotten");
    }
    return "?";
}

/* Roles, channels and the rest: each record, and no other. */
static void
check_facts(struct compare *c)
{
    const struct jb_facts *f = &c->b->news.facts;
    uint64_t distinct = 0;
    for (size_t at = 0; at < f->bytes.n; at = jb_fact_after(f, at)) {
        const struct jb_fact *fact = jb_fact_at(f, at);
        const uint8_t *key = fact->key.bytes;
        if (!jb_fact_newest(f, fact)) {
            continue;
        }
        uint8_t value[JB_FACT_STORED_BYTES_MAX];
        distinct++;
        if (!row_equals(c, JB_TABLE_FACTS, key, JB_FACT_KEY_BYTES, value,
                        jb_fact_stored(fact, value))) {
            differs(c, "facts",
                    "%s is missing or not what the log gives (kind %c, number %llu, of %llu)",
                    jb_tr(fact_word(key[0])), key[1] != 0 ? key[1] : key[0],
                    (unsigned long long)jb_get_be(key + 2, 4),
                    (unsigned long long)jb_get_be(key + 6, 8));
        }
    }
    check_count(c, JB_TABLE_FACTS, distinct);
}

/* Rows of wallets that there are not. Those that should be are looked for one by one. */
static void
check_other_wallets(struct compare *c)
{
    struct jb_error err;
    const uint64_t expected = c->b->slots.n;
    uint64_t strange = 0;
    jb_status status =
        jb_wallet_runs_strange(c->t, &c->runs, (uint32_t)c->b->slots.n, &strange, &err);
    c->f->no_memory |= status == JB_E_NOMEM;
    if (status == JB_OK && strange == 0) {
        return;
    }
    differs(c, jb_state_schema.tables[JB_TABLE_WALLETS], "it has %llu rows where %llu should be",
            (unsigned long long)expected + strange, (unsigned long long)expected);
}

void
jb_check_state(struct jb_state *b, struct jb_store_txn *t, struct jb_stored_keys *keys,
               struct jb_findings *f)
{
    struct compare c = {.b = b, .t = t, .f = f};
    if (memcmp(t->meta.chain, b->head.chain, JB_CHAIN_BYTES) != 0) {
        jb_found(
            f, "state", t->meta.seq, 0, 0,
            "state.mdb says that it includes event %llu of another log: the chain values differ",
            (unsigned long long)t->meta.seq);
    }
    uint64_t over = 0;
    struct jb_error err;
    if (!jb_looked_up(f, jb_wallet_runs_get(t, &c.runs, &err))) {
        differs(&c, jb_state_schema.tables[JB_TABLE_GLOBALS],
                "where the wallets are it does not say");
    }
    for (size_t i = 0; i < b->slots.n; i++) {
        over += check_wallet(&c, &b->slots.at[i]->w);
    }
    check_other_wallets(&c);
    check_count(&c, JB_TABLE_ARCHIVE, over);
    check_ids(&c);
    check_keys(&c, keys);
    check_due(&c);
    check_returns_and_days(&c);
    check_txns(&c);
    check_facts(&c);
    c.expected.n = 0;
    check_count(&c, JB_TABLE_GLOBALS, 2);
    bool recorded = jb_record_globals(&b->g, &c.expected);
    f->no_memory |= !recorded;
    if (recorded && !row_equals(&c, JB_TABLE_GLOBALS, "g", 1, c.expected.at, c.expected.n)) {
        differs(&c, "globals", "the ledger-wide state differs from what the log gives");
    }
    free(c.expected.at);
}
