/*
 * However often, and in however large pieces, the projections were stored: they are a function of
 * the log. A ledger whose views were stored at odd moments, made again from the first event on, has
 * the same bytes; the audit's fold, which stores nothing, agrees with them; and so does a
 * rebuild of a store that somebody else made in one go. What a list by kind skips by what is stored
 * is what the whole list has between its rows.
 */
#include <jangbu/replay.h>

#include <string.h>

#include "../library.h"

#define WALLETS 2000U
#define BATCH 5000U
#define BATCHES                                                                                    \
    (SANITIZED ? 45U : 90U) /* more events than a tail may have, once, or three times over */

static struct jb_command commands[BATCH];
static char texts[BATCH][4][24];

static void
make_wallet(size_t i, uint32_t number)
{
    snprintf(texts[i][0], sizeof texts[i][0], "W%u", number);
    jb_command_begin(&commands[i], JB_OP_WALLET_CREATE);
    jb_set_wallet(&commands[i], jb_text_of(texts[i][0]));
    jb_set_kind(&commands[i], JB_KIND_PERSONAL);
    jb_set_name(&commands[i], jb_text_of("name"));
}

/* Consumptions mostly, some of them late; charges, grants, and keys. Some are refused: so be it.
 * Half of all are of W0, which is charged seldom. */
static void
make_command(size_t i, uint64_t number)
{
    const unsigned wallet = (unsigned)(pick(WALLETS) * pick(2));
    const bool seldom = number % 9973 == 0;
    const uint64_t what = seldom ? 80 : pick(wallet == 0 ? 80 : 100);
    struct jb_command *c = &commands[i];
    snprintf(texts[i][0], sizeof texts[i][0], "W%u", seldom ? 0 : wallet);
    snprintf(texts[i][1], sizeof texts[i][1], "I%llu", (unsigned long long)number);
    snprintf(texts[i][2], sizeof texts[i][2], "K%llu", (unsigned long long)number);
    if (what < 80) {
        jb_command_begin(c, JB_OP_CONSUME);
        jb_set_usage(c, jb_text_of(texts[i][1]));
    } else if (what < 95) {
        jb_command_begin(c, JB_OP_CHARGE);
        jb_set_charge(c, jb_text_of(texts[i][1]));
    } else {
        jb_command_begin(c, JB_OP_FREE_GRANT);
        jb_set_grant(c, jb_text_of(texts[i][1]));
        jb_set_expires_on(c, jb_day_of(the_time, 32400) + 2);
    }
    jb_set_wallet(c, jb_text_of(texts[i][0]));
    jb_set_amount(c, seldom ? 300000 : 1 + (jb_amount)pick(what < 80 ? 100 : 1000));
    if (what < 80 && pick(10) == 0) {
        jb_set_at(c, the_time - (jb_instant)pick(UINT64_C(100000000000)));
    }
    if (pick(7) == 0) {
        jb_set_key(c, jb_text_of(texts[i][2]));
    }
}

static void
fill(jb_ledger *l, jb_views *v)
{
    jb_answers *answers = jb_answers_new();
    must(answers != NULL, "no memory");
    for (uint32_t i = 0; i < WALLETS; i++) {
        make_wallet(i, i);
    }
    good(jb_submit(l, commands, WALLETS, NULL, answers, NULL, &err), "wallets");
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        for (uint32_t i = 0; i < BATCH; i++) {
            make_command(i, (uint64_t)batch * BATCH + i);
        }
        the_time += (SANITIZED ? 2 : 1) * INT64_C(3600000000);
        good(jb_submit(l, commands, BATCH, NULL, answers, NULL, &err), "commands");
        if (batch % 24 == 23) {
            jb_command_begin(&commands[0], JB_OP_DAY_CLOSE);
            jb_set_day(&commands[0], jb_day_of(the_time, 32400) - 1);
            good(jb_submit(l, commands, 1, NULL, answers, NULL, &err), "a day");
        }
        if (v != NULL && pick(12) == 0) {
            good(jb_views_sync(v, true, &err), "stored");
        }
    }
    jb_answers_free(answers);
}

static void
check_audit(const char *dir)
{
    struct jb_audit_report *r;
    good(jb_audit(dir, NULL, &r, &err), "audit");
    for (uint32_t i = 0; i < r->problems_n; i++) {
        fprintf(stderr, "%s\n", r->problems[i]->text);
    }
    must(r->verdict == JB_VERIFIED, "the audit does not verify it");
    jb_audit_report_free(r);
}

