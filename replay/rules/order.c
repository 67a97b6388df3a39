/*
 * What stands before and behind what: a wallet's due expiries before a command on it, those of a
 * day before its closing, days that are due before an accepted command, forfeits before their
 * deletion, groups within their commit. docs/rules.md sections 1, 3 and 5.
 */
#include <stdio.h>

#include "replay/rules/inner.h"

static enum role
role_of(const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
        return ROLE_EXTRA;
    case JB_EV_DAY_CLOSED:
        return ROLE_CLOSING;
    case JB_EV_COMMAND_REFUSED:
        return ROLE_REFUSAL;
    default:
        return jb_event_type_get(e->type) == NULL ? ROLE_UNKNOWN : ROLE_COMMAND;
    }
}

/* Of an event that was decided: the first of two documents is not its command's. */
static enum role
role_behind(const struct jb_judge *r, const struct jb_event *e)
{
    return r->correction.seq == e->seq ? ROLE_EXTRA : role_of(e);
}

static struct jb_wallet *
wallet_of(struct jb_judge *r, const struct jb_event *e)
{
    struct jb_cached_wallet *s;
    struct jb_error none;
    return e->wallet != 0 && e->type != JB_EV_WALLET_CREATED &&
                   jb_state_wallet(r->b, e->wallet, &s, &none) == JB_OK
               ? &s->w
               : NULL;
}

/* ---- expiries ---- */

static int
compare_days(const struct expiry *a, const struct expiry *b)
{
    return a->expires_on < b->expires_on ? -1 : a->expires_on > b->expires_on;
}

/* By last day, wallet and order of granting: the order of a closing. Within one wallet it is that
 * of the expiries before a command, too. */
static bool
in_order(const struct expiry *a, const struct expiry *b)
{
    int days = compare_days(a, b);
    return days < 0 || (days == 0 && (a->wallet < b->wallet ||
                                      (a->wallet == b->wallet && a->ordinal < b->ordinal)));
}

struct beginning {
    jb_seq first;
    jb_day due;
};

static void
check_run(struct jb_judge *r, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++) {
        const struct expiry *a = &r->run.at[i - 1], *b = &r->run.at[i];
        if (!in_order(a, b)) {
            jb_refute_at(r, a->seq,
                         "free_expired: stands grant %u of wallet number %u before grant %u of "
                         "wallet number %u; the rules write expiries by last day, wallet and order "
                         "of granting",
                         a->ordinal, a->wallet, b->ordinal, b->wallet);
        }
    }
}

/* Expiries that a closing of the first open day writes. It may have been cut: then something else
 * comes in between. */
static void
check_closing_run(struct jb_judge *r, size_t n)
{
    check_run(r, 0, n);
    for (size_t i = 0; i < n; i++) {
        const struct expiry *x = &r->run.at[i];
        if (x->expires_on > r->b->g.first_open_day) {
            char last[JB_DAY_TEXT_BYTES], day[JB_DAY_TEXT_BYTES];
            jb_refute_at(r, x->seq,
                         "free_expired: stands the expiry of grant %u of wallet number %u, whose "
                         "last day is %s; the rules expire it when that day closes, and %s is "
                         "still open",
                         x->ordinal, x->wallet, jb_day_print(x->expires_on, last),
                         jb_day_print(r->b->g.first_open_day, day));
        }
    }
}

/* The run of expiries before e (NULL: the log ends): the last of them are those of e's own wallet,
 * the others a closing's. The first event of e's command, and the day that was due before it: an
 * expiry may make days few enough to be closed by themselves. */
