/*
 * Every function of the public headers on a small ledger, with each of its allocations failing in
 * turn, once and with all that follow it. Held: no signal, no hang; the call answers what it
 * answers without failures, or says that memory was short; the same call on the same handle then
 * answers right; the audit verifies the ledger.
 *
 *   every_function [SECONDS [SEED]]   what does not fit into the time is a sample
 */
#include <jangbu/json.h>
#include <jangbu/replay.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nth.h"
#include "../check.h"

#define BEGINNING INT64_C(1790000000000000)

static char root[] = "/dev/shm/jangbu-every-XXXXXX";
static char base_dir[64], ledger_dir[64], other_dir[64], other_key[72];

/* What a call answered, as text: the same with and without failures. */
static char answer[1 << 18];
static size_t answer_n;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(answer + answer_n, sizeof answer - answer_n, format, args);
    va_end(args);
    answer_n += n > 0 && (size_t)n < sizeof answer - answer_n ? (size_t)n : 0;
}

struct world {
    jb_json *j;
    jb_ledger *l;
    jb_views *v;
    jb_answers *answers;
    struct jb_error err;
};

static jb_instant now;

static jb_instant
the_time(void *data)
{
    (void)data;
    return now;
}

static void
remove_all(const char *path)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", path);
    must(system(command) == 0, "cannot remove a directory");
}

static void
copy_file(const char *from, const char *to, const char *name)
{
    static char bytes[1 << 20];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", from, name);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return;
    }
    ssize_t n = read(in, bytes, sizeof bytes);
    close(in);
    snprintf(path, sizeof path, "%s/%s", to, name);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(n >= 0 && out >= 0 && write(out, bytes, (size_t)n) == n, "cannot copy a file");
    close(out);
}

static void
fresh_ledger(void)
{
    static const char *const files[] = {"log.mdb",   "people.mdb", "state.mdb",
                                        "views.mdb", "secret",     "HEAD"};
    remove_all(ledger_dir);
    must(mkdir(ledger_dir, 0700) == 0, "cannot make a directory");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        copy_file(base_dir, ledger_dir, files[i]);
    }
}

/* ---- commands ---- */

