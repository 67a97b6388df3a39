/* A wallet's state at any event: from the nearest snapshot at or before it, then at most
 * JB_SNAPSHOT_EVERY events (and one for each grant and mark) forward. */
#include "projections/marks.h"
#include "projections/query.h"

static jb_status
summary_of_snapshot(const struct jb_fold_mark *m, struct jb_summary *ret, struct jb_error *err)
{
    jb_status status = jb_summary_decode(m->bytes, m->bytes_n, ret);
    return status == JB_OK ? JB_OK
                           : jb_fail(err, JB_E_NOMEM, "no memory for the state of a wallet");
}

static jb_status
copy_summary(const struct jb_summary *w, struct jb_summary *ret, struct jb_error *err)
{
    struct jb_summary copy = *w;
    copy.grants.at = NULL;
    copy.marks.at = NULL;
    copy.lasts.at = NULL;
    copy.grants.cap = copy.marks.cap = copy.lasts.cap = 0;
    if (!jb_vec_reserve(&copy.grants, w->grants.n) || !jb_vec_reserve(&copy.marks, w->marks.n) ||
        !jb_vec_reserve(&copy.lasts, w->lasts.n)) {
        jb_summary_free(&copy);
        return jb_fail(err, JB_E_NOMEM, "no memory for the state of a wallet");
    }
    if (w->grants.n > 0) {
        memcpy(copy.grants.at, w->grants.at, w->grants.n * sizeof *w->grants.at);
    }
    if (w->marks.n > 0) {
        memcpy(copy.marks.at, w->marks.at, w->marks.n * sizeof *w->marks.at);
    }
    if (w->lasts.n > 0) {
        memcpy(copy.lasts.at, w->lasts.at, w->lasts.n * sizeof *w->lasts.at);
    }
    *ret = copy;
    return JB_OK;
}

/* The wallet's state as the fold or the store has it: at the fold's end. Zeroed where there is no
 * such wallet. */
static jb_status
summary_at_head(struct jb_view_read *q, uint32_t wallet, struct jb_summary *ret,
                struct jb_error *err)
{
    const struct jb_fold_wallet *w = jb_fold_wallet(q->fold, wallet);
    *ret = (struct jb_summary){0};
    bool found;
    return w != NULL ? copy_summary(&w->summary, ret, err)
                     : jb_stored_summary(q->stored, wallet, ret, &found, err);
}

/* A place in the wallet's chain after seq to walk back from: the first snapshot after it, else its
 * last event (`last`). */
static jb_status
anchor_above(struct jb_view_read *q, uint32_t wallet, jb_seq seq, jb_seq last, jb_seq *ret,
             struct jb_error *err)
{
    bool found;
    jb_status status = jb_stored_snapshot_above(q->stored, wallet, seq, ret, &found, err);
    if (status != JB_OK || found) {
        return status;
    }
    *ret = last;
    const struct jb_fold_wallet *w = jb_fold_wallet(q->fold, wallet);
    for (size_t i = 0; w != NULL && i < w->snapshots.n; i++) {
        if (w->snapshots.at[i].seq > seq) {
            *ret = w->snapshots.at[i].seq;
            break;
        }
    }
    return JB_OK;
}

static jb_status
snapshot_at_most(struct jb_view_read *q, uint32_t wallet, jb_seq seq, struct jb_summary *ret,
                 struct jb_error *err)
{
    const struct jb_fold_wallet *w = jb_fold_wallet(q->fold, wallet);
    for (size_t i = w != NULL ? w->snapshots.n : 0; i-- > 0;) {
        if (w->snapshots.at[i].seq <= seq) {
            return summary_of_snapshot(&w->snapshots.at[i], ret, err);
        }
    }
    bool found;
    *ret = (struct jb_summary){0};
    return jb_stored_snapshot_at_most(q->stored, wallet, seq, ret, &found, err);
}

jb_status
jb_view_step(struct jb_view_read *q, struct jb_summary *summary, const struct jb_event *e,
             struct jb_error *err)
{
    struct jb_move m;
    jb_status status = JB_OK;
    const char *why = jb_move_of(e, &m);
    if (why == NULL && q != NULL) {
        status = jb_fold_fill_again(jb_fold_wallet(q->fold, e->wallet), q->stored, summary, e,
                                    jb_day_of(e->recorded_at, q->v->info.utc_offset_s), err);
    }
    why = why == NULL && status == JB_OK ? jb_summary_apply(summary, e, &m) : why;
    if (why != NULL) {
        status = jb_fail(err, JB_E_CORRUPT, "event %llu: %s. Run `jangbu audit`",
                         (unsigned long long)e->seq, jb_tr(why));
    }
    return status;
}

