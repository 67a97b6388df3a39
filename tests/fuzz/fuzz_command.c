/*
 * Any bytes as the structs that callers of the C API fill: op, bits and members out of the input,
 * whether they fit together or not, submitted to a small ledger. Held: the answer is an answer or
 * JB_E_USAGE with a sentence, after which nothing was done; the same again answers each key as
 * before; and the audit verifies what is in the log.
 */
#include <jangbu/ledger.h>
#include <jangbu/replay.h>

#include <stdio.h>

#include "base/error.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define COMMANDS_MAX 12
#define MEMBERS_MAX 3
#define BEGINNING INT64_C(1790000000000000)

struct input {
    const uint8_t *p;
    size_t left;
};

static uint64_t
number(struct input *in, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0 && in->left > 0) {
        value = value << 8 | *in->p++;
        in->left--;
    }
    return value;
}

static jb_instant now;

static jb_instant
clock_of_the_run(void *data)
{
    (void)data;
    return now++;
}

/* ---- members ---- */

static struct jb_text
some_text(struct input *in)
{
    static const char *const usual[] = {"A", "B", "C", "W1", "W2", "G1", "R1", "a name", "TEXT"};
    uint8_t how = (uint8_t)number(in, 1);
    if (how < 0xc0) {
        const char *s = usual[how % (sizeof usual / sizeof usual[0])];
        return (struct jb_text){s, strlen(s)};
    }
    size_t n = how & 0x3f;
    if (n == 0x3f) {
        return (struct jb_text){NULL, number(in, 1)}; /* without an address */
    }
    n = n < in->left ? n : in->left;
    struct jb_text t = {(const char *)in->p, n};
    in->p += n;
    in->left -= n;
    return t;
}

static int64_t
some_number(struct input *in)
{
    static const int64_t edges[] = {
        0, 1, -1, 1000, 5000, JB_AMOUNT_MAX, INT64_MAX, INT64_MIN, JB_AMOUNT_MAX + 1};
    uint8_t how = (uint8_t)number(in, 1);
    return how < 0x80   ? how * 100
           : how < 0xe0 ? edges[how % (sizeof edges / sizeof edges[0])]
                        : (int64_t)number(in, 8);
}

static jb_instant
some_instant(struct input *in)
{
    uint8_t how = (uint8_t)number(in, 1);
    return how < 0xc0 ? BEGINNING + (how - 96) * JB_US_PER_DAY / 8 : some_number(in);
}

static void
fill_member(struct input *in, struct jb_command *c, unsigned field)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    void *to = (char *)c + f->offset;
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_NAME:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
    case JB_CK_TEXT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
        *(struct jb_text *)to = some_text(in);
        break;
    case JB_CK_ACTOR:
        c->actor_id = some_text(in);
        c->actor_role = some_text(in);
        break;
    case JB_CK_AMOUNT0:
    case JB_CK_AMOUNT:
    case JB_CK_VALUE:
        *(int64_t *)to = some_number(in);
        break;
    case JB_CK_UINT:
        *(uint64_t *)to = (uint64_t)some_number(in);
        break;
    case JB_CK_BOOL:
        *(uint8_t *)to = (uint8_t)number(in, 1) % 3;
        break;
    case JB_CK_WORD:
        *(uint32_t *)to = (uint32_t)number(in, 1) % 12;
        break;
    case JB_CK_MONTH:
        *(uint32_t *)to = 202600 + (uint32_t)number(in, 1) % 16;
        break;
    case JB_CK_DAY:
        *(jb_day *)to = jb_day_of(BEGINNING, 32400) + (jb_day)number(in, 1) - 8;
        break;
    case JB_CK_INSTANT:
        *(jb_instant *)to = some_instant(in);
        break;
    case JB_CK_COMMANDS:
        break;
    }
}

/* Mostly what the op takes, with some bits that do not fit. */
static void
fill_command(struct input *in, struct jb_command *c)
{
    uint8_t how = (uint8_t)number(in, 1);
    jb_command_begin(c, (jb_op)(number(in, 1) % (JB_OPS + 2U)));
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    uint64_t has = op != NULL ? op->required : number(in, 8);
    if (op != NULL && (how & 1) != 0) {
        has |= op->optional & number(in, 8);
    }
    for (unsigned field = 0; field < JB_CF_N; field++) {
        if ((has & JB_HAS(field)) != 0 && jb_command_field_get(field) != NULL) {
            fill_member(in, c, field);
        }
    }
    if ((how & 0x06) == 0x06) {
        has ^= JB_HAS(number(in, 1) % 64); /* a bit too many or too few */
    }
    if ((how & 0x18) == 0x18) {
        fill_member(in, c, (unsigned)number(in, 1) % JB_CF_CLOCK); /* a member without a bit */
    }
    c->has = has;
}

