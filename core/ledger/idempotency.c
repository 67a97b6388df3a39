/* A key, or a closed day, that is known: the first answer again. It is a function of the first
 * event. */
#include "ledger/execution.h"

static bool
is_of_member(uint32_t type)
{
    return jb_event_type_get(type) != NULL && type != JB_EV_FREE_EXPIRED &&
           type != JB_EV_FREE_FORFEITED && type != JB_EV_DAY_CLOSED;
}

/* Whether an invoice that takes another back is half of a correction: the other half follows right
 * behind it. Alone it has to be confirmed before anything stands for what it took back. */
static jb_status
is_half(struct execution *x, jb_seq seq, bool *ret)
{
    const struct jb_event *e;
    *ret = false;
    if (seq == 0 || seq + 1 > x->l->state->g.seq) {
        return JB_OK;
    }
    jb_status status = jb_state_event(x->l->state, seq, &e, x->err);
    if (status != JB_OK || e->type != JB_EV_INVOICE_ISSUED ||
        e->invoice_issued.kind != JB_INVOICE_NEGATIVE) {
        return status;
    }
    const uint64_t number = e->invoice_issued.invoice, original = e->invoice_issued.original;
    status = jb_state_event(x->l->state, seq + 1, &e, x->err);
    *ret = status == JB_OK && e->type == JB_EV_INVOICE_ISSUED &&
           e->invoice_issued.kind == JB_INVOICE_CORRECTED &&
           e->invoice_issued.invoice == number + 1 && e->invoice_issued.original == original;
    return status;
}

/* An event of a group, and whether a member is known by it. */
static jb_status
look_member(struct execution *x, jb_seq seq, const struct jb_event **ret, bool *ret_member)
{
    bool half = false;
    jb_status status = jb_state_event(x->l->state, seq, ret, x->err);
    if (status == JB_OK && (*ret)->type == JB_EV_INVOICE_ISSUED) {
        status = is_half(x, seq, &half); /* which looks at others, so that it is read again */
        status = status == JB_OK ? jb_state_event(x->l->state, seq, ret, x->err) : status;
    }
    *ret_member = status == JB_OK && is_of_member((*ret)->type) && !half;
    return status;
}

static jb_status
answer_negative(struct execution *x, struct jb_answer *a)
{
    const struct jb_event *e = a->own_event;
    bool half;
    if (e->invoice_issued.kind != JB_INVOICE_CORRECTED) {
        return JB_OK;
    }
    jb_status status = is_half(x, e->seq - 1, &half);
    if (status == JB_OK && half) {
        jb_answer_set_negative(x->r->answers, a, e->invoice_issued.invoice - 1);
    }
    return status;
}

/* A function of the log before the charge, so that a repetition says the same. */
jb_status
jb_answer_rest(struct execution *x, struct jb_answer *a)
{
    const struct jb_event *e = a->own_event;
    if (e != NULL && e->type == JB_EV_INVOICE_ISSUED) {
        return answer_negative(x, a);
    }
    if (e == NULL || e->type != JB_EV_CHARGE_SETTLED || e->charge_settled.txn_ref.n == 0) {
        return JB_OK;
    }
    jb_seq first;
    jb_status status = jb_state_first_txn(x->l->state, e->charge_settled.pg,
                                          e->charge_settled.txn_ref, &first, x->err);
    if (status == JB_OK) {
        a->same_txn = first < e->seq ? first : 0;
    }
    return status;
}

/* Whether the command says something that a sealed people.mdb keeps. */
static bool
has_texts(const struct jb_command *c)
{
    const uint64_t texts = JB_HAS(JB_CF_NAME) | JB_HAS(JB_CF_MASTER) | JB_HAS(JB_CF_NOTE) |
                           JB_HAS(JB_CF_PERSON) | JB_HAS(JB_CF_BIZ_NAME) |
                           JB_HAS(JB_CF_REPRESENTATIVE) | JB_HAS(JB_CF_ADDRESS) |
                           JB_HAS(JB_CF_EMAIL);
    bool found = (c->has & texts) != 0 || jb_reason_is_words(c);
    for (size_t i = 0; i < (c->op == JB_OP_ATOMIC ? c->commands_n : 0); i++) {
        found |= has_texts(&c->commands[i]);
    }
    return found;
}

/* The members' answers of a group from its events: one event a member, beside expiries and
 * forfeits. */