static void
check_rebuild(const char *dir, uint8_t digest[16])
{
    struct jb_rebuild_result r = JB_SIZED(struct jb_rebuild_result);
    good(jb_rebuild(dir, NULL, &r, &err), "rebuild");
    must(r.had_views && r.same_views, "made again the views are others");
    must(r.had_state && r.same_state, "made again the state is another");
    memcpy(digest, r.views_digest, 16);
}

/* ---- histories by kind ---- */

struct row {
    jb_seq seq;
    uint64_t type;
    jb_amount effect, balance;
};

struct rows {
    struct row at[BATCH * BATCHES + WALLETS];
    size_t n;
};

static bool
each_row(void *data, const struct jb_history_row *r)
{
    struct rows *rows = data;
    rows->at[rows->n++] = (struct row){r->event->seq, r->event->type, r->effect, r->balance};
    return true;
}

static void
list(jb_views *v, const struct jb_history_query *q, const struct jb_as_of *as_of, uint32_t limit,
     struct rows *ret)
{
    char next[JB_CURSOR_TEXT_BYTES] = "";
    ret->n = 0;
    do {
        good(jb_history_find(v, q, as_of, next[0] != '\0' ? next : NULL, limit, each_row, ret, next,
                             NULL, &err),
             "history");
    } while (next[0] != '\0');
}

static bool
is_charge(uint64_t type)
{
    return type == JB_EV_CHARGE_SETTLED || type == JB_EV_FREE_GRANTED ||
           type == JB_EV_FREE_EXPIRED || type == JB_EV_DEBT_REPAID;
}

/* What a list by kind, or by type, has is what the whole list has of it, with the same balances. */
static void
check_kinds(jb_views *v, const char *wallet, const struct jb_as_of *as_of, uint32_t limit)
{
    static struct rows all, some;
    static const uint32_t grants[] = {JB_EV_FREE_GRANTED, JB_EV_CASH_CONSUMED};
    for (unsigned what = 0; what < 6; what++) {
        struct jb_history_query q = {
            .size = sizeof q, .wallet = jb_text_of(wallet), .order = JB_NEWEST_FIRST};
        list(v, &q, as_of, 1000, &all);
        q.kind = what < 5 ? (jb_history_kind)what : JB_HISTORY_ALL;
        q.types = what == 5 ? grants : NULL;
        q.types_n = what == 5 ? 1 : 0;
        list(v, &q, as_of, q.kind == JB_HISTORY_CONSUMPTION || what == 0 ? 1000 : limit, &some);
        size_t n = 0;
        for (size_t i = 0; i < all.n; i++) {
            const struct row *r = &all.at[i];
            bool listed = what == 0 || (what == 1 && is_charge(r->type)) ||
                          (what == 2 && r->type == JB_EV_CASH_CONSUMED) ||
                          (what == 5 && r->type == JB_EV_FREE_GRANTED);
            must(!listed || (n < some.n && memcmp(r, &some.at[n], sizeof *r) == 0),
                 "a row is missing or another");
            n += listed;
        }
        must(n == some.n, "there are rows too many");
    }
}

static void
check_histories(jb_views *v)
{
    const struct jb_as_of early = {.kind = JB_AS_OF_SEQ, .seq = 123456};
    const struct jb_as_of day = {.kind = JB_AS_OF_DAY, .day = jb_day_of(the_time, 32400) - 3};
    check_kinds(v, "W0", NULL, 7);
    check_kinds(v, "W0", &early, 1);
    check_kinds(v, "W0", &day, 3);
    check_kinds(v, "W17", NULL, 2);
    check_kinds(v, "W18", &day, 50);
}

/* A thread that must not stand still is told so until another one has folded the tail. */
static void
check_ready(jb_ledger *l)
{
    const struct jb_views_options o = {.size = sizeof o, .sync_stores = 1};
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    struct jb_cash_status s = JB_SIZED(struct jb_cash_status);
    jb_answers *answers = jb_answers_new();
    jb_views *v;
    good(jb_views_open_with(l, &o, &v, &err), "views that write nothing");
    good(jb_views_sync(v, true, &err), "stored");
    good(jb_balance_get(v, jb_text_of("W1"), NULL, &b, &err), "a balance");
    for (uint32_t i = 0; i < BATCH; i++) {
        make_command(i, UINT64_C(90000000) + i);
    }
    good(jb_submit(l, commands, BATCH, NULL, answers, NULL, &err), "commands");
    must(jb_views_ready(v, 1000, &err) == JB_E_BUSY, "nothing was folded, and it is ready");
    must(jb_ledger_ready(l, 1000, &err) == JB_E_BUSY, "nothing was folded, and it is ready");
    good(jb_views_ready(v, 3 * (uint64_t)BATCH, &err), "few enough to be folded");
    good(jb_views_ready(v, UINT64_MAX, &err), "however many they are");
    good(jb_ledger_ready(l, UINT64_MAX, &err), "however many they are");
    good(jb_balance_get(v, jb_text_of("W1"), NULL, &b, &err), "a balance");
    good(jb_ledger_ready(l, 0, &err), "the state was folded, if no projections were");
    must(jb_views_ready(v, 0, &err) == JB_E_BUSY, "its projections are behind, and it is ready");
    good(jb_cash_status_get(v, jb_text_of("W1"), JB_VIEW_POSTED, NULL, JB_NO_DAY, JB_NO_DAY, NULL,
                            NULL, &s, &err),
         "a cash status");
    good(jb_views_ready(v, 0, &err), "nothing is to be folded");
    jb_views_close(v);
    jb_answers_free(answers);
}

