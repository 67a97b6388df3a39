/* Asks the rules about each event of a log, and says at its end what could not be asked. */
#include "replay/rules/inner.h"

jb_status
jb_judge_open(struct jb_state *b, struct jb_findings *f, struct jb_judge **ret,
              struct jb_error *err)
{
    struct jb_judge *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return jb_judge_no_memory(err);
    }
    r->b = b;
    r->f = f;
    *ret = r;
    return JB_OK;
}

struct jb_judge *
jb_judge_close(struct jb_judge *r)
{
    if (r != NULL) {
        jb_verdict_free(&r->v);
        jb_live_free(r);
        jb_vec_free(&r->grants);
        jb_vec_free(&r->lots);
        jb_vec_free(&r->run);
        jb_vec_free(&r->commit);
        jb_vec_free(&r->complaints);
        free(r);
    }
    return NULL;
}

/* A number of rules that is not known here: from it on nothing can be said. */
static bool
goes_beyond(struct jb_judge *r, const struct jb_event *e)
{
    if (e->type != JB_EV_POLICY_SET || e->policy_set.policy != JB_POLICY_RULES ||
        e->policy_set.value <= JB_RULES) {
        return false;
    }
    r->over = true;
    jb_not_checked(r->f, JB_AUDIT_RULES,
                   "the rules: from event %llu on the ledger goes by rules %lld, and this version "
                   "knows rules 1 to %d. Audit it with a newer one",
                   (unsigned long long)e->seq, (long long)e->policy_set.value, JB_RULES);
    return true;
}

static bool
currency_holds(struct jb_text t)
{
    bool ok = t.n == 3;
    for (size_t i = 0; i < t.n; i++) {
        ok = ok && t.s[i] >= 'A' && t.s[i] <= 'Z';
    }
    return ok;
}

/* Of people.mdb: what the log alone can tell. */
static jb_status
check_forgotten(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_forgotten *f = &e->forgotten;
    struct jb_person_roles roles = {0};
    struct jb_biz_number biz = {0};
    struct jb_cached_wallet *s = NULL;
    uint32_t held = JB_ROLE_OPERATOR;
    jb_status status = f->person != 0 ? jb_around_person(r->b, f->person, &roles, err) : JB_OK;
    if (status == JB_OK && f->biz.s != NULL) {
        status = jb_around_biz(r->b, jb_biz_number_of(f->biz), &biz, err);
    }
    if (status == JB_OK && f->wallet_no != 0) {
        status = jb_state_wallet(r->b, f->wallet_no, &s, err);
    }
    if (status == JB_OK && r->b->g.matrix != 0) {
        status = jb_around_held(r->b, JB_HOLDER_LEDGER, JB_ROLE_OPERATOR, e->actor, e->recorded_at,
                                &held, err);
    }
    if (status != JB_OK) {
        return status;
    }
    if (roles.wallets + roles.channels + roles.roles > 0) {
        jb_refute_text(r, e, "a person is forgotten who still has a role");
    }
    if (s != NULL && s->w.status != JB_WALLET_DELETED) {
        jb_refute_text(r, e, "a wallet is forgotten that is not deleted");
    }
    if (biz.holders + biz.askers > 0) {
        jb_refute_text(r, e, "a business is forgotten that somebody has or asks for");
    }
    if (held != JB_ROLE_OPERATOR) {
        jb_refute_text(r, e, "somebody is forgotten, and not by an operator");
    }
    return JB_OK;
}

static void
check_people(struct jb_judge *r, const struct jb_event *e)
{
    if (e->type == JB_EV_FORGOTTEN) {
        if ((e->forgotten.person != 0) + (e->forgotten.wallet_no != 0) +
                (e->forgotten.biz.s != NULL) !=
            1) {
            jb_refute_text(r, e, "it does not name one of a person, a wallet and a business");
        } else if (r->b->g.people_layout != 2) {
            jb_refute_text(r, e, "somebody is forgotten before people.mdb was sealed");
        }
        return;
    }
    if (e->people_encrypted.layout < 2 || e->people_encrypted.layout <= r->b->g.people_layout) {
        jb_refute_text(r, e, "people.mdb is sealed once, with layout 2");
    }
}

