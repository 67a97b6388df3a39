/* What the rules are told about what stands around the money, for one command. */
#include "base/text.h"
#include "state/around.h"
#include "state/papers.h"

/* Whose roles, and where. */
struct look {
    struct jb_state *b;
    const struct jb_wallet *w;
    uint64_t channel_no;
    const struct jb_channel *channel;
    bool uses;       /* the channel's people use the wallet: for that it has to be connected */
    uint64_t agency; /* whose staff counts; 0: that of the sales right */
    const struct jb_people *people;
    const struct jb_around_time *t;
    struct jb_error *err;
    /* What the actor is to the wallet at that time, once it was looked up. */
    bool known;
    jb_instant known_at;
    uint32_t known_role;
};

static jb_status
role_of_wallet(struct look *l, jb_instant at, uint32_t *ret)
{
    jb_status status = JB_OK;
    if (!l->known || l->known_at != at) {
        status = jb_around_held(l->b, JB_HOLDER_WALLET, l->w->number, l->people->actor, at,
                                &l->known_role, l->err);
        l->known = status == JB_OK;
        l->known_at = at;
    }
    *ret = l->known_role;
    return status;
}

static jb_status
in_agency(const struct look *l, jb_instant at, bool *ret)
{
    uint64_t agency = l->agency;
    uint32_t role = 0;
    jb_status status = JB_OK;
    if (agency == 0 && l->w != NULL) {
        struct jb_wallet_around a;
        status = jb_around_wallet(l->b, l->w->number, &a, l->err);
        bool nobody = status == JB_OK && a.agency == 0 && at >= l->t->recorded_at;
        status = status == JB_OK && !nobody
                     ? jb_around_holder_at(l->b, JB_HOLDER_SALES, l->w->number, a.agency, at,
                                           &agency, l->err)
                     : status;
    }
    if (status == JB_OK && agency != 0) {
        status =
            jb_around_held(l->b, JB_HOLDER_AGENCY, agency, l->people->actor, at, &role, l->err);
    }
    *ret = role != 0;
    return status;
}

/* The roles of a wallet ended with it, without events of their own. */
static bool
is_gone(const struct look *l, jb_instant at)
{
    const struct jb_wallet *w = l->w;
    if (w == NULL || w->status != JB_WALLET_DELETED) {
        return false;
    }
    struct jb_interval first;
    const struct jb_intervals all = jb_wallet_intervals(w, &first);
    return all.n > 0 && at >= all.at[all.n - 1].from;
}

static jb_status
has_role(struct look *l, uint32_t role, jb_instant at, bool *ret)
{
    uint32_t held = 0;
    jb_status status = JB_OK;
    *ret = false;
    if (role == JB_ROLE_SELF) {
        *ret = l->people->self;
        return JB_OK;
    }
    bool wallets = role == JB_ROLE_MASTER || role == JB_ROLE_MEMBER || role == JB_ROLE_AGENCY;
    if (l->people->actor == 0 || (wallets && is_gone(l, at))) {
        return JB_OK;
    }
    if (role == JB_ROLE_AGENCY) {
        return in_agency(l, at, ret);
    }
    if (role == JB_ROLE_MASTER || role == JB_ROLE_MEMBER) {
        status = l->w != NULL ? role_of_wallet(l, at, &held) : JB_OK;
    } else if (role == JB_ROLE_CHANNEL_MASTER || role == JB_ROLE_MANAGER) {
        bool open =
            l->channel_no != 0 && (l->channel->closed == JB_NO_INSTANT || at < l->channel->closed);
        uint32_t connected = 1;
        if (open && l->uses) {
            status = jb_around_held(l->b, JB_HOLDER_CHANNELS, l->w->number, l->channel_no, at,
                                    &connected, l->err);
        }
        status = status != JB_OK || !open || connected == 0
                     ? status
                     : jb_around_held(l->b, JB_HOLDER_STAFF, l->channel_no, l->people->actor, at,
                                      &held, l->err);
    } else {
        /* They report what happened: they are judged by now. */
        status = jb_around_held(l->b, JB_HOLDER_LEDGER, role, l->people->actor, l->t->recorded_at,
                                &held, l->err);
    }
    *ret = held == role;
    return status;
}