/* ---- replay ---- */

struct newest {
    jb_seq seq;
    jb_amount balance;
};

static bool
newest_row(void *data, const struct jb_history_row *r)
{
    *(struct newest *)data = (struct newest){r->event->seq, r->balance};
    return false;
}

static struct jb_replayed replayed[WALLETS];

static bool
each_replayed(void *data, const struct jb_replayed *w)
{
    size_t *n = data;
    must(*n < WALLETS && w->number == *n + 1, "a wallet out of order");
    replayed[(*n)++] = *w;
    return true;
}

/* What the log alone gives is what the projections show. */
static void
check_replay(const char *dir, jb_ledger *l, jb_views *v)
{
    size_t n = 0;
    const struct jb_replay_options o = {.size = sizeof o, .data = &n};
    struct jb_replay_result r = JB_SIZED(struct jb_replay_result);
    struct jb_head head = JB_SIZED(struct jb_head);
    good(jb_replay(dir, &o, each_replayed, &r, &err), "replay");
    good(jb_head_get(l, &head, &err), "head");
    must(r.events == head.seq && memcmp(r.chain, head.chain, 16) == 0, "another log");
    must(n == WALLETS && r.wallets == WALLETS, "wallets");
    for (size_t i = 0; i < n; i++) {
        char id[24];
        struct newest row = {0};
        snprintf(id, sizeof id, "W%zu", i);
        good(jb_history_get(v, jb_text_of(id), JB_HISTORY_ALL, NULL, NULL, 1, newest_row, &row,
                            NULL, NULL, &err),
             "history");
        must(replayed[i].version == row.seq && replayed[i].paid + replayed[i].free == row.balance &&
                 replayed[i].dormant >= 0,
             "another balance");
    }
}

/* A byte of a usage is changed in the file: a chain value does not hold. */
static void
check_broken_chain(const char *dir)
{
    static const char usage[] = "I222223";
    char path[96];
    struct jb_replay_result r = JB_SIZED(struct jb_replay_result);
    snprintf(path, sizeof path, "%s/log.mdb", dir);
    FILE *f = fopen(path, "r+b");
    static char bytes[64 << 20];
    const size_t n = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
    const char *at = memmem(bytes, n, usage, sizeof usage - 1);
    must(at != NULL && n < sizeof bytes, "no such usage");
    must(fseek(f, (long)(at - bytes), SEEK_SET) == 0 && fputc('J', f) == 'J' && fclose(f) == 0,
         "not written");
    must(jb_replay(dir, NULL, NULL, &r, &err) == JB_E_CORRUPT, "a break of the chain is not seen");
}

int
main(void)
{
    char scratch[64], dir[80], views[96];
    uint8_t often[16], at_once[16];
    jb_ledger *l;
    jb_views *v;
    make_quick_scratch(scratch, "following");
    snprintf(dir, sizeof dir, "%s/l", scratch);
    snprintf(views, sizeof views, "%s/views.mdb", dir);
    const struct jb_open_options o = {.size = sizeof o, .now = clock_of};
    good(jb_init(dir, NULL, &err), "init");
    good(jb_open(dir, &o, &l, &err), "open");
    good(jb_views_open(l, &v, &err), "views");
    fill(l, v);
    check_ready(l);
    check_histories(v); /* what was not stored yet, too */
    good(jb_views_sync(v, true, &err), "stored");
    check_histories(v);
    jb_views_close(v);
    jb_close(l);
    check_audit(dir);
    check_rebuild(dir, often);
    check_audit(dir);
    must(unlink(views) == 0, "no views");
    good(jb_open(dir, NULL, &l, &err), "open again");
    good(jb_views_open(l, &v, &err), "views again");
    check_replay(dir, l, v);
    jb_views_close(v);
    jb_close(l);
    check_rebuild(dir, at_once);
    must(memcmp(often, at_once, 16) == 0, "stored at once the views are others");
    check_broken_chain(dir);
    remove_scratch(scratch);
    return 0;
}
