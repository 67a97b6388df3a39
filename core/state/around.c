/* Records of what stands around the money, one by one and as lists. */
#include "state/around.h"

#include "base/error.h"

#define WORDS(type) (sizeof(struct type) / 8)

static const struct jb_text no_text = {NULL, 0};

jb_status
jb_around_tenure(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t whom,
                 struct jb_tenure *ret, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_TENURE, (uint8_t)holder, number, whom);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_tenure), NULL, &found, err);
}

static jb_status
put_tenure(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t whom,
           const struct jb_tenure *t, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_TENURE, (uint8_t)holder, number, whom);
    return jb_fact_put(b, &key, t, WORDS(jb_tenure), no_text, err);
}

jb_status
jb_around_holding(struct jb_state *b, enum jb_holder holder, uint64_t number,
                  struct jb_holding *ret, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_HOLDING, (uint8_t)holder, number, 0);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_holding), NULL, &found, err);
}

static jb_status
put_holding(struct jb_state *b, enum jb_holder holder, uint64_t number, const struct jb_holding *h,
            struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_HOLDING, (uint8_t)holder, number, 0);
    return jb_fact_put(b, &key, h, WORDS(jb_holding), no_text, err);
}

static jb_status
get_past(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t ordinal,
         struct jb_past_tenure *ret, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_PAST, (uint8_t)holder, number, ordinal);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_past_tenure), NULL, &found, err);
}

jb_status
jb_around_wallet(struct jb_state *b, uint32_t number, struct jb_wallet_around *ret,
                 struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_WALLET, 0, number, 0);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_wallet_around), NULL, &found, err);
}

static jb_status
put_wallet(struct jb_state *b, uint32_t number, const struct jb_wallet_around *a,
           struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_WALLET, 0, number, 0);
    return jb_fact_put(b, &key, a, WORDS(jb_wallet_around), no_text, err);
}

jb_status
jb_around_channel(struct jb_state *b, uint64_t number, struct jb_channel *ret, struct jb_text *id,
                  struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_CHANNEL, 0, number, 0);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_channel), id, &found, err);
}

static jb_status
put_channel(struct jb_state *b, uint64_t number, const struct jb_channel *c, struct jb_text id,
            struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_CHANNEL, 0, number, 0);
    return jb_fact_put(b, &key, c, WORDS(jb_channel), id, err);
}

jb_status
jb_around_agency(struct jb_state *b, uint64_t number, struct jb_text *id, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_AGENCY, 0, number, 0);
    uint64_t none[1];
    bool found;
    return jb_fact_get(b, &key, none, 0, id, &found, err);
}

jb_status
jb_around_person(struct jb_state *b, uint64_t ref, struct jb_person_roles *ret,
                 struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_PERSON, 0, 0, ref);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_person_roles), NULL, &found, err);
}

jb_status
jb_around_biz_known(struct jb_state *b, uint64_t number, struct jb_biz_number *ret, bool *ret_known,
                    struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_BIZ, 0, 0, number);
    return jb_fact_get(b, &key, ret, WORDS(jb_biz_number), NULL, ret_known, err);
}

jb_status
jb_around_biz(struct jb_state *b, uint64_t number, struct jb_biz_number *ret, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_BIZ, 0, 0, number);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_biz_number), NULL, &found, err);
}

static jb_status
put_biz(struct jb_state *b, uint64_t number, const struct jb_biz_number *n, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_BIZ, 0, 0, number);
    return jb_fact_put(b, &key, n, WORDS(jb_biz_number), no_text, err);
}

jb_status
jb_around_gone(struct jb_state *b, enum jb_gone what, uint64_t number, jb_seq *ret,
               struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_GONE, (uint8_t)what, 0, number);
    bool found;
    return jb_fact_get(b, &key, ret, 1, NULL, &found, err);
}

static jb_status
put_gone(struct jb_state *b, enum jb_gone what, uint64_t number, jb_seq seq, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_GONE, (uint8_t)what, 0, number);
    return jb_fact_put(b, &key, &seq, 1, no_text, err);
}

/* ---- lists ---- */

static bool
holds(const struct jb_holding *h, const struct jb_tenure *t)
{
    return t->role != 0 && t->seq > h->void_before;
}

jb_status
jb_around_next(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t *whom,
               struct jb_tenure *ret, struct jb_error *err)
{
    jb_status status = JB_OK;
    if (*whom == 0) {
        struct jb_holding h;
        status = jb_around_holding(b, holder, number, &h, err);
        *whom = status == JB_OK ? h.newest : 0;
    } else {
        *whom = ret->older;
    }
    return status == JB_OK && *whom != 0 ? jb_around_tenure(b, holder, number, *whom, ret, err)
                                         : status;
}

