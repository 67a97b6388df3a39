/*
 * Who used a wallet is known there: his role is not looked up again. Everything that can take it
 * from him, or give him another, counts at once all the same: each is done between two consumptions
 * of one person, whose second is refused, or carries the new role.
 */
#include <jangbu/ledger.h>

#include <string.h>
#include <unistd.h>

#include "../check.h"

static jb_instant now = INT64_C(1790000000000000); /* 2026-09-21 */

static jb_instant
the_time(void *data)
{
    (void)data;
    return now += JB_US_PER_SECOND;
}

static jb_ledger *l, *other; /* two handles of one ledger, as two processes have them */
static jb_answers *answers;
static struct jb_error err;
static char wallet[16];
static unsigned wallets;
static jb_instant before; /* lee was a member */

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, s != NULL ? strlen(s) : 0};
}

static struct jb_command
by(const char *actor, jb_op op)
{
    struct jb_command c;
    jb_command_begin(&c, op);
    jb_set_wallet(&c, text(wallet));
    jb_set_actor(&c, text(actor), text(NULL));
    return c;
}

static struct jb_command
about(const char *actor, jb_op op, const char *person)
{
    struct jb_command c = by(actor, op);
    jb_set_person(&c, text(person));
    return c;
}

static struct jb_command
consumption(const char *actor, jb_amount amount)
{
    struct jb_command c = by(actor, JB_OP_CONSUME);
    jb_set_usage(&c, text("U"));
    jb_set_amount(&c, amount);
    return c;
}

static const struct jb_answer *
submit(jb_ledger *to, const struct jb_command *c, bool dry)
{
    struct jb_submit_options o = JB_SIZED(struct jb_submit_options);
    o.dry_run = dry;
    must(jb_submit(to, c, 1, &o, answers, NULL, &err) == JB_OK, err.text);
    return jb_answers_at(answers, 0);
}

static void
done(struct jb_command c)
{
    const struct jb_answer *a = submit(l, &c, false);
    must(a->outcome == JB_DONE, jb_answer_message(a));
}

static struct jb_command
group(const struct jb_command *list, size_t n)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_ATOMIC);
    jb_set_commands(&c, list, n);
    return c;
}

/* He consumes, as that; NULL: he may not. */
static void
consumes_as(const char *person, const char *role)
{
    struct jb_command c = consumption(person, 1);
    const struct jb_answer *a = submit(l, &c, false);
    if (role == NULL) {
        must(a->outcome == JB_REFUSED && a->code == JB_CODE_ROLE, "a role that is over carries");
        return;
    }
    must(a->outcome == JB_DONE, jb_answer_message(a));
    const struct jb_text said = jb_answer_event(a)->role;
    must(said.n == strlen(role) && memcmp(said.s, role, said.n) == 0, "another role carries");
}

static void
joins(const char *person)
{
    done(about("kim", JB_OP_MEMBER_INVITE, person));
    done(about(person, JB_OP_MEMBER_ACCEPT, person));
}

/* A wallet of kim's, which lee used as a member. */
static void
begin(void)
{
    snprintf(wallet, sizeof wallet, "W%u", wallets++);
    struct jb_command c = by("O", JB_OP_WALLET_CREATE);
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, text("name"));
    jb_set_master(&c, text("kim"));
    done(c);
    c = by("kim", JB_OP_CHARGE);
    jb_set_charge(&c, text("C"));
    jb_set_amount(&c, 100000);
    done(c);
    consumes_as("lee", NULL);
    before = now;
    joins("lee");
    consumes_as("lee", "MEMBER");
    consumes_as("lee", "MEMBER");
}

static void
test_it_ends(void)
{
    begin();
    done(about("kim", JB_OP_MEMBER_REMOVE, "lee"));
    consumes_as("lee", NULL);
    consumes_as("kim", "MASTER");
    joins("lee");
    consumes_as("lee", "MEMBER");
    done(about("lee", JB_OP_MEMBER_LEAVE, "lee"));
    consumes_as("lee", NULL);
}

static void
test_it_changes(void)
{
    begin();
    consumes_as("kim", "MASTER");
    done(about("kim", JB_OP_MASTER_TRANSFER, "lee"));
    consumes_as("kim", "MEMBER");
    consumes_as("lee", "MASTER");
    consumes_as("kim", "MEMBER");
}

/* What is taken back was never there, and nothing of it is remembered. */
static void
test_it_is_taken_back(void)
{
    begin();
    struct jb_command c = about("kim", JB_OP_MEMBER_REMOVE, "lee");
    must(submit(l, &c, true)->outcome == JB_DONE, "a trial is refused");
    consumes_as("lee", "MEMBER");

    const struct jb_command ends[] = {c, consumption("kim", 1), consumption("kim", 1000000)};
    c = group(ends, 3);
    must(submit(l, &c, false)->code == JB_CODE_INSUFFICIENT_CASH, "the group is not refused");
    consumes_as("lee", "MEMBER");

    done(about("kim", JB_OP_MEMBER_INVITE, "park"));
    const struct jb_command begins[] = {about("park", JB_OP_MEMBER_ACCEPT, "park"),
                                        consumption("park", 1), consumption("park", 1000000)};
    c = group(begins, 3);
    must(submit(l, &c, false)->code == JB_CODE_INSUFFICIENT_CASH, "the group is not refused");
    consumes_as("park", NULL);
}

