#include "projections/receipt.h"

#include <stdio.h>
#include <strings.h>

/* What an operator books went through no gateway, whatever is written there. */
static bool
is_by_hand(uint32_t method)
{
    return method == JB_METHOD_ADMIN_CASH || method == JB_METHOD_ADV_RET_CASH;
}

static jb_gateway
gateway_of(struct jb_text pg)
{
    static const struct {
        const char *pg;
        jb_gateway is;
    } names[] = {{"toss", JB_GATEWAY_TOSS},
                 {"tosspayments", JB_GATEWAY_TOSS},
                 {"lgu", JB_GATEWAY_TOSS},
                 {"inicis", JB_GATEWAY_INICIS},
                 {"kginicis", JB_GATEWAY_INICIS}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].pg) == pg.n && strncasecmp(names[i].pg, pg.s, pg.n) == 0) {
            return names[i].is;
        }
    }
    return JB_GATEWAY_OTHER;
}

static bool
is_account(const struct receipt *r)
{
    return r->method == JB_METHOD_VIRTUAL_ACCOUNT;
}

static bool
is_card(const struct receipt *r)
{
    return r->method != JB_METHOD_UNSPECIFIED && !is_account(r);
}

static void
add_way(struct receipt *r, jb_receipt_by by, uint32_t keys)
{
    r->ways[r->ways_n++] = (struct jb_receipt_way){by, keys};
}

/* A card is found by its approval number or, at Toss, by the e-mail alone; never by the number of
 * the card, which many issuers replace by another. */
static void
card_ways(struct receipt *r)
{
    const uint32_t plain = JB_RECEIPT_AMOUNT | JB_RECEIPT_DAY;
    const uint32_t number = r->approve_no.s != NULL ? JB_RECEIPT_APPROVE_NO : 0;
    if (r->gateway != JB_GATEWAY_TOSS) {
        add_way(r, JB_RECEIPT_BY_CARD, number | plain);
        return;
    }
    if (number != 0) {
        add_way(r, JB_RECEIPT_BY_CARD, number);
    }
    add_way(r, JB_RECEIPT_BY_CARD, JB_RECEIPT_EMAIL);
}

static void
find_ways(struct receipt *r)
{
    const uint32_t plain = JB_RECEIPT_AMOUNT | JB_RECEIPT_DAY;
    if (!is_account(r)) {
        card_ways(r);
    }
    if (!is_card(r)) {
        add_way(r, JB_RECEIPT_BY_ACCOUNT, plain | JB_RECEIPT_BANK | JB_RECEIPT_ACCOUNT);
    }
    if (is_card(r)) {
        add_way(r, JB_RECEIPT_BY_ISSUER,
                plain | (r->approve_no.s != NULL ? JB_RECEIPT_APPROVE_NO : 0));
    }
}

void
receipt_of(const struct jb_event *e, int32_t utc_offset_s, struct receipt *ret)
{
    static const char *const sites[] = {
        [JB_GATEWAY_TOSS] = "tosspayments.com", [JB_GATEWAY_INICIS] = "inicis.com/payment_view"};
    const struct jb_text none = {NULL, 0};
    const struct jb_charge_settled *c = &e->charge_settled;
    const struct jb_debt_repaid *d = &e->debt_repaid;
    const bool charge = e->type == JB_EV_CHARGE_SETTLED;
    struct receipt r = {.charge = charge,
                        .id = charge ? c->charge : none,
                        .pg = charge ? c->pg : d->pg,
                        .txn_ref = charge ? c->txn_ref : d->txn_ref,
                        .approve_no = charge ? c->approve_no : none,
                        .method = charge ? c->method : (uint32_t)JB_METHOD_UNSPECIFIED,
                        .day = jb_day_of(e->occurred_at, utc_offset_s),
                        .paid_at = e->occurred_at,
                        .amount = charge ? c->amount : d->amount};
    r.through = r.pg.s != NULL && !is_by_hand(r.method);
    if (r.through) {
        r.gateway = gateway_of(r.pg);
        r.site = sites[r.gateway];
        find_ways(&r);
    }
    *ret = r;
}

/* How the slip is taxed, as the policy said when it was paid. */
static jb_status
find_tax(struct jb_views *v, struct receipt *r, struct jb_error *err)
{
    int64_t value = 0;
    jb_status status =
        r->through ? jb_reader_policy(v->l, JB_POLICY_RECEIPT_TAX, r->paid_at, &value, err) : JB_OK;
    r->tax = (jb_receipt_tax)value;
    return status;
}

/* ---- in words ---- */

static const char *
card_keys(struct answering *a, const struct receipt *r)
{
    const char *plain = answer_piece(a, SAY_AMOUNT_AND_DAY, "amount", answer_money(a, r->amount),
                                     "day", answer_day(a, r->day), NULL);
    const bool toss = r->gateway == JB_GATEWAY_TOSS;
    if (r->approve_no.s == NULL) {
        return toss ? answer_piece(a, SAY_EMAIL, NULL) : plain;
    }
    const char *number =
        answer_piece(a, SAY_APPROVE_NO, "number", answer_text(a, r->approve_no), NULL);
    return toss ? answer_piece(a, SAY_NUMBER_OR_EMAIL, "number", number, NULL)
                : answer_and(a, number, plain);
}

static const char *
keys_of(struct answering *a, const struct receipt *r)
{
    const char *card = is_account(r) ? "" : card_keys(a, r);
    const char *account = is_card(r)
                              ? ""
                              : answer_piece(a, SAY_ACCOUNT, "amount", answer_money(a, r->amount),
                                             "day", answer_day(a, r->day), NULL);
    const char *keys =
        is_account(r) ? account
        : is_card(r)  ? card
                     : answer_piece(a, SAY_CARD_OR_ACCOUNT, "card", card, "account", account, NULL);
    return r->txn_ref.s == NULL
               ? keys
               : answer_and(a, keys,
                            answer_piece(a, SAY_TXN_REF, "ref", answer_text(a, r->txn_ref), NULL));
}