static struct beginning
end_run(struct jb_judge *r, const struct jb_event *e)
{
    size_t n = r->run.n, own = n;
    bool on_wallet = e != NULL && (role_of(e) == ROLE_COMMAND || role_of(e) == ROLE_EXTRA);
    while (on_wallet && own > 0 && r->run.at[own - 1].wallet == e->wallet &&
           r->run.at[own - 1].recorded_at == e->recorded_at) {
        own--;
    }
    check_closing_run(r, own);
    check_run(r, own, n);
    r->run.n = 0;
    if (own < n) {
        return (struct beginning){r->run.at[own].seq, r->run.at[own].due};
    }
    return on_wallet ? (struct beginning){e->seq, jb_due_day(&r->b->g, e->recorded_at)}
                     : (struct beginning){0, JB_NO_DAY};
}

static jb_status
begin_expiry(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_wallet *w = wallet_of(r, e);
    const struct jb_grant *g = w != NULL ? jb_wallet_grant(w, e->free_expired.grant_no) : NULL;
    jb_day today = jb_day_of(e->recorded_at, r->b->g.utc_offset_s);
    char day[JB_DAY_TEXT_BYTES];
    if (g == NULL) {
        return JB_OK; /* the fold says so */
    }
    if (g->expires_on >= today) {
        jb_refute_text(r, e,
                       "stands the expiry of grant %u; the rules let it live through its last day, "
                       "%s",
                       g->ordinal, jb_day_print(g->expires_on, day));
    }
    if (e->occurred_at != jb_day_start(g->expires_on + 1, r->b->g.utc_offset_s) - 1) {
        jb_refute_text(r, e,
                       "it happened at another time than the rules say: the last microsecond of "
                       "%s",
                       jb_day_print(g->expires_on, day));
    }
    if (!jb_vec_reserve(&r->run, r->run.n + 1)) {
        return jb_judge_no_memory(err);
    }
    r->run.at[r->run.n++] = (struct expiry){.seq = e->seq,
                                            .recorded_at = e->recorded_at,
                                            .expires_on = g->expires_on,
                                            .wallet = e->wallet,
                                            .ordinal = g->ordinal,
                                            .due = jb_due_day(&r->b->g, e->recorded_at)};
    return JB_OK;
}

static void
check_expired(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_wallet *w = wallet_of(r, e);
    const struct jb_grant *g =
        w != NULL ? jb_live_due(r, w, jb_day_of(e->recorded_at, r->b->g.utc_offset_s)) : NULL;
    if (g != NULL) {
        char day[JB_DAY_TEXT_BYTES];
        jb_refute_text(r, e,
                       "it stands while grant %u of its wallet has %lld left and its last day, %s, "
                       "is over; the rules write that expiry first",
                       g->ordinal, (long long)g->remaining, jb_day_print(g->expires_on, day));
    }
}

/* ---- days that are due ---- */

static jb_status
check_due_day(struct jb_judge *r, const struct jb_event *e, const struct beginning *begins,
              struct jb_error *err)
{
    char day[JB_DAY_TEXT_BYTES];
    if (begins->due == JB_NO_DAY) {
        return JB_OK;
    }
    if (!jb_vec_reserve(&r->complaints, r->complaints.n + 1)) {
        return jb_judge_no_memory(err);
    }
    struct complaint *c = &r->complaints.at[r->complaints.n++];
    c->first = begins->first;
    c->seq = e->seq;
    c->frame = r->frame;
    snprintf(c->text, sizeof c->text,
             jb_tr("event %llu %s: it stands while %s is open; the rules close that day first, "
                   "because it was due by then"),
             (unsigned long long)e->seq, jb_event_type_get(e->type)->name,
             jb_day_print(r->b->g.first_open_day, day));
    return JB_OK;
}

/* ---- forfeits and their deletion ---- */

static bool
goes_on(const struct deletion *d, const struct jb_event *e)
{
    return (e->type == JB_EV_FREE_FORFEITED || e->type == JB_EV_WALLET_DELETED) &&
           e->wallet == d->wallet && e->recorded_at == d->recorded_at;
}