static struct jb_text
t(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static struct jb_command
command(jb_op op, const char *wallet, const char *key)
{
    struct jb_command c;
    jb_command_begin(&c, op);
    if (wallet != NULL) {
        jb_set_wallet(&c, t(wallet));
    }
    jb_set_key(&c, t(key));
    return c;
}

static struct jb_command
with_amount(jb_op op, const char *id, jb_amount amount, const char *key)
{
    struct jb_command c = command(op, "W1", key);
    if (op == JB_OP_CHARGE || op == JB_OP_CHARGE_REVERSE) {
        jb_set_charge(&c, t(id));
        if (op == JB_OP_CHARGE) {
            jb_set_pg(&c, t("toss"));
        }
    } else if (op == JB_OP_FREE_GRANT) {
        jb_set_grant(&c, t(id));
        jb_set_expires_on(&c, jb_day_of(BEGINNING, 32400) + 400);
        jb_set_reason(&c, t("thanks"));
    } else if (op == JB_OP_REFUND_REQUEST) {
        jb_set_refund(&c, t(id));
    } else if (op != JB_OP_DEBT_REPAY) {
        jb_set_usage(&c, t(id));
    }
    jb_set_amount(&c, amount);
    return c;
}

static struct jb_command
about(jb_op op, const char *id, const char *key)
{
    struct jb_command c = command(op, "W1", key);
    if (op == JB_OP_FREE_ACTIVATE || op == JB_OP_FREE_REVOKE) {
        jb_set_grant(&c, t(id));
    } else {
        jb_set_refund(&c, t(id));
    }
    return c;
}

/* What an answer has beside its event. */
static void
say_rest(const struct jb_answer *a)
{
    size_t n;
    const struct jb_figure *figures = jb_answer_figures(a, &n);
    for (size_t i = 0; i < n; i++) {
        say(" %u=%lld", figures[i].name, (long long)figures[i].value);
    }
    for (size_t i = 0; i < jb_answer_members(a); i++) {
        const struct jb_answer *m = jb_answer_member_at(a, i);
        say(" [%llu %d]", (unsigned long long)m->seq, jb_answer_event(m) != NULL);
    }
    const struct jb_balance *b = jb_answer_balance(a);
    if (b != NULL) {
        say(" balance %lld %lld", (long long)b->paid, (long long)b->free);
    }
}

static jb_status
submit(struct world *w, const struct jb_command *commands, size_t n, bool dry_run)
{
    struct jb_submit_options o = {.size = sizeof o, .dry_run = dry_run};
    jb_status status = jb_submit(w->l, commands, n, &o, w->answers, NULL, &w->err);
    for (size_t i = 0; status == JB_OK && i < n; i++) {
        const struct jb_answer *a = jb_answers_at(w->answers, i);
        /* A repetition is the first answer again. */
        int outcome = a->outcome != JB_DUPLICATE ? (int)a->outcome
                      : a->code == JB_CODE_NONE  ? JB_DONE
                                                 : JB_REFUSED;
        say("%d %d %s %llu;", outcome, (int)a->code, jb_answer_message(a),
            (unsigned long long)a->seq);
        struct jb_parts parts =
            jb_answer_event(a) != NULL ? jb_event_parts(jb_answer_event(a)) : (struct jb_parts){0};
        for (uint32_t k = 0; k < parts.n; k++) {
            say(" %u:%u:%lld", parts.at[k].kind, parts.at[k].ordinal,
                (long long)parts.at[k].amount);
        }
        say_rest(a);
    }
    return status;
}

/* A command about a person. */
static struct jb_command
person(jb_op op, const char *wallet, const char *channel, const char *id, const char *key)
{
    struct jb_command c = command(op, wallet, key);
    if (channel != NULL) {
        jb_set_channel(&c, t(channel));
    }
    if (id != NULL) {
        jb_set_person(&c, t(id));
    }
    return c;
}

static struct jb_command
biz_request(const char *wallet, const char *channel, const char *key)
{
    struct jb_command c = person(JB_OP_BIZ_REQUEST, wallet, channel, NULL, key);
    jb_set_biz(&c, t("1234567890"));
    jb_set_biz_name(&c, t("a firm"));
    jb_set_representative(&c, t("who stands for it"));
    jb_set_address(&c, t("where it is"));
    return c;
}

/* What stands around the money. */
static size_t
around(struct jb_command *c)
{
    size_t n = 0;
    c[n] = person(JB_OP_CHANNEL_CREATE, NULL, "K1", "boss", "a1");
    jb_set_channel_kind(&c[n++], JB_CHANNEL_BUSINESS);
    c[n++] = person(JB_OP_MANAGER_ADD, NULL, "K1", "clerk", "a2");
    c[n++] = person(JB_OP_CHANNEL_CONNECT, "W1", "K1", NULL, "a3");
    c[n++] = person(JB_OP_MEMBER_INVITE, "W1", NULL, "guest", "a4");
    c[n++] = person(JB_OP_MEMBER_ACCEPT, "W1", NULL, "guest", "a5");
    c[n++] = person(JB_OP_MEMBER_INVITE, "W1", NULL, "other", "a6");
    c[n] = person(JB_OP_CHANNEL_SEARCH_ID, NULL, "K1", NULL, "a7");
    jb_set_search_id(&c[n++], t("shop"));
    c[n] = person(JB_OP_CHANNEL_MAIL_ORDER, NULL, "K1", NULL, "a8");
    jb_set_mail_order(&c[n++], t("2026-1"));
    c[n++] = biz_request("W1", NULL, "a9");
    c[n] = person(JB_OP_ROLE_GIVE, NULL, NULL, "seller", "a10");
    jb_set_role(&c[n], JB_ROLE_AGENCY);
    jb_set_agency(&c[n++], t("A9"));
    c[n] = command(JB_OP_SALES_REQUEST, "W1", "a11");
    jb_set_agency(&c[n++], t("A9"));
    c[n] = command(JB_OP_SALES_ACCEPT, "W1", "a12");
    jb_set_agency(&c[n++], t("A9"));
    c[n] = command(JB_OP_INVOICE_EMAIL, "W1", "a13");
    jb_set_email(&c[n++], t("a@b.example"));
    return n;
}

static size_t
usual(struct jb_command *c)
{
    size_t n = 0;
    c[n] = command(JB_OP_WALLET_CREATE, "W1", "1");
    jb_set_kind(&c[n], JB_KIND_BUSINESS);
    jb_set_name(&c[n], t("a name"));
    jb_set_master(&c[n], t("master"));
    jb_set_note(&c[n++], t("a note"));
    c[n] = command(JB_OP_WALLET_CREATE, "W2", "2");
    jb_set_kind(&c[n], JB_KIND_PERSONAL);
    jb_set_name(&c[n++], t("another"));
    c[n++] = with_amount(JB_OP_CHARGE, "C1", 5000, "3");
    c[n++] = with_amount(JB_OP_FREE_GRANT, "G1", 700, "4");
    c[n++] = about(JB_OP_FREE_ACTIVATE, "G1", "5");
    c[n++] = with_amount(JB_OP_FREE_GRANT, "G2", 70, "6");
    c[n++] = with_amount(JB_OP_CONSUME, "U1", 900, "7");
    c[n++] = with_amount(JB_OP_CONSUME_REVERSE, "U1", 100, "8");
    c[n++] = with_amount(JB_OP_CHARGE, "C2", 6000, "9");
    c[n++] = with_amount(JB_OP_REFUND_REQUEST, "R1", 1000, "10");
    c[n++] = about(JB_OP_REFUND_APPROVE, "R1", "11");
    c[n++] = with_amount(JB_OP_REFUND_REQUEST, "R2", 500, "12");
    n += around(&c[n]);
    c[n++] = with_amount(JB_OP_CONSUME, "U2", 1000000, "13"); /* refused */
    return n;
}

/* Each op once; some close days that are due, some are refused. */
static size_t
further(struct jb_command *c)
{
    static struct jb_command members[2];
    size_t n = 0;
    c[n] = command(JB_OP_WALLET_CREATE, "W3", "f1");
    jb_set_kind(&c[n], JB_KIND_OVERSEAS);
    jb_set_name(&c[n++], t("third"));
    c[n] = command(JB_OP_WALLET_RENAME, "W2", "f2");
    jb_set_name(&c[n++], t("renamed"));
    c[n++] = command(JB_OP_WALLET_OFF, "W2", "f3");
    c[n++] = command(JB_OP_WALLET_ON, "W2", "f4");
    c[n++] = command(JB_OP_WALLET_SUSPEND, "W2", "f5");
    c[n++] = command(JB_OP_WALLET_LIFT, "W2", "f6");
    c[n++] = command(JB_OP_WALLET_OFF, "W3", "f7");
    c[n++] = command(JB_OP_WALLET_DELETE, "W3", "f8");
    c[n++] = with_amount(JB_OP_CHARGE, "C3", 3000, "f9");
    c[n++] = with_amount(JB_OP_CHARGE_REVERSE, "C2", 100, "f10");
    c[n++] = with_amount(JB_OP_DEBT_REPAY, NULL, 100, "f11");
    c[n++] = with_amount(JB_OP_FREE_GRANT, "G3", 10, "f12");
    c[n++] = about(JB_OP_FREE_ACTIVATE, "G2", "f13");
    c[n++] = about(JB_OP_FREE_REVOKE, "G3", "f14");
    c[n++] = with_amount(JB_OP_CONSUME, "U3", 4321, "f15");
    c[n++] = with_amount(JB_OP_CONSUME_REVERSE, "U1", 50, "f16");
    c[n++] = about(JB_OP_REFUND_COMPLETE, "R1", "f17");
    c[n++] = about(JB_OP_REFUND_REJECT, "R2", "f18");
    c[n] = command(JB_OP_POLICY_SET, NULL, "f19");
    jb_set_policy(&c[n], JB_POLICY_MIN_CHARGE);
    jb_set_value(&c[n++], 2000);
    c[n] = command(JB_OP_DAY_CLOSE, NULL, "f20");
    jb_set_day(&c[n++], jb_day_of(BEGINNING, 32400) + 1);
    members[0] = with_amount(JB_OP_CHARGE, "C4", 3000, "x");
    members[1] = with_amount(JB_OP_CONSUME, "U4", 10, "x");
    members[0].has &= ~JB_HAS(JB_CF_KEY);
    members[1].has &= ~JB_HAS(JB_CF_KEY);
    members[0].key = members[1].key = (struct jb_text){NULL, 0};
    c[n] = command(JB_OP_ATOMIC, NULL, "f21");
    jb_set_commands(&c[n++], members, 2);
    c[n++] = with_amount(JB_OP_CONSUME, "U5", 1000000, "f22");
    c[n++] = person(JB_OP_MASTER_TRANSFER, "W1", NULL, "guest", "f23");
    c[n++] = person(JB_OP_MEMBER_REMOVE, "W1", NULL, "master", "f24");
    c[n++] = person(JB_OP_CHANNEL_TRANSFER, NULL, "K1", "clerk", "f25");
    c[n++] = person(JB_OP_MANAGER_REMOVE, NULL, "K1", "boss", "f26");
    c[n++] = biz_request(NULL, "K1", "f27");
    c[n++] = command(JB_OP_SALES_RELEASE, "W1", "f28");
    c[n] = command(JB_OP_WALLET_SETTLEMENT, "W1", "f29");
    jb_set_settlement(&c[n], JB_SETTLEMENT_POSTPAID);
    jb_set_limit(&c[n++], 100);
    c[n++] = person(JB_OP_CHANNEL_DISCONNECT, "W1", "K1", NULL, "f30");
    c[n++] = person(JB_OP_CHANNEL_CLOSE, NULL, "K1", NULL, "f31");
    c[n] = person(JB_OP_ROLE_TAKE, NULL, NULL, "seller", "f32");
    jb_set_role(&c[n], JB_ROLE_AGENCY);
    jb_set_agency(&c[n++], t("A9"));
    return n;
}

/* ---- steps: what is called with failing allocations ---- */

static jb_status
open_it(struct world *w, bool read_only)
{
    struct jb_open_options o = {.size = sizeof o, .read_only = read_only, .now = the_time};
    return jb_open(ledger_dir, &o, &w->l, &w->err);
}

static jb_status
s_init(struct world *w)
{
    return jb_init(other_dir, NULL, &w->err);
}

static jb_status
s_init_sealed(struct world *w)
{
    const struct jb_init_options o = {.size = sizeof o, .key_file = other_key};
    return jb_init(other_dir, &o, &w->err);
}

static jb_status
renamed(struct world *w)
{
    struct jb_command c = command(JB_OP_WALLET_RENAME, "W1", "sealed");
    jb_set_name(&c, t("another"));
    jb_set_note(&c, t("as she asked"));
    return submit(w, &c, 1, false);
}

/* Seals the ledger, unless an earlier try came so far; then all that can be done with a sealed one.
 */
static jb_status
s_sealed(struct world *w)
{
    struct jb_people_stat st = JB_SIZED(struct jb_people_stat);
    struct jb_open_options o = {.size = sizeof o, .now = the_time, .key_file = other_key};
    char name[JB_PERSON_TEXT_BYTES], id[JB_PERSON_TEXT_BYTES];
    size_t name_n = 0, id_n = 0;
    jb_person_why why = JB_WHY_NONE, name_why = JB_WHY_NONE;
    jb_status status = jb_people_encrypt(ledger_dir, &o, &w->err);
    if (status != JB_OK && strstr(w->err.text, "already") == NULL) {
        return status;
    }
    status = jb_open(ledger_dir, &o, &w->l, &w->err);
    status = status == JB_OK ? renamed(w) : status;
    status = status == JB_OK ? jb_people_rotate(w->l, &w->err) : status;
    status = status == JB_OK ? jb_people_accept(w->l, &w->err) : status;
    status = status == JB_OK ? jb_people_stat_get(w->l, &st, &w->err) : status;
    status = status == JB_OK ? jb_wallet_name_get(w->l, t("W1"), name, &name_n, &name_why, &w->err)
                             : status;
    status = status == JB_OK ? jb_person_get(w->l, 2, id, &id_n, &why, &w->err) : status;
    if (status == JB_OK) {
        say("%u %d %llu %.*s %.*s %s", st.layout, st.sealed, (unsigned long long)st.owners,
            (int)name_n, name, (int)id_n, id, jb_person_why_word(name_why));
    }
    w->l = jb_close(w->l);
    return status;
}

static jb_status
s_open(struct world *w)
{
    jb_status status = open_it(w, false);
    w->l = status == JB_OK ? jb_close(w->l) : w->l;
    return status;
}

static jb_status
s_open_read_only(struct world *w)
{
    jb_status status = open_it(w, true);
    w->l = status == JB_OK ? jb_close(w->l) : w->l;
    return status;
}

static jb_status
s_answers(struct world *w)
{
    jb_answers *set = jb_answers_new();
    say("%zu", set != NULL ? jb_answers_count(set) : 0);
    if (set == NULL) {
        snprintf(w->err.text, sizeof w->err.text, "no memory");
    }
    jb_status status = set != NULL ? JB_OK : JB_E_NOMEM;
    jb_answers_free(set);
    return status;
}

static jb_status
s_facts(struct world *w)
{
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    struct jb_ledger_stat st = JB_SIZED(struct jb_ledger_stat);
    struct jb_head head = JB_SIZED(struct jb_head);
    int64_t value = 0;
    jb_seq seq = 0;
    uint32_t number = 0;
    char id[JB_ID_BYTES_MAX], name[JB_PERSON_TEXT_BYTES];
    size_t id_n = 0, name_n = 0;
    jb_status status = jb_info_get(w->l, &info, &w->err);
    status = status == JB_OK ? jb_ledger_stat_get(w->l, &st, &w->err) : status;
    status = status == JB_OK ? jb_head_get(w->l, &head, &w->err) : status;
    status = status == JB_OK ? jb_policy_get(w->l, JB_POLICY_MIN_CHARGE, &value, &w->err) : status;
    status = status == JB_OK ? jb_seq_at_time(w->l, BEGINNING, &seq, &w->err) : status;
    status = status == JB_OK ? jb_wallet_number(w->l, t("W2"), &number, &w->err) : status;
    status = status == JB_OK ? jb_wallet_id(w->l, 1, id, &id_n, &w->err) : status;
    status = status == JB_OK ? jb_wallet_name(w->l, t("W1"), name, &name_n, &w->err) : status;
    if (status == JB_OK) {
        say("%s %llu %llu %u %lld %llu %u %.*s %.*s", info.currency, (unsigned long long)st.events,
            (unsigned long long)head.seq, st.wallets, (long long)value, (unsigned long long)seq,
            number, (int)id_n, id, (int)name_n, name);
    }
    return status;
}

static jb_status
s_wait(struct world *w)
{
    jb_seq end = 0;
    jb_status status = jb_wait(w->l, 1, 0, &end, &w->err);
    if (status == JB_OK) {
        status = jb_wait(w->l, end, 2000, &end, &w->err);
        status = status == JB_END ? JB_OK : status;
    }
    say("%llu", (unsigned long long)end);
    return status;
}

/* What is still open when the ledger is closed says so, and is closed after it. */
static jb_status
s_close_first(struct world *w)
{
    jb_cursor *c = NULL;
    jb_views *v = NULL;
    const struct jb_event *e;
    jb_status status = jb_cursor_open(w->l, 1, &c, &w->err);
    status = status == JB_OK ? jb_cursor_next(c, &e, &w->err) : status;
    status = status == JB_OK ? jb_views_open(w->l, &v, &w->err) : status;
    if (status == JB_OK) {
        struct jb_error told;
        jb_wait_end(w->l);
        must(jb_wait(w->l, 1, 0, NULL, &told) == JB_E_USAGE, "a wait after its end");
        w->l = jb_close(w->l);
        must(jb_cursor_next(c, &e, &told) == JB_E_USAGE, "a cursor of a closed ledger");
        must(jb_views_sync(v, true, &told) == JB_E_USAGE, "projections of a closed ledger");
    }
    jb_cursor_close(c);
    jb_views_close(v);
    return status;
}

static jb_status
s_events(struct world *w)
{
    jb_cursor *c;
    const struct jb_event *e;
    char id[JB_ID_BYTES_MAX], text[JB_PERSON_TEXT_BYTES];
    size_t n;
    jb_status status = jb_cursor_open(w->l, 1, &c, &w->err);
    if (status != JB_OK) {
        return status;
    }
    while ((status = jb_cursor_next(c, &e, &w->err)) == JB_OK) {
        uint64_t note = e->note;
        say("%llu %u %lld ", (unsigned long long)e->seq, e->type, (long long)jb_event_amount(e));
        status = jb_event_id(w->l, e, id, &n, &w->err);
        if (status != JB_OK) {
            break;
        }
        say("%.*s ", (int)n, id);
        status = jb_person_text(w->l, note, text, &n, &w->err);
        if (status != JB_OK) {
            break;
        }
        say("%.*s;", (int)n, text);
    }
    jb_cursor_rest(c);
    if (status == JB_END) {
        status = jb_cursor_at(c, 10, &e, &w->err);
        say("%zu", status == JB_OK ? jb_cursor_bytes(c).n : 0);
    }
    jb_cursor_close(c);
    return status;
}

static jb_status
s_submit(struct world *w)
{
    struct jb_command c[64];
    return submit(w, c, further(c), false);
}

static jb_status
s_one_by_one(struct world *w)
{
    struct jb_command c[64];
    size_t n = further(c);
    jb_status status = JB_OK;
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        status = submit(w, &c[i], 1, false);
    }
    return status;
}