static jb_status
all_roles(struct look *l, jb_instant at, uint32_t *ret)
{
    *ret = 0;
    for (uint32_t role = JB_ROLE_MASTER; role < JB_ROLES; role++) {
        bool has;
        jb_status status = has_role(l, role, at, &has);
        if (status != JB_OK) {
            return status;
        }
        *ret |= has ? 1U << role : 0;
    }
    return JB_OK;
}

jb_status
jb_around_roles(struct jb_state *b, const struct jb_wallet *w, uint64_t channel_no,
                const struct jb_channel *channel, uint64_t agency, const struct jb_people *people,
                const struct jb_around_time *t, uint32_t *ret, struct jb_error *err)
{
    struct look l = {.b = b,
                     .w = w,
                     .channel_no = channel_no,
                     .channel = channel,
                     .agency = agency,
                     .people = people,
                     .t = t,
                     .err = err};
    return all_roles(&l, t->at, ret);
}

/* The first of the roles that the op takes. The usual one costs one look. */
static jb_status
look_carried(struct look *l, struct jb_permit permit, uint32_t named, uint32_t *ret)
{
    *ret = JB_ROLE_NONE;
    uint32_t alone = permit.roles & ~permit.both & named;
    bool both = permit.both != 0;
    for (uint32_t role = JB_ROLE_MASTER; role < JB_ROLES && both; role++) {
        bool has = true;
        jb_status status =
            (permit.both & 1U << role) != 0 ? has_role(l, role, l->t->at, &has) : JB_OK;
        if (status != JB_OK) {
            return status;
        }
        both = has;
    }
    for (uint32_t role = JB_ROLE_MASTER; role < JB_ROLES && *ret == JB_ROLE_NONE; role++) {
        bool has = false;
        jb_status status = JB_OK;
        if (both && (permit.both & named & 1U << role) != 0) {
            has = true;
        } else if ((alone & 1U << role) != 0) {
            status = has_role(l, role, l->t->at, &has);
        }
        if (status != JB_OK) {
            return status;
        }
        *ret = has ? role : JB_ROLE_NONE;
    }
    return JB_OK;
}

/* The roles that the actor's own word lets count. */
static uint32_t
named_roles(struct jb_text word)
{
    uint32_t role;
    if (word.n == 0) {
        return UINT32_MAX;
    }
    return jb_name_number(jb_names_get(JB_LIST_ROLE), word.s, word.n, &role) && role != 0
               ? 1U << role
               : 0;
}

/* A channel's master makes wallets for himself only, and nobody approves what he asked for. */
static uint32_t
barred_roles(const struct look *l, const struct jb_command *c, const struct jb_around *a)
{
    const struct jb_biz_of *biz = l->w != NULL ? &a->wallet.biz : &a->channel.biz;
    if (c->op == JB_OP_BIZ_APPROVE && biz->open != 0 && biz->open == c->seq && biz->open_by != 0 &&
        biz->open_by == l->people->actor) {
        return UINT32_MAX;
    }
    return c->op == JB_OP_WALLET_CREATE && !l->people->for_himself ? 1U << JB_ROLE_CHANNEL_MASTER
                                                                   : 0;
}

static jb_status
look_roles(struct look *l, const struct jb_command *c, struct jb_around *a)
{
    uint32_t named = named_roles(l->people->role) & ~barred_roles(l, c, a);
    jb_status status = look_carried(l, a->permit, named, &a->carried);
    if (status != JB_OK || a->carried != JB_ROLE_NONE) {
        return status;
    }
    status = all_roles(l, l->t->at, &a->have);
    return status == JB_OK ? all_roles(l, l->t->recorded_at, &a->have_now) : status;
}

