/* views.mdb anew: folded from the first event on, in pieces, written into the next generation's
 * tables, switched to in one transaction. */
#include "projections/views.h"

#include "projections/bulk.h"
#include "projections/query.h"

/* The next generation as it is made: its pieces. */
struct making {
    jb_ledger *l;
    struct jb_store *store;
    struct jb_fold fold;
    struct jb_bulk bulk;
    bool by_event; /* this piece is folded event by event: fold has its wallets */
};

/* Nothing of a piece is there before all of it is: what it adds to may not have it already. */
static jb_status
write_piece(struct making *m, const uint8_t chain[16], struct jb_error *err)
{
    for (;;) {
        struct jb_store_txn t;
        jb_status status = jb_store_next_write(m->store, &t, err);
        status = status != JB_OK ? status
                 : m->by_event   ? jb_fold_store(&m->fold, &t, &t, err)
                                 : jb_bulk_store(&m->bulk, &m->fold, &t, err);
        status = status == JB_OK ? jb_store_commit(&t, m->fold.g.seq, chain, err) : status;
        if (status == JB_OK) {
            return JB_OK;
        }
        jb_store_end(&t);
        if (status != JB_E_FULL || !jb_store_grown(m->store)) {
            return status;
        }
    }
}

/* Event by event, over what was written of the pieces before. */
static jb_status
follow(struct making *m, jb_seq stored, struct jb_follow *how, struct jb_error *err)
{
    struct jb_store_txn base;
    how->stored = stored;
    jb_status status = jb_store_next_read(m->store, &base, err);
    if (status == JB_OK) {
        status = jb_follow(m->l, &m->fold, stored > 0 ? &base : NULL, how, err);
        jb_store_end(&base);
    }
    return status;
}

static jb_status
read_and_write(struct making *m, const struct jb_view_global *g, struct jb_follow *how,
               struct jb_error *err)
{
    uint8_t chain[16];
    jb_fold_reset(&m->fold, g);
    jb_status status = m->by_event ? follow(m, g->seq, how, err)
                                   : jb_bulk_read(m->l, &m->fold, &m->bulk, how, err);
    if (status == JB_END) {
        return jb_fail(err, JB_E_ROLLBACK,
                       "views.mdb includes event %llu, but the log ends at %llu: it was put back "
                       "to an older state",
                       (unsigned long long)how->to, (unsigned long long)m->fold.g.seq);
    }
    status = status == JB_OK ? jb_chain_at(m->l, m->fold.g.seq, chain, err) : status;
    return status == JB_OK ? write_piece(m, chain, err) : status;
}

/* The next piece of the log. What is wrong with the log is found event by event. */
static jb_status
make_piece(struct making *m, struct jb_follow *how, struct jb_error *err)
{
    const struct jb_view_global g = m->fold.g;
    m->by_event = false;
    jb_status status = read_and_write(m, &g, how, err);
    if (status == JB_E_CORRUPT) {
        m->by_event = true;
        status = read_and_write(m, &g, how, err);
    }
    return status;
}

static jb_status
make_all(jb_ledger *l, struct jb_store *store, struct jb_follow *how, struct jb_error *err)
{
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    struct making m = {.l = l, .store = store};
    jb_status status = jb_info_get(l, &info, err);
    jb_fold_init(&m.fold, info.utc_offset_s);
    while (status == JB_OK && m.fold.g.seq < how->to) {
        status = make_piece(&m, how, err);
    }
    jb_fold_free(&m.fold);
    jb_bulk_free(&m.bulk);
    return status;
}

static jb_status
digest(struct jb_store *store, bool next, uint8_t ret[16], struct jb_store_meta *ret_meta,
       struct jb_error *err)
{
    struct jb_store_txn t;
    jb_status status = next ? jb_store_next_read(store, &t, err) : jb_store_read(store, &t, err);
    if (status == JB_OK) {
        *ret_meta = t.meta;
        status = jb_store_digest(&t, 0, ret, err);
        jb_store_end(&t);
    }
    return status;
}

/* Brings the stored views to the log's head, so that old and new can be compared there. False:
 * there is nothing that could be compared. */
static bool
bring_up_to_date(jb_ledger *l)
{
    jb_views *v;
    struct jb_error ignored;
    if (jb_views_open(l, &v, &ignored) != JB_OK) {
        return false;
    }
    bool ok = jb_views_sync(v, true, &ignored) == JB_OK;
    jb_views_close(v);
    return ok;
}

static jb_status
rebuild(jb_ledger *l, struct jb_store *store, bool comparable, jb_progress on_progress, void *data,
        struct jb_views_rebuilt *ret, struct jb_error *err)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    struct jb_store_meta before = {0}, after;
    uint8_t digest_before[16];
    jb_status status = jb_head_get(l, &head, err);
    status = status == JB_OK ? digest(store, false, digest_before, &before, err) : status;
    status = status == JB_OK ? jb_store_next_begin(store, err) : status;
    if (status != JB_OK) {
        return status;
    }
    ret->had = comparable && before.seq > 0 && before.seq <= head.seq;
    struct jb_follow how = {.to = ret->had ? before.seq : head.seq,
                            .bounded = true,
                            .on_progress = on_progress,
                            .data = data};
    status = make_all(l, store, &how, err);
    status = status == JB_OK ? digest(store, true, ret->digest, &after, err) : status;
    if (status == JB_OK) {
        ret->same =
            ret->had && before.seq == after.seq && memcmp(digest_before, ret->digest, 16) == 0;
        status = jb_store_next_switch(store, err);
    }
    return status;
}

jb_status
jb_views_rebuild(jb_ledger *l, jb_progress on_progress, void *data, struct jb_views_rebuilt *ret,
                 struct jb_error *err)
{
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    struct jb_views_rebuilt result = {0};
    struct jb_store *store;
    bool remade;
    bool comparable = bring_up_to_date(l);
    jb_status status = jb_info_get(l, &info, err);
    status = status != JB_OK ? status
                             : jb_store_open(info.dir, &jb_views_schema, info.ledger_id, false,
                                             &store, &remade, err);
    if (status != JB_OK) {
        return status;
    }
    status = rebuild(l, store, comparable && !remade, on_progress, data, &result, err);
    jb_store_close(store);
    if (status == JB_OK) {
        *ret = result;
    }
    return status;
}