static jb_status
s_dry_run(struct world *w)
{
    struct jb_command c[64];
    size_t n = further(c);
    jb_status status = JB_OK;
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        status = submit(w, &c[i], 1, true);
    }
    return status;
}

static jb_status
s_repeat(struct world *w)
{
    struct jb_command c[64];
    return submit(w, c, usual(c), false);
}

static struct jb_command
named(jb_op op, const char *wallet, const char *channel, const char *person)
{
    struct jb_command c;
    jb_command_begin(&c, op);
    if (wallet != NULL) {
        jb_set_wallet(&c, jb_text_of(wallet));
    }
    if (channel != NULL) {
        jb_set_channel(&c, jb_text_of(channel));
    }
    if (person != NULL) {
        jb_set_person(&c, jb_text_of(person));
    }
    return c;
}

/* Roles, channels, business information, the sales right: once as a group that is taken back. */
static jb_status
s_around(struct world *w)
{
    struct jb_command c[32], group;
    size_t n = 0;
    c[n++] = named(JB_OP_CHANNEL_CREATE, NULL, "H1", "u1");
    c[n++] = named(JB_OP_MANAGER_ADD, NULL, "H1", "u2");
    c[n++] = named(JB_OP_CHANNEL_SEARCH_ID, NULL, "H1", NULL);
    jb_set_search_id(&c[n - 1], jb_text_of("shop"));
    c[n++] = named(JB_OP_ROLE_GIVE, NULL, NULL, "u3");
    jb_set_role(&c[n - 1], JB_ROLE_AGENCY);
    jb_set_agency(&c[n - 1], jb_text_of("A1"));
    c[n++] = named(JB_OP_MASTER_TRANSFER, "W1", NULL, "u4");
    c[n++] = named(JB_OP_MEMBER_INVITE, "W1", NULL, "u5");
    c[n++] = named(JB_OP_MEMBER_ACCEPT, "W1", NULL, "u5");
    c[n++] = named(JB_OP_MEMBER_REMOVE, "W1", NULL, "u5");
    c[n++] = named(JB_OP_SALES_REQUEST, "W1", NULL, NULL);
    jb_set_agency(&c[n - 1], jb_text_of("A1"));
    c[n++] = named(JB_OP_SALES_ACCEPT, "W1", NULL, NULL);
    jb_set_agency(&c[n - 1], jb_text_of("A1"));
    c[n++] = named(JB_OP_SALES_RELEASE, "W1", NULL, NULL);
    c[n++] = named(JB_OP_WALLET_SETTLEMENT, "W1", NULL, NULL);
    jb_set_settlement(&c[n - 1], JB_SETTLEMENT_POSTPAID);
    jb_set_limit(&c[n - 1], 100);
    c[n++] = named(JB_OP_INVOICE_EMAIL, "W1", NULL, NULL);
    jb_set_email(&c[n - 1], jb_text_of("a@b.example"));
    c[n++] = named(JB_OP_BIZ_REQUEST, "W1", NULL, NULL);
    jb_set_biz(&c[n - 1], jb_text_of("1234567890"));
    jb_set_biz_name(&c[n - 1], jb_text_of("name"));
    jb_set_representative(&c[n - 1], jb_text_of("person"));
    jb_set_address(&c[n - 1], jb_text_of("place"));
    jb_command_begin(&group, JB_OP_ATOMIC);
    jb_set_commands(&group, c, n);
    jb_status status = submit(w, &group, 1, true);
    status = status == JB_OK ? submit(w, c, n, false) : status;
    return status;
}