static jb_status
fold_forward(struct jb_view_read *q, uint32_t wallet, struct jb_summary *summary,
             const jb_seq *seqs, size_t n, struct jb_error *err)
{
    jb_status status = JB_OK;
    while (n-- > 0 && status == JB_OK) {
        const struct jb_event *e;
        status = jb_view_read_event(q, seqs[n], wallet, &e, err);
        status = status == JB_OK ? jb_view_step(q, summary, e, err) : status;
        status =
            status == JB_OK ? jb_marks_add(summary, e, 1, q->v->info.utc_offset_s, err) : status;
    }
    return status;
}

/* The wallet's events e with summary.version < e <= seq, found by walking back from `from`, are
 * applied to summary. */
static jb_status
bring_forward(struct jb_view_read *q, uint32_t wallet, struct jb_summary *summary, jb_seq from,
              jb_seq seq, struct jb_error *err)
{
    struct {
        jb_seq *at;
        size_t n, cap;
    } seqs = {0};
    jb_status status = JB_OK;
    for (jb_seq at = from; at > summary->version && status == JB_OK;) {
        const struct jb_event *e;
        status = jb_view_read_event(q, at, wallet, &e, err);
        if (status == JB_OK && e->prev >= at) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "event %llu names a later one as its wallet's event before it",
                             (unsigned long long)at);
        }
        if (status == JB_OK && at <= seq) {
            if (!jb_vec_reserve(&seqs, seqs.n + 1)) {
                status = jb_fail(err, JB_E_NOMEM, "no memory for the state of a wallet");
                break;
            }
            seqs.at[seqs.n++] = at;
        }
        at = status == JB_OK ? e->prev : at;
    }
    status = status == JB_OK ? fold_forward(q, wallet, summary, seqs.at, seqs.n, err) : status;
    jb_vec_free(&seqs);
    return status;
}

jb_status
jb_not_yet(struct jb_view_read *q, uint32_t wallet, jb_seq seq, struct jb_error *err)
{
    char id[JB_ID_BYTES_MAX + 1];
    struct jb_error ignored;
    if (jb_wallet_text(q->v->l, wallet, id, &ignored) != JB_OK) {
        id[0] = '\0';
    }
    return seq != 0
               ? jb_fail(err, JB_E_NOTFOUND, "the wallet %s did not exist yet at event %llu", id,
                         (unsigned long long)seq)
               : jb_fail(err, JB_E_NOTFOUND, "the wallet %s did not exist yet on that day", id);
}

/* Where the walk back to seq begins: with it, where it is an event of the wallet. */
static jb_status
walk_from(struct jb_view_read *q, uint32_t wallet, jb_seq seq, jb_seq last, jb_seq *ret,
          struct jb_error *err)
{
    const struct jb_event *e;
    jb_status status = jb_view_read_event(q, seq, 0, &e, err);
    if (status == JB_OK && e->wallet == wallet) {
        *ret = seq;
        return JB_OK;
    }
    return status == JB_OK ? anchor_above(q, wallet, seq, last, ret, err) : status;
}

static jb_status
read_summary(struct jb_view_read *q, uint32_t wallet, jb_seq seq, struct jb_summary *ret,
             struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = summary_at_head(q, wallet, &summary, err);
    if (status == JB_OK && summary.version > seq && summary.created_seq <= seq) {
        jb_seq last = summary.version, from;
        jb_summary_free(&summary);
        status = walk_from(q, wallet, seq, last, &from, err);
        status = status == JB_OK ? snapshot_at_most(q, wallet, seq, &summary, err) : status;
        status = status == JB_OK ? bring_forward(q, wallet, &summary, from, seq, err) : status;
    }
    if (status == JB_OK && (summary.version == 0 || summary.created_seq > seq)) {
        status = jb_not_yet(q, wallet, seq, err);
    }
    if (status != JB_OK) {
        jb_summary_free(&summary);
        return status;
    }
    *ret = summary;
    return JB_OK;
}

static jb_status
read_anchor(struct jb_view_read *q, uint32_t wallet, jb_seq seq, jb_seq *ret, struct jb_error *err)
{
    struct jb_summary head;
    jb_status status = summary_at_head(q, wallet, &head, err);
    if (status == JB_OK) {
        status = anchor_above(q, wallet, seq, head.version, ret, err);
        jb_summary_free(&head);
    }
    return status;
}

/* ---- the first event of some types behind another one ---- */

jb_seq
jb_summary_last_of(const struct jb_summary *w, const bool types[JB_EV_TYPES])
{
    for (size_t i = 0; i < w->lasts.n; i++) {
        if (types[w->lasts.at[i].type]) {
            return w->lasts.at[i].seq;
        }
    }
    return 0;
}