/* Of the wallets that a channel names, those that are deleted count no more. */
static jb_status
look_channel(const struct look *l, struct jb_around *a)
{
    const struct jb_channel *c = &a->channel;
    uint64_t with = c->wallet;
    uint32_t held = 0;
    jb_status status = JB_OK;
    if (with != 0) {
        struct jb_cached_wallet *other;
        status = jb_state_wallet(l->b, (uint32_t)with, &other, l->err);
        with = status == JB_OK && other->w.status != JB_WALLET_DELETED ? with : 0;
    }
    a->channel_state = c->closed != JB_NO_INSTANT             ? JB_CHANNEL_CLOSED
                       : with == 0                            ? JB_CHANNEL_FREE
                       : l->w == NULL || with == l->w->number ? JB_CHANNEL_CONNECTED
                                                              : JB_CHANNEL_ELSEWHERE;
    if (status == JB_OK && l->w != NULL) {
        status = jb_around_held(l->b, JB_HOLDER_CHANNELS, l->w->number, l->channel_no, l->t->at,
                                &held, l->err);
    }
    a->connected = held != 0;
    return status;
}

/* What the person named is to the wallet. */
static jb_status
look_member(const struct look *l, struct jb_around *a)
{
    struct jb_tenure t;
    struct jb_holding invited, members;
    uint32_t number = l->w->number;
    uint64_t person = l->people->person;
    a->person_state = JB_PERSON_NONE;
    jb_status status = jb_around_holding(l->b, JB_HOLDER_INVITED, number, &invited, l->err);
    status = status == JB_OK ? jb_around_holding(l->b, JB_HOLDER_WALLET, number, &members, l->err)
                             : status;
    a->people_n = members.n + invited.n;
    if (status != JB_OK || person == 0) {
        return status;
    }
    status = jb_around_tenure(l->b, JB_HOLDER_WALLET, number, person, &t, l->err);
    if (status != JB_OK || t.role != 0) {
        a->person_state = t.role == JB_ROLE_MASTER ? JB_PERSON_MASTER : JB_PERSON_MEMBER;
        return status;
    }
    status = jb_around_tenure(l->b, JB_HOLDER_INVITED, number, person, &t, l->err);
    /* One that was taken out of the list because it had lapsed has no role, and its time. */
    if (status == JB_OK && (t.role != 0 || t.seq != 0) && t.seq > invited.void_before) {
        a->person_state = t.until > l->t->recorded_at ? JB_PERSON_INVITED : JB_PERSON_LAPSED;
        a->until = t.until;
    }
    return status;
}

/* Those whose invitation has lapsed take no place. They are counted only where it matters. */
static jb_status
count_lapsed(const struct look *l, struct jb_around *a)
{
    uint64_t lapsed;
    if ((int64_t)a->people_n < jb_policy_at(&l->b->g, JB_POLICY_MEMBERS_MAX, l->t->recorded_at)) {
        return JB_OK;
    }
    jb_status status = jb_around_lapsed(l->b, l->w->number, l->t->recorded_at, &lapsed, l->err);
    a->people_n -= status == JB_OK ? lapsed : 0;
    return status;
}

static jb_status
look_staff(const struct look *l, struct jb_around *a)
{
    struct jb_tenure t;
    struct jb_holding staff;
    a->person_state = JB_PERSON_NONE;
    jb_status status = jb_around_holding(l->b, JB_HOLDER_STAFF, l->channel_no, &staff, l->err);
    a->people_n = staff.n;
    if (status != JB_OK || l->people->person == 0) {
        return status;
    }
    status = jb_around_tenure(l->b, JB_HOLDER_STAFF, l->channel_no, l->people->person, &t, l->err);
    if (status == JB_OK && t.role != 0) {
        a->person_state =
            t.role == JB_ROLE_CHANNEL_MASTER ? JB_PERSON_CHANNEL_MASTER : JB_PERSON_MANAGER;
    }
    return status;
}