static jb_status
s_recover(struct world *w)
{
    return jb_operator_recover(w->l, jb_text_of("u6"), w->answers, &w->err);
}

static jb_status
s_backup(struct world *w)
{
    return jb_backup(w->l, other_dir, NULL, NULL, &w->err);
}

static jb_status
s_views(struct world *w)
{
    jb_views *v;
    struct jb_views_stat st = JB_SIZED(struct jb_views_stat);
    jb_status status = jb_views_open(w->l, &v, &w->err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_views_sync(v, true, &w->err);
    if (status == JB_OK) {
        jb_views *quiet = NULL;
        const struct jb_views_options o = {
            .size = sizeof o, .limit_us = 1000000000, .sync_stores = 1};
        status = jb_views_open_with(w->l, &o, &quiet, &w->err);
        status = status == JB_OK ? jb_views_sync(quiet, false, &w->err) : status;
        status = status == JB_OK ? jb_views_ready(quiet, 0, &w->err) : status;
        jb_views_close(quiet);
    }
    status = status == JB_OK ? jb_views_stat_get(v, &st, &w->err) : status;
    say("%llu", status == JB_OK ? (unsigned long long)st.rows : 0);
    jb_views_close(v);
    return status;
}

static const struct jb_as_of moments[] = {{.kind = JB_AS_OF_NOW},
                                          {.kind = JB_AS_OF_SEQ, .seq = 14},
                                          {.kind = JB_AS_OF_TIME, .time = BEGINNING + 5}};

static bool
a_balance(void *data, const struct jb_wallet_balance *b)
{
    (void)data;
    say("%s %lld %lld;", b->wallet, (long long)b->balance.paid, (long long)b->balance.free);
    return true;
}

static jb_status
s_balances(struct world *w)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < 3 && status == JB_OK; i++) {
        struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
        struct jb_moment m;
        status = jb_moment_resolve(w->v, &moments[i], &m, &w->err);
        status = status == JB_OK ? jb_balance_get(w->v, t("W1"), &moments[i], &b, &w->err) : status;
        if (status == JB_OK) {
            say("%llu ", (unsigned long long)m.seq);
            a_balance(NULL, &b);
        }
        status =
            status == JB_OK ? jb_balance_each(w->v, &moments[i], a_balance, NULL, &w->err) : status;
    }
    return status;
}

static bool
a_lot(void *data, const struct jb_lot_row *r)
{
    (void)data;
    say("%u %lld %lld;", r->number, (long long)r->left, (long long)r->refunded);
    return true;
}

static bool
a_grant(void *data, const struct jb_grant_row *r)
{
    (void)data;
    say("%u %d %lld;", r->number, (int)r->state, (long long)r->left);
    return true;
}

static bool
a_refund(void *data, const struct jb_refund_row *r)
{
    (void)data;
    say("%u %d %lld;", r->number, (int)r->state, (long long)r->amount);
    return true;
}

static bool
an_event(void *data, const struct jb_event *e)
{
    (void)data;
    say("%llu %lld;", (unsigned long long)e->seq, (long long)jb_event_amount(e));
    return true;
}

static jb_status
s_wallets(struct world *w)
{
    char next[JB_CURSOR_TEXT_BYTES] = "";
    jb_status status = jb_wallets_get(w->v, NULL, NULL, 1, a_balance, NULL, next, NULL, &w->err);
    if (status == JB_OK) {
        status = jb_wallets_get(w->v, NULL, next, 9, a_balance, NULL, next, NULL, &w->err);
    }
    return status == JB_OK
               ? jb_wallets_get(w->v, &moments[1], NULL, 9, a_balance, NULL, next, NULL, &w->err)
               : status;
}

static bool
a_found_wallet(void *data, const struct jb_wallet_row *row)
{
    say("%u %llu %lld ", row->kind, (unsigned long long)row->master, (long long)row->used_at);
    return a_balance(data, row->balance);
}

static bool
a_found_event(void *data, const struct jb_find_row *row)
{
    say("%u %s %u ", row->what_n, row->what[0], row->wallet);
    return an_event(data, row->event);
}

static jb_status
s_found(struct world *w)
{
    static const char *const texts[] = {"C1", "U1", "13", "K1", "W1", "A9"};
    struct jb_wallets_query q = JB_SIZED(struct jb_wallets_query);
    jb_status status =
        jb_wallets_find(w->v, NULL, NULL, NULL, 9, a_found_wallet, NULL, NULL, NULL, &w->err);
    q.name = t("name");
    q.master = t("master");
    if (status == JB_OK) {
        status = jb_wallets_find(w->v, &q, &moments[1], NULL, 9, a_found_wallet, NULL, NULL, NULL,
                                 &w->err);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == JB_OK; i++) {
        status =
            jb_find_get(w->v, t(texts[i]), NULL, NULL, 9, a_found_event, NULL, NULL, NULL, &w->err);
    }
    return status;
}

static jb_status
s_items(struct world *w)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < 3 && status == JB_OK; i++) {
        jb_which which = i == 0 ? JB_WHICH_ALL : JB_WHICH_OPEN;
        status = jb_lots_get(w->v, t("W1"), which, &moments[i], NULL, 9, a_lot, NULL, NULL, NULL,
                             &w->err);
        if (status == JB_OK) {
            status = jb_grants_get(w->v, t("W1"), which, &moments[i], NULL, 9, a_grant, NULL, NULL,
                                   NULL, &w->err);
        }
        if (status == JB_OK) {
            status = jb_refunds_get(w->v, t("W1"), which, &moments[i], NULL, 9, a_refund, NULL,
                                    NULL, NULL, &w->err);
        }
        if (status == JB_OK && which == JB_WHICH_OPEN) {
            status = jb_refunds_get(w->v, (struct jb_text){NULL, 0}, which, &moments[i], NULL, 9,
                                    a_refund, NULL, NULL, NULL, &w->err);
        }
    }
    return status;
}