/* The events of init have no time and answer no command. */
static void
check_init(struct jb_judge *r, const struct jb_event *e)
{
    struct jb_command c = {.size = sizeof c};
    if (e->type == JB_EV_LEDGER_CREATED) {
        const struct jb_ledger_created *p = &e->ledger_created;
        if (p->format != JB_LOG_FORMAT || !currency_holds(p->currency)) {
            jb_refute_text(r, e,
                           "stands format %u and a currency of %zu bytes; the rules take format "
                           "%d and three capital letters",
                           p->format, p->currency.n, JB_LOG_FORMAT);
        }
        if (p->exponent > 6 || p->utc_offset_s % 60 != 0 || p->utc_offset_s < -18 * 3600 ||
            p->utc_offset_s > 18 * 3600) {
            jb_refute_text(r, e,
                           "stands a currency with %u decimals and an offset of %lld s; the rules "
                           "take 0 to 6, and whole minutes within 18 hours",
                           p->exponent, (long long)p->utc_offset_s);
        }
        return;
    }
    if (e->type == JB_EV_PEOPLE_ENCRYPTED) {
        check_people(r, e);
        return;
    }
    if (e->type == JB_EV_ROLE_GIVEN && e->role_given.how == JB_HOW_INIT &&
        e->role_given.role == JB_ROLE_OPERATOR && e->role_given.person != 0) {
        return;
    }
    if (e->type != JB_EV_POLICY_SET) {
        jb_refute_text(r, e,
                       "it has no time; the rules give one to everything but what init "
                       "writes");
        return;
    }
    if (!jb_policy_of(r, e, &c)) {
        return;
    }
    if (e->policy_set.policy == JB_POLICY_ROLES && e->policy_set.value != 0 &&
        r->b->g.operators == 0) {
        jb_refute_text(r, e,
                       "roles are asked and nobody can give them; the rules say "
                       "LAST_OPERATOR");
    }
    bool again = false;
    for (size_t i = 0; i < r->b->g.policies.n; i++) {
        again |= r->b->g.policies.at[i].policy == e->policy_set.policy;
    }
    if (again || e->policy_set.from != JB_NO_INSTANT) {
        jb_refute_text(r, e,
                       again ? "init set that policy already"
                             : "init sets what is in force from the beginning");
    }
}

/* What was damaged or contradicts itself was said by another part; here it is only not known. */
static jb_status
not_known(struct jb_judge *r, const struct jb_event *e, jb_status status, struct jb_error *err)
{
    if (status != JB_E_CORRUPT && status != JB_E_NOTFOUND && status != JB_E_FORMAT) {
        return status;
    }
    jb_not_checked(r->f, JB_AUDIT_RULES, "what the rules say of event %llu: %s",
                   (unsigned long long)e->seq, err->text);
    return JB_OK;
}

/* A closing by nobody is the ledger's own where it was due. By hand several days close under one
 * actor, who stands in the last of them; a closing that was cut has none. */
static void
count_roles(struct jb_judge *r, const struct jb_event *e)
{
    bool asked = r->b->g.matrix != 0;
    bool nobody = e->type == JB_EV_DAY_CLOSED && (e->flags & JB_EVF_ACTOR) == 0;
    r->n.asking += asked;
    r->n.trusting += !asked;
    if (asked && nobody) {
        jb_day due = jb_due_day(&r->b->g, e->recorded_at);
        r->n.closed_by_nobody += due == JB_NO_DAY || due < e->day_closed.day;
    }
}