static jb_status
begin_deletion(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
               struct jb_error *err)
{
    const struct jb_command c = {
        .size = sizeof c, .op = JB_OP_WALLET_DELETE, .has = JB_HAS(JB_CF_WALLET)};
    const struct jb_prefetched none = {0};
    jb_status status = jb_judge_around(r, w, e, &c, err);
    status = status != JB_OK ? status : jb_decide_command(r, w, &c, &none, e->recorded_at, err);
    if (status == JB_OK && r->v.code != JB_CODE_NONE) {
        struct sentence s = {.n = 0};
        jb_say(&s, "stands a forfeit; of a deletion of this wallet the rules say %s",
               jb_code_word(r->v.code));
        jb_say_figures(&s, r->v.figures, r->v.figures_n);
        jb_refute(r, e, &s);
    }
    r->deletion = (struct deletion){.wallet = e->wallet, .recorded_at = e->recorded_at};
    return status;
}

static jb_status
forfeit(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_wallet *w = wallet_of(r, e);
    if (w == NULL) {
        return JB_OK; /* the fold says so */
    }
    jb_status status = r->deletion.wallet == 0 ? begin_deletion(r, e, w, err) : JB_OK;
    jb_day today = jb_day_of(e->recorded_at, r->b->g.utc_offset_s);
    const struct jb_grant *g = jb_live_unfinished(r, w, r->deletion.last, today);
    uint32_t next = g != NULL ? g->ordinal : 0;
    if (next == 0) {
        jb_refute_text(r, e, "stands grant %u; the rules forfeit nothing more of this wallet",
                       e->free_forfeited.grant_no);
    } else if (e->free_forfeited.grant_no != next) {
        jb_refute_text(r, e,
                       "stands grant %u; the rules forfeit grant %u first (in the order of "
                       "granting)",
                       e->free_forfeited.grant_no, next);
    }
    if (e->occurred_at != e->recorded_at) {
        jb_refute_text(r, e,
                       "it happened at another time than it was recorded; the rules give a forfeit "
                       "no time of its own");
    }
    r->deletion.last = e->free_forfeited.grant_no;
    r->deletion.forfeited += e->free_forfeited.amount;
    return status;
}

/* ---- groups ---- */

static const char *
group_breaks(const struct jb_judge *r, size_t first, size_t last, uint32_t *ret_commands)
{
    *ret_commands = 0;
    for (size_t i = first; i <= last; i++) {
        const struct in_commit *x = &r->commit.at[i];
        if (x->role == ROLE_CLOSING || x->role == ROLE_REFUSAL) {
            return "a closing or a refusal stands in it";
        }
        if (x->grouped) {
            return "it reaches into another group";
        }
        if (x->keyed && i != last) {
            return "one of its members has a key of its own";
        }
        if (x->recorded_at != r->commit.at[last].recorded_at) {
            return "its members were recorded at different times";
        }
        *ret_commands += x->role == ROLE_COMMAND;
    }
    const struct in_commit *before = first > 0 ? &r->commit.at[first - 1] : NULL;
    return before != NULL && before->role == ROLE_EXTRA &&
                   before->wallet == r->commit.at[first].wallet
               ? "it begins inside a command"
               : NULL;
}

static void
drop_complaints(struct jb_judge *r, jb_seq first)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->complaints.n; i++) {
        if (r->complaints.at[i].first <= first) {
            r->complaints.at[kept++] = r->complaints.at[i];
        }
    }
    r->complaints.n = kept;
}

static void
check_group(struct jb_judge *r, const struct jb_event *e)
{
    size_t last = r->commit.n - 1;
    if (e->group_events < 1 || e->group_events > r->commit.n) {
        jb_refute_text(r, e,
                       "its group has %u events, and its commit only %zu up to here; the rules "
                       "write a group in one commit",
                       e->group_events, r->commit.n);
        return;
    }
    size_t first = r->commit.n - e->group_events;
    uint32_t commands;
    const char *why = group_breaks(r, first, last, &commands);
    if (why != NULL) {
        jb_refute_text(r, e, "its group of %u events is none by the rules: %s", e->group_events,
                       jb_tr(why));
        return;
    }
    if (commands != e->group_commands || commands > JB_GROUP_COMMANDS_MAX) {
        jb_refute_text(r, e,
                       "stands a group of %u commands; its events answer %u, and the rules "
                       "take at most %d",
                       e->group_commands, commands, JB_GROUP_COMMANDS_MAX);
    }
    for (size_t i = first; i <= last; i++) {
        r->commit.at[i].grouped = true;
    }
    drop_complaints(r, e->seq - (e->group_events - 1));
}

