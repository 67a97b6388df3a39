/* A consumption without a key takes the short way (ledger/execute_plain.c) only where paid cash
 * pays for it: free cash goes first, a wallet that is off gives nothing, and what one lot has not
 * is taken from two. */
#include <jangbu/ledger.h>

#include <string.h>

#include "../check.h"

static struct jb_error err;
static jb_ledger *ledger;
static jb_answers *answers;

static struct jb_command *
begin(struct jb_command *c, jb_op op)
{
    jb_command_begin(c, op);
    jb_set_wallet(c, jb_text_of("W"));
    return c;
}

/* The last of n commands, in one call, so that the wallet of the second is at hand. */
static const struct jb_answer *
submit(const struct jb_command *list, size_t n)
{
    must(jb_submit(ledger, list, n, NULL, answers, NULL, &err) == JB_OK, err.text);
    return jb_answers_at(answers, n - 1);
}

static const struct jb_answer *
consume_twice(const char *one, const char *two, jb_amount amount)
{
    struct jb_command list[2];
    jb_set_usage(begin(&list[0], JB_OP_CONSUME), jb_text_of(one));
    jb_set_usage(begin(&list[1], JB_OP_CONSUME), jb_text_of(two));
    jb_set_amount(&list[0], 1);
    jb_set_amount(&list[1], amount);
    return submit(list, 2);
}

/* The parts of a consumption are kinds[0..n-1]. */
static void
took(const struct jb_answer *a, uint32_t n, const uint32_t *kinds)
{
    jb_cursor *c;
    const struct jb_event *e = NULL;
    must(a->outcome == JB_DONE, "it was refused");
    must(jb_cursor_open(ledger, a->seq, &c, &err) == JB_OK && jb_cursor_next(c, &e, &err) == JB_OK,
         err.text);
    must(e->type == JB_EV_CASH_CONSUMED && e->cash_consumed.parts.n == n, "other parts");
    for (uint32_t i = 0; i < n; i++) {
        must(e->cash_consumed.parts.at[i].kind == kinds[i], "a part of another kind");
    }
    jb_cursor_close(c);
}

static void
charge(const char *id, jb_amount amount)
{
    struct jb_command c;
    jb_set_charge(begin(&c, JB_OP_CHARGE), jb_text_of(id));
    jb_set_amount(&c, amount);
    must(submit(&c, 1)->outcome == JB_DONE, "no charge");
}

int
main(void)
{
    char dir[64];
    struct jb_command c;
    const uint32_t lots[] = {JB_PART_LOT, JB_PART_LOT},
                   grant_and_lot[] = {JB_PART_GRANT, JB_PART_LOT};
    make_quick_scratch(dir, "plain-way");
    answers = jb_answers_new();
    must(answers != NULL && jb_init(dir, NULL, &err) == JB_OK &&
             jb_open(dir, NULL, &ledger, &err) == JB_OK,
         err.text);
    jb_set_kind(begin(&c, JB_OP_WALLET_CREATE), JB_KIND_PERSONAL);
    jb_set_name(&c, jb_text_of("n"));
    must(submit(&c, 1)->outcome == JB_DONE, "no wallet");
    charge("A", 10);
    charge("B", 1000);
    took(consume_twice("u1", "u2", 3), 1, lots);
    took(consume_twice("u3", "u4", 20), 2, lots);
    jb_set_grant(begin(&c, JB_OP_FREE_GRANT), jb_text_of("G"));
    jb_set_amount(&c, 5);
    jb_set_expires_on(&c, JB_DAY_MAX - 1);
    must(submit(&c, 1)->outcome == JB_DONE, "no grant");
    jb_set_grant(begin(&c, JB_OP_FREE_ACTIVATE), jb_text_of("G"));
    must(submit(&c, 1)->outcome == JB_DONE, "no free cash");
    took(consume_twice("u5", "u6", 7), 2, grant_and_lot);
    must(submit(begin(&c, JB_OP_WALLET_OFF), 1)->outcome == JB_DONE, "it is not off");
    must(consume_twice("u7", "u8", 1)->outcome != JB_DONE, "a wallet that is off gave something");
    jb_answers_free(answers);
    jb_close(ledger);
    remove_scratch(dir);
    return 0;
}
