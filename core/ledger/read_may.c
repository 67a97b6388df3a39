/*
 * What somebody may do to a wallet: of each row of the matrix such a command is made, by that
 * person and about him, and jb_admit is asked, as of a command. So `may` says no where the command
 * would be refused for a role, a state or a kind, and nowhere else (docs/rules.md section 10); only
 * with which wallet the channel is connected is not asked.
 */
#include "ledger/asking.h"
#include "state/around.h"

#define CELLS_MAX 256

/* What is asked. */
struct may_question {
    struct jb_text wallet, actor, channel;
};

/* And what was found. */
struct may_found {
    struct jb_may may;
    uint8_t answers[CELLS_MAX];
    size_t n;
};

struct standing {
    const struct jb_wallet *w;
    struct jb_wallet_around around;
    struct jb_text actor, channel; /* s NULL: none is named */
    uint64_t person;               /* the actor's reference; 0: nobody knows him */
    char agency[JB_ID_BYTES_MAX];  /* one that he is with */
    size_t agency_n;
};

/* An agency of whose staff he is: it may ask for the sales right. */
static jb_status
look_agency(struct jb_asking *a, struct standing *s)
{
    jb_status status = JB_OK;
    uint32_t role = 0;
    uint64_t n = s->person != 0 ? a->b->g.agencies_given : 0;
    for (uint64_t i = 1; i <= n && role == 0 && status == JB_OK; i++) {
        status = jb_around_held(a->b, JB_HOLDER_AGENCY, i, s->person, a->now, &role, a->err);
        struct jb_text id = {NULL, 0};
        if (status == JB_OK && role != 0) {
            status = jb_around_agency(a->b, i, &id, a->err);
        }
        s->agency_n = id.n <= sizeof s->agency ? id.n : 0;
        memcpy(s->agency, s->agency_n > 0 ? id.s : "", s->agency_n);
    }
    return status;
}

/* All roles that he has there. */
static jb_status
look_roles(struct jb_asking *a, const struct standing *s, struct jb_may *ret)
{
    const struct jb_people people = {.actor = s->person};
    const struct jb_around_time t = {a->now, a->now};
    struct jb_channel channel = {0};
    uint64_t channel_no = 0;
    jb_status status = JB_OK;
    if (s->channel.s != NULL) {
        status = jb_ask_channel(a, s->channel, &channel_no);
        status =
            status == JB_OK ? jb_around_channel(a->b, channel_no, &channel, NULL, a->err) : status;
    }
    return status == JB_OK ? jb_around_roles(a->b, s->w, channel_no, &channel, 0, &people, &t,
                                             &ret->roles, a->err)
                           : status;
}

static jb_status
look_standing(struct jb_asking *a, const struct may_question *q, struct standing *s,
              struct jb_may *ret)
{
    *s = (struct standing){.actor = q->actor, .channel = q->channel};
    *ret = (struct jb_may){
        .size = sizeof *ret, .seq = a->b->g.seq, .at = a->now, .matrix = a->b->g.matrix};
    jb_status status = jb_ask_wallet(a, q->wallet, &s->w);
    if (status != JB_OK) {
        return status;
    }
    ret->number = s->w->number;
    status = jb_around_wallet(a->b, ret->number, &s->around, a->err);
    bool named = q->actor.s != NULL && q->actor.n >= 1 && q->actor.n <= JB_ID_BYTES_MAX;
    if (status == JB_OK && named) {
        status = jb_personal_known(a->l->personal, q->actor, &s->person, a->err);
    }
    ret->actor = s->person;
    status = status == JB_OK ? look_agency(a, s) : status;
    return status == JB_OK ? look_roles(a, s, ret) : status;
}

/* The command of a row, on the wallet and the channel, by the person and about him. What must be
 * said besides is something that changes no answer. */
static struct jb_command
command_of(const struct standing *s, const struct jb_permission *cell)
{
    struct jb_command c = jb_permission_command(cell);
    const struct jb_op_info *op = jb_op_get(cell->op);
    const uint64_t takes = op->required | op->optional;
    /* biz.* are of a wallet or of a channel; one row alone is that of channels. */
    const bool either = c.op >= JB_OP_BIZ_REQUEST && c.op <= JB_OP_BIZ_REFUSE;
    const bool of_channel = either && strcmp(cell->cell, "biz.request:channel") == 0;
    c.has |= op->required;
    c.has |= either && !of_channel ? JB_HAS(JB_CF_WALLET) : 0;
    c.has &= ~JB_HAS(JB_CF_CHANNEL);
    if (s->channel.s != NULL && (takes & JB_HAS(JB_CF_CHANNEL)) != 0 && (!either || of_channel)) {
        c.channel = s->channel;
        c.has |= JB_HAS(JB_CF_CHANNEL);
    }
    c.person = s->actor;
    c.agency = (struct jb_text){s->agency, s->agency_n};
    c.has &= s->agency_n > 0 ? UINT64_MAX : ~JB_HAS(JB_CF_AGENCY);
    c.seq = s->around.biz.open;
    c.search_id = (struct jb_text){"a", 1};
    c.kind = JB_KIND_PERSONAL;
    c.settlement = JB_SETTLEMENT_PREPAID;
    c.biz = (struct jb_text){"0000000000", JB_BIZ_DIGITS};
    return c;
}

