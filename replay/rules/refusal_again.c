/* A remembered refusal of version 2 is asked again: it says the wallet, the id and the amount. What
 * it does not say (method, last day, `at`, `overdraft`, which consumption) is set as the refusal
 * needs it; what then still hangs on it is not known and counted. */
#include "replay/rules/inner.h"

/* Of one op the event has everything that its refusals for the state hang on. */
static bool
says_all(uint32_t op, uint32_t code)
{
    if (code == JB_CODE_AT_IN_FUTURE || code == JB_CODE_AT_NOT_ALLOWED ||
        code == JB_CODE_AT_TOO_OLD || code == JB_CODE_WALLET_UNKNOWN_THEN ||
        code == JB_CODE_EXPECT_MISMATCH || code == JB_CODE_TOO_MANY_PARTS) {
        return false;
    }
    /* Which month, or which document, is not there. */
    bool of_papers = op >= JB_OP_INVOICE_ISSUE && op <= JB_OP_INVOICE_MAIL;
    return op != JB_OP_CONSUME && op != JB_OP_CONSUME_REVERSE && !of_papers;
}

/* The wallet of the command, and whether what the event says of it is so. *ret NULL: there is none.
 */
static jb_status
find_wallet(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet **ret,
            bool *ret_ok, struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    struct jb_cached_wallet *s = NULL;
    struct jb_error none;
    jb_status status = JB_OK;
    *ret_ok = true;
    if (p->wallet_no != 0) {
        *ret_ok = jb_state_wallet(r->b, p->wallet_no, &s, &none) == JB_OK;
        if (!*ret_ok) {
            jb_refute_text(r, e, "stands wallet number %u, which there is not", p->wallet_no);
        }
    } else if (p->wallet_id.s != NULL) {
        status = jb_state_find(r->b, p->wallet_id, &s, err);
        if (status == JB_OK && s != NULL) {
            jb_refute_text(r, e, "stands a wallet %.*s that there is not; it is wallet number %u",
                           (int)p->wallet_id.n, p->wallet_id.s, s->w.number);
            *ret_ok = false;
        }
    }
    *ret = s != NULL ? &s->w : NULL;
    return status;
}

static jb_status
look_up(struct jb_judge *r, const struct jb_wallet *w, const struct jb_command *c,
        struct jb_prefetched *loaded, struct jb_error *err)
{
    char kind = c->op == JB_OP_CHARGE || c->op == JB_OP_CHARGE_REVERSE ? 'C'
                : c->op == JB_OP_FREE_GRANT || c->op == JB_OP_FREE_ACTIVATE ||
                        c->op == JB_OP_FREE_REVOKE || c->op == JB_OP_NOTICE_SEND
                    ? 'G'
                : c->op >= JB_OP_REFUND_REQUEST && c->op <= JB_OP_REFUND_FAIL ? 'R'
                                                                              : '\0';
    return w == NULL || kind == '\0'
               ? JB_OK
               : jb_state_id(r->b, kind, w->number, c->id, &loaded->ordinal, err);
}

/* The command, with what the event does not say as its code needs it. */
static struct jb_command
command_of(const struct jb_event *e)
{
    const struct jb_command_refused *p = &e->command_refused;
    struct jb_command c = {.size = sizeof c, .op = (jb_op)p->op};
    c.wallet = p->wallet_id;
    c.has |= p->wallet_no != 0 || p->wallet_id.s != NULL ? JB_HAS(JB_CF_WALLET) : 0;
    c.id = p->id;
    c.amount = p->amount;
    c.has |= p->amount != 0 ? JB_HAS(JB_CF_AMOUNT) : 0;
    if (p->code == JB_CODE_MIN_CHARGE) {
        c.method = JB_METHOD_CREDIT_CARD;
        c.has |= JB_HAS(JB_CF_METHOD);
    }
    c.expires_on = p->code == JB_CODE_GRANT_EXPIRED && p->figures.n > 0
                       ? (jb_day)p->figures.at[0].value
                       : INT32_MAX;
    c.has |= JB_HAS(JB_CF_EXPIRES_ON);
    return c;
}