/* The last snapshot up to `at`, 0: there is none, and the last event of the types up to there. */
static jb_status
look_at(struct jb_view_read *q, uint32_t wallet, const bool *types, jb_seq at, jb_seq *ret_snapshot,
        jb_seq *ret_last, struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = snapshot_at_most(q, wallet, at, &summary, err);
    if (status == JB_OK) {
        *ret_snapshot = summary.version;
        *ret_last = jb_summary_last_of(&summary, types);
        jb_summary_free(&summary);
    }
    return status;
}

/* Where the first event of some types is looked for: what a snapshot knows to be the last of them
 * only grows from one snapshot to the next. */
struct narrowing {
    jb_seq low, high; /* snapshots up to low know none; those from high on do */
    jb_seq hi;        /* the first one is this, or one before it */
    jb_seq floor;     /* it is behind this snapshot; 0: there is none before it */
};

static jb_status
narrow_at(struct jb_view_read *q, uint32_t wallet, const bool *types, jb_seq from, jb_seq at,
          struct narrowing *n, struct jb_error *err)
{
    jb_seq snapshot, last;
    jb_status status = look_at(q, wallet, types, at, &snapshot, &last, err);
    if (status == JB_OK && last >= from) {
        n->hi = last;
        n->high = snapshot;
    } else if (status == JB_OK) {
        n->floor = snapshot > n->floor ? snapshot : n->floor;
        n->low = at;
    }
    return status;
}

/* In longer and longer steps from `from` on, because what is looked for is rarely far: the first is
 * to the next snapshot. Then by halves. */
static jb_status
narrow(struct jb_view_read *q, uint32_t wallet, const bool *types, jb_seq from, struct narrowing *n,
       struct jb_error *err)
{
    jb_seq at = 0;
    jb_status status = anchor_above(q, wallet, from - 1, n->hi, &at, err);
    for (jb_seq step = at - n->low; status == JB_OK && at < n->high; step *= 2) {
        status = narrow_at(q, wallet, types, from, at, n, err);
        at += step;
    }
    while (status == JB_OK && n->high - n->low > 1) {
        status = narrow_at(q, wallet, types, from, n->low + (n->high - n->low) / 2, n, err);
    }
    return status;
}

/* The first one of the types among the wallet's events from `from` on, behind floor, up to hi. */
static jb_status
first_of(struct jb_view_read *q, uint32_t wallet, const bool *types, jb_seq from, jb_seq floor,
         jb_seq hi, jb_seq *ret, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (jb_seq at = hi; at >= from && at > floor && status == JB_OK;) {
        const struct jb_event *e;
        status = jb_view_read_event(q, at, wallet, &e, err);
        if (status == JB_OK && e->prev >= at) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "event %llu names a later one as its wallet's event before it",
                             (unsigned long long)at);
        }
        if (status == JB_OK) {
            *ret = e->type < JB_EV_TYPES && types[e->type] ? at : *ret;
            at = e->prev;
        }
    }
    return status;
}

static jb_status
read_first_of(struct jb_view_read *q, uint32_t wallet, const bool *types, jb_seq from, jb_seq last,
              jb_seq *ret, struct jb_error *err)
{
    struct narrowing n = {.low = from - 1, .high = last + 1, .hi = last};
    jb_status status = narrow(q, wallet, types, from, &n, err);
    *ret = n.hi;
    return status == JB_OK ? first_of(q, wallet, types, from, n.floor, n.hi, ret, err) : status;
}

jb_status
jb_view_read_first_of(struct jb_view_read *q, uint32_t wallet, const bool types[JB_EV_TYPES],
                      jb_seq from, jb_seq last, jb_seq *ret, struct jb_error *err)
{
    jb_status status;
    do {
        status = read_first_of(q, wallet, types, from, last, ret, err);
    } while (jb_view_read_again(q, &status, err));
    return status;
}

/* ---- from outside ---- */

jb_status
jb_view_read_snapshot(struct jb_view_read *q, uint32_t wallet, jb_seq seq, struct jb_summary *ret,
                      struct jb_error *err)
{
    jb_status status;
    do {
        status = snapshot_at_most(q, wallet, seq, ret, err);
    } while (jb_view_read_again(q, &status, err));
    return status;
}

jb_status
jb_view_read_anchor(struct jb_view_read *q, uint32_t wallet, jb_seq seq, jb_seq *ret,
                    struct jb_error *err)
{
    jb_status status;
    do {
        status = read_anchor(q, wallet, seq, ret, err);
    } while (jb_view_read_again(q, &status, err));
    return status;
}

jb_status
jb_view_read_summary(struct jb_view_read *q, uint32_t wallet, jb_seq seq, struct jb_summary *ret,
                     struct jb_error *err)
{
    jb_status status = jb_limit_look(err);
    if (status != JB_OK) {
        return status;
    }
    do {
        status = read_summary(q, wallet, seq, ret, err);
    } while (jb_view_read_again(q, &status, err));
    return status;
}