static jb_status
look_role(const struct look *l, const struct jb_command *c, struct jb_around *a)
{
    struct jb_tenure t = {0};
    enum jb_holder holder = c->role == JB_ROLE_AGENCY ? JB_HOLDER_AGENCY : JB_HOLDER_LEDGER;
    uint64_t number = c->role == JB_ROLE_AGENCY ? l->agency : c->role;
    jb_status status = number != 0 && l->people->person != 0
                           ? jb_around_tenure(l->b, holder, number, l->people->person, &t, l->err)
                           : JB_OK;
    a->person_state = t.role != 0 ? JB_PERSON_HOLDS : JB_PERSON_NONE;
    return status;
}

static jb_status
look_sales(const struct look *l, struct jb_around *a)
{
    struct jb_tenure t = {0};
    a->sales_state = JB_SALES_NONE;
    if (l->agency == 0) {
        return JB_OK;
    }
    jb_status status = jb_around_tenure(l->b, JB_HOLDER_ASKED, l->w->number, l->agency, &t, l->err);
    a->sales_state = a->wallet.agency == l->agency ? JB_SALES_HELD
                     : t.role != 0                 ? JB_SALES_REQUESTED
                                                   : JB_SALES_NONE;
    return status;
}

static jb_status
look_biz(const struct look *l, const struct jb_command *c, struct jb_around *a)
{
    a->biz = l->w != NULL ? a->wallet.biz : a->channel.biz;
    uint64_t number = c->op == JB_OP_BIZ_REQUEST ? jb_biz_number_of(c->biz) : a->biz.open_number;
    return number != 0 ? jb_around_biz(l->b, number, &a->number, l->err) : JB_OK;
}

static jb_status
look_mail_order(const struct look *l, const struct jb_command *c, struct jb_around *a)
{
    struct jb_text now = {NULL, 0};
    jb_status status = JB_OK;
    if (a->channel.mail_order != 0) {
        const struct jb_event *e;
        status = jb_state_event(l->b, a->channel.mail_order, &e, l->err);
        now = status == JB_OK ? e->mail_order_set.mail_order : now;
    }
    bool given = (c->has & JB_HAS(JB_CF_MAIL_ORDER)) != 0;
    a->same_mail_order = given ? now.s != NULL && jb_text_equal(now, c->mail_order) : now.s == NULL;
    return status;
}

static jb_status
look_search_id(const struct look *l, const struct jb_command *c, struct jb_around *a)
{
    uint32_t channel;
    struct jb_channel other;
    a->search_id_n = jb_search_id_nfc(c->search_id, a->search_id);
    jb_status status =
        jb_state_id(l->b, 'S', 0, (struct jb_text){a->search_id, a->search_id_n}, &channel, l->err);
    if (status != JB_OK || channel == 0) {
        return status;
    }
    status = jb_around_channel(l->b, channel, &other, NULL, l->err);
    a->search_taken = other.search;
    return status;
}

/* Of a command on a wallet or a channel that is there. */
static jb_status
look_named(const struct look *l, const struct jb_command *c, struct jb_around *a)
{
    jb_status status = JB_OK;
    switch ((uint32_t)c->op) {
    case JB_OP_MEMBER_INVITE:
        status = look_member(l, a);
        return status == JB_OK ? count_lapsed(l, a) : status;
    case JB_OP_MEMBER_ACCEPT:
    case JB_OP_MEMBER_LEAVE:
    case JB_OP_MEMBER_REMOVE:
    case JB_OP_MASTER_TRANSFER:
        return look_member(l, a);
    case JB_OP_MANAGER_ADD:
    case JB_OP_MANAGER_REMOVE:
    case JB_OP_CHANNEL_TRANSFER:
        return look_staff(l, a);
    case JB_OP_CHANNEL_SEARCH_ID:
        return look_search_id(l, c, a);
    case JB_OP_CHANNEL_MAIL_ORDER:
        return look_mail_order(l, c, a);
    case JB_OP_BIZ_REQUEST:
    case JB_OP_BIZ_APPROVE:
    case JB_OP_BIZ_REFUSE:
        return look_biz(l, c, a);
    case JB_OP_SALES_REQUEST:
    case JB_OP_SALES_ACCEPT:
    case JB_OP_SALES_REFUSE:
    case JB_OP_SALES_RELEASE:
        return look_sales(l, a);
    case JB_OP_WALLET_DELETE:
        return jb_papers_look(l->b, l->w, &a->wallet, 0, 0, &a->papers, l->err);
    case JB_OP_INVOICE_ISSUE:
        return jb_papers_look(l->b, l->w, &a->wallet, 0, c->month, &a->papers, l->err);
    case JB_OP_INVOICE_CORRECT:
    case JB_OP_INVOICE_CONFIRM:
    case JB_OP_INVOICE_FAIL:
    case JB_OP_INVOICE_MAIL:
        return jb_papers_look(l->b, l->w, &a->wallet, c->invoice, 0, &a->papers, l->err);
    default:
        return JB_OK;
    }
}