static bool
same_figures(const struct jb_judge *r, const struct jb_figures *stands)
{
    if (stands->n != r->v.figures_n) {
        return false;
    }
    for (uint32_t i = 0; i < stands->n; i++) {
        if (stands->at[i].name != r->v.figures[i].name ||
            stands->at[i].value != r->v.figures[i].value) {
            return false;
        }
    }
    return true;
}

static void
compare(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_command_refused *p = &e->command_refused;
    if (r->v.code == (jb_code)p->code && same_figures(r, &p->figures)) {
        return;
    }
    struct sentence s = {.n = 0};
    jb_say(&s, "stands %s", jb_code_word(p->code));
    jb_say_figures(&s, p->figures.at, p->figures.n);
    jb_say(&s, "; of such a %s the rules say %s", jb_op_get(p->op)->name,
           r->v.code == JB_CODE_NONE ? jb_tr("yes") : jb_code_word(r->v.code));
    jb_say_figures(&s, r->v.figures, r->v.code == JB_CODE_NONE ? 0 : r->v.figures_n);
    jb_refute(r, e, &s);
}

/* A wallet that is not there, or not any more, comes before everything that is not known. */
static bool
wallet_allows(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w)
{
    const struct jb_command_refused *p = &e->command_refused;
    bool creates = p->op == JB_OP_WALLET_CREATE;
    jb_code should =
        creates     ? (w != NULL ? JB_CODE_WALLET_EXISTS : JB_CODE_NONE)
        : w == NULL ? JB_CODE_WALLET_UNKNOWN
        : w->status == JB_WALLET_DELETED && !jb_wallet_allows(JB_WALLET_DELETED, (jb_op)p->op)
            ? JB_CODE_WALLET_DELETED
            : JB_CODE_NONE;
    bool says = p->code == JB_CODE_WALLET_UNKNOWN || p->code == JB_CODE_WALLET_DELETED ||
                p->code == JB_CODE_WALLET_EXISTS;
    bool at = p->code == JB_CODE_AT_IN_FUTURE || p->code == JB_CODE_AT_NOT_ALLOWED ||
              p->code == JB_CODE_AT_TOO_OLD;
    if (at || (should == JB_CODE_NONE && !says) || (uint32_t)should == p->code) {
        return true;
    }
    jb_refute_text(r, e, "stands %s; the rules say %s", jb_code_word(p->code),
                   should != JB_CODE_NONE ? jb_code_word(should)
                   : creates              ? jb_tr("that there is no such wallet")
                                          : jb_tr("that the wallet is there"));
    return false;
}

/* ---- consume ---- */

static int
by_activation(const void *a, const void *b)
{
    jb_instant x = ((const struct jb_grant *)a)->activated_at,
               y = ((const struct jb_grant *)b)->activated_at;
    return x < y ? -1 : x > y;
}

/* Of the wallet's grants in r->grants, those that can be used at the time of the refusal, by the
 * time from which on a usage can use them. */
static void
usable_grants(struct jb_judge *r, jb_day today)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->grants.n; i++) {
        struct jb_grant g = r->grants.at[i];
        if (g.state == JB_GRANT_IN_USE && g.expires_on >= today) {
            g.activated_at = g.returned_at != JB_NO_INSTANT && g.returned_at > g.activated_at
                                 ? g.returned_at
                                 : g.activated_at;
            r->grants.at[kept++] = g;
        }
    }
    r->grants.n = kept;
    if (kept > 1) {
        qsort(r->grants.at, kept, sizeof *r->grants.at, by_activation);
    }
}

/* What was there at each time that the usage may have happened: paid cash, and the grants that
 * could be used by then. *ret_now: at the time of the refusal. */
