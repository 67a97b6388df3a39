/*
 * Whether a command may be, as far as that shows before ids and money are looked at: wallet,
 * channel, role, expect, state, kind, in this order (docs/rules.md section 5). Commands and those
 * who ask what somebody may do (ledger/read_may.c) are answered by it alike.
 */
#include "rules/rules.h"

/* The states of a wallet that allow an op, as bits. */
static const uint32_t allowed[JB_OPS] = {
#define S(status) (1U << JB_WALLET_##status)
#define EVERY (S(ACTIVE) | S(OFF) | S(SUSPENDED))
#define OP(NAME, word, event, at, states, ...) [JB_OP_##NAME] = (states),
#include "event/commands.def"
#undef OP
#undef EVERY
#undef S
};

bool
jb_wallet_allows(uint32_t status, jb_op op)
{
    return (unsigned)op < JB_OPS && status <= JB_WALLET_DELETED &&
           (allowed[op] & 1U << status) != 0;
}

/* The status at an instant by the intervals known now; 0: the wallet was not there yet. */
static uint32_t
status_at(const struct jb_wallet *w, jb_instant at)
{
    struct jb_interval first;
    const struct jb_intervals all = jb_wallet_intervals(w, &first);
    for (size_t i = all.n; i-- > 0;) {
        if (all.at[i].from <= at) {
            return all.at[i].status;
        }
    }
    return 0;
}

/* expect: a wallet's version, or that of a channel where the command is on no wallet. */
static bool
admit_version(const struct jb_command *c, jb_seq version, struct jb_verdict *v)
{
    if ((c->has & JB_HAS(JB_CF_EXPECT)) != 0 && c->expect != version) {
        jb_refuse_with(v, JB_CODE_EXPECT_MISMATCH, JB_FIG_VERSION, (int64_t)version);
    }
    return v->code == JB_CODE_NONE;
}

/* The channel that the command names is there (of one that is made it is asked later), and the
 * actor may. */
static bool
admit_channel_and_role(const struct jb_command *c, const struct jb_around *a, struct jb_verdict *v)
{
    if (a->named && a->channel_no == 0 && c->op != JB_OP_CHANNEL_CREATE) {
        jb_refuse(v, JB_CODE_CHANNEL_UNKNOWN);
        return false;
    }
    return !a->enforced || a->carried != JB_ROLE_NONE || jb_admit_role(a, v);
}

/* What is of a channel, or of the whole ledger. */
static bool
admit_without_wallet(const struct jb_command *c, const struct jb_around *a, struct jb_verdict *v)
{
    return admit_channel_and_role(c, a, v) && admit_version(c, a->channel.version, v);
}

/* Wallet, channel, role, expect, state of the wallet. False: v says why not. */
static bool
admit(const struct jb_wallet *w, const struct jb_command *c, const struct jb_around *a,
      const struct jb_decision_time *m, struct jb_verdict *v)
{
    if ((c->has & JB_HAS(JB_CF_WALLET)) == 0) {
        return admit_without_wallet(c, a, v);
    }
    if (c->op == JB_OP_WALLET_CREATE) {
        if (w != NULL) {
            jb_refuse(v, JB_CODE_WALLET_EXISTS);
            return false;
        }
        return admit_channel_and_role(c, a, v) && admit_version(c, 0, v);
    }
    if (w == NULL) {
        jb_refuse(v, JB_CODE_WALLET_UNKNOWN);
        return false;
    }
    if (w->status == JB_WALLET_DELETED && !jb_wallet_allows(JB_WALLET_DELETED, c->op)) {
        jb_refuse(v, JB_CODE_WALLET_DELETED);
        return false;
    }
    jb_seq version = m->known_version != 0 ? m->known_version : w->version;
    if (!admit_channel_and_role(c, a, v) || !admit_version(c, version, v)) {
        return false;
    }
    /* Only consumption is judged by the state at its own time; everything else by the state now.
     * But nothing happened in a wallet before it was there. */
    bool back = m->at < m->recorded_at && (c->op == JB_OP_CONSUME || m->told);
    uint32_t then = back ? status_at(w, m->at) : w->status;
    uint32_t status = c->op == JB_OP_CONSUME ? then : w->status;
    if (then == 0) {
        jb_refuse(v, JB_CODE_WALLET_UNKNOWN_THEN);
    } else if (!jb_wallet_allows(status, c->op)) {
        jb_refuse_with(v, JB_CODE_WALLET_STATE, JB_FIG_STATUS, status);
    }
    return v->code == JB_CODE_NONE;
}

/* ---- state of the channel, kinds ---- */