static jb_status
s_event_pages(struct world *w)
{
    jb_status status = JB_OK;
    for (unsigned i = 0; i < 6 && status == JB_OK; i++) {
        struct jb_events_query q = JB_SIZED(struct jb_events_query);
        q.order = i % 2 == 0 ? JB_OLDEST_FIRST : JB_NEWEST_FIRST;
        q.wallet = i < 2 || i > 3 ? (struct jb_text){NULL, 0} : t("W1");
        q.channel = i > 3 ? t("K1") : (struct jb_text){NULL, 0};
        status = jb_events_get(w->v, &q, NULL, NULL, 30, an_event, NULL, NULL, NULL, &w->err);
    }
    return status == JB_OK
               ? jb_refused_get(w->v, t("W1"), NULL, NULL, 9, an_event, NULL, NULL, NULL, &w->err)
               : status;
}

static bool
a_feed_row(void *data, const struct jb_feed_row *row)
{
    say("%.*s %lld %d ", (int)row->wallet.n, row->wallet.s != NULL ? row->wallet.s : "",
        (long long)row->effect, row->late);
    if (row->balance != NULL) {
        say("%lld %lld ", (long long)row->balance->total, (long long)row->balance->free_dormant);
    }
    return an_event(data, row->event);
}

static jb_status
s_feed(struct world *w)
{
    char cursor[JB_CURSOR_TEXT_BYTES] = "";
    jb_status status = JB_OK;
    for (unsigned i = 0; i < 6 && status == JB_OK; i++) {
        struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
        const struct jb_feed_query q = {.size = sizeof q,
                                        .after = i == 3 ? 9 : 0,
                                        .cursor = i < 3 ? cursor : NULL,
                                        .wallet = i > 3 ? t("W1") : (struct jb_text){NULL, 0},
                                        .limit = 5 + i};
        status = jb_feed_get(w->v, &q, a_feed_row, NULL, &page, &w->err);
        memcpy(cursor, page.cursor, sizeof cursor);
    }
    return status;
}

static bool
a_person(void *data, const struct jb_who_row *row)
{
    (void)data;
    say("%u %llu %.*s %llu;", row->role, (unsigned long long)row->person, (int)row->channel.n,
        row->channel.s != NULL ? row->channel.s : "", (unsigned long long)row->seq);
    return true;
}

static bool
a_cell(void *data, const struct jb_permission *cell, jb_may_answer said)
{
    (void)data;
    say("%s %d;", cell->cell, (int)said);
    return true;
}

static bool
an_invoice(void *data, const struct jb_invoice *i)
{
    (void)data;
    say("%llu %lld;", (unsigned long long)i->invoice, (long long)i->total);
    return true;
}

static bool
an_invoice_row(void *data, const struct jb_invoice_row *r)
{
    (void)data;
    say("%llu %lld %.*s;", (unsigned long long)r->seq, (long long)r->amount, (int)r->usage.n,
        r->usage.s != NULL ? r->usage.s : "");
    return true;
}

static bool
a_due(void *data, const struct jb_due_item *i)
{
    (void)data;
    say("%u %u %s;", i->what, i->op, i->wallet);
    return true;
}

/* Tax invoices: there may be none, and no policy that asks for any. */
static jb_status
s_invoices(struct world *w)
{
    struct jb_invoice i = JB_SIZED(struct jb_invoice);
    struct jb_due_list due = JB_SIZED(struct jb_due_list);
    struct jb_invoices_query q = JB_SIZED(struct jb_invoices_query);
    uint64_t next = 0;
    q.wallet = t("W1");
    jb_status status = jb_invoices_at(w->l, &q, an_invoice, NULL, &next, &w->err);
    if (status == JB_OK) {
        status = jb_invoice_get(w->l, 1, 0, an_invoice_row, NULL, &i, &w->err);
        status = status == JB_E_NOTFOUND ? JB_OK : status;
    }
    const struct jb_due_query asked = {.size = sizeof asked, .outside = 1};
    struct jb_due_place place;
    if (status == JB_OK) {
        status = jb_due_at(w->l, &asked, a_due, NULL, &due, &place, &w->err);
    }
    if (status == JB_OK) {
        say("%u %u %u", due.commands, due.blocked, due.outside);
    }
    return status;
}

static jb_status
s_invoice_pages(struct world *w)
{
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    return jb_invoices_get(w->v, t("W1"), 0, NULL, NULL, 9, an_invoice, NULL, next, &moment,
                           &w->err);
}

/* What stands around a wallet. */
static jb_status
s_asked(struct world *w)
{
    struct jb_who who = JB_SIZED(struct jb_who);
    struct jb_channel_info channel = JB_SIZED(struct jb_channel_info);
    struct jb_biz biz = JB_SIZED(struct jb_biz);
    struct jb_may may = JB_SIZED(struct jb_may);
    struct jb_can_delete deletion = JB_SIZED(struct jb_can_delete);
    const struct jb_text none = {NULL, 0};
    char id[JB_ID_BYTES_MAX];
    size_t n = 0;
    uint64_t number = 0;
    jb_status status = jb_who_get(w->l, t("W1"), a_person, NULL, &who, &w->err);
    if (status == JB_OK) {
        status = jb_channel_get(w->l, t("K1"), a_person, NULL, &channel, &w->err);
    }
    status = status == JB_OK ? jb_biz_get(w->l, t("W1"), none, &biz, &w->err) : status;
    if (status == JB_OK) {
        status = jb_may_get(w->l, t("W1"), t("clerk"), t("K1"), a_cell, NULL, &may, &w->err);
    }
    status = status == JB_OK ? jb_can_delete_get(w->l, t("W1"), &deletion, &w->err) : status;
    status = status == JB_OK ? jb_channel_number(w->l, t("K1"), &number, &w->err) : status;
    status = status == JB_OK ? jb_channel_id(w->l, number, id, &n, &w->err) : status;
    if (status == JB_OK) {
        say("%u %u %s %s %s %llu %u %u %.*s", who.members, who.invited, who.agency, channel.wallet,
            channel.search_id, (unsigned long long)biz.pending.request, may.roles,
            deletion.conditions_n, (int)n, id);
    }
    return status;
}

static bool
a_row(void *data, const struct jb_cash_row *row)
{
    (void)data;
    say("%d %lld %lld;", row->day, (long long)row->charged, (long long)row->closing_total);
    return true;
}

static bool
a_day(void *data, const struct jb_cash_status *of, const struct jb_cash_row *row)
{
    say("%s ", of->wallet);
    return a_row(data, row);
}

static jb_status
s_cash_status(struct world *w)
{
    struct jb_cash_status cash = JB_SIZED(struct jb_cash_status);
    jb_status status = jb_cash_status_get(w->v, t("W1"), JB_VIEW_POSTED, NULL, JB_NO_DAY, JB_NO_DAY,
                                          a_row, NULL, &cash, &w->err);
    if (status == JB_OK) {
        status = jb_cash_status_get(w->v, t("W1"), JB_VIEW_KNOWN, &moments[1], JB_NO_DAY, JB_NO_DAY,
                                    a_row, NULL, &cash, &w->err);
    }
    return status == JB_OK
               ? jb_cash_day_each(w->v, jb_day_of(BEGINNING, 32400), NULL, a_day, NULL, &w->err)
               : status;
}

static bool
a_history_row(void *data, const struct jb_history_row *row)
{
    (void)data;
    say("%llu %lld %lld;", (unsigned long long)row->event->seq, (long long)row->effect,
        (long long)row->balance);
    return true;
}