static bool
was_available(struct jb_judge *r, const struct jb_wallet *w, jb_day today, jb_amount asked,
              jb_amount *ret_now)
{
    jb_amount limit = w->settlement == JB_SETTLEMENT_POSTPAID ? jb_rest(w)->limit : 0;
    jb_amount then = w->paid > -limit ? w->paid + limit : 0;
    bool found = asked == then;
    usable_grants(r, today);
    for (size_t i = 0; i < r->grants.n; i++) {
        then += r->grants.at[i].remaining;
        bool last = i + 1 == r->grants.n ||
                    r->grants.at[i + 1].activated_at != r->grants.at[i].activated_at;
        found |= last && asked == then;
    }
    *ret_now = then;
    return found;
}

static bool
was_status(const struct jb_wallet *w, int64_t status)
{
    bool was = false;
    struct jb_interval first;
    const struct jb_intervals all = jb_wallet_intervals(w, &first);
    for (size_t i = 0; i < all.n; i++) {
        was |= all.at[i].status == status;
    }
    return was && status != JB_WALLET_ACTIVE;
}

static jb_status
check_consume(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
              struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    int64_t figure = p->figures.n > 0 ? p->figures.at[0].value : 0;
    struct jb_wallet view;
    if (p->code == JB_CODE_WALLET_STATE && !was_status(w, figure)) {
        jb_refute_text(r, e, "stands WALLET_STATE (status %lld), in which its wallet never was",
                       (long long)figure);
    }
    if (p->code != JB_CODE_INSUFFICIENT_CASH) {
        return JB_OK;
    }
    if (!jb_live_view(r, w, &view)) {
        return jb_judge_no_memory(err);
    }
    jb_amount now;
    jb_day today = jb_day_of(e->recorded_at, r->b->g.utc_offset_s);
    bool was = was_available(r, w, today, figure, &now);
    bool postpaid = w->settlement == JB_SETTLEMENT_POSTPAID;
    if (p->figures.n != (postpaid ? 2U : 1U) ||
        (postpaid && p->figures.at[1].value != jb_rest(w)->limit)) {
        jb_refute_text(r, e,
                       postpaid ? "stands INSUFFICIENT_CASH without the limit of its postpaid "
                                  "wallet, %lld"
                                : "stands INSUFFICIENT_CASH with a limit; its wallet is prepaid "
                                  "(limit %lld)",
                       (long long)jb_rest(w)->limit);
    }
    if (!was || p->amount <= figure) {
        jb_refute_text(r, e,
                       "stands INSUFFICIENT_CASH (available %lld) for a consumption of %lld; the "
                       "rules say available %lld",
                       (long long)figure, (long long)p->amount, (long long)now);
    }
    return JB_OK;
}

/* ---- */

/* What the state disproves whatever the command did not say. w NULL: there is no such wallet. */
static bool
possible(const struct jb_judge *r, const struct jb_command_refused *p, const struct jb_wallet *w)
{
    int64_t figure = p->figures.n > 0 ? p->figures.at[0].value : 0;
    bool consumes = p->op == JB_OP_CONSUME;
    switch (p->code) {
    case JB_CODE_EXPECT_MISMATCH: /* the version may be that before the days that it closed */
        return p->op == JB_OP_WALLET_CREATE ? w == NULL && figure == 0
                                            : w != NULL && figure >= (int64_t)w->created_seq &&
                                                  figure <= (int64_t)w->version;
    case JB_CODE_TOO_MANY_PARTS:
        return w != NULL && (uint64_t)w->lots_given + jb_rest(w)->grants_given + 2 > JB_PARTS_MAX;
    case JB_CODE_AMOUNT_RANGE:
        return w == NULL || !consumes ||
               (figure == JB_AMOUNT_MAX && w->paid - p->amount < -JB_AMOUNT_MAX);
    case JB_CODE_AT_TOO_OLD:
        return jb_rules(&r->b->g) >= 2;
    case JB_CODE_WALLET_UNKNOWN_THEN:
        return consumes || jb_rules(&r->b->g) >= 2;
    default:
        return true;
    }
}