/* A name that opens no more is that of nobody who can act. */
static jb_status
look_for_master(struct jb_asking *a, const struct jb_wallet *w, const struct jb_command *c,
                struct jb_around *around)
{
    char id[JB_PERSON_TEXT_BYTES_MAX];
    size_t n;
    enum jb_text_state state = JB_TEXT_THERE;
    uint64_t master = jb_master_of(w, c, around);
    jb_status status =
        master != 0 ? jb_personal_get(a->l->personal, master, id, &n, &state, a->err) : JB_OK;
    around->master_lost = status == JB_OK && state != JB_TEXT_THERE;
    return status;
}

static jb_may_answer
answer_of(jb_code code)
{
    switch ((uint32_t)code) {
    case JB_CODE_NONE:
        return JB_MAY_YES;
    case JB_CODE_ROLE:
        return JB_MAY_ROLE;
    case JB_CODE_WALLET_KIND:
    case JB_CODE_CHANNEL_KIND:
        return JB_MAY_KIND;
    default: /* WALLET_STATE, WALLET_DELETED, CHANNEL_STATE */
        return JB_MAY_STATE;
    }
}

static jb_status
look_cell(struct jb_asking *a, const struct standing *s, const struct jb_permission *cell,
          jb_may_answer *ret)
{
    const struct jb_command c = command_of(s, cell);
    const bool known = s->actor.s != NULL;
    const struct jb_people people = {
        .actor = s->person, .person = s->person, .self = known, .for_himself = known};
    const struct jb_around_time t = {a->now, a->now};
    const struct jb_decision_time m = {.recorded_at = a->now, .occurred_at = a->now, .at = a->now};
    const struct jb_permit permit = {cell->roles, cell->both};
    bool on_wallet = jb_given(&c, JB_CF_WALLET) && c.op != JB_OP_WALLET_CREATE;
    const struct jb_wallet *w = on_wallet ? s->w : NULL;
    struct jb_around around;
    struct jb_verdict v = {.code = JB_CODE_NONE};
    jb_around_begin(&around, true);
    around.whatever_wallet = true;
    jb_status status = jb_around_look(a->b, w, &c, &people, permit, &t, &around, a->err);
    status = status == JB_OK ? look_for_master(a, w, &c, &around) : status;
    if (status == JB_OK && jb_admit(w, &c, &around, &m, &v)) {
        JB_ASSERT(v.code == JB_CODE_NONE);
    }
    *ret = answer_of(v.code);
    return status;
}

static jb_status
look_may(struct jb_asking *a, const void *question, void *data)
{
    struct may_found *ret = data;
    struct standing s;
    jb_may_answer answer = JB_MAY_YES;
    jb_status status = look_standing(a, question, &s, &ret->may);
    const struct jb_permission *cells =
        jb_permissions(ret->may.matrix != 0 ? ret->may.matrix : 1, &ret->n);
    JB_ASSERT(ret->n <= CELLS_MAX);
    for (size_t i = 0; i < ret->n && status == JB_OK; i++) {
        status = look_cell(a, &s, &cells[i], &answer);
        ret->answers[i] = (uint8_t)answer;
    }
    return status;
}

jb_status
jb_may_get(jb_ledger *l, struct jb_text wallet, struct jb_text actor, struct jb_text channel,
           bool (*each)(void *data, const struct jb_permission *cell, jb_may_answer answer),
           void *data, struct jb_may *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    const struct may_question question = {wallet, actor, channel};
    struct jb_asking a;
    struct may_found found;
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_may_get");
    }
    jb_status status = jb_ask(l, &a, look_may, &question, &found, err);
    status = status == JB_OK ? jb_abi_out(ret, &found.may, sizeof found.may, err) : status;
    if (status != JB_OK) {
        return status;
    }
    const struct jb_permission *cells =
        jb_permissions(found.may.matrix != 0 ? found.may.matrix : 1, NULL);
    for (size_t i = 0; i < found.n && each != NULL; i++) {
        if (!each(data, &cells[i], (jb_may_answer)found.answers[i])) {
            break;
        }
    }
    return JB_OK;
}