/* ---- */

static jb_status
before_command(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    bool first_of_deletion = r->deletion.wallet == 0;
    struct beginning begins = end_run(r, e);
    check_expired(r, e);
    jb_status status = first_of_deletion ? check_due_day(r, e, &begins, err) : JB_OK;
    return status == JB_OK && e->type == JB_EV_FREE_FORFEITED ? forfeit(r, e, err) : status;
}

/* Two documents of one correction stand one behind the other, in one commit. */
static void
leave_correction(struct jb_judge *r)
{
    if (r->correction.seq != 0) {
        jb_refute_at(
            r, r->correction.seq,
            "invoice_issued: it stands alone; the rules write the document that stands for "
            "number %llu right behind it",
            (unsigned long long)r->correction.second.original);
        r->correction = (struct correction){0};
    }
}

jb_status
jb_order_event(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    if (e->type != JB_EV_INVOICE_ISSUED || e->invoice_issued.kind != JB_INVOICE_CORRECTED ||
        e->seq != r->correction.seq + 1) {
        leave_correction(r);
    }
    if (r->deletion.wallet != 0 && !goes_on(&r->deletion, e)) {
        jb_refute_text(r, e,
                       "it stands where the deletion of wallet number %u should: the rules write "
                       "forfeits right before their deletion and at its time",
                       r->deletion.wallet);
        r->deletion = (struct deletion){0};
    }
    if (e->type == JB_EV_FREE_EXPIRED) {
        return begin_expiry(r, e, err);
    }
    if (role_of(e) == ROLE_COMMAND || e->type == JB_EV_FREE_FORFEITED) {
        return before_command(r, e, err);
    }
    end_run(r, e);
    return JB_OK;
}

jb_status
jb_order_behind(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    if (!jb_vec_reserve(&r->commit, r->commit.n + 1)) {
        return jb_judge_no_memory(err);
    }
    r->commit.at[r->commit.n++] = (struct in_commit){.recorded_at = e->recorded_at,
                                                     .wallet = e->wallet,
                                                     .role = (uint8_t)role_behind(r, e),
                                                     .keyed = (e->flags & JB_EVF_KEY) != 0};
    if ((e->flags & JB_EVF_GROUP) != 0) {
        check_group(r, e);
    }
    if (e->type == JB_EV_WALLET_DELETED) {
        r->deletion = (struct deletion){0};
    }
    return JB_OK;
}

/* A command is in one commit, its forfeits included. */
static void
end_deletion(struct jb_judge *r, const char *what)
{
    if (r->deletion.wallet != 0) {
        jb_refute_at(r, r->b->g.seq, what, r->deletion.wallet);
        r->deletion = (struct deletion){0};
    }
}

void
jb_order_commit(struct jb_judge *r)
{
    leave_correction(r);
    end_deletion(r, "free_forfeited: the commit ends, and no deletion of wallet number %u stands "
                    "behind it; the rules forfeit only what is deleted");
    for (size_t i = 0; i < r->complaints.n; i++) {
        const struct complaint *c = &r->complaints.at[i];
        jb_found(r->f, "rules", c->seq, c->frame, 0, "%s", c->text);
    }
    r->complaints.n = r->commit.n = 0;
}

void
jb_order_end(struct jb_judge *r)
{
    end_run(r, NULL);
    end_deletion(r, "free_forfeited: the log ends, and no deletion of wallet number %u stands "
                    "behind it; the rules forfeit only what is deleted");
}