/* The roles of a wallet end with it. */
static void
test_it_is_deleted(void)
{
    snprintf(wallet, sizeof wallet, "W%u", wallets++);
    struct jb_command c = by("O", JB_OP_WALLET_CREATE);
    jb_set_kind(&c, JB_KIND_PERSONAL);
    jb_set_name(&c, text("name"));
    jb_set_master(&c, text("kim"));
    done(c);
    c = by("kim", JB_OP_CHARGE);
    jb_set_charge(&c, text("C"));
    jb_set_amount(&c, 1000);
    done(c);
    c = consumption("kim", 1000);
    done(c);
    done(by("kim", JB_OP_WALLET_OFF));
    done(by("kim", JB_OP_WALLET_DELETE));
    must(submit(l, &c, false)->code == JB_CODE_WALLET_DELETED, "a deleted wallet is used");
}

static void
test_others_end_it(void)
{
    begin();
    struct jb_command c = about("kim", JB_OP_MEMBER_REMOVE, "lee");
    must(submit(other, &c, false)->outcome == JB_DONE, "the other handle is refused");
    consumes_as("lee", NULL);
}

/* Late usage is judged by its own time. */
static void
test_before_it_began(void)
{
    begin();
    struct jb_command c = consumption("lee", 1);
    jb_set_at(&c, now);
    must(submit(l, &c, false)->outcome == JB_DONE, "a role of that time does not carry");
    jb_set_at(&c, before);
    must(submit(l, &c, false)->code == JB_CODE_ROLE, "a role carries that began later");
    consumes_as("lee", "MEMBER");
}

/* Only the role counts that the actor names. */
static void
test_another_is_named(void)
{
    begin();
    struct jb_command c = consumption("lee", 1);
    jb_set_actor(&c, text("lee"), text("MASTER"));
    must(submit(l, &c, false)->code == JB_CODE_ROLE, "a role carries that he did not name");
    jb_set_actor(&c, text("lee"), text("MEMBER"));
    must(submit(l, &c, false)->outcome == JB_DONE, "the role that he named does not carry");
    jb_set_actor(&c, text("lee"), text("guest"));
    must(submit(l, &c, false)->code == JB_CODE_ROLE, "a role carries that he did not name");
}

static void
enforce(int64_t matrix)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_POLICY_SET);
    jb_set_policy(&c, JB_POLICY_ROLES);
    jb_set_value(&c, matrix);
    jb_set_actor(&c, text("O"), text(NULL));
    done(c);
}

static void
test_none_is_asked(void)
{
    begin();
    enforce(0);
    consumes_as("lee", "");
    done(about("kim", JB_OP_MEMBER_REMOVE, "lee"));
    consumes_as("lee", "");
    enforce(1);
    consumes_as("lee", NULL);
    consumes_as("kim", "MASTER");
}

/* Whoever is forgotten is nobody, whatever he was. */
static void
test_he_is_forgotten(void)
{
    begin();
    done(about("lee", JB_OP_MEMBER_LEAVE, "lee"));
    for (unsigned i = 0; i < wallets; i++) { /* his other wallets */
        snprintf(wallet, sizeof wallet, "W%u", i);
        struct jb_command c = about("lee", JB_OP_MASTER_TRANSFER, "kim");
        (void)submit(l, &c, false);
        c = about("lee", JB_OP_MEMBER_LEAVE, "lee");
        (void)submit(l, &c, false);
    }
    consumes_as("lee", NULL);
    struct jb_command c;
    jb_command_begin(&c, JB_OP_FORGET);
    jb_set_person(&c, text("lee"));
    jb_set_actor(&c, text("O"), text(NULL));
    done(c);
    consumes_as("lee", NULL);
    joins("lee");
    consumes_as("lee", "MEMBER");
}

int
main(void)
{
    char dir[64], key_file[80];
    struct jb_open_options options = JB_SIZED(struct jb_open_options);
    struct jb_init_options how = JB_SIZED(struct jb_init_options);
    make_quick_scratch(dir, "again");
    snprintf(key_file, sizeof key_file, "%s.key", dir);
    how.roles = 1;
    how.operator_id = "O";
    options.now = the_time;
    must(jb_init(dir, &how, &err) == JB_OK, err.text);
    must(jb_open(dir, &options, &l, &err) == JB_OK, err.text);
    must(jb_open(dir, &options, &other, &err) == JB_OK, err.text);
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    test_it_ends();
    test_it_changes();
    test_it_is_taken_back();
    test_it_is_deleted();
    test_others_end_it();
    test_before_it_began();
    test_another_is_named();
    test_none_is_asked();
    test_he_is_forgotten();
    jb_answers_free(answers);
    jb_close(other);
    jb_close(l);
    unlink(key_file); /* where roles are asked from the beginning, names are sealed */
    remove_scratch(dir);
    return 0;
}
