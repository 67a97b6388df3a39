/*
 * Making state.mdb again: folded from the first event on into the tables of its next generation,
 * while the ledger is in use; the switch is one transaction. No rule takes part.
 */
#include "ledger/rebuild.h"

#include <unistd.h>

#include "ledger/internal.h"
#include "state/behind.h"

struct rebuilding {
    struct jb_ledger *l;
    jb_progress on_progress;
    void *data;
    struct jb_state_rebuilt r;
};

/* Folds the log as far as it goes now, in steps that report progress. */
static jb_status
fold(struct rebuilding *w, struct jb_state *b, struct jb_error *err)
{
    jb_seq step = 0;
    jb_status status;
    do {
        step = b->g.seq;
        status = jb_state_catch_up_to(b, step + 100000, err);
        if (status == JB_OK && w->on_progress != NULL) {
            struct jb_head head = {.size = sizeof head};
            if (jb_head_get(w->l, &head, err) == JB_OK && head.seq > 0) {
                w->on_progress(w->data, b->g.seq, head.seq);
            }
        }
    } while (status == JB_OK && b->g.seq > step);
    return status;
}

static jb_status
digest(struct jb_store *s, bool next, uint8_t ret[16], jb_seq *ret_seq, struct jb_error *err)
{
    struct jb_store_txn t;
    jb_status status = next ? jb_store_next_read(s, &t, err) : jb_store_read(s, &t, err);
    if (status == JB_OK) {
        *ret_seq = t.meta.seq;
        status = jb_wallet_runs_digest(&t, ret, err);
        jb_store_end(&t);
    }
    return status;
}

/* Under the writer lock: nothing is appended, so old and new can stand at the same event and be
 * compared. */
static jb_status
finish(struct rebuilding *w, struct jb_state *b, struct jb_error *err)
{
    struct jb_ledger *l = w->l;
    uint8_t before[16];
    jb_seq seq_before = 0, seq_after = 0;
    bool comparable = !l->accept_rollback;
    jb_ledger_take_writing(l);
    if (comparable) {
        comparable = jb_state_catch_up(l->state, err) == JB_OK &&
                     jb_behind_checkpoint(l->state, err) == JB_OK;
        jb_state_release(l->state);
    }
    if (comparable) {
        comparable = digest(l->store, false, before, &seq_before, err) == JB_OK && seq_before > 0;
    }
    jb_status status = jb_state_catch_up(b, err);
    status = status == JB_OK ? jb_state_write_next(b, l->store, err) : status;
    status = status == JB_OK ? digest(l->store, true, w->r.digest, &seq_after, err) : status;
    if (status == JB_OK) {
        w->r.events = b->g.seq;
        w->r.had = comparable && seq_before == seq_after;
        w->r.same = w->r.had && memcmp(before, w->r.digest, 16) == 0;
        status = jb_store_next_switch(l->store, err);
    }
    l->state->usable = false; /* the generation has changed */
    return status;
}

static jb_status
rebuild(struct rebuilding *w, struct jb_error *err)
{
    struct jb_state *b;
    jb_status status = jb_store_next_begin(w->l->store, err);
    if (status == JB_OK) {
        status = jb_state_open(w->l->log, NULL, &w->l->identity, &b, err);
    }
    if (status != JB_OK) {
        return status;
    }
    /* The bulk without the lock; writers go on. */
    status = fold(w, b, err);
    status = status == JB_OK ? jb_state_write_next(b, w->l->store, err) : status;
    if (status == JB_OK) {
        status = jb_lock_take(w->l->lock, JB_LOCK_WRITER, w->l->lock_wait_us, 0, err);
    }
    if (status == JB_OK) {
        status = jb_log_catch_up(w->l->log, err);
        status = status == JB_OK ? finish(w, b, err) : status;
        jb_lock_release(w->l->lock, JB_LOCK_WRITER);
    }
    jb_state_close(b);
    return status;
}

jb_status
jb_state_rebuild(struct jb_ledger *l, jb_progress on_progress, void *data,
                 struct jb_state_rebuilt *ret, struct jb_error *err)
{
    struct rebuilding w = {.l = l, .on_progress = on_progress, .data = data};
    if (l->refused.status != JB_OK) {
        return jb_fail_refused(l, err);
    }
    if (l->read_only) {
        return jb_fail(err, JB_E_READONLY,
                       "%s cannot be written to: its projections cannot be made again there",
                       l->dir);
    }
    if (l->store == NULL) {
        return jb_fail(err, JB_E_STALE,
                       "%s/state.mdb is damaged, and other programs have it open: stop those that "
                       "use the ledger, and run `jangbu rebuild` again",
                       l->dir);
    }
    jb_status status = rebuild(&w, err);
    if (status == JB_OK) {
        *ret = w.r;
    }
    return status;
}

void
jb_accept_head(struct jb_ledger *l)
{
    struct jb_error ignored, *err = &ignored;
    struct jb_head head = {.size = sizeof head};
    if (jb_head_get(l, &head, err) == JB_OK) {
        struct jb_head_file h = {.seq = head.seq, .recorded_at = head.recorded_at};
        memcpy(h.ledger_id, l->identity.ledger_id, 16);
        memcpy(h.chain, head.chain, 16);
        jb_head_write(l->head_fd, &h);
        if (l->head_fd >= 0) {
            (void)!fdatasync(l->head_fd);
        }
    }
}