static jb_status
s_history(struct world *w)
{
    char next[JB_CURSOR_TEXT_BYTES] = "";
    jb_status status = jb_history_get(w->v, t("W1"), JB_HISTORY_ALL, NULL, NULL, 5, a_history_row,
                                      NULL, next, NULL, &w->err);
    if (status == JB_OK) {
        status = jb_history_get(w->v, t("W1"), JB_HISTORY_ALL, NULL, next, 50, a_history_row, NULL,
                                next, NULL, &w->err);
    }
    const jb_amount min = 100;
    const struct jb_history_query q = {.size = sizeof q, .wallet = t("W1"), .amount_min = &min};
    return status == JB_OK
               ? jb_history_find(w->v, &q, NULL, NULL, 50, a_history_row, NULL, NULL, NULL, &w->err)
               : status;
}

/* A period, a day against itself, and what came between two moments. */
static jb_status
s_change(struct world *w)
{
    const struct jb_as_of since = {.kind = JB_AS_OF_SEQ, .seq = 15};
    const jb_day day = jb_day_of(BEGINNING, 32400);
    struct jb_change_query q = {.size = sizeof q, .wallet = t("W1"), .from = day};
    jb_status status = JB_OK;
    for (int kind = JB_CHANGE_PERIOD; kind <= JB_CHANGE_DAY && status == JB_OK; kind++) {
        struct jb_change *c = NULL;
        q.kind = (jb_change_kind)kind;
        q.from = kind == JB_CHANGE_MOMENTS ? 0 : day;
        q.to = kind == JB_CHANGE_PERIOD ? day : 0;
        q.since = kind == JB_CHANGE_MOMENTS ? &since : NULL;
        status = jb_change_get(w->v, &q, NULL, &c, &w->err);
        if (status == JB_OK) {
            say("%lld %lld %u %u %lld;", (long long)c->before, (long long)c->after, c->causes_n,
                c->apart_n, (long long)c->rest);
        } else if (status == JB_E_NOT_CLOSED) { /* as the ledger is before anything closes it */
            status = JB_OK;
        }
        jb_change_free(c);
    }
    return status;
}

static bool
a_receipt(void *data, const struct jb_receipt_row *row)
{
    (void)data;
    say("%u %u %lld %s;", row->gateway, row->ways_n, (long long)row->refunded, row->text);
    return true;
}

static bool
a_statement_row(void *data, const struct jb_statement *s, const struct jb_statement_row *row)
{
    (void)data;
    say("%lld %llu %lld;", (long long)s->opening_total, (unsigned long long)row->event->seq,
        (long long)row->balance);
    return true;
}

static bool
a_report_row(void *data, const struct jb_report *report, const struct jb_invoice *document,
             const struct jb_invoice_row *row)
{
    (void)data;
    say("%lld %lld %lld;", (long long)report->net,
        document != NULL ? (long long)document->total : 0,
        row != NULL ? (long long)row->amount : 0);
    return true;
}

static bool
an_expiring(void *data, const struct jb_expiring_row *row)
{
    (void)data;
    say("%s %lld %u;", row->wallet, (long long)row->left, row->days);
    return true;
}

static jb_status
s_papers(struct world *w)
{
    struct jb_statement s = JB_SIZED(struct jb_statement);
    struct jb_report r = JB_SIZED(struct jb_report);
    struct jb_due_list due = JB_SIZED(struct jb_due_list);
    const struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = 20};
    struct jb_ledger_totals totals = JB_SIZED(struct jb_ledger_totals);
    const jb_day day = jb_day_of(BEGINNING, 32400);
    jb_status status =
        jb_receipts_get(w->v, t("W1"), NULL, NULL, 9, a_receipt, NULL, NULL, NULL, &w->err);
    if (status == JB_OK) {
        status =
            jb_statement_get(w->v, t("W1"), day, day, NULL, a_statement_row, NULL, &s, &w->err);
    }
    if (status == JB_OK) {
        say("%lld ", (long long)s.closing_total);
        status = jb_report_get(w->v, t("W1"), 202609, NULL, a_report_row, NULL, &r, &w->err);
    }
    if (status == JB_OK) {
        say("%lld %llu ", (long long)r.net, (unsigned long long)r.rows);
        status =
            jb_due_get(w->v, JB_DUE_ALL, true, &then, NULL, 9, a_due, NULL, NULL, &due, &w->err);
    }
    if (status == JB_OK) {
        status = jb_ledger_totals_get(w->v, NULL, &totals, &w->err);
    }
    if (status == JB_OK) {
        say("%lld %lld ", (long long)totals.paid, (long long)totals.charged_12m);
        status = jb_expiring_get(w->v, (struct jb_text){NULL, 0}, 36500, NULL, NULL, 9, an_expiring,
                                 NULL, NULL, NULL, &w->err);
    }
    return status;
}

static jb_status
s_explain(struct world *w)
{
    struct jb_explanation *e;
    jb_status status = jb_explain(w->v, t("W1"), NULL, &e, &w->err);
    if (status == JB_OK) {
        say("%lld %lld %lld %u", (long long)e->total_now, (long long)e->difference,
            (long long)e->rest, e->causes_n);
        jb_explanation_free(e);
    }
    return status;
}

static jb_status
s_reply(struct world *w)
{
    jb_status status = JB_OK;
    for (uint32_t number = 1; number <= JB_QUESTIONS && status == JB_OK; number++) {
        struct jb_question q = JB_SIZED(struct jb_question);
        struct jb_reply *r;
        q.number = number;
        q.wallet = t("W1");
        q.people = 1;
        status = jb_reply_get(w->v, &q, &r, &w->err);
        if (status == JB_OK) {
            say("%u %s %llu ", r->question, r->text, (unsigned long long)r->events_total);
            jb_reply_free(r);
        }
    }
    return status;
}

static bool
replayed(void *data, const struct jb_replayed *w)
{
    (void)data;
    say("%u at %llu: %lld %lld %lld\n", w->number, (unsigned long long)w->version,
        (long long)w->paid, (long long)w->free, (long long)w->dormant);
    return true;
}

static jb_status
s_replay(struct world *w)
{
    struct jb_replay_result r = JB_SIZED(struct jb_replay_result);
    return jb_replay(ledger_dir, NULL, replayed, &r, &w->err);
}

static jb_status
s_audit(struct world *w)
{
    struct jb_audit_report *r;
    jb_status status = jb_audit(ledger_dir, NULL, &r, &w->err);
    if (status == JB_OK) {
        /* One that could not look at everything says so, and is none. */
        bool memory = false;
        for (uint32_t i = 0; i < r->not_checked_n; i++) {
            memory |= strstr(r->not_checked[i], "memory") != NULL;
        }
        must(r->verdict != JB_REFUTED,
             r->problems_n > 0 ? r->problems[0]->text : "no problem, and refuted");
        status = r->verdict == JB_VERIFIED ? JB_OK : JB_E_NOMEM;
        snprintf(w->err.text, sizeof w->err.text, "%s", memory ? "no memory" : "could not tell");
        jb_audit_report_free(r);
    }
    return status;
}

static jb_status
s_rebuild(struct world *w)
{
    struct jb_rebuild_result r = JB_SIZED(struct jb_rebuild_result);
    jb_status status = jb_rebuild(ledger_dir, NULL, &r, &w->err);
    if (status == JB_OK) {
        say("%llu %d %d", (unsigned long long)r.events, !r.had_state || r.same_state,
            !r.had_views || r.same_views);
    }
    return status;
}

/* ---- the same in JSON ---- */

/* Adds a text to the answer, without what a repetition says beside the first answer, and gives it
 * back. */