static jb_status
contradicts(const char *why, struct jb_error *err)
{
    return jb_fail(err, JB_E_CORRUPT, "%s", jb_tr(why));
}

/* Joins two neighbours of a list; either may be nobody, then the list ends there. */
static jb_status
join(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t newer, uint64_t older,
     struct jb_holding *h, struct jb_error *err)
{
    struct jb_tenure t;
    jb_status status = JB_OK;
    if (newer == 0) {
        h->newest = older;
    } else if ((status = jb_around_tenure(b, holder, number, newer, &t, err)) == JB_OK) {
        t.older = older;
        status = put_tenure(b, holder, number, newer, &t, err);
    }
    if (status != JB_OK) {
        return status;
    }
    if (older == 0) {
        h->oldest = newer;
    } else if ((status = jb_around_tenure(b, holder, number, older, &t, err)) == JB_OK) {
        t.newer = newer;
        status = put_tenure(b, holder, number, older, &t, err);
    }
    return status;
}

/* ---- who used a wallet last ---- */

/* NULL: nothing is known. */
static struct jb_last_role *
last_role(const struct jb_state *b, enum jb_holder holder, uint64_t number)
{
    return holder == JB_HOLDER_WALLET && number - 1 < b->last_roles.n
               ? &b->last_roles.at[number - 1]
               : NULL;
}

static void
forget_last(const struct jb_state *b, enum jb_holder holder, uint64_t number)
{
    struct jb_last_role *last = last_role(b, holder, number);
    if (last != NULL) {
        last->ref = 0;
    }
}

/* Where there is no memory for it, it is looked up again. */
static void
keep_last(struct jb_state *b, uint64_t number, uint64_t whom, const struct jb_tenure *t)
{
    size_t n = b->last_roles.n;
    if (number - 1 >= n) {
        if (!jb_vec_reserve(&b->last_roles, b->g.wallets_given)) {
            return;
        }
        memset(b->last_roles.at + n, 0, (b->g.wallets_given - n) * sizeof *b->last_roles.at);
        b->last_roles.n = b->g.wallets_given;
    }
    b->last_roles.at[number - 1] = (struct jb_last_role){whom, (uint32_t)t->role, t->from};
}

struct place {
    struct jb_state *b;
    enum jb_holder holder;
    uint64_t number;
    const struct jb_event *e;
    struct jb_error *err;
};

/* Between which two an invitation stands that lapses then: looked for from both ends, because
 * nearly always it is the last one, or else the first, when `invite_days` became fewer. */
static jb_status
find_place(const struct place *p, const struct jb_holding *h, jb_instant until, uint64_t *ret_newer,
           uint64_t *ret_older)
{
    uint64_t down = h->newest, up = h->oldest;
    *ret_newer = *ret_older = 0;
    while (down != 0 && up != 0) {
        struct jb_tenure t;
        jb_status status = jb_around_tenure(p->b, p->holder, p->number, down, &t, p->err);
        if (status != JB_OK || t.until <= until) {
            *ret_newer = t.newer;
            *ret_older = down;
            return status;
        }
        down = t.older;
        status = jb_around_tenure(p->b, p->holder, p->number, up, &t, p->err);
        if (status != JB_OK || t.until > until) {
            *ret_newer = up;
            *ret_older = t.older;
            return status;
        }
        up = t.newer;
    }
    return JB_OK;
}

