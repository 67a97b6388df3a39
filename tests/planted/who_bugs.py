"""Bugs in what stands around the money, as in bugs.py: (name, file, what stands there, what is put there, why it is a bug). Each must
be found by the audit of a sound ledger with roles, or by the scenarios of roles and channels."""

PERMISSIONS = "core/rules/permissions.def"
LOOK = "core/state/around_look.c"
FOLD = "core/state/around.c"
PEOPLE = "core/rules/people.c"
CHANNELS = "core/rules/channels.c"
BUSINESS = "core/rules/business.c"
WALLETS = "core/rules/wallets.c"
ADMIT = "core/rules/admit.c"

WHO_BUGS = [
    # the permission table
    ("master-suspends", PERMISSIONS, 'WALLET_SUSPEND, ALWAYS, O, 0)', 'WALLET_SUSPEND, ALWAYS, M | O, 0)', "a master suspends his wallet"),
    ("member-turns-off", PERMISSIONS, 'WALLET_OFF, ALWAYS, M, 0)', 'WALLET_OFF, ALWAYS, M | m, 0)', "a member turns a wallet off"),
    ("cash-by-hand", PERMISSIONS, 'CHARGE, BY_HAND, O, 0)', 'CHARGE, BY_HAND, M | O, 0)', "a master gives himself cash"),
    ("agency-cannot-consume", PERMISSIONS, 'M | m | C | c | A | S, 0)', 'M | m | C | c | S, 0)', "an agency with the right cannot use it"),
    ("one-master-connects", PERMISSIONS, 'M | C | O, M | C)', 'M | C | O, 0)', "the master of the wallet alone connects a channel"),
    ("system-approves", PERMISSIONS, 'BIZ_APPROVE, ALWAYS, O, 0)', 'BIZ_APPROVE, ALWAYS, O | S, 0)', "a system approves business information"),
    ("member-accepts-agency", PERMISSIONS, 'SALES_ACCEPT, ALWAYS, M, 0)', 'SALES_ACCEPT, ALWAYS, M | m, 0)', "a member gives the sales right"),
    ("master-accepts-for-others", PERMISSIONS, 'MEMBER_ACCEPT, ALWAYS, P, 0)', 'MEMBER_ACCEPT, ALWAYS, M | P, 0)', "a master accepts for the invited"),
    ("give-back-is-no-hand", "core/rules/permissions.c", "command->method == JB_METHOD_ADV_RET_CASH);", "false);", "cash that is given back is charged by anybody"),
    ("any-role-will-do", "core/rules/permissions.c", "a->carried != JB_ROLE_NONE) {", "a->have != 0) {", "any role carries anything"),
    # intervals
    ("begins-late", FOLD, "if (t.role != 0 && t.from <= at) {", "if (t.role != 0 && t.from < at) {", "a role does not hold in its first instant"),
    ("ends-late", FOLD, "*ret = status == JB_OK && past.until > at ? (uint32_t)past.role : 0;",
     "*ret = status == JB_OK && past.until >= at ? (uint32_t)past.role : 0;", "a role still holds when it has ended"),
    ("reporters-of-then", LOOK, "role, l->people->actor, l->t->recorded_at,", "role, l->people->actor, at,", "a new reporter cannot report yesterday"),
    ("right-of-now", LOOK, "a.agency, at, &agency, l->err)", "a.agency, l->t->recorded_at, &agency, l->err)", "an agency's right is judged by now"),
    ("members-of-now", LOOK, "l->people->actor, at, &l->known_role,", "l->people->actor, l->t->recorded_at, &l->known_role,", "a member is judged by now"),
    ("invited-a-moment-longer", LOOK, "t.until > l->t->recorded_at ? JB_PERSON_INVITED", "t.until >= l->t->recorded_at ? JB_PERSON_INVITED", "an invitation is open when it ends"),
    ("invitations-outlive-masters", FOLD, "invited.void_before = e->seq;", "invited.void_before += 0;", "who was invited by a former master still joins"),
    ("connected-or-not", LOOK, "if (open && l->uses) {", "if (open && l->uses && l->channel_no == 0) {", "a manager uses a wallet that his channel is not connected with"),
    ("masters-of-either", LOOK, "both = has;", "both = both || has;", "one of two roles counts as both"),
    ("word-ignored", LOOK, "uint32_t named = named_roles(l->people->role) & ~barred_roles(l, c, a);", "uint32_t named = (named_roles(l->people->role) | UINT32_MAX) & ~barred_roles(l, c, a);",
     "the role that the actor names does not matter"),
    ("approves-his-own", LOOK, "biz->open_by == l->people->actor) {", "biz->open_by == l->people->actor && biz->open == 0) {", "one approves what he asked for"),
    ("deleted-wallets-keep-channels", LOOK, "other->w.status != JB_WALLET_DELETED ? with : 0;", "other->w.status <= JB_WALLET_DELETED ? with : 0;", "a deleted wallet keeps its channels"),
    # people
    ("one-more-member", PEOPLE, "if (k->a->people_n < (uint64_t)most) {", "if (k->a->people_n <= (uint64_t)most) {", "one more than members_max"),
    ("to-anybody", PEOPLE, "if (!none && k->a->person_state != JB_PERSON_MEMBER) {", "if (!none && k->a->person_state == JB_PERSON_LAPSED) {", "a wallet goes to anybody"),
    ("last-operator-goes", PEOPLE, "k->g->operators <= 1) {", "k->g->operators < 1) {", "the last operator is taken"),
    ("personal-wallets-go-over", ADMIT, "business | 1U << JB_KIND_OVERSEAS, v)", "~1U, v)", "a PERSONAL wallet gets another master"),
    ("former-master-is-out", FOLD, "status = status == JB_OK ? begin(p, from, other, 0) : status; }", "(void)other; }", "who was the master is no member"),
    # channels
    ("basic-for-business", ADMIT, "return k->w->kind != JB_KIND_BUSINESS || is_business", "return k->w->kind != 0 || is_business", "a business wallet has a BASIC channel"),
    ("marks-mixed-up", CHANNELS, "((marks & 2) != 0 || memchr", "((marks & 1) != 0 || memchr", "one mark allows the other"),
    ("search-id-twice", CHANNELS, "} else if (k->a->search_taken != 0) {", "} else if (k->a->search_taken > (jb_seq)INT64_MAX) {", "two channels have one search id"),
    ("search-id-again", CHANNELS, "} else if (k->a->channel.search != 0) {", "} else if (k->a->channel.search > (jb_seq)INT64_MAX) {", "a search id is set again"),
    ("closed-while-connected", ADMIT, "case JB_OP_CHANNEL_CLOSE: return state == JB_CHANNEL_FREE ||",
     "return state == JB_CHANNEL_FREE || refuse_channel(v, state); case JB_OP_CHANNEL_CLOSE: return state != JB_CHANNEL_CLOSED ||", "a connected channel is closed"),
    ("unconnected-is-fine", ADMIT, "return k->a->connected ||", "return state != JB_CHANNEL_CLOSED ||", "a charge names a channel of another wallet"),
    # business information, the sales right, settlement, deletion
    ("older-undoes-newer", BUSINESS, "if (approve && a->biz.open_base != a->number.approved) {", "if (approve && a->biz.open_base > a->number.approved) {", "an older request undoes a newer approval"),
    ("number-changes", BUSINESS, "if (k->a->biz.number != 0 && k->a->biz.number", "if (k->a->biz.number == 1 && k->a->biz.number", "a registration number changes"),
    ("request-replaces-nothing", FOLD, "biz->open = e->seq; biz->open_number", "biz->open = biz->open != 0 ? biz->open : e->seq; biz->open_number", "the older of two requests is the open one"),
    ("number-fixed-late", FOLD, "biz->fixed = first ? e->seq : biz->fixed;", "biz->fixed = e->seq;", "each approval is said to have fixed the number"),
    ("right-of-two", FOLD, "status == JB_OK && a.agency != 0 ? end(&right, a.agency) : status;", "status;", "the agency before keeps the right"),
    ("asks-for-what-it-has", BUSINESS, "if (k->a->sales_state != wanted) {", "if (k->a->sales_state < wanted) {", "an agency asks for the right that it has"),
    ("anybody-is-postpaid", ADMIT, "k->c->settlement != JB_SETTLEMENT_POSTPAID ||", "k->c->settlement <= JB_SETTLEMENT_POSTPAID ||", "a PERSONAL wallet is POSTPAID"),
    ("limit-locks-free-cash", "core/rules/consume.c", "w->paid > -limit ? w->paid + limit : 0;", "w->paid + limit;", "a debt eats into usable free cash"),
    ("limit-of-prepaid", "core/rules/consume.c", "jb_amount limit = w->settlement == JB_SETTLEMENT_POSTPAID ? jb_rest(w)->limit : 0;", "jb_amount limit = jb_rest(w)->limit;", "the limit counts though the wallet is PREPAID"),
    ("deleted-with-a-right", WALLETS, "return a->wallet.agency == 0;", "return a->wallet.agency != UINT64_MAX;", "a wallet with a sales right is deleted"),
    ("deleted-without-limit", WALLETS, "return w->settlement != JB_SETTLEMENT_POSTPAID;", "return w->settlement != JB_SETTLEMENT_POSTPAID || jb_rest(w)->limit == 0;", "a POSTPAID wallet with a limit of 0 is deleted"),
    ("nobody-is-the-master", WALLETS, "a->carried != JB_ROLE_CHANNEL_MASTER && !jb_given", "a->carried == JB_ROLE_NONE && !jb_given", "a wallet without a master, while roles are asked"),
    ("version-before-role", ADMIT, "if (!admit_channel_and_role(c, a, v) || !admit_version(c, version, v)) {", "if (!admit_version(c, version, v) || !admit_channel_and_role(c, a, v)) {",
     "a stranger learns a wallet's version"),
    ("switched-on-alone", "core/rules/decide.c", "if (g->operators == 0) {", "if (g->operators > UINT32_MAX - 1) {", "roles are asked and nobody can give them"),
    ("switched-on-masterless", "core/rules/decide.c", "} else if (g->masterless > 0) {", "} else if (g->masterless > UINT32_MAX - 1) {", "roles are asked of wallets without a master"),
]
