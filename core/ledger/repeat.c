/* A key, or a closed day, that is known: the first answer again. It is a function of the first event. */
#include "ledger/work.h"

static bool
is_member_event(uint32_t type)
{
    return type != JB_EV_FREE_EXPIRED && type != JB_EV_FREE_FORFEITED && type != JB_EV_DAY_CLOSED;
}

/* The members' answers of a group from its events: one event a member, beside expiries and forfeits. */
static jb_status
answer_group(struct work *w, jb_seq last, uint32_t events, uint32_t commands)
{
    struct jb_answer *members = jb_answers_alloc(w->r->answers, commands * sizeof *members);
    if (members == NULL) {
        return jb_fail(w->err, JB_E_NOMEM, "no memory for an answer");
    }
    memset(members, 0, commands * sizeof *members);
    uint32_t n = 0;
    for (jb_seq seq = last - events + 1; seq <= last && n < commands; seq++) {
        const struct jb_event *e;
        jb_status status = jb_book_event(w->l->book, seq, &e, w->err);
        if (status != JB_OK) {
            return status;
        }
        if (is_member_event(e->type)) {
            members[n].index = -1;
            members[n].content_checked = true;
            members[n].op = w->c->op == JB_OP_ATOMIC && n < w->c->commands_n ? w->c->commands[n].op : w->c->op;
            jb_answer_done(w->r->answers, &members[n], e);
            n++;
        }
    }
    w->a->members = members;
    w->a->members_n = n;
    w->a->wallet_version = 0;
    return JB_OK;
}

/* The first answer again: a function of the first event. */
enum jb_step
jb_repeat(struct work *w, jb_seq seq)
{
    const struct jb_event *e;
    jb_status status = jb_book_event(w->l->book, seq, &e, w->err);
    if (status != JB_OK) {
        return JB_STEP_FAILED;
    }
    bool checked = w->fingerprint != 0 && e->fingerprint != 0;
    if (checked && e->fingerprint != w->fingerprint) {
        struct jb_figure first = {JB_FIG_SEQ, (int64_t)seq};
        jb_answer_refused(w->r->answers, w->a, JB_CODE_KEY_CONFLICT, &first, 1, -1, &w->l->identity);
        w->a->seq = seq;
        return JB_STEP_DECIDED;
    }
    if (e->type == JB_EV_COMMAND_REFUSED) {
        w->a->op = (jb_op)e->code2;
        w->a->remembered = true;
        jb_answer_refused(w->r->answers, w->a, (jb_code)e->code, e->figures, e->figures_n, e->number - 1, &w->l->identity);
        w->a->seq = seq;
    } else {
        uint32_t events = e->group_events, commands = e->group_commands;
        jb_answer_done(w->r->answers, w->a, e);
        if (commands > 0) {
            status = answer_group(w, seq, events, commands);
        }
    }
    w->a->outcome = JB_DUPLICATE;
    w->a->content_checked = checked;
    return jb_step_of(status);
}

/* A closed day is answered with its first result, before the clock is looked at; its key is not taken. */
enum jb_step
jb_repeat_close(struct work *w, bool *ret_known)
{
    jb_seq seq;
    jb_status status = jb_book_closed(w->l->book, w->c->day, &seq, w->err);
    *ret_known = status == JB_OK && seq != 0;
    const struct jb_event *e;
    if (*ret_known && (status = jb_book_event(w->l->book, seq, &e, w->err)) == JB_OK) {
        jb_answer_done(w->r->answers, w->a, e);
        w->a->outcome = JB_DUPLICATE;
        w->a->content_checked = true;
    }
    return jb_step_of(status);
}