static jb_status
answer_group(struct execution *x, jb_seq last, uint32_t events, uint32_t commands)
{
    struct jb_answer *members = jb_answers_alloc(x->r->answers, commands * sizeof *members);
    if (members == NULL) {
        return jb_fail(x->err, JB_E_NOMEM, "no memory for an answer");
    }
    memset(members, 0, commands * sizeof *members);
    uint32_t n = 0;
    for (jb_seq seq = last - events + 1; seq <= last && n < commands; seq++) {
        const struct jb_event *e;
        bool of_member;
        jb_status status = look_member(x, seq, &e, &of_member);
        if (status != JB_OK) {
            return status;
        }
        if (of_member) {
            members[n].index = -1;
            members[n].content_checked = 1;
            members[n].op =
                x->c->op == JB_OP_ATOMIC && n < x->c->commands_n ? x->c->commands[n].op : x->c->op;
            jb_answer_done(x->r->answers, &members[n], e);
            status = jb_answer_rest(x, &members[n++]);
            if (status != JB_OK) {
                return status;
            }
        }
    }
    jb_answer_set_members(x->r->answers, x->a, members, n);
    x->a->wallet_version = 0;
    return JB_OK;
}

/* What the fingerprint leaves out where people.mdb is sealed. Of a refused command no text was
 * kept. */
static jb_status
compare_texts(struct execution *x, const struct jb_event *last, enum jb_repeated *ret)
{
    const struct jb_command *c = x->c;
    if (last->type == JB_EV_COMMAND_REFUSED) {
        *ret = has_texts(c) ? JB_REPEATED_GONE : JB_REPEATED_SAME;
        return JB_OK;
    }
    if (c->op != JB_OP_ATOMIC) {
        return jb_compare_texts(x, c, NULL, last, true, ret);
    }
    jb_seq end = last->seq;
    jb_status status = JB_OK;
    size_t n = 0;
    for (jb_seq seq = end - last->group_events + 1; seq <= end && status == JB_OK; seq++) {
        const struct jb_event *e;
        bool of_member;
        status = look_member(x, seq, &e, &of_member);
        if (status == JB_OK && of_member && n < c->commands_n) {
            bool is_last = n + 1 == c->commands_n;
            status = jb_compare_texts(x, &c->commands[n++], c, e, is_last, ret);
        }
    }
    return status;
}

/* The first answer again: a function of the first event. */
enum jb_step
jb_repeat(struct execution *x, jb_seq seq)
{
    const struct jb_event *e;
    jb_status status = jb_state_event(x->l->state, seq, &e, x->err);
    if (status != JB_OK) {
        return JB_STEP_FAILED;
    }
    bool checked = x->fingerprint != 0 && e->fingerprint != 0 && jb_fingerprint_holds(x->l, seq);
    bool other = checked && e->fingerprint != x->fingerprint;
    if (checked && !other && jb_personal_layout(x->l->personal) == 2) {
        enum jb_repeated texts = JB_REPEATED_SAME;
        if (compare_texts(x, e, &texts) != JB_OK ||
            jb_state_event(x->l->state, seq, &e, x->err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        other = texts == JB_REPEATED_OTHER;
        checked = texts == JB_REPEATED_SAME;
    }
    if (other) {
        struct jb_figure first = {JB_FIG_SEQ, (int64_t)seq};
        jb_answer_refused(x->r->answers, x->a, JB_CODE_KEY_CONFLICT, &first, 1, x->c, -1,
                          &x->l->identity);
        x->a->seq = seq;
        return JB_STEP_DECIDED;
    }
    if (e->type == JB_EV_COMMAND_REFUSED) {
        const struct jb_command_refused *refused = &e->command_refused;
        x->a->op = (jb_op)refused->op;
        x->a->remembered = 1;
        jb_answer_refused(x->r->answers, x->a, (jb_code)refused->code, refused->figures.at,
                          refused->figures.n, x->c, refused->index - 1, &x->l->identity);
        x->a->seq = seq;
    } else {
        uint32_t events = e->group_events, commands = e->group_commands;
        jb_answer_done(x->r->answers, x->a, e);
        status = commands > 0 ? answer_group(x, seq, events, commands) : jb_answer_rest(x, x->a);
    }
    x->a->outcome = JB_DUPLICATE;
    x->a->content_checked = checked;
    return jb_step_of(status);
}

/* A closed day is answered with its first result, before the clock is looked at; its key is not
 * taken. */
enum jb_step
jb_repeat_close(struct execution *x, bool *ret_known)
{
    jb_seq seq;
    jb_status status = jb_state_closed(x->l->state, x->c->day, &seq, x->err);
    *ret_known = status == JB_OK && seq != 0;
    const struct jb_event *e;
    if (*ret_known && (status = jb_state_event(x->l->state, seq, &e, x->err)) == JB_OK) {
        jb_answer_done(x->r->answers, x->a, e);
        x->a->outcome = JB_DUPLICATE;
        x->a->content_checked = 1;
    }
    return jb_step_of(status);
}