static jb_status
find_agency(struct jb_state *b, const struct jb_command *c, uint64_t *ret, struct jb_error *err)
{
    uint32_t number = 0;
    jb_status status = (c->has & JB_HAS(JB_CF_AGENCY)) != 0
                           ? jb_state_id(b, 'A', 0, c->agency, &number, err)
                           : JB_OK;
    *ret = number;
    return status;
}

static jb_status
find_channel(struct jb_state *b, const struct jb_command *c, struct jb_around *a,
             struct jb_error *err)
{
    uint32_t number = 0;
    a->named = (c->has & JB_HAS(JB_CF_CHANNEL)) != 0;
    jb_status status = a->named ? jb_state_id(b, 'H', 0, c->channel, &number, err) : JB_OK;
    a->channel_no = number;
    return status == JB_OK && number != 0 ? jb_around_channel(b, number, &a->channel, NULL, err)
                                          : status;
}

jb_status
jb_around_look(struct jb_state *b, const struct jb_wallet *w, const struct jb_command *c,
               const struct jb_people *people, struct jb_permit permit,
               const struct jb_around_time *t, struct jb_around *a, struct jb_error *err)
{
    struct look l = {.b = b, .w = w, .people = people, .t = t, .err = err};
    l.uses = w != NULL && (c->op == JB_OP_CHARGE || c->op == JB_OP_CONSUME);
    bool of_who = c->op >= JB_OP_ROLE_GIVE || c->op == JB_OP_WALLET_DELETE;
    a->enforced = b->g.matrix != 0;
    a->permit = permit;
    a->people = *people;
    jb_status status = find_channel(b, c, a, err);
    status = status == JB_OK && of_who ? find_agency(b, c, &l.agency, err) : status;
    l.channel_no = a->channel_no;
    l.channel = &a->channel;
    if (status == JB_OK && w != NULL && of_who) {
        status = jb_around_wallet(b, w->number, &a->wallet, err);
    }
    if (status == JB_OK && a->channel_no != 0) {
        status = look_channel(&l, a);
    }
    if (status == JB_OK && a->enforced) {
        uint64_t asked = l.agency;
        l.agency = c->op == JB_OP_SALES_REQUEST ? asked : 0;
        /* An agency that nobody knows has no staff, and its asking is not that of another. */
        bool nobodys = c->op == JB_OP_SALES_REQUEST && asked == 0;
        l.agency = nobodys ? UINT32_MAX : l.agency;
        status = look_roles(&l, c, a);
        l.agency = asked;
    }
    if (status != JB_OK) {
        return status;
    }
    if (c->op == JB_OP_ROLE_GIVE || c->op == JB_OP_ROLE_TAKE) {
        return look_role(&l, c, a);
    }
    if (c->op == JB_OP_SALES_RELEASE && a->wallet.agency != 0) {
        struct jb_text id;
        l.agency = a->wallet.agency;
        status = jb_around_agency(b, l.agency, &id, err);
        a->agency_id_n = id.n <= sizeof a->agency_id ? id.n : 0;
        memcpy(a->agency_id, id.n > 0 ? id.s : "", a->agency_id_n);
        if (status != JB_OK) {
            return status;
        }
    }
    bool there = (c->has & JB_HAS(JB_CF_WALLET)) != 0 ? w != NULL : a->channel_no != 0;
    return there ? look_named(&l, c, a) : JB_OK;
}
