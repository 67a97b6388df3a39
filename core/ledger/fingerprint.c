/*
 * The fingerprint of a command's content: what a key protects. XXH3 with a secret that lies in a
 * file of its own, so that the log does not leak contents that can simply be guessed. It is no PRF:
 * who has log and secret, or many chosen contents, can learn from it.
 */
#include "ledger/internal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(JB_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "the secret is too short for XXH3");

/* Members that do not belong to the content (docs/rules.md section 5; docs/decisions/0008). */
#define NOT_CONTENT                                                                                \
    (JB_HAS(JB_CF_KEY) | JB_HAS(JB_CF_EXPECT) | JB_HAS(JB_CF_CLOCK) | JB_HAS(JB_CF_ACTOR) |        \
     JB_HAS(JB_CF_CALLER))

static void
number(XXH3_state_t *s, uint64_t value)
{
    uint8_t be[8];
    jb_put_be(be, 8, value);
    XXH3_64bits_update(s, be, 8);
}

static void
text(XXH3_state_t *s, struct jb_text t)
{
    number(s, t.n);
    XXH3_64bits_update(s, t.n > 0 ? t.s : "", t.n);
}

/* Members whose text is personal: where people.mdb is sealed only that they are there is hashed.
 * Else who has `secret` and a list of phone numbers could find out who was forgotten. */
static bool
is_personal(const struct jb_command *c, unsigned field)
{
    return field == JB_CF_NAME || field == JB_CF_MASTER || field == JB_CF_NOTE ||
           field == JB_CF_PERSON || field == JB_CF_BIZ_NAME || field == JB_CF_REPRESENTATIVE ||
           field == JB_CF_ADDRESS || field == JB_CF_EMAIL ||
           (field == JB_CF_REASON && jb_reason_is_words(c));
}

static void
member(XXH3_state_t *s, const struct jb_command *c, unsigned field)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    const void *at = (const char *)c + f->offset;
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_REF:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
        text(s, *(const struct jb_text *)at);
        break;
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
    case JB_CK_UINT:
    case JB_CK_VALUE:
    case JB_CK_INSTANT:
        number(s, *(const uint64_t *)at);
        break;
    case JB_CK_WORD:
    case JB_CK_MONTH:
        number(s, *(const uint32_t *)at);
        break;
    case JB_CK_DAY:
        number(s, (uint64_t)(int64_t) * (const jb_day *)at);
        break;
    case JB_CK_BOOL:
        number(s, *(const uint8_t *)at);
        break;
    case JB_CK_ACTOR:
    case JB_CK_COMMANDS:
    case JB_CK_KEY:
    case JB_CK_CALLER:
        break;
    }
}

static void
command(XXH3_state_t *s, const struct jb_command *c, bool sealed)
{
    uint64_t has = c->has & ~NOT_CONTENT;
    number(s, (uint64_t)c->op);
    number(s, has);
    for (; has != 0; has &= has - 1) {
        unsigned field = (unsigned)__builtin_ctzll(has);
        if (sealed && is_personal(c, field)) {
            number(s, UINT64_MAX); /* no length of a text */
        } else {
            member(s, c, field);
        }
    }
    if (c->op == JB_OP_ATOMIC) {
        number(s, c->commands_n);
        for (size_t i = 0; i < c->commands_n; i++) {
            command(s, &c->commands[i], sealed);
        }
    }
}

uint64_t
jb_fingerprint(const struct jb_ledger *l, const struct jb_command *c)
{
    if (!l->has_secret) {
        return 0;
    }
    XXH3_state_t state;
    XXH3_64bits_reset_withSecret(&state, l->secret, sizeof l->secret);
    command(&state, c, jb_personal_layout(l->personal) == 2);
    uint64_t value = XXH3_64bits_digest(&state);
    return value != 0 ? value : 1; /* 0 in an event: made without the secret */
}

bool
jb_fingerprint_holds(const struct jb_ledger *l, jb_seq seq)
{
    return seq > l->state->g.people_sealed;
}