static bool
kind_is(const struct jb_case *k, uint32_t kinds, struct jb_verdict *v)
{
    if ((kinds & 1U << k->w->kind) != 0) {
        return true;
    }
    jb_refuse_with(v, JB_CODE_WALLET_KIND, JB_FIG_KIND, k->w->kind);
    jb_refuse_figure(v, JB_FIG_KINDS, kinds);
    return false;
}

static bool
refuse_channel(struct jb_verdict *v, uint32_t state)
{
    jb_refuse_with(v, JB_CODE_CHANNEL_STATE, JB_FIG_CHANNEL_STATE, state);
    return false;
}

/* With which wallet the channel has to be connected. */
static bool
connection_fits(const struct jb_case *k, struct jb_verdict *v)
{
    uint32_t state = k->a->channel_state;
    switch ((uint32_t)k->c->op) {
    case JB_OP_CHARGE:
    case JB_OP_CONSUME:
        /* At that time; now it may be another. */
        return k->a->connected ||
               refuse_channel(v, state == JB_CHANNEL_CONNECTED ? JB_CHANNEL_FREE : state);
    case JB_OP_CHANNEL_CONNECT: /* a channel has one wallet at a time */
    case JB_OP_CHANNEL_CLOSE:
        return state == JB_CHANNEL_FREE || refuse_channel(v, state);
    case JB_OP_CHANNEL_DISCONNECT:
        return state == JB_CHANNEL_CONNECTED || refuse_channel(v, state);
    default:
        return true;
    }
}

/* What it takes of the channel that the command names. A usage from before it was closed is judged
 * by its own time. */
static bool
channel_fits(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_around *a = k->a;
    bool then = k->c->op == JB_OP_CHARGE || k->c->op == JB_OP_CONSUME;
    if (!a->named || k->c->op == JB_OP_CHANNEL_CREATE) {
        return true;
    }
    if (a->channel_state == JB_CHANNEL_CLOSED && !(then && a->connected)) {
        return refuse_channel(v, JB_CHANNEL_CLOSED);
    }
    return a->whatever_wallet || connection_fits(k, v);
}

static bool
is_business_channel(const struct jb_case *k, struct jb_verdict *v)
{
    if (!k->a->named || k->a->channel.kind == JB_CHANNEL_BUSINESS) {
        return true;
    }
    jb_refuse_with(v, JB_CODE_CHANNEL_KIND, JB_FIG_CHANNEL_KIND, (int64_t)k->a->channel.kind);
    return false;
}

static bool
kinds_fit(const struct jb_case *k, struct jb_verdict *v)
{
    const uint32_t business = 1U << JB_KIND_BUSINESS;
    switch ((uint32_t)k->c->op) {
    case JB_OP_WALLET_CREATE:
        return k->c->kind != JB_KIND_BUSINESS || is_business_channel(k, v);
    case JB_OP_BIZ_REQUEST: /* it was asked where it began: not when it is reviewed */
        return k->w == NULL || kind_is(k, business, v);
    case JB_OP_INVOICE_EMAIL:
    case JB_OP_INVOICE_ISSUE:
    case JB_OP_INVOICE_CORRECT:
    case JB_OP_INVOICE_CONFIRM:
    case JB_OP_INVOICE_FAIL:
    case JB_OP_INVOICE_MAIL:
        return kind_is(k, business, v);
    case JB_OP_WALLET_SETTLEMENT:
        return k->c->settlement != JB_SETTLEMENT_POSTPAID || kind_is(k, business, v);
    case JB_OP_MASTER_TRANSFER:
        return jb_has_no_master(k->a) || kind_is(k, business | 1U << JB_KIND_OVERSEAS, v);
    case JB_OP_CHANNEL_CONNECT:
        return k->w->kind != JB_KIND_BUSINESS || is_business_channel(k, v);
    case JB_OP_CHANNEL_TRANSFER:
        return k->a->master_lost || is_business_channel(k, v);
    case JB_OP_CHANNEL_MAIL_ORDER:
        return is_business_channel(k, v);
    default:
        return true;
    }
}

bool
jb_admit(const struct jb_wallet *w, const struct jb_command *c, const struct jb_around *around,
         const struct jb_decision_time *m, struct jb_verdict *v)
{
    const struct jb_case k = {.w = w, .c = c, .a = around, .m = m};
    if (!admit(w, c, around, m, v)) {
        return false;
    }
    /* The usual command is about money alone. */
    return (c->op < JB_OP_ROLE_GIVE && !around->named) || (channel_fits(&k, v) && kinds_fit(&k, v));
}