static size_t
fill_commands(struct input *in, struct jb_command *commands, struct jb_command *members)
{
    size_t n = number(in, 1) % COMMANDS_MAX + 1;
    for (size_t i = 0; i < n; i++) {
        fill_command(in, &commands[i]);
        if (commands[i].has & JB_HAS(JB_CF_COMMANDS)) {
            commands[i].commands = members + i * MEMBERS_MAX;
            commands[i].commands_n = number(in, 1) % (MEMBERS_MAX + 1);
            for (size_t k = 0; k < commands[i].commands_n; k++) {
                fill_command(in, &members[i * MEMBERS_MAX + k]);
            }
        }
    }
    return n;
}

/* ---- the ledger ---- */

static const char *
base(void)
{
    static char path[SCRATCH_PATH_BYTES];
    if (path[0] != '\0') {
        return path;
    }
    struct jb_open_options o = {.size = sizeof o, .now = clock_of_the_run};
    struct jb_error err;
    struct jb_command c;
    jb_ledger *l;
    jb_answers *answers = jb_answers_new();
    now = BEGINNING;
    JB_ASSERT(answers != NULL && jb_init(scratch_path("small", path), NULL, &err) == JB_OK);
    JB_ASSERT(jb_open(path, &o, &l, &err) == JB_OK);
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, (struct jb_text){"W1", 2});
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, (struct jb_text){"one", 3});
    JB_ASSERT(jb_submit(l, &c, 1, NULL, answers, NULL, &err) == JB_OK);
    jb_command_begin(&c, JB_OP_CHARGE);
    jb_set_wallet(&c, (struct jb_text){"W1", 2});
    jb_set_charge(&c, (struct jb_text){"C", 1});
    jb_set_amount(&c, 5000);
    JB_ASSERT(jb_submit(l, &c, 1, NULL, answers, NULL, &err) == JB_OK);
    JB_ASSERT(jb_answers_at(answers, 0)->outcome == JB_DONE);
    jb_answers_free(answers);
    jb_close(l);
    return path;
}

/* What was answered to each command by its event; 0 where there is none. */
static jb_status
submit(jb_ledger *l, const struct jb_command *commands, size_t n, bool at, jb_seq *ret)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = at ? JB_CLOCK_AT : JB_CLOCK_SYSTEM};
    struct jb_head before = JB_SIZED(struct jb_head), after = JB_SIZED(struct jb_head);
    struct jb_error err = {0};
    jb_answers *answers = jb_answers_new();
    JB_ASSERT(answers != NULL && jb_head_get(l, &before, &err) == JB_OK);
    jb_status status = jb_submit(l, commands, n, &o, answers, NULL, &err);
    if (status != JB_OK && status != JB_E_USAGE) {
        fprintf(stderr, "%s: %s\n", jb_status_word(status), err.text);
        abort();
    }
    JB_ASSERT(jb_head_get(l, &after, NULL) == JB_OK);
    JB_ASSERT(status == JB_OK || (after.seq == before.seq && err.text[0] != '\0'));
    for (size_t i = 0; i < n; i++) {
        const struct jb_answer *a = status == JB_OK ? jb_answers_at(answers, i) : NULL;
        ret[i] = a != NULL && (a->outcome == JB_DONE || a->outcome == JB_DUPLICATE) ? a->seq : 0;
    }
    jb_answers_free(answers);
    return status;
}

static void
check_verified(const char *path)
{
    struct jb_audit_report *report;
    struct jb_error err;
    JB_ASSERT(jb_audit(path, NULL, &report, &err) == JB_OK);
    if (report->verdict != JB_VERIFIED) {
        fprintf(stderr, "the audit: %s\n",
                report->problems_n > 0 ? report->problems[0]->text : "could not tell");
        abort();
    }
    jb_audit_report_free(report);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct jb_command commands[COMMANDS_MAX], members[COMMANDS_MAX * MEMBERS_MAX];
    struct input in = {data, n};
    struct jb_open_options o = {.size = sizeof o, .now = clock_of_the_run};
    jb_seq first[COMMANDS_MAX], second[COMMANDS_MAX];
    jb_ledger *l;
    struct jb_error err;
    const char *path = scratch_copy(base(), "c");
    bool at = (number(&in, 1) & 1) != 0;
    size_t commands_n = fill_commands(&in, commands, members);
    now = BEGINNING + JB_US_PER_SECOND;
    for (size_t i = 0; i < commands_n; i++) {
        if (commands[i].op == JB_OP_FORGET) {
            return 0; /* it needs sealed names, which this small ledger has not */
        }
    }
    JB_ASSERT(jb_open(path, &o, &l, &err) == JB_OK);
    jb_status status = submit(l, commands, commands_n, at, first);
    JB_ASSERT(submit(l, commands, commands_n, at, second) == status);
    for (size_t i = 0; i < commands_n; i++) {
        bool keyed = (commands[i].has & JB_HAS(JB_CF_KEY)) != 0;
        JB_ASSERT(!keyed || first[i] == 0 || first[i] == second[i]);
    }
    jb_close(l);
    if (status == JB_OK) {
        check_verified(path);
    }
    return 0;
}