static jb_status
take_text(struct world *w, jb_status status, const char *text)
{
    static const char again[] = ",\"duplicate\":true";
    must(text != NULL && text[strlen(text)] == '\0', "a call without a text");
    if (status != JB_OK) {
        snprintf(w->err.text, sizeof w->err.text, "%s", text);
    }
    const char *from = text, *at;
    while ((at = strstr(from, again)) != NULL) {
        say("%.*s", (int)(at - from), from);
        from = at + strlen(again);
    }
    /* What is of now says when that was, at its end. */
    const char *now_is = strstr(from, ",\"as_of\":{");
    say("%.*s", (int)(now_is != NULL ? now_is - from : (ptrdiff_t)strlen(from)), from);
    jb_json_text_free(text);
    return status;
}

static jb_status
open_json(struct world *w)
{
    const char *text;
    jb_status status = jb_json_open(ledger_dir, "{\"caller\":\"\"}", &w->j, &text);
    must((status == JB_OK) == (w->j != NULL), "a handle of a call that failed");
    return take_text(w, status, text);
}

static jb_status
s_json_open(struct world *w)
{
    jb_status status = open_json(w);
    w->j = jb_json_close(w->j);
    return status;
}

static jb_status
s_json_init(struct world *w)
{
    jb_json *j;
    const char *text;
    jb_status status = jb_json_open(
        other_dir, "{\"init\":{\"currency\":\"KRW\",\"utc_offset\":\"+09:00\"}}", &j, &text);
    if (status != JB_OK) {
        (void)take_text(w, status, text);
    } else {
        jb_json_text_free(text); /* with the number of a new ledger */
    }
    jb_json_close(j);
    remove_all(other_dir);
    return status;
}

static jb_status
s_json_apply(struct world *w)
{
    static const char lines[] =
        "{\"op\":\"charge\",\"wallet\":\"W1\",\"charge\":\"J1\",\"amount\":3000,\"key\":\"j1\"}\n"
        "{\"op\":\"consume\",\"wallet\":\"W1\",\"usage\":\"J2\",\"amount\":10,\"key\":\"j2\","
        "\"note\":\"n\"}\n"
        "\n{\"op\":\"consume\",\"walet\":\"W1\"}\nno command\n"
        "{\"op\":\"consume\",\"wallet\":\"W1\",\"usage\":\"J3\",\"amount\":10000000,\"key\":\"j3\"}"
        "\n"
        "{\"op\":\"atomic\",\"key\":\"j4\",\"commands\":[{\"op\":\"charge\",\"wallet\":\"W1\","
        "\"charge\":"
        "\"J4\",\"amount\":4000},{\"op\":\"consume\",\"wallet\":\"W1\",\"usage\":\"J5\",\"amount\":"
        "5}]}\n"
        "{\"op\":\"consume\",\"wallet\":\"W1\",\"usage\":\"J6\",\"amount\":99999999999999999999}";
    char timed[2048];
    size_t n = 0;
    /* Each object begins with the clock. */
    for (const char *from = lines; *from != '\0'; from++) {
        bool begins = *from == '{' && (from == lines || from[-1] == '\n');
        n += (size_t)snprintf(timed + n, sizeof timed - n, begins ? "%c\"clock\":\"%s\"," : "%c",
                              *from, "2026-09-24T09:00:00+09:00");
    }
    const char *text;
    size_t text_n = 0;
    jb_status status = w->j == NULL ? open_json(w) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    answer_n = 0;
    status = jb_json_apply(w->j, timed, n, "{\"clock\":\"at\",\"line\":1000}", &text, &text_n);
    must(strlen(text) == text_n, "a text is not as long as it says");
    const char *done = strstr(text, "\"lines_done\":");
    if (done != NULL) {
        const unsigned long line = strtoul(done + strlen("\"lines_done\":"), NULL, 10);
        must(line >= 999 && line <= 1007, "lines are done that were not given");
    }
    return take_text(w, status, text);
}

static jb_status
s_json_ask(struct world *w)
{
    static const char *const queries[] = {
        "{\"ask\":\"balance\",\"wallet\":\"W1\",\"as_of\":14}",
        "{\"ask\":\"cash_status\",\"wallet\":\"W1\",\"view\":\"known\",\"as_of\":15}",
        "{\"ask\":\"cash_day\",\"day\":\"2026-09-21\"}",
        "{\"ask\":\"history\",\"wallet\":\"W1\",\"people\":true,\"as_of\":15}",
        "{\"ask\":\"refused\",\"wallet\":\"W1\",\"as_of\":15}",
        "{\"ask\":\"explain\",\"wallet\":\"W1\",\"as_of\":15}",
        "{\"ask\":\"log\",\"people\":true,\"limit\":1000}",
        "{\"ask\":\"wallets\",\"as_of\":15}",
        "{\"ask\":\"find\",\"text\":\"C1\",\"people\":true,\"as_of\":15}",
        "{\"ask\":\"charges\",\"wallet\":\"W1\",\"as_of\":15}",
        "{\"ask\":\"lots\",\"wallet\":\"W1\",\"limit\":1,\"as_of\":15}",
        "{\"ask\":\"grants\",\"wallet\":\"W1\",\"as_of\":15}",
        "{\"ask\":\"refunds\",\"wallet\":\"W1\",\"open\":true,\"as_of\":15}",
        "{\"ask\":\"invoices\",\"wallet\":\"W1\"}",
        "{\"ask\":\"due\",\"outside\":true}",
        "{\"ask\":\"events\",\"types\":[\"charge_settled\"],\"newest_first\":true,\"as_of\":15}",
        "{\"ask\":\"info\"}",
        "{\"ask\":\"head\"}",
        "{\"ask\":\"policies\"}",
        "{\"ask\":\"wait\",\"after\":1,\"timeout_us\":0}",
        "{\"ask\":\"commands\"}",
        "{\"ask\":\"roles\"}",
        "{\"ask\":\"who\",\"wallet\":\"W1\",\"people\":true}",
        "{\"ask\":\"may\",\"wallet\":\"W1\",\"actor\":\"clerk\",\"channel\":\"K1\"}",
        "{\"ask\":\"channel\",\"channel\":\"K1\",\"people\":true}",
        "{\"ask\":\"biz\",\"wallet\":\"W1\",\"people\":true}",
        "{\"ask\":\"can_delete\",\"wallet\":\"W1\"}",
        "{\"ask\":\"queries\"}"};
    const char *text;
    jb_status status = w->j == NULL ? open_json(w) : JB_OK;
    answer_n = 0;
    for (size_t i = 0; i < sizeof queries / sizeof queries[0] && status == JB_OK; i++) {
        status = jb_json_ask(w->j, queries[i], strlen(queries[i]), &text, NULL);
        status = take_text(w, status, text);
    }
    return status;
}

enum needs { NOTHING, LEDGER, VIEWS };

