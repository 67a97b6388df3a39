#include "ledger/answers.h"

#include <assert.h>
#include <stdio.h>

#include "base/error.h"
#include "event/command_table.h"
#include "ledger/message.h"

#define CHUNK_BYTES (64 << 10)

static_assert(sizeof(struct jb_answer) <= 64, "an answer is a cache line: batches have thousands");

jb_answers *
jb_answers_new(void)
{
    return calloc(1, sizeof(struct jb_answers));
}

jb_answers *
jb_answers_free(jb_answers *set)
{
    if (set != NULL) {
        jb_vec_free(&set->list);
        jb_vec_free(&set->fingerprints);
        for (struct jb_chunk *c = set->first; c != NULL;) {
            struct jb_chunk *next = c->next;
            free(c);
            c = next;
        }
        free(set);
    }
    return NULL;
}

size_t
jb_answers_count(const jb_answers *set)
{
    return set != NULL ? set->list.n : 0;
}

const struct jb_answer *
jb_answers_at(const jb_answers *set, size_t i)
{
    return set != NULL && i < set->list.n ? &set->list.at[i] : NULL;
}

bool
jb_answers_begin(jb_answers *set, size_t n)
{
    for (struct jb_chunk *c = set->first; c != NULL; c = c->next) {
        c->used = 0;
    }
    set->current = set->first;
    set->no_memory = false;
    set->list.n = set->fingerprints.n = 0; /* the answers of another call say nothing about this */
    if (!jb_vec_reserve(&set->list, n) || !jb_vec_reserve(&set->fingerprints, n)) {
        return false;
    }
    set->list.n = set->fingerprints.n = n;
    return true;
}

static bool
lies_in(const jb_answers *set, const struct jb_text *t)
{
    uintptr_t at = (uintptr_t)t->s;
    if (t->n == 0 || at < set->low || at >= set->high) {
        return false;
    }
    for (const struct jb_chunk *c = set->first; c != NULL; c = c->next) {
        uintptr_t from = (uintptr_t)c->bytes;
        if (at >= from && at < from + c->size) {
            return true;
        }
    }
    return false;
}

const char *
jb_answers_hold(const jb_answers *set, const struct jb_command *c)
{
    if (set->first == NULL) {
        return NULL;
    }
    /* An amount is no text. */
    const uint64_t usual = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_GRANT) |
                           JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_REFUND) | JB_HAS(JB_CF_KEY) |
                           JB_HAS(JB_CF_AMOUNT);
    const char *found = lies_in(set, &c->wallet) ? "wallet"
                        : lies_in(set, &c->id)   ? jb_tr("the id")
                        : lies_in(set, &c->key)  ? "key"
                                                 : NULL;
    uint64_t rest = found == NULL ? c->has & ~usual : 0;
    for (; rest != 0 && found == NULL; rest &= rest - 1) {
        const struct jb_command_field_info *f =
            jb_command_field_get((unsigned)__builtin_ctzll(rest));
        if (f != NULL && (jb_command_kind_is_text(f->kind) || f->kind == JB_CK_ACTOR)) {
            const struct jb_text *t = (const void *)((const char *)c + f->offset);
            found = lies_in(set, t) || (f->kind == JB_CK_ACTOR && lies_in(set, &c->actor_role))
                        ? f->name
                        : NULL;
        }
    }
    for (size_t i = 0; c->op == JB_OP_ATOMIC && c->commands != NULL && found == NULL &&
                       c->commands_n <= JB_GROUP_COMMANDS_MAX && i < c->commands_n;
         i++) {
        found = c->commands[i].op != JB_OP_ATOMIC ? jb_answers_hold(set, &c->commands[i]) : NULL;
    }
    return found;
}

void
jb_answers_not_done(jb_answers *set, size_t from)
{
    for (size_t i = from; i < set->list.n; i++) {
        set->list.at[i] = (struct jb_answer){.outcome = JB_NOT_DONE, .index = -1};
    }
}

/* From the current chunk; NULL: it has not as much left. */
static inline void *
take(jb_answers *set, size_t bytes)
{
    struct jb_chunk *c = set->current;
    if (c == NULL || c->size - c->used < bytes) {
        return NULL;
    }
    void *at = (char *)c->bytes + c->used;
    c->used += bytes;
    return at;
}

#define ROUND_UP(bytes) (((bytes) + 15) & ~(size_t)15)