static jb_status
begin(const struct place *p, uint64_t whom, uint32_t role, jb_instant until)
{
    struct jb_holding h;
    struct jb_tenure t;
    jb_status status = jb_around_holding(p->b, p->holder, p->number, &h, p->err);
    status =
        status == JB_OK ? jb_around_tenure(p->b, p->holder, p->number, whom, &t, p->err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (whom == 0 || holds(&h, &t)) {
        return contradicts("a role, a connection or a right begins that is there", p->err);
    }
    forget_last(p->b, p->holder, p->number);
    t = (struct jb_tenure){
        .role = role, .from = p->e->recorded_at, .until = until, .seq = p->e->seq, .past = t.past};
    uint64_t newer = 0, older = h.newest;
    if (p->holder == JB_HOLDER_INVITED) {
        status = find_place(p, &h, until, &newer, &older);
    }
    status = status == JB_OK ? put_tenure(p->b, p->holder, p->number, whom, &t, p->err) : status;
    status = status == JB_OK ? join(p->b, p->holder, p->number, newer, whom, &h, p->err) : status;
    status = status == JB_OK ? join(p->b, p->holder, p->number, whom, older, &h, p->err) : status;
    h.n++;
    return status == JB_OK ? put_holding(p->b, p->holder, p->number, &h, p->err) : status;
}

/* Of those that have ended of the same two: `far` leads to one so far back that a few steps, of
 * either length, lead to any of them (a skew-binary list). */
static jb_status
find_far(const struct place *p, struct jb_past_tenure *past)
{
    struct jb_past_tenure one = {0}, two = {0}, three = {0};
    jb_status status = JB_OK;
    if (past->older != 0) {
        status = get_past(p->b, p->holder, p->number, past->older, &one, p->err);
    }
    if (status == JB_OK && one.far != 0) {
        status = get_past(p->b, p->holder, p->number, one.far, &two, p->err);
    }
    if (status == JB_OK && two.far != 0) {
        status = get_past(p->b, p->holder, p->number, two.far, &three, p->err);
    }
    past->n = one.n + 1;
    past->far = one.n - two.n == two.n - three.n ? two.far : past->older;
    return status;
}

static jb_status
end(const struct place *p, uint64_t whom)
{
    struct jb_holding h;
    struct jb_tenure t;
    jb_status status = jb_around_holding(p->b, p->holder, p->number, &h, p->err);
    status =
        status == JB_OK ? jb_around_tenure(p->b, p->holder, p->number, whom, &t, p->err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (!holds(&h, &t)) {
        return contradicts("a role, a connection or a right ends that is not there", p->err);
    }
    forget_last(p->b, p->holder, p->number);
    status = join(p->b, p->holder, p->number, t.newer, t.older, &h, p->err);
    struct jb_past_tenure past = {
        .whom = whom, .role = t.role, .from = t.from, .until = p->e->recorded_at, .older = t.past};
    status = status == JB_OK ? find_far(p, &past) : status;
    h.n--;
    h.past_given++;
    const struct jb_fact_key key =
        jb_fact_key(JB_FACT_PAST, (uint8_t)p->holder, p->number, h.past_given);
    t = (struct jb_tenure){.past = h.past_given};
    status = status == JB_OK
                 ? jb_fact_put(p->b, &key, &past, WORDS(jb_past_tenure), no_text, p->err)
                 : status;
    status = status == JB_OK ? put_tenure(p->b, p->holder, p->number, whom, &t, p->err) : status;
    return status == JB_OK ? put_holding(p->b, p->holder, p->number, &h, p->err) : status;
}

/* Whether whom is in the list now. */
static jb_status
is_in(const struct place *p, uint64_t whom, bool *ret)
{
    struct jb_holding h;
    struct jb_tenure t;
    jb_status status = jb_around_holding(p->b, p->holder, p->number, &h, p->err);
    status =
        status == JB_OK ? jb_around_tenure(p->b, p->holder, p->number, whom, &t, p->err) : status;
    *ret = status == JB_OK && holds(&h, &t);
    return status;
}

/* The newest of the ended ones of the same two that had begun by then. */
static jb_status
held_before(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t ordinal,
            jb_instant at, uint32_t *ret, struct jb_error *err)
{
    struct jb_past_tenure past, far = {0};
    while (ordinal != 0) {
        jb_status status = get_past(b, holder, number, ordinal, &past, err);
        if (status != JB_OK || past.from <= at) {
            *ret = status == JB_OK && past.until > at ? (uint32_t)past.role : 0;
            return status;
        }
        status = past.far != 0 ? get_past(b, holder, number, past.far, &far, err) : JB_OK;
        if (status != JB_OK) {
            return status;
        }
        ordinal = past.far != 0 && far.from > at ? past.far : past.older;
    }
    return JB_OK;
}

jb_status
jb_around_held(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t whom,
               jb_instant at, uint32_t *ret, struct jb_error *err)
{
    struct jb_tenure t;
    *ret = holder == JB_HOLDER_WALLET ? jb_around_again(b, (uint32_t)number, whom, at) : 0;
    bool known = *ret != 0;
    if (known && !JB_CHECKS) {
        return JB_OK;
    }
    jb_status status = jb_around_tenure(b, holder, number, whom, &t, err);
    JB_ASSERT(!known || status != JB_OK || (t.role == *ret && t.from <= at));
    if (status != JB_OK) {
        return status;
    }
    if (t.role != 0 && t.from <= at) {
        *ret = (uint32_t)t.role;
        if (holder == JB_HOLDER_WALLET) {
            keep_last(b, number, whom, &t);
        }
        return JB_OK;
    }
    return held_before(b, holder, number, t.past, at, ret, err);
}

jb_status
jb_around_holder_at(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t now,
                    jb_instant at, uint64_t *ret, struct jb_error *err)
{
    struct jb_tenure t;
    struct jb_holding h = {0};
    *ret = 0;
    jb_status status = JB_OK;
    if (now != 0) {
        status = jb_around_tenure(b, holder, number, now, &t, err);
        if (status != JB_OK || t.from <= at) {
            *ret = status == JB_OK ? now : 0;
            return status;
        }
    }
    status = jb_around_holding(b, holder, number, &h, err);
    /* They ended in the order in which they began: the last one that had begun by then. */
    uint64_t low = 0, high = status == JB_OK ? h.past_given : 0;
    struct jb_past_tenure past = {0}, found = {0};
    while (status == JB_OK && low < high) {
        uint64_t middle = high - (high - low) / 2;
        status = get_past(b, holder, number, middle, &past, err);
        bool begun = past.from <= at;
        found = begun ? past : found;
        low = begun ? middle : low;
        high = begun ? high : middle - 1;
    }
    *ret = status == JB_OK && found.until > at ? found.whom : 0;
    return status;
}

jb_status
jb_around_lapsed(struct jb_state *b, uint64_t number, jb_instant now, uint64_t *ret,
                 struct jb_error *err)
{
    struct jb_holding h;
    struct jb_tenure t;
    *ret = 0;
    jb_status status = jb_around_holding(b, JB_HOLDER_INVITED, number, &h, err);
    for (uint64_t whom = h.oldest; status == JB_OK && whom != 0; whom = t.newer) {
        jb_seq gone = 0;
        status = jb_around_tenure(b, JB_HOLDER_INVITED, number, whom, &t, err);
        bool lapsed = t.until <= now;
        if (status != JB_OK || (!lapsed && b->g.forgotten == 0)) {
            return status; /* they stand by when they lapse: the others have not */
        }
        status = lapsed ? JB_OK : jb_around_gone(b, JB_GONE_PERSON, whom, &gone, err);
        *ret += lapsed || gone != 0;
    }
    return status;
}

/* ---- folding ---- */

enum count { OF_WALLETS, OF_CHANNELS, OF_ROLES };

static jb_status
count_person(struct jb_state *b, uint64_t ref, enum count what, bool more, struct jb_error *err)
{
    struct jb_person_roles r;
    jb_status status = jb_around_person(b, ref, &r, err);
    uint64_t *n = what == OF_WALLETS ? &r.wallets : what == OF_CHANNELS ? &r.channels : &r.roles;
    *n += more ? 1 : UINT64_MAX;
    const struct jb_fact_key key = jb_fact_key(JB_FACT_PERSON, 0, 0, ref);
    return status == JB_OK ? jb_fact_put(b, &key, &r, WORDS(jb_person_roles), no_text, err)
                           : status;
}

/* The number of an agency; a new one gets the next. */
static jb_status
agency_number(struct jb_state *b, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    uint32_t known = 0;
    jb_status status = jb_state_id(b, 'A', 0, id, &known, err);
    *ret = known;
    if (status != JB_OK || known != 0) {
        return status;
    }
    if (id.n < 1 || id.n > JB_ID_BYTES_MAX) {
        return contradicts("an agency has no id", err);
    }
    *ret = ++b->g.agencies_given;
    const struct jb_fact_key key = jb_fact_key(JB_FACT_AGENCY, 0, *ret, 0);
    const uint64_t none = 0;
    status = jb_fact_put(b, &key, &none, 0, id, err);
    return status == JB_OK ? jb_state_index_id(b, 'A', 0, id, (uint32_t)*ret, err) : status;
}

static jb_status
fold_role(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    bool given = e->type == JB_EV_ROLE_GIVEN;
    uint64_t person = given ? e->role_given.person : e->role_taken.person, number;
    uint32_t role = given ? e->role_given.role : e->role_taken.role;
    struct place p = {b, JB_HOLDER_LEDGER, role, e, err};
    jb_status status = JB_OK;
    if (role == JB_ROLE_AGENCY) {
        status =
            agency_number(b, given ? e->role_given.agency : e->role_taken.agency, &number, err);
        p.holder = JB_HOLDER_AGENCY;
        p.number = number;
    } else if (role != JB_ROLE_OPERATOR && role != JB_ROLE_GATEWAY && role != JB_ROLE_SYSTEM) {
        return contradicts("a role of the ledger is none", err);
    }
    status = status != JB_OK ? status : given ? begin(&p, person, role, 0) : end(&p, person);
    if (role == JB_ROLE_OPERATOR) {
        b->g.operators += given ? 1 : UINT32_MAX;
    }
    return status == JB_OK ? count_person(b, person, OF_ROLES, given, err) : status;
}

/* They stand by when they lapse: so what is left of the list has not. */
static jb_status
drop_lapsed(const struct place *p)
{
    for (;;) {
        struct jb_holding h;
        struct jb_tenure t;
        jb_status status = jb_around_holding(p->b, p->holder, p->number, &h, p->err);
        if (status != JB_OK || h.oldest == 0) {
            return status;
        }
        uint64_t oldest = h.oldest;
        status = jb_around_tenure(p->b, p->holder, p->number, oldest, &t, p->err);
        if (status != JB_OK || t.until > p->e->recorded_at) {
            return status;
        }
        /* Out of the list; that it lapsed stays known. */
        struct jb_tenure lapsed = t;
        status = end(p, oldest);
        status = status == JB_OK ? jb_around_tenure(p->b, p->holder, p->number, oldest, &t, p->err)
                                 : status;
        t.until = lapsed.until;
        t.seq = lapsed.seq;
        status =
            status == JB_OK ? put_tenure(p->b, p->holder, p->number, oldest, &t, p->err) : status;
        if (status != JB_OK) {
            return status;
        }
    }
}

static jb_status
fold_member(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    const struct place members = {b, JB_HOLDER_WALLET, e->wallet, e, err};
    const struct place invited = {b, JB_HOLDER_INVITED, e->wallet, e, err};
    jb_status status = JB_OK;
    if (e->type == JB_EV_MEMBER_INVITED) {
        uint64_t person = e->member_invited.person;
        status = drop_lapsed(&invited);
        return status == JB_OK ? begin(&invited, person, 1, e->member_invited.until) : status;
    }
    if (e->type == JB_EV_MEMBER_JOINED) {
        status = end(&invited, e->member_joined.person);
        status =
            status == JB_OK ? begin(&members, e->member_joined.person, JB_ROLE_MEMBER, 0) : status;
        return status == JB_OK ? count_person(b, e->member_joined.person, OF_WALLETS, true, err)
                               : status;
    }
    if (e->member_left.why == JB_LEFT_DECLINED || e->member_left.why == JB_LEFT_WITHDRAWN) {
        return end(&invited, e->member_left.person);
    }
    status = end(&members, e->member_left.person);
    return status == JB_OK ? count_person(b, e->member_left.person, OF_WALLETS, false, err)
                           : status;
}

/* `to` becomes the master of a wallet or a channel, and who was it is one of the others. */
static jb_status
change_master(const struct place *p, uint64_t from, uint64_t to, uint32_t master, uint32_t other,
              enum count what)
{
    bool in = false;
    jb_status status = JB_OK;
    if (from != 0) {
        status = end(p, from);
        status = status == JB_OK ? begin(p, from, other, 0) : status;
    }
    status = status == JB_OK ? is_in(p, to, &in) : status;
    if (status == JB_OK) {
        status = in ? end(p, to) : count_person(p->b, to, what, true, p->err);
    }
    return status == JB_OK ? begin(p, to, master, 0) : status;
}

static jb_status
fold_master(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    const struct place members = {b, JB_HOLDER_WALLET, e->wallet, e, err};
    struct jb_wallet_around a;
    struct jb_holding invited;
    jb_status status = jb_around_wallet(b, e->wallet, &a, err);
    status = status == JB_OK ? jb_around_holding(b, JB_HOLDER_INVITED, e->wallet, &invited, err)
                             : status;
    if (status != JB_OK) {
        return status;
    }
    uint64_t from = e->master_transferred.from;
    if ((from != 0 && from != a.master) || e->master_transferred.to == 0) {
        return contradicts("a master hands over who is none, or to nobody", err);
    }
    b->g.masterless -= a.master == 0;
    if (from == 0 && a.master != 0) {
        /* Who can be named no more is a member no more, either. */
        status = end(&members, a.master);
        status = status == JB_OK ? count_person(b, a.master, OF_WALLETS, false, err) : status;
    }
    status = status == JB_OK ? change_master(&members, from, e->master_transferred.to,
                                             JB_ROLE_MASTER, JB_ROLE_MEMBER, OF_WALLETS)
                             : status;
    a.master = e->master_transferred.to;
    a.master_since = e->seq;
    status = status == JB_OK ? put_wallet(b, e->wallet, &a, err) : status;
    /* Open invitations end all at once, however many they are. */
    invited.newest = invited.oldest = invited.n = 0;
    invited.void_before = e->seq;
    return status == JB_OK ? put_holding(b, JB_HOLDER_INVITED, e->wallet, &invited, err) : status;
}

static jb_status
fold_created(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    const struct place members = {b, JB_HOLDER_WALLET, e->wallet, e, err};
    uint64_t master = e->wallet_created.master;
    if (master == 0) {
        b->g.masterless++;
        return JB_OK;
    }
    const struct jb_wallet_around a = {.master = master, .master_since = e->seq};
    jb_status status = begin(&members, master, JB_ROLE_MASTER, 0);
    status = status == JB_OK ? put_wallet(b, e->wallet, &a, err) : status;
    return status == JB_OK ? count_person(b, master, OF_WALLETS, true, err) : status;
}

/* Everybody in a list has one fewer. */
static jb_status
count_all(struct jb_state *b, enum jb_holder holder, uint64_t number, enum count what,
          struct jb_error *err)
{
    uint64_t whom = 0;
    struct jb_tenure t;
    jb_status status = jb_around_next(b, holder, number, &whom, &t, err);
    while (status == JB_OK && whom != 0) {
        status = count_person(b, whom, what, false, err);
        status = status == JB_OK ? jb_around_next(b, holder, number, &whom, &t, err) : status;
    }
    return status;
}

static jb_status
count_biz(struct jb_state *b, uint64_t number, int holders, int askers, const struct jb_event *e,
          struct jb_error *err)
{
    struct jb_biz_number n;
    if (number == 0 || (holders == 0 && askers == 0)) {
        return JB_OK;
    }
    jb_status status = jb_around_biz(b, number, &n, err);
    n.holders += (uint64_t)(int64_t)holders;
    n.askers += (uint64_t)(int64_t)askers;
    n.ended = holders < 0 && n.holders == 0 ? e->recorded_at : n.ended;
    return status == JB_OK ? put_biz(b, number, &n, err) : status;
}

/* A wallet or a channel is over: what it had of business information. */
static jb_status
end_biz(struct jb_state *b, const struct jb_biz_of *biz, const struct jb_event *e,
        struct jb_error *err)
{
    jb_status status = count_biz(b, biz->number, biz->number != 0 ? -1 : 0, 0, e, err);
    return status == JB_OK ? count_biz(b, biz->open != 0 ? biz->open_number : 0, 0, -1, e, err)
                           : status;
}

static jb_status
fold_deleted(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    struct jb_wallet_around a;
    jb_status status = jb_around_wallet(b, e->wallet, &a, err);
    status = status == JB_OK ? count_all(b, JB_HOLDER_WALLET, e->wallet, OF_WALLETS, err) : status;
    b->g.masterless -= status == JB_OK && a.master == 0;
    return status == JB_OK ? end_biz(b, &a.biz, e, err) : status;
}

static jb_status
fold_sales(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    const struct place asked = {b, JB_HOLDER_ASKED, e->wallet, e, err};
    const struct place right = {b, JB_HOLDER_SALES, e->wallet, e, err};
    struct jb_wallet_around a;
    uint64_t agency;
    /* The four payloads are one text each. */
    jb_status status = agency_number(b, e->sales_requested.agency, &agency, err);
    status = status == JB_OK ? jb_around_wallet(b, e->wallet, &a, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (e->type == JB_EV_SALES_REQUESTED) {
        return begin(&asked, agency, 1, 0);
    }
    if (e->type == JB_EV_SALES_REFUSED) {
        return end(&asked, agency);
    }
    if (e->type == JB_EV_SALES_RELEASED) {
        status = end(&right, agency);
        a.agency = a.agency_since = 0;
        return status == JB_OK ? put_wallet(b, e->wallet, &a, err) : status;
    }
    status = end(&asked, agency);
    status = status == JB_OK && a.agency != 0 ? end(&right, a.agency) : status;
    status = status == JB_OK ? begin(&right, agency, 1, 0) : status;
    a.agency = agency;
    a.agency_since = e->seq;
    return status == JB_OK ? put_wallet(b, e->wallet, &a, err) : status;
}

/* Somebody asks for a number whose record was forgotten: there is one again. */
static jb_status
come_back(struct jb_state *b, uint64_t number, struct jb_error *err)
{
    jb_seq gone = 0;
    jb_status status =
        b->g.forgotten != 0 ? jb_around_gone(b, JB_GONE_BIZ, number, &gone, err) : JB_OK;
    return status == JB_OK && gone != 0 ? put_gone(b, JB_GONE_BIZ, number, 0, err) : status;
}

static jb_status
fold_biz(struct jb_state *b, const struct jb_event *e, struct jb_biz_of *biz,
         uint64_t *channel_kind, struct jb_error *err)
{
    if (e->type == JB_EV_BIZ_REQUESTED) {
        uint64_t number = jb_biz_number_of(e->biz_requested.biz);
        jb_status status = count_biz(b, biz->open != 0 ? biz->open_number : 0, 0, -1, e, err);
        biz->open = e->seq;
        biz->open_number = number;
        biz->open_base = e->biz_requested.base;
        biz->open_by = e->actor;
        status = status == JB_OK ? come_back(b, number, err) : status;
        return status == JB_OK ? count_biz(b, number, 0, 1, e, err) : status;
    }
    bool approved = e->type == JB_EV_BIZ_APPROVED;
    jb_seq request = approved ? e->biz_approved.request : e->biz_refused.request;
    if (biz->open == 0 || biz->open != request) {
        return contradicts("a review decides about a request that is not open", err);
    }
    uint64_t number = biz->open_number;
    bool first = biz->number == 0;
    if (approved && !first && biz->number != number) {
        return contradicts("a registration number changes", err);
    }
    biz->open = biz->open_number = biz->open_base = biz->open_by = 0;
    if (!approved) {
        return count_biz(b, number, 0, -1, e, err);
    }
    biz->fixed = first ? e->seq : biz->fixed;
    biz->number = number;
    *channel_kind = JB_CHANNEL_BUSINESS;
    struct jb_biz_number n;
    jb_status status = count_biz(b, number, first ? 1 : 0, -1, e, err);
    status = status == JB_OK ? jb_around_biz(b, number, &n, err) : status;
    n.approved = e->seq;
    return status == JB_OK ? put_biz(b, number, &n, err) : status;
}

static jb_status
fold_wallet_biz(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    struct jb_wallet_around a;
    uint64_t unused;
    jb_status status = jb_around_wallet(b, e->wallet, &a, err);
    status = status == JB_OK ? fold_biz(b, e, &a.biz, &unused, err) : status;
    return status == JB_OK ? put_wallet(b, e->wallet, &a, err) : status;
}

static jb_status
fold_email(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    struct jb_wallet_around a;
    jb_status status = jb_around_wallet(b, e->wallet, &a, err);
    a.email = e->invoice_email_set.email;
    return status == JB_OK ? put_wallet(b, e->wallet, &a, err) : status;
}

static jb_status
fold_staff(struct jb_state *b, const struct jb_event *e, struct jb_channel *c, struct jb_error *err)
{
    const struct place staff = {b, JB_HOLDER_STAFF, e->subject, e, err};
    uint64_t person = e->channel_staffed.person;
    uint32_t role = e->channel_staffed.role;
    if (role == JB_ROLE_CHANNEL_MASTER) {
        jb_status status =
            change_master(&staff, c->master, person, role, JB_ROLE_MANAGER, OF_CHANNELS);
        c->master = person;
        return status;
    }
    jb_status status = role == JB_ROLE_NONE ? end(&staff, person) : begin(&staff, person, role, 0);
    return status == JB_OK ? count_person(b, person, OF_CHANNELS, role != JB_ROLE_NONE, err)
                           : status;
}

static jb_status
fold_channel(struct jb_state *b, const struct jb_event *e, struct jb_channel *c,
             struct jb_error *err)
{
    const struct place staff = {b, JB_HOLDER_STAFF, e->subject, e, err};
    const struct place channels = {b, JB_HOLDER_CHANNELS, e->wallet, e, err};
    jb_status status = JB_OK;
    switch (e->type) {
    case JB_EV_CHANNEL_CREATED:
        *c = (struct jb_channel){.kind = e->channel_created.kind,
                                 .created = e->seq,
                                 .closed = JB_NO_INSTANT,
                                 .master = e->channel_created.master};
        status = begin(&staff, c->master, JB_ROLE_CHANNEL_MASTER, 0);
        return status == JB_OK ? count_person(b, c->master, OF_CHANNELS, true, err) : status;
    case JB_EV_CHANNEL_STAFFED:
        return fold_staff(b, e, c, err);
    case JB_EV_CHANNEL_CONNECTED:
        c->wallet = e->wallet;
        return begin(&channels, e->subject, 1, 0);
    case JB_EV_CHANNEL_DISCONNECTED:
        c->wallet = 0;
        return end(&channels, e->subject);
    case JB_EV_SEARCH_ID_SET:
        c->search = e->seq;
        return jb_state_index_id(b, 'S', 0, e->search_id_set.search_id, (uint32_t)e->subject, err);
    case JB_EV_MAIL_ORDER_SET:
        c->mail_order = e->seq;
        return JB_OK;
    case JB_EV_CHANNEL_CLOSED:
        c->closed = e->recorded_at;
        status = count_all(b, JB_HOLDER_STAFF, e->subject, OF_CHANNELS, err);
        return status == JB_OK ? end_biz(b, &c->biz, e, err) : status;
    default:
        return fold_biz(b, e, &c->biz, &c->kind, err);
    }
}

/* An event with a channel for its subject. */
static jb_status
fold_subject(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    struct jb_channel c;
    struct jb_text id;
    char kept[JB_ID_BYTES_MAX];
    bool created = e->type == JB_EV_CHANNEL_CREATED;
    if ((e->flags & JB_EVF_SUBJECT) == 0 || e->subject_kind != JB_SUBJECT_CHANNEL ||
        e->subject > UINT32_MAX ||
        (created ? e->subject != b->g.channels_given + 1U : e->subject > b->g.channels_given)) {
        return contradicts("an event of a channel names none that is there", err);
    }
    jb_status status = jb_around_channel(b, e->subject, &c, &id, err);
    if (status != JB_OK) {
        return status;
    }
    if (e->subject_prev != c.version) {
        return contradicts("an event does not name its channel's event before it", err);
    }
    if (c.kind != 0 && c.closed != JB_NO_INSTANT) {
        return contradicts("an event names a closed channel", err);
    }
    id = created ? e->channel_created.channel : id;
    if (id.n < 1 || id.n > sizeof kept) {
        return contradicts("a channel has no id", err);
    }
    memcpy(kept, id.s, id.n);
    id.s = kept;
    status = fold_channel(b, e, &c, err);
    c.version = e->seq;
    status = status == JB_OK ? put_channel(b, e->subject, &c, id, err) : status;
    if (status == JB_OK && created) {
        b->g.channels_given++;
        status = jb_state_index_id(b, 'H', 0, id, (uint32_t)e->subject, err);
    }
    return status;
}

static jb_status
fold_forgotten(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_forgotten *f = &e->forgotten;
    jb_status status = JB_OK;
    if (f->person != 0) {
        status = put_gone(b, JB_GONE_PERSON, f->person, e->seq, err);
    }
    if (status == JB_OK && f->wallet_no != 0) {
        status = put_gone(b, JB_GONE_WALLET, f->wallet_no, e->seq, err);
    }
    if (status != JB_OK || f->biz.s == NULL) {
        return status;
    }
    struct jb_biz_number n;
    uint64_t number = jb_biz_number_of(f->biz);
    status = put_gone(b, JB_GONE_BIZ, number, e->seq, err);
    status = status == JB_OK ? jb_around_biz(b, number, &n, err) : status;
    n.forgotten = e->seq;
    return status == JB_OK ? put_biz(b, number, &n, err) : status;
}

static jb_status
fold(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    switch (e->type) {
    case JB_EV_WALLET_CREATED:
        return fold_created(b, e, err);
    case JB_EV_WALLET_DELETED:
        return fold_deleted(b, e, err);
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
        return fold_role(b, e, err);
    case JB_EV_MEMBER_INVITED:
    case JB_EV_MEMBER_JOINED:
    case JB_EV_MEMBER_LEFT:
        return fold_member(b, e, err);
    case JB_EV_MASTER_TRANSFERRED:
        return fold_master(b, e, err);
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
        return fold_subject(b, e, err);
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
        return e->wallet != 0 ? fold_wallet_biz(b, e, err) : fold_subject(b, e, err);
    case JB_EV_INVOICE_EMAIL_SET:
        return fold_email(b, e, err);
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
        return fold_sales(b, e, err);
    case JB_EV_FORGOTTEN:
        return fold_forgotten(b, e, err);
    default:
        return JB_OK;
    }
}

jb_status
jb_around_apply(struct jb_state *b, const struct jb_event *e, struct jb_error *err)
{
    struct jb_error why = {0};
    jb_status status = fold(b, e, &why);
    if (status == JB_E_CORRUPT) {
        jb_fail(err, JB_E_CORRUPT,
                "event %llu contradicts the log before it: %s. Run `jangbu audit`",
                (unsigned long long)e->seq, why.text);
        if (err != NULL) {
            err->at = e->seq;
        }
        return status;
    }
    if (status != JB_OK && err != NULL) {
        *err = why;
    }
    return status;
}