static void
cannot_be(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_command_refused *p = &e->command_refused;
    struct sentence s = {.n = 0};
    jb_say(&s, "stands %s", jb_code_word(p->code));
    jb_say_figures(&s, p->figures.at, p->figures.n);
    jb_say(&s, ", which the rules cannot have said of a %s then", jb_op_get(p->op)->name);
    jb_refute(r, e, &s);
}

static void
check_rest(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w)
{
    const struct jb_command_refused *p = &e->command_refused;
    int64_t figure = p->figures.n > 0 ? p->figures.at[0].value : 0;
    if (!possible(r, p, w)) {
        cannot_be(r, e);
    }
    if (p->code == JB_CODE_RETURN_EXCEEDS && p->amount <= figure) {
        jb_refute_text(r, e, "stands RETURN_EXCEEDS (left %lld) for a return of %lld",
                       (long long)figure, (long long)p->amount);
    }
}

/* Of people, channels and the like: asked again where the event says enough, and else whether it
 * can have been. w NULL: of no wallet. */
static jb_status
on_around(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
          struct jb_error *err)
{
    struct jb_command c = command_of(e);
    bool asked, can_be;
    jb_status status = jb_refused_around_again(r, e, w, &c, &asked, err);
    if (status != JB_OK || asked) {
        if (status == JB_OK) {
            compare(r, e);
        }
        return status;
    }
    r->n.refusals_partly++; /* who and what it was about is not in the event */
    status = jb_refused_around_can_be(r, e, w, &can_be, err);
    if (status == JB_OK && !can_be) {
        cannot_be(r, e);
    }
    return status;
}

static bool
is_around(uint32_t code)
{
    return code >= JB_CODE_ROLE && code <= JB_CODE_RETENTION;
}

static jb_status
on_wallet(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
          struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    const struct jb_command c = command_of(e);
    struct jb_prefetched loaded = {0};
    if (is_around(p->code)) {
        return on_around(r, e, w, err);
    }
    if (!says_all(p->op, p->code)) {
        r->n.refusals_partly++;
        check_rest(r, e, w);
        return c.op == JB_OP_CONSUME && w != NULL ? check_consume(r, e, w, err) : JB_OK;
    }
    jb_status status = look_up(r, w, &c, &loaded, err);
    status = status == JB_OK ? jb_judge_around(r, w, e, &c, err) : status;
    status = status == JB_OK ? jb_decide_command(r, w, &c, &loaded, e->recorded_at, err) : status;
    if (status == JB_OK) {
        compare(r, e);
    }
    return status;
}

/* Of a channel, a policy, a day, a role, a group: none of them stands there. */
static jb_status
on_nothing(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    if (is_around(p->code) || p->code == JB_CODE_EXPECT_MISMATCH) {
        return on_around(r, e, NULL, err);
    }
    r->n.refusals_partly++;
    return JB_OK;
}

jb_status
jb_refuse_again(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    const struct jb_op_info *op = jb_op_get(p->op);
    const struct jb_wallet *w;
    const bool on = p->wallet_no != 0 || p->wallet_id.s != NULL;
    uint64_t problems = r->f->problems;
    bool ok;
    if (op == NULL) {
        r->n.refusals_partly++;
        return JB_OK;
    }
    jb_status status = find_wallet(r, e, &w, &ok, err);
    if (status != JB_OK || !ok || (on && p->op != JB_OP_FORGET && !wallet_allows(r, e, w))) {
        return status;
    }
    if (!on && (p->code == JB_CODE_WALLET_UNKNOWN || p->code == JB_CODE_WALLET_DELETED)) {
        jb_refute_text(r, e, "stands %s, and no wallet", jb_code_word(p->code));
        return JB_OK;
    }
    status = jb_refused_role(r, e, w, err);
    if (status != JB_OK || r->f->problems != problems) {
        return status;
    }
    if (p->op == JB_OP_FORGET) { /* whom, and why not: that is in people.mdb */
        r->n.refusals_partly++;
        return JB_OK;
    }
    return on ? on_wallet(r, e, w, err) : on_nothing(r, e, err);
}