static const struct step {
    const char *name;
    jb_status (*run)(struct world *w);
    enum needs needs;
    bool makes; /* a directory that must not be there; what failed leaves nothing in the way */
} steps[] = {
    {"jb_init", s_init, NOTHING, true},
    {"jb_init, sealed", s_init_sealed, NOTHING, true},
    {"sealing, another key", s_sealed, NOTHING, true},
    {"jb_open, jb_close", s_open, NOTHING, false},
    {"jb_open for reading", s_open_read_only, NOTHING, false},
    {"jb_answers_new", s_answers, NOTHING, false},
    {"what a ledger is", s_facts, LEDGER, false},
    {"waiting", s_wait, LEDGER, false},
    {"closing before cursors and projections", s_close_first, LEDGER, false},
    {"cursors, ids, texts", s_events, LEDGER, false},
    {"what stands around a wallet", s_asked, LEDGER, false},
    {"tax invoices", s_invoices, LEDGER, false},
    {"jb_submit, many commands", s_submit, LEDGER, false},
    {"jb_submit, one by one", s_one_by_one, LEDGER, false},
    {"jb_submit, dry run", s_dry_run, LEDGER, false},
    {"jb_submit, repetitions", s_repeat, LEDGER, false},
    {"roles, channels, business information", s_around, LEDGER, false},
    {"jb_operator_recover", s_recover, LEDGER, false},
    {"jb_backup", s_backup, LEDGER, true},
    {"jb_views_open, jb_views_sync, jb_views_ready", s_views, LEDGER, false},
    {"balances", s_balances, VIEWS, false},
    {"jb_wallets_get", s_wallets, VIEWS, false},
    {"jb_wallets_find, jb_find_get", s_found, VIEWS, false},
    {"lots, grants, refunds", s_items, VIEWS, false},
    {"jb_events_get, jb_refused_get", s_event_pages, VIEWS, false},
    {"jb_feed_get", s_feed, VIEWS, false},
    {"cash status", s_cash_status, VIEWS, false},
    {"jb_history_get, jb_history_find", s_history, VIEWS, false},
    {"jb_change_get", s_change, VIEWS, false},
    {"jb_explain", s_explain, VIEWS, false},
    {"jb_invoices_get", s_invoice_pages, VIEWS, false},
    {"papers", s_papers, VIEWS, false},
    {"jb_reply_get", s_reply, VIEWS, false},
    {"jb_json_open", s_json_open, NOTHING, false},
    {"jb_json_open, a new ledger", s_json_init, NOTHING, true},
    {"jb_json_apply", s_json_apply, NOTHING, false},
    {"jb_json_ask", s_json_ask, NOTHING, false},
    {"jb_audit", s_audit, NOTHING, false},
    {"jb_rebuild", s_rebuild, NOTHING, false},
    {"jb_replay", s_replay, NOTHING, false},
};

/* ---- running ---- */

static void
begin(const struct step *s, struct world *w)
{
    memset(w, 0, sizeof *w);
    now = BEGINNING + 2 * JB_US_PER_DAY + 7200 * JB_US_PER_SECOND;
    fresh_ledger();
    remove_all(other_dir);
    remove_all(other_key);
    w->answers = jb_answers_new();
    must(w->answers != NULL, "no answers");
    if (s->needs != NOTHING) {
        must(open_it(w, false) == JB_OK, w->err.text);
    }
    if (s->needs == VIEWS) {
        must(jb_views_open(w->l, &w->v, &w->err) == JB_OK, w->err.text);
    }
    answer_n = 0;
    answer[0] = '\0';
}

static void
end(struct world *w)
{
    w->j = jb_json_close(w->j);
    w->v = jb_views_close(w->v);
    w->l = jb_close(w->l);
    w->answers = jb_answers_free(w->answers);
}

static unsigned failures;

static void
failed(const struct step *s, long n, bool sticky, const char *what, const char *detail)
{
    printf("FAILED: %s, allocation %ld%s: %s: %.300s\n", s->name, n,
           sticky ? " and all after it" : "", what, detail);
    failures++;
}

static bool
verified(const char *dir, char *why, size_t n)
{
    struct jb_audit_report *r;
    struct jb_error err = {0};
    if (jb_audit(dir, NULL, &r, &err) != JB_OK) {
        snprintf(why, n, "%s", err.text);
        return false;
    }
    bool ok = r->verdict == JB_VERIFIED;
    snprintf(why, n, "%s", r->problems_n > 0 ? r->problems[0]->text : "could not tell");
    jb_audit_report_free(r);
    return ok;
}

/* The same call again, on the same handle: what failed is as if it had not been tried. */
static void
check_again(const struct step *s, struct world *w, long n, bool sticky, const char *right)
{
    answer_n = 0;
    answer[0] = '\0';
    jb_status status = s->run(w);
    if (status != JB_OK) {
        failed(s, n, sticky, "the same call again fails", w->err.text);
    } else if (strcmp(answer, right) != 0) {
        failed(s, n, sticky, "the same call again answers otherwise", answer);
    }
}

/* A backup copies in a thread of its own. */
static bool
in_a_thread(const struct step *s)
{
    return s->run == s_backup;
}

/* False: there is no n-th allocation. */
static bool
one(const struct step *s, long n, bool sticky, const char *right)
{
    struct world w;
    char why[JB_ERROR_TEXT_BYTES];
    begin(s, &w);
    jb_nth_arm(n, sticky, in_a_thread(s));
    jb_status status = s->run(&w);
    bool struck = jb_nth_disarm() >= n;
    if (status == JB_OK && strcmp(answer, right) != 0) {
        failed(s, n, sticky, "the answer is another", answer);
    } else if (status != JB_OK && strstr(w.err.text, "memory") == NULL) {
        failed(s, n, sticky, jb_status_word(status), w.err.text);
    }
    if (status != JB_OK) {
        check_again(s, &w, n, sticky, right);
    }
    end(&w);
    if (!verified(ledger_dir, why, sizeof why)) {
        failed(s, n, sticky, "the audit afterwards", why);
    }
    return struck;
}

static void
make_base(void)
{
    struct world w = {0};
    struct jb_command c[64];
    struct jb_open_options o = {.size = sizeof o, .now = the_time};
    now = BEGINNING;
    must(jb_init(base_dir, NULL, &w.err) == JB_OK, w.err.text);
    w.answers = jb_answers_new();
    must(w.answers != NULL && jb_open(base_dir, &o, &w.l, &w.err) == JB_OK, w.err.text);
    must(jb_views_open(w.l, &w.v, &w.err) == JB_OK, w.err.text);
    size_t n = usual(c);
    for (size_t i = 0; i < n; i++) {
        must(submit(&w, &c[i], 1, false) == JB_OK, w.err.text);
        const struct jb_answer *a = jb_answers_at(w.answers, 0);
        must(a->outcome == JB_DONE || i + 1 == n, jb_answer_message(a));
    }
    now += JB_US_PER_DAY + 7200 * JB_US_PER_SECOND; /* the next day: the first one closes */
    struct jb_command last = with_amount(JB_OP_CHARGE, "C9", 2500, "14");
    must(submit(&w, &last, 1, false) == JB_OK, w.err.text);
    must(jb_views_sync(w.v, true, &w.err) == JB_OK, w.err.text);
    end(&w);
}

static double
seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    static char right[sizeof answer];
    const size_t steps_n = sizeof steps / sizeof steps[0];
    double limit = argc > 1 ? strtod(argv[1], NULL) : 1e9, began = seconds();
    srand(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
    long tried = 0, everything = 0;
    must(mkdtemp(root) != NULL, "no temporary directory");
    snprintf(base_dir, sizeof base_dir, "%s/base", root);
    snprintf(ledger_dir, sizeof ledger_dir, "%s/l", root);
    snprintf(other_dir, sizeof other_dir, "%s/other", root);
    snprintf(other_key, sizeof other_key, "%s/other.key", root);
    make_base();
    for (size_t i = 0; i < steps_n; i++) {
        struct world w;
        begin(&steps[i], &w);
        jb_nth_arm(0, false, in_a_thread(&steps[i]));
        jb_status status = steps[i].run(&w);
        long count = jb_nth_disarm();
        must(status == JB_OK, w.err.text);
        strcpy(right, answer);
        end(&w);
        everything += 2 * count;
        /* An equal share of the time that is left; beyond it a sample. */
        double until = seconds() + (began + limit - seconds()) / (double)(steps_n - i);
        bool all = limit > 1e8;
        for (long k = 0; k < 2 * count && (all || seconds() < until); k++) {
            long n = all ? k / 2 + 1 : rand() % count + 1;
            one(&steps[i], n, all ? k % 2 != 0 : rand() % 2 != 0, right);
            tried++;
        }
        printf("%-30s %ld allocations\n", steps[i].name, count);
        fflush(stdout);
    }
    remove_all(root);
    printf("%ld of %ld failing allocations: %u failures\n", tried, everything, failures);
    return failures > 0 ? 1 : 0;
}