/* Makes a chunk current that has so much left. */
static bool
find_room(jb_answers *set, size_t bytes)
{
    while (set->current != NULL && set->current->size - set->current->used < bytes &&
           set->current->next != NULL) {
        set->current = set->current->next;
    }
    if (set->current == NULL || set->current->size - set->current->used < bytes) {
        size_t size = set->bytes > CHUNK_BYTES ? set->bytes : CHUNK_BYTES;
        size = bytes > size ? bytes : size;
        struct jb_chunk *c = malloc(sizeof *c + size);
        if (c == NULL) {
            set->no_memory = true;
            return false;
        }
        *c = (struct jb_chunk){.size = size};
        uintptr_t from = (uintptr_t)c->bytes;
        set->low = set->first == NULL || from < set->low ? from : set->low;
        set->high = from + size > set->high ? from + size : set->high;
        set->bytes += size;
        if (set->current == NULL) {
            set->first = c;
        } else {
            set->current->next = c;
        }
        set->current = c;
    }
    return true;
}

static inline void *
alloc(jb_answers *set, size_t bytes)
{
    void *at = take(set, ROUND_UP(bytes));
    return at != NULL || !find_room(set, ROUND_UP(bytes)) ? at : take(set, ROUND_UP(bytes));
}

void *
jb_answers_alloc(jb_answers *set, size_t bytes)
{
    return alloc(set, bytes);
}

static const void *
copy(jb_answers *set, const void *from, size_t n)
{
    void *to = n > 0 ? alloc(set, n) : NULL;
    return to != NULL ? memcpy(to, from, n) : NULL;
}

static void
copy_text(jb_answers *set, struct jb_text *t)
{
    if (t->n > 0) {
        t->s = copy(set, t->s, t->n);
        t->n = t->s != NULL ? t->n : 0;
    }
}

static void
copy_parts(jb_answers *set, struct jb_parts *parts)
{
    parts->at = copy(set, parts->at, parts->n * sizeof *parts->at);
    parts->n = parts->at != NULL ? parts->n : 0;
}

/* What a field of the copy points to. */
static void
copy_field(jb_answers *set, const struct jb_field_info *f, struct jb_event *e)
{
    void *at = (char *)e + f->offset;
    struct jb_figures *figures = at;
    struct jb_totals *totals = at;
    switch (f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        copy_text(set, at);
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        copy_parts(set, at);
        break;
    case JB_FK_FIGURES:
        figures->at = copy(set, figures->at, figures->n * sizeof *figures->at);
        figures->n = figures->at != NULL ? figures->n : 0;
        break;
    case JB_FK_TOTALS:
        totals->at = copy(set, totals->at, totals->n * sizeof *totals->at);
        totals->n = totals->at != NULL ? totals->n : 0;
        break;
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
    case JB_FK_INT:
    case JB_FK_NAME:
    case JB_FK_BOOL:
    case JB_FK_REF:
    case JB_FK_SEQ:
    case JB_FK_DAY:
    case JB_FK_OPT_INSTANT:
    case JB_FK_ID16:
        break;
    }
}

const struct jb_event *
jb_answers_copy_event(jb_answers *set, const struct jb_event *e)
{
    struct jb_event *to = alloc(set, sizeof *to);
    if (to == NULL) {
        return NULL;
    }
    *to = *e;
    if (e->flags & (JB_EVF_KEY | JB_EVF_ACTOR)) {
        copy_text(set, &to->key);
        copy_text(set, &to->caller);
        copy_text(set, &to->role);
    }
    if (e->type == JB_EV_CASH_CONSUMED) { /* of ten nine */
        copy_text(set, &to->cash_consumed.usage);
        copy_parts(set, &to->cash_consumed.parts);
        return set->no_memory ? NULL : to;
    }
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    for (uint32_t i = 0; type != NULL && i < type->fields_n; i++) {
        copy_field(set, &type->fields[i], to);
    }
    return set->no_memory ? NULL : to;
}

struct jb_event *
jb_answers_consumption(jb_answers *set, struct jb_text usage, const struct jb_part *part)
{
    struct jb_event *e = alloc(set, sizeof *e + sizeof *part + usage.n);
    if (e == NULL) {
        return NULL;
    }
    struct jb_part *own = (struct jb_part *)(e + 1);
    memset(e, 0, sizeof *e);
    *own = *part;
    memcpy(own + 1, usage.s, usage.n);
    e->type = JB_EV_CASH_CONSUMED;
    e->cash_consumed.usage = (struct jb_text){(const char *)(own + 1), usage.n};
    e->cash_consumed.amount = part->amount;
    e->cash_consumed.parts = (struct jb_parts){own, 1};
    return e;
}