static jb_status
ask(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    jb_status status = jb_order_event(r, e, err);
    bool extra = e->type == JB_EV_FREE_EXPIRED || e->type == JB_EV_FREE_FORFEITED;
    bool personal = e->type == JB_EV_FORGOTTEN || e->type == JB_EV_PEOPLE_ENCRYPTED;
    r->n.personal += personal;
    extra = extra || personal;
    if (status == JB_OK && e->type == JB_EV_COMMAND_REFUSED) {
        status = jb_check_refusal(r, e, err);
    } else if (status == JB_OK && personal) {
        check_people(r, e);
        status = e->type == JB_EV_FORGOTTEN ? check_forgotten(r, e, err) : JB_OK;
    } else if (status == JB_OK && !extra) {
        r->n.commands++;
        count_roles(r, e);
        r->n.closings += e->type == JB_EV_DAY_CLOSED;
        status = jb_decide_again(r, e, err);
    }
    return status == JB_OK ? jb_order_behind(r, e, err) : status;
}

jb_status
jb_judge_event(struct jb_judge *r, const struct jb_event *e, uint64_t frame, struct jb_error *err)
{
    struct jb_error why;
    r->frame = frame;
    if (r->over || goes_beyond(r, e)) {
        return JB_OK;
    }
    if (jb_event_type_get(e->type) == NULL) {
        r->n.unknown++;
        return jb_order_behind(r, e, err);
    }
    jb_check_envelope(r, e);
    if ((e->flags & JB_EVF_UNRECORDED) != 0) {
        check_init(r, e);
        return JB_OK;
    }
    if (r->b->g.recorded_at != JB_NO_INSTANT && e->recorded_at < r->b->g.recorded_at) {
        return JB_OK; /* the fold says so */
    }
    jb_status status = ask(r, e, &why);
    status = status != JB_OK ? not_known(r, e, status, &why) : status;
    return status != JB_OK ? jb_fail(err, status, "%s", why.text) : JB_OK;
}

jb_status
jb_judge_applied(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    return r->over ? JB_OK : jb_live_applied(r, e, err);
}

void
jb_judge_commit(struct jb_judge *r)
{
    jb_order_commit(r);
}

static void
count(struct jb_judge *r, uint64_t n, const char *what)
{
    if (n > 0) {
        jb_not_checked(r->f, 0, n == 1 ? "%llu event: %s" : "%llu events: %s",
                       (unsigned long long)n, jb_tr(what));
    }
}

void
jb_judge_end(struct jb_judge *r)
{
    if (!r->over) {
        jb_order_end(r);
    }
    const struct counts *n = &r->n;
    count(r, n->commands, "`expect`, and the clock that the command had: neither is in the event");
    count(r, n->closings, "whether a day was closed with `force`");
    count(r, n->debts, "whether `overdraft` was true, where a debt was made");
    count(r, n->own_times, "an `at` of a command that has no time of its own");
    count(r, n->returns, "whether a return named its consumption by a usage that occurs once");
    count(r, n->unknown, "of a type that this version does not know, and that may be skipped");
    count(r, n->keyed,
          "the content of a command with a key against its fingerprint: the same command sent "
          "again says KEY_CONFLICT where it is another");
    count(r, n->refusals_1,
          "a remembered refusal of version 1: its code and figures fit each other, and what the "
          "command was is not in the event");
    count(r, n->asking > 0 ? n->trusting : 0, "actors' roles: none was asked when it was written");
    count(r, n->closed_by_nobody,
          "by whom a day was closed that was not due by itself: several that close at once name "
          "their actor in the last one");
    count(r, n->masters_lost,
          "whether the name of a master who was passed over opens no more: that is in people.mdb");
    count(r, n->personal, "of personal data: what was forgotten is in people.mdb");
    count(r, n->refusals_partly, "a remembered refusal whose command is only in part in the event");
    count(r, n->refusals_members,
          "a remembered refusal of a group by a member behind its first: the members before it are "
          "not in the log");
}