static void
say_where(struct answering *a, const struct receipt *r)
{
    const char *keys = keys_of(a, r), *pg = answer_text(a, r->pg);
    if (r->gateway == JB_GATEWAY_OTHER) {
        answer_say(a, SAY_LOOK_UP_THERE, "pg", pg, "keys", keys, NULL);
    } else {
        const char *site =
            answer_piece(a, r->gateway == JB_GATEWAY_TOSS ? SAY_AT_TOSS : SAY_AT_INICIS, NULL);
        answer_say(a, SAY_LOOK_UP, "pg", pg, "site", site, "keys", keys, NULL);
    }
    if (is_card(r)) {
        answer_say(a, SAY_CARD_SLIP, NULL);
    }
}

void
receipt_say(struct answering *a, const struct receipt *r)
{
    const char *amount = answer_money(a, r->amount), *day = answer_day(a, r->day);
    if (!r->through) {
        answer_say(a, SAY_NO_GATEWAY, "charge", answer_text(a, r->id), "day", day, "amount", amount,
                   NULL);
        return;
    }
    if (r->charge) {
        answer_say(a, SAY_CHARGE, "charge", answer_text(a, r->id), "day", day, "amount", amount,
                   NULL);
    } else {
        answer_say(a, SAY_REPAYMENT, "day", day, "amount", amount, NULL);
    }
    say_where(a, r);
    if (r->tax != JB_RECEIPT_TAX_UNSAID) {
        answer_say(a, r->tax == JB_RECEIPT_TAXABLE ? SAY_SLIP_TAXABLE : SAY_SLIP_EXEMPT, NULL);
    }
    if (r->reversed != 0) {
        answer_say(a, SAY_REVERSED_SINCE, "amount", answer_money(a, r->reversed), NULL);
    }
    if (r->refunded != 0) {
        answer_say(a, SAY_REFUNDED_SINCE, "amount", answer_money(a, r->refunded), NULL);
    }
}

/* ---- question 5 ---- */

/* Which payment is asked for, and what was found. */
struct sought {
    struct answering *a;
    struct jb_text charge; /* s NULL: any through a gateway */
    struct receipt r;
};

/* The texts of what is found outlive the event. */
static void
keep(struct answering *a, struct jb_text *t)
{
    t->s = t->s != NULL ? answer_text(a, *t) : NULL;
    t->n = t->s != NULL ? strlen(t->s) : 0; /* shorter where there was no memory */
}

static bool
is_sought(void *data, const struct jb_event *e)
{
    struct sought *s = data;
    receipt_of(e, s->a->v->info.utc_offset_s, &s->r);
    const bool found = s->charge.s == NULL ? s->r.through
                                           : s->r.charge && s->r.id.n == s->charge.n &&
                                                 memcmp(s->r.id.s, s->charge.s, s->charge.n) == 0;
    if (found) {
        keep(s->a, &s->r.id);
        keep(s->a, &s->r.pg);
        keep(s->a, &s->r.txn_ref);
        keep(s->a, &s->r.approve_no);
    }
    return found;
}

jb_status
answer_receipt(struct answering *a)
{
    struct sought s = {.a = a, .charge = a->q->charge};
    struct jb_reader_item lot;
    bool found;
    jb_status status =
        jb_newest_lot(a->v, a->who.number, a->as_of.seq, is_sought, &s, &lot, &found, a->err);
    if (status != JB_OK) {
        return status;
    }
    if (found) {
        s.r.reversed = lot.reversed;
        s.r.refunded = lot.refunded;
        answer_event(a, lot.seq);
        status = find_tax(a->v, &s.r, a->err);
        receipt_say(a, &s.r);
    } else if (s.charge.s != NULL) {
        return jb_fail(a->err, JB_E_NOTFOUND, "wallet %s has no charge %.*s", a->who.wallet,
                       (int)(s.charge.n < 80 ? s.charge.n : 80), s.charge.s);
    } else {
        answer_say(a, SAY_NO_CHARGE, NULL);
    }
    return status;
}

/* ---- the list ---- */

jb_status
receipt_tell(struct jb_views *v, const char *wallet, const struct jb_reader_item *lot,
             const struct jb_event *e, bool (*each)(void *data, const struct jb_receipt_row *row),
             void *data, bool *ret_more, struct jb_error *err)
{
    struct receipt r;
    receipt_of(e, v->info.utc_offset_s, &r);
    *ret_more = true;
    if (!r.through) {
        return JB_OK;
    }
    r.reversed = lot->reversed;
    r.refunded = lot->refunded;
    jb_status status = find_tax(v, &r, err);
    if (status != JB_OK) {
        return status;
    }
    struct answering a = {.v = v, .err = err, .korean = v->lang == JB_LANG_KO};
    snprintf(a.who.wallet, sizeof a.who.wallet, "%s", wallet);
    receipt_say(&a, &r);
    const struct jb_receipt_row row = {.event = e,
                                       .number = lot->number,
                                       .gateway = r.gateway,
                                       .site = r.site,
                                       .day = r.day,
                                       .amount = r.amount,
                                       .reversed = r.reversed,
                                       .refunded = r.refunded,
                                       .ways = r.ways,
                                       .ways_n = r.ways_n,
                                       .tax = r.tax,
                                       .text = a.text.at};
    const bool whole = !a.no_memory;
    *ret_more = whole && each(data, &row);
    answer_let_go(&a);
    return whole ? JB_OK : jb_fail(err, JB_E_NOMEM, "no memory for a receipt");
}
