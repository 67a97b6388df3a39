/* How many lots one event may name by rule: what would take more is refused, and the refusal says
 * how much goes at once. That much goes. */
#include <jangbu/replay.h>

#include <string.h>

#include "../check.h"
#include "event/bounds.h"

#define H(field) JB_HAS(JB_CF_##field)
#define N JB_PARTS_MAX
#define LOTS (N + 1)
#define BIG 600000

static jb_ledger *l;
static jb_answers *answers;
static struct jb_error err;

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static struct jb_command
command(jb_op op, uint64_t id_field, const char *id, jb_amount amount)
{
    return (struct jb_command){.size = sizeof(struct jb_command),
                               .op = op,
                               .has = H(WALLET) | id_field | (amount > 0 ? H(AMOUNT) : 0),
                               .wallet = text("W"),
                               .id = text(id),
                               .amount = amount};
}

static const struct jb_answer *
submit(const struct jb_command *c, bool dry_run)
{
    struct jb_submit_options o = {.size = sizeof o, .dry_run = dry_run};
    must(jb_submit(l, c, 1, &o, answers, NULL, &err) == JB_OK, err.text);
    return jb_answers_at(answers, 0);
}

/* parts: how many its event has; 0: whatever. */
static void
goes(struct jb_command c, uint32_t parts)
{
    const struct jb_answer *a = submit(&c, false);
    must(a->outcome == JB_DONE, jb_answer_message(a));
    must(parts == 0 || jb_event_parts(jb_answer_event(a)).n == parts, "another number of parts");
}

static void
says_too_many(const struct jb_answer *a, jb_amount most)
{
    must(a->code == JB_CODE_TOO_MANY_PARTS, jb_answer_message(a));
    size_t n;
    const struct jb_figure *figures = jb_answer_figures(a, &n);
    must(n == 2 && figures[0].name == JB_FIG_PARTS_MAX && figures[0].value == N &&
             figures[1].name == JB_FIG_MOST && figures[1].value == most,
         jb_answer_message(a));
}

/* With a key for ever. */
static void
is_refused(struct jb_command c, const char *key, jb_amount most)
{
    c.key = text(key);
    c.has |= H(KEY);
    says_too_many(submit(&c, false), most);
    must(jb_answers_at(answers, 0)->remembered, "remembered");
    says_too_many(submit(&c, false), most);
    must(jb_answers_at(answers, 0)->outcome == JB_DUPLICATE, "the same key again");
}

/* Tried or done, and in a group. */
static void
is_refused_everywhere(struct jb_command c, jb_amount most)
{
    says_too_many(submit(&c, true), most);
    says_too_many(submit(&c, false), most);
    struct jb_command group = {.size = sizeof group,
                               .op = JB_OP_ATOMIC,
                               .has = H(COMMANDS),
                               .commands = &c,
                               .commands_n = 1};
    says_too_many(submit(&group, false), most);
    must(jb_answers_at(answers, 0)->index == 0, "the member's index");
}

static struct jb_command
overdrawn(const char *usage, jb_amount amount)
{
    struct jb_command c = command(JB_OP_CONSUME, H(USAGE), usage, amount);
    c.has |= H(OVERDRAFT);
    c.overdraft = 1;
    return c;
}

static void
make_lots(void)
{
    enum { BATCH = 16384 };
    static struct jb_command batch[BATCH];
    static char ids[BATCH][16];
    for (unsigned made = 0; made < LOTS;) {
        size_t n = 0;
        for (; n < BATCH && made < LOTS; n++, made++) {
            snprintf(ids[n], sizeof ids[n], "C%u", made);
            batch[n] = command(JB_OP_CHARGE, H(CHARGE), ids[n], 2);
        }
        must(jb_submit(l, batch, n, NULL, answers, NULL, &err) == JB_OK, err.text);
        must(jb_answers_at(answers, n - 1)->outcome == JB_DONE, "a charge");
    }
}

int
main(void)
{
    char dir[] = "/tmp/jangbu-parts-XXXXXX";
    make_scratch(dir);
    answers = jb_answers_new();
    must(answers != NULL && jb_init(dir, NULL, &err) == JB_OK &&
             jb_open(dir, NULL, &l, &err) == JB_OK,
         err.text);
    struct jb_command wallet = command(JB_OP_WALLET_CREATE, H(KIND) | H(NAME), "", 0);
    wallet.id = (struct jb_text){NULL, 0};
    wallet.kind = JB_KIND_BUSINESS;
    wallet.name = text("w");
    goes(wallet, 0);
    goes(command(JB_OP_CHARGE, H(CHARGE), "BIG", BIG), 0);
    goes(command(JB_OP_CONSUME, H(USAGE), "U0", BIG), 1);
    make_lots(); /* of 2 each */

    /* A reversal that other lots pay for. */
    is_refused(command(JB_OP_CHARGE_REVERSE, H(CHARGE), "BIG", 2 * LOTS), "k1", 2 * N);
    /* A consumption; and one lot less goes. */
    is_refused(command(JB_OP_CONSUME, H(USAGE), "U1", 2 * LOTS), "k2", 2 * N);
    is_refused_everywhere(overdrawn("U1", 2 * LOTS + 5), 2 * N);
    /* A refund of all. */
    goes(command(JB_OP_REFUND_REQUEST, H(REFUND), "R1", 2 * LOTS), 0);
    is_refused(command(JB_OP_REFUND_APPROVE, H(REFUND), "R1", 0), "k4", 2 * N);
    goes(command(JB_OP_REFUND_CANCEL, H(REFUND), "R1", 0), 0);
    goes(command(JB_OP_REFUND_REQUEST, H(REFUND), "R2", 2 * N), 0);
    goes(command(JB_OP_REFUND_APPROVE, H(REFUND), "R2", 0), N);
    /* Money of a failed refund goes where it has to: here to a debt and every lot that gave it. */
    goes(overdrawn("U2", 3), 2);
    goes(command(JB_OP_REFUND_FAIL, H(REFUND), "R2", 0), N + 1);
    goes(command(JB_OP_CONSUME_REVERSE, H(USAGE), "U2", 3), 2);
    /* A return that a debt takes a part of: N lots and the debt. */
    goes(command(JB_OP_CONSUME, H(USAGE), "U3", 2 * N), N);
    goes(overdrawn("U4", 3), 2);
    is_refused(command(JB_OP_CONSUME_REVERSE, H(USAGE), "U3", 2 * N), "k5", 2 * N - 1);
    goes(command(JB_OP_CONSUME_REVERSE, H(USAGE), "U3", 2 * N - 1), N);
    goes(command(JB_OP_CONSUME_REVERSE, H(USAGE), "U3", 1), 1);

    jb_answers_free(answers);
    l = jb_close(l);
    must(jb_open(dir, NULL, &l, &err) == JB_OK, err.text);
    jb_close(l);
    struct jb_audit_report *report;
    must(jb_audit(dir, NULL, &report, &err) == JB_OK, err.text);
    must(report->verdict == JB_VERIFIED,
         report->problems_n > 0 ? report->problems[0]->text : "the audit");
    jb_audit_report_free(report);
    remove_scratch(dir);
    return 0;
}
