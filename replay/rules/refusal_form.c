/* The form of a refused command. A command that is not well formed leaves no trace, so what a
 * refusal says of its command is of the op's form. */
#include "base/text.h"
#include "replay/rules/inner.h"

#define H(field) JB_HAS(JB_CF_##field)

static bool
no_form(struct jb_judge *r, const struct jb_event *e, const char *what)
{
    jb_refute_text(r, e,
                   "stands a refused %s with %s; such a command is malformed, and the rules "
                   "remember no refusal of it",
                   jb_op_get(e->command_refused.op)->name, jb_tr(what));
    return false;
}

static bool
wallet_holds(struct jb_judge *r, const struct jb_event *e, const struct jb_op_info *op)
{
    const struct jb_command_refused *p = &e->command_refused;
    bool named = p->wallet_no != 0 || p->wallet_id.s != NULL;
    bool may = ((op->required | op->optional) & H(WALLET)) != 0;
    if (named ? !may : op->has_wallet) {
        return no_form(r, e, named ? "a wallet" : "no wallet");
    }
    return p->wallet_id.s == NULL || jb_id_valid(p->wallet_id, JB_ID_BYTES_MAX) ||
           no_form(r, e, "a wallet's id that is none");
}

static bool
id_holds(struct jb_judge *r, const struct jb_event *e, const struct jb_op_info *op)
{
    const uint64_t ids = H(CHARGE) | H(GRANT) | H(USAGE) | H(REFUND);
    struct jb_text id = e->command_refused.id;
    if (id.s == NULL) {
        return (op->required & ids) == 0 || no_form(r, e, "no id");
    }
    if (((op->required | op->optional) & ids) == 0) {
        return no_form(r, e, "an id");
    }
    return jb_id_valid(id, JB_ID_BYTES_MAX) || no_form(r, e, "an id that is none");
}

static bool
amount_holds(struct jb_judge *r, const struct jb_event *e, const struct jb_op_info *op)
{
    jb_amount amount = e->command_refused.amount;
    if (amount == 0) {
        return (op->required & H(AMOUNT)) == 0 || no_form(r, e, "no amount");
    }
    if (((op->required | op->optional) & H(AMOUNT)) == 0) {
        return no_form(r, e, "an amount");
    }
    return amount <= JB_AMOUNT_MAX || no_form(r, e, "an amount above the limit");
}

bool
jb_refused_form_holds(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_op_info *op = jb_op_get(e->command_refused.op);
    return op == NULL || (wallet_holds(r, e, op) && id_holds(r, e, op) && amount_holds(r, e, op));
}
