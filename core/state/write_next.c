/* A rebuild's way into the store: a state without one writes itself, table by table in the order of
 * its keys, in steps. */
#include "base/error.h"
#include "state/rows.h"
#include "state/state.h"

static int
compare_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to store the ledger's state");
}

static jb_status
put_wallets(struct jb_state *b, struct jb_buffer *rows, bool again, struct jb_store_txn *t,
            struct jb_error *err)
{
    struct jb_wallet_runs runs;
    struct jb_wallet_pages pages;
    jb_status status = jb_wallet_runs_get(t, &runs, err);
    jb_wallet_pages_begin(&pages, &runs, t);
    for (size_t i = 0; i < b->dirty.n && status == JB_OK; i++) {
        struct jb_cached_wallet *s = b->slots.at[b->dirty.at[i] - 1];
        rows->n = 0;
        status = jb_rows_wallet(rows, &s->w) ? jb_rows_put(rows, 0, rows->n, again, &pages, t, err)
                                             : no_memory(err);
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    return jb_wallet_pages_end(&pages, status, err);
}

static jb_status
put_all(struct jb_state *b, struct jb_buffer *rows, bool again, struct jb_store_txn *t,
        struct jb_error *err)
{
    jb_status status = put_wallets(b, rows, again, t, err);
    rows->n = 0;
    if (status == JB_OK &&
        !(jb_rows_due(rows, b->news.due.at, b->news.due.n, b->g.closed_through) &&
          jb_rows_ledger(rows, &b->news, &b->g))) {
        status = no_memory(err);
    }
    status = status == JB_OK ? jb_rows_put(rows, 0, rows->n, false, NULL, t, err) : status;
    status =
        status == JB_OK ? jb_news_put(&b->news, &b->written, b->g.closed_through, t, err) : status;
    return status == JB_OK ? jb_store_commit(t, b->g.seq, b->head.chain, err) : status;
}

/* What was written cannot be loaded again: it stays, and is not written again. */
static jb_status
after_write(struct jb_state *b, struct jb_error *err)
{
    for (size_t i = 0; i < b->dirty.n; i++) {
        b->slots.at[b->dirty.at[i] - 1]->touched = 0;
    }
    b->dirty.n = 0;
    b->stored_seq = b->g.seq;
    b->written =
        (struct jb_news_mark){b->news.id_entries.n, b->news.returns.entries.n, b->news.txns.n};
    size_t at = 0;
    if (!jb_facts_take(&b->facts, true, &b->news.facts, &at, SIZE_MAX)) {
        b->usable = false;
        return no_memory(err);
    }
    jb_facts_clear(&b->news.facts);
    jb_state_release(b);
    return JB_OK;
}

jb_status
jb_state_write_next(struct jb_state *b, struct jb_store *store, struct jb_error *err)
{
    JB_ASSERT(b->store == NULL && b->g.seq == b->head.seq);
    struct jb_buffer rows = {0};
    jb_status status;
    uint32_t generation = 0;
    if (b->dirty.n > 1) {
        qsort(b->dirty.at, b->dirty.n, sizeof *b->dirty.at, compare_number);
    }
    for (bool again = false;; again = true) {
        struct jb_store_txn t;
        status = jb_store_next_write(store, &t, err);
        if (status != JB_OK) {
            break;
        }
        generation = t.meta.generation;
        status = put_all(b, &rows, again, &t, err);
        jb_store_end(&t); /* harmless where the commit has ended it */
        if (!(status == JB_E_FULL && jb_store_grown(store))) {
            break;
        }
    }
    free(rows.at);
    if (status == JB_OK) {
        jb_keys_write_next(b, store, generation);
        status = after_write(b, err);
    }
    return status;
}