static struct jb_answer_rest *
rest_of(jb_answers *set, struct jb_answer *a)
{
    if (a->own_rest == NULL) {
        a->own_rest = jb_answers_alloc(set, sizeof *a->own_rest);
        if (a->own_rest != NULL) {
            memset(a->own_rest, 0, sizeof *a->own_rest);
        }
    }
    return a->own_rest;
}

void
jb_answer_set_message(jb_answers *set, struct jb_answer *a, const char *text)
{
    struct jb_answer_rest *rest = rest_of(set, a);
    if (rest != NULL) {
        rest->message = copy(set, text, strlen(text) + 1);
    }
}

void
jb_answer_set_members(jb_answers *set, struct jb_answer *a, const struct jb_answer *members,
                      size_t n)
{
    struct jb_answer_rest *rest = rest_of(set, a);
    if (rest != NULL) {
        rest->members = members;
        rest->members_n = n;
    }
}

void
jb_answer_set_balance(jb_answers *set, struct jb_answer *a, const struct jb_balance *balance)
{
    struct jb_answer_rest *rest = rest_of(set, a);
    if (rest != NULL) {
        rest->balance = copy(set, balance, sizeof *balance);
    }
}

void
jb_answer_set_negative(jb_answers *set, struct jb_answer *a, uint64_t number)
{
    struct jb_answer_rest *rest = rest_of(set, a);
    if (rest != NULL) {
        rest->negative = number;
    }
}

void
jb_answer_done(jb_answers *set, struct jb_answer *a, const struct jb_event *e)
{
    a->outcome = JB_DONE;
    a->seq = e->seq;
    a->wallet_version = e->wallet != 0 ? e->seq : 0;
    a->own_event = jb_answers_copy_event(set, e);
}

void
jb_answer_refused(jb_answers *set, struct jb_answer *a, jb_code code,
                  const struct jb_figure *figures, size_t figures_n, const struct jb_command *c,
                  int64_t index, const struct jb_log_identity *ledger)
{
    char text[1200];
    JB_SPEAK(set->lang); /* its caller's, and not that of the thread that decides for it */
    a->outcome = code == JB_CODE_KEY_CONFLICT ? JB_CONFLICT : JB_REFUSED;
    a->code = code;
    a->index = index;
    struct jb_answer_rest *rest = rest_of(set, a);
    if (rest == NULL) {
        return;
    }
    rest->figures = copy(set, figures, figures_n * sizeof *figures);
    rest->figures_n = rest->figures != NULL ? figures_n : 0;
    jb_refusal_message(code, figures, figures_n, a->op, jb_refusal_about(c, index), index, ledger,
                       text, sizeof text);
    if (a->remembered) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s",
                 jb_tr(". This key keeps that answer; another try needs a new key"));
    }
    jb_answer_set_message(set, a, text);
}

/* ---- what callers ask for ---- */

static const struct jb_answer_rest nothing;

static const struct jb_answer_rest *
rest_or_nothing(const struct jb_answer *a)
{
    return a != NULL && a->own_rest != NULL ? a->own_rest : &nothing;
}

const struct jb_event *
jb_answer_event(const struct jb_answer *a)
{
    return a != NULL ? a->own_event : NULL;
}

const struct jb_figure *
jb_answer_figures(const struct jb_answer *a, size_t *ret_n)
{
    const struct jb_answer_rest *rest = rest_or_nothing(a);
    if (ret_n != NULL) {
        *ret_n = rest->figures_n;
    }
    return rest->figures;
}

const char *
jb_answer_message(const struct jb_answer *a)
{
    const char *message = rest_or_nothing(a)->message;
    return message != NULL ? message : "";
}

size_t
jb_answer_members(const struct jb_answer *a)
{
    return rest_or_nothing(a)->members_n;
}

const struct jb_answer *
jb_answer_member_at(const struct jb_answer *a, size_t i)
{
    const struct jb_answer_rest *rest = rest_or_nothing(a);
    return i < rest->members_n ? &rest->members[i] : NULL;
}

const struct jb_balance *
jb_answer_balance(const struct jb_answer *a)
{
    return rest_or_nothing(a)->balance;
}

uint64_t
jb_answer_negative(const struct jb_answer *a)
{
    return rest_or_nothing(a)->negative;
}
