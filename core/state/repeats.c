#include "state/repeats.h"

#include "state/state.h"

static void
put(struct jb_repeats *r, uint64_t name)
{
    size_t i = name & r->mask;
    while (r->slots[i] != 0 && r->slots[i] != name) {
        i = (i + 1) & r->mask;
    }
    r->n += r->slots[i] == 0;
    r->slots[i] = name;
}

static bool
grow(struct jb_repeats *r)
{
    struct jb_repeats larger = {.mask = r->slots != NULL ? r->mask * 2 + 1 : 255};
    larger.slots = calloc(larger.mask + 1, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; r->slots != NULL && i <= r->mask; i++) {
        if (r->slots[i] != 0) {
            put(&larger, r->slots[i]);
        }
    }
    free(r->slots);
    *r = larger;
    return true;
}

bool
jb_repeats_add(struct jb_repeats *r, uint64_t name)
{
    if ((r->slots == NULL || r->n >= r->mask / 2) && !grow(r)) {
        return false;
    }
    put(r, name);
    return true;
}

bool
jb_repeats_has(const struct jb_repeats *r, uint64_t name)
{
    if (r->slots == NULL) {
        return false;
    }
    size_t i = name & r->mask;
    while (r->slots[i] != 0 && r->slots[i] != name) {
        i = (i + 1) & r->mask;
    }
    return r->slots[i] == name;
}

void
jb_repeats_free(struct jb_repeats *r)
{
    free(r->slots);
    *r = (struct jb_repeats){0};
}

static uint64_t
id_name(const struct jb_state *b, char kind, uint32_t wallet, struct jb_text id)
{
    return jb_name(JB_NAMED_ID, jb_state_id_hash(b, kind, wallet, id));
}

/* Whether it is one that the refused command named cannot be told from here for each op. */
static size_t
refused_names(const struct jb_state *b, const struct jb_command_refused *p, uint64_t *ret)
{
    if (p->wallet_no == 0 || p->id.n == 0 || p->id.n > JB_ID_BYTES_MAX) {
        return 0;
    }
    ret[0] = id_name(b, 'C', p->wallet_no, p->id);
    ret[1] = id_name(b, 'G', p->wallet_no, p->id);
    ret[2] = id_name(b, 'R', p->wallet_no, p->id);
    return 3;
}

size_t
jb_event_names(const struct jb_state *b, const struct jb_event *e, uint64_t ret[JB_EVENT_NAMES_MAX])
{
    const struct jb_charge_settled *c = &e->charge_settled;
    uint8_t hash[16];
    size_t n = 0;
    if ((e->flags & JB_EVF_KEY) != 0) {
        ret[n++] = jb_name(JB_NAMED_KEY, jb_state_key_hash(b, e->caller, e->key));
    }
    switch (e->type) {
    case JB_EV_CHARGE_SETTLED:
        ret[n++] = id_name(b, 'C', e->wallet, c->charge);
        if (jb_state_txn_hash(b, c->pg, c->txn_ref, hash)) {
            ret[n++] = jb_name(JB_NAMED_TXN, jb_get_be(hash, 8));
        }
        return n;
    case JB_EV_REFUND_REQUESTED:
        ret[n++] = id_name(b, 'R', e->wallet, e->refund_requested.refund);
        return n;
    case JB_EV_FREE_GRANTED:
        ret[n++] = id_name(b, 'G', e->wallet, e->free_granted.grant);
        return n;
    case JB_EV_CONSUMPTION_REVERSED:
        ret[n++] = jb_name(JB_NAMED_RETURN, e->consumption_reversed.consumption);
        return n;
    case JB_EV_COMMAND_REFUSED:
        return n + refused_names(b, &e->command_refused, ret + n);
    default:
        return n;
    }
}
