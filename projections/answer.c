/*
 * The ten questions. An answer is made of the other public questions, all of one moment: what is
 * asked first says which, and the rest is asked as of that event, or asked again until it fits.
 */
#include "projections/answer.h"

#include "base/calendar.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- the words ---- */

struct words {
    const char *en, *ko;
};

static const struct words says[SAYS] = {
#define SAY(name, en, ko) [SAY_##name] = {en, ko},
#include "projections/questions.def"
};

static const struct words questions[JB_QUESTIONS + 1] = {
#define QUESTION(number, en, ko) [number] = {en, ko},
#include "projections/questions.def"
};

const char *
jb_question_text(uint32_t number, jb_lang lang)
{
    if (number == 0 || number > JB_QUESTIONS) {
        return NULL;
    }
    return lang == JB_LANG_KO ? questions[number].ko : questions[number].en;
}

/* ---- saying ---- */

static void
append(struct answering *a, struct answer_text *t, const char *s, size_t n)
{
    if (!jb_vec_reserve(t, t->n + n + 1)) {
        a->no_memory = true;
        return;
    }
    memcpy(t->at + t->n, s, n);
    t->n += n;
    t->at[t->n] = '\0';
}

/* What the arguments have for a place; "" where they have nothing, which only a fault of ours can
 * be. */
static const char *
place(const struct answering *a, const char *name, size_t n, va_list args)
{
    va_list at;
    const char *called, *found = n == 1 && *name == 'W' ? a->who.wallet : "";
    va_copy(at, args);
    while ((called = va_arg(at, const char *)) != NULL) {
        const char *value = va_arg(at, const char *);
        if (strlen(called) == n && memcmp(called, name, n) == 0) {
            found = value;
        }
    }
    va_end(at);
    return found;
}

static void
fill(struct answering *a, struct answer_text *t, enum say what, va_list args)
{
    const char *text = a->korean ? says[what].ko : says[what].en;
    for (const char *open; (open = strchr(text, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        append(a, t, text, (size_t)(open - text));
        const char *value = place(a, open + 1, (size_t)(close - open - 1), args);
        append(a, t, value, strlen(value));
        text = close + 1;
    }
    append(a, t, text, strlen(text));
}

void
answer_say(struct answering *a, enum say what, ...)
{
    va_list args;
    va_start(args, what);
    fill(a, &a->text, what, args);
    va_end(args);
}

const char *
answer_text(struct answering *a, struct jb_text text)
{
    struct answer_room *room = malloc(sizeof *room + text.n + 1);
    if (room == NULL) {
        a->no_memory = true;
        return "";
    }
    room->before = a->rooms;
    memcpy(room->text, text.n > 0 ? text.s : "", text.n);
    room->text[text.n] = '\0';
    a->rooms = room;
    return room->text;
}

const char *
answer_piece(struct answering *a, enum say what, ...)
{
    struct answer_text t = {NULL, 0, 0};
    va_list args;
    va_start(args, what);
    fill(a, &t, what, args);
    va_end(args);
    const char *kept = answer_text(a, (struct jb_text){t.at, t.n});
    free(t.at);
    return kept;
}

const char *
answer_and(struct answering *a, const char *list, const char *what)
{
    struct answer_text t = {NULL, 0, 0};
    if (*list == '\0' || *what == '\0') {
        return *list == '\0' ? what : list;
    }
    const char *comma = answer_piece(a, SAY_AND, NULL);
    append(a, &t, list, strlen(list));
    append(a, &t, comma, strlen(comma));
    append(a, &t, what, strlen(what));
    const char *kept = answer_text(a, (struct jb_text){t.at, t.n});
    free(t.at);
    return kept;
}

const char *
answer_money(struct answering *a, jb_amount amount)
{
    char buf[JB_MONEY_TEXT_BYTES];
    bool won = strcmp(a->v->info.currency, "KRW") == 0;
    return answer_piece(a, won ? SAY_WON : SAY_MONEY, "amount",
                        jb_money_print(amount, a->v->info.exponent, buf), "currency",
                        a->v->info.currency, NULL);
}

const char *
answer_number(struct answering *a, uint64_t n)
{
    char buf[24];
    snprintf(buf, sizeof buf, "%llu", (unsigned long long)n);
    return answer_text(a, jb_text_of(buf));
}

const char *
answer_day(struct answering *a, jb_day day)
{
    char buf[JB_DAY_TEXT_BYTES];
    return answer_text(a, jb_text_of(jb_day_print(day, buf)));
}

const char *
answer_day_of(struct answering *a, jb_instant t)
{
    return answer_day(a, jb_day_of(t, a->v->info.utc_offset_s));
}

jb_status
answer_person(struct answering *a, uint64_t ref, const char **ret)
{
    char text[JB_PERSON_TEXT_BYTES];
    size_t n = 0;
    if (ref == 0) {
        *ret = answer_piece(a, SAY_NONE, NULL);
        return JB_OK;
    }
    jb_person_why why;
    jb_status status =
        a->q->people != 0 ? jb_person_get(a->v->l, ref, text, &n, &why, a->err) : JB_OK;
    if (n == 0) {
        n = (size_t)snprintf(text, sizeof text, "#%llu", (unsigned long long)ref);
    }
    *ret = answer_text(a, (struct jb_text){text, n});
    return status;
}

void
answer_event(struct answering *a, jb_seq seq)
{
    if (seq == 0) {
        return;
    }
    if (!jb_vec_reserve(&a->events, a->events.n + 1)) {
        a->no_memory = true;
        return;
    }
    a->events.at[a->events.n++] = seq;
}

/* ---- asking ---- */

struct newest {
    struct answering *a;
    bool (*is_it)(void *data, const struct jb_event *e);
    void *data;
    bool found;
};

static bool
each_event(void *data, const struct jb_event *e)
{
    struct newest *n = data;
    n->found = n->is_it(n->data, e);
    if (n->found) {
        answer_event(n->a, e->seq);
    }
    return !n->found;
}

jb_status
answer_newest(struct answering *a, const uint32_t *types, uint32_t types_n,
              bool (*is_it)(void *data, const struct jb_event *e), void *data, bool *ret_found)
{
    struct newest n = {a, is_it, data, false};
    const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = a->as_of.seq};
    struct jb_events_query query = JB_SIZED(struct jb_events_query);
    char cursor[JB_CURSOR_TEXT_BYTES] = "";
    query.wallet = a->q->wallet;
    query.order = JB_NEWEST_FIRST;
    query.types = types;
    query.types_n = types_n;
    jb_status status;
    do {
        status = jb_events_get(a->v, &query, cursor[0] == '\0' ? &as_of : NULL, cursor, 100,
                               each_event, &n, cursor, NULL, a->err);
    } while (status == JB_OK && !n.found && cursor[0] != '\0');
    *ret_found = n.found;
    return status;
}

jb_status
answer_recorded(struct answering *a, jb_seq seq, jb_instant *ret)
{
    jb_cursor *c;
    const struct jb_event *e;
    jb_status status = jb_cursor_open(a->v->l, 1, &c, a->err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_cursor_at(c, seq, &e, a->err);
    *ret = status == JB_OK ? e->recorded_at : JB_NO_INSTANT;
    jb_cursor_close(c);
    return status;
}

static bool
each_who(void *data, const struct jb_who_row *row)
{
    struct answering *a = data;
    if (row->person == 0) {
        if (!jb_vec_reserve(&a->channels, a->channels.n + 1)) {
            a->no_memory = true;
            return false;
        }
        struct answer_channel *c = &a->channels.at[a->channels.n++];
        memset(c, 0, sizeof *c);
        memcpy(c->id, row->channel.s, row->channel.n);
        c->seq = row->seq;
    } else if (row->role != JB_ROLE_NONE) {
        if (!jb_vec_reserve(&a->people, a->people.n + 1)) {
            a->no_memory = true;
            return false;
        }
        a->people.at[a->people.n++] = (struct answer_person){row->person, row->role, row->seq};
    }
    return true;
}

/* Who has to do with the wallet, and by that the moment of the reply. */
static jb_status
ask_who(struct answering *a)
{
    a->people.n = a->channels.n = 0;
    a->who = (struct jb_who)JB_SIZED(struct jb_who);
    jb_status status = jb_who_get(a->v->l, a->q->wallet, each_who, a, &a->who, a->err);
    a->as_of = (struct jb_moment){a->who.seq, a->who.at};
    return status;
}

/* ---- the reply ---- */

static int
ascending(const void *one, const void *other)
{
    const jb_seq a = *(const jb_seq *)one, b = *(const jb_seq *)other;
    return (a > b) - (a < b);
}

/* In order, each once. */
static void
tidy_events(struct answering *a)
{
    size_t n = 0;
    if (a->events.n > 1) {
        qsort(a->events.at, a->events.n, sizeof a->events.at[0], ascending);
    }
    for (size_t i = 0; i < a->events.n; i++) {
        if (n == 0 || a->events.at[n - 1] != a->events.at[i]) {
            a->events.at[n++] = a->events.at[i];
        }
    }
    a->events.n = n;
}

static void
say_as_of(struct answering *a)
{
    char at[JB_INSTANT_TEXT_BYTES];
    jb_instant_say(a->as_of.at, a->v->info.utc_offset_s, at);
    answer_say(a, SAY_AS_OF, "at", at, "seq", answer_number(a, a->as_of.seq), NULL);
}

/* The reply and all it points to in one piece of memory. */
struct laid_out {
    struct jb_reply r;
    jb_seq events[];
};

static jb_status
lay_out(struct answering *a, struct jb_reply **ret)
{
    tidy_events(a);
    const size_t n = a->events.n < JB_REPLY_EVENTS_MAX ? a->events.n : JB_REPLY_EVENTS_MAX;
    struct laid_out *o =
        a->no_memory ? NULL : calloc(1, sizeof *o + n * sizeof o->events[0] + a->text.n + 1);
    if (o == NULL) {
        return jb_fail(a->err, JB_E_NOMEM, "no memory for an answer");
    }
    char *text = (char *)(o->events + n);
    memcpy(text, a->text.at, a->text.n + 1);
    if (n > 0) {
        memcpy(o->events, a->events.at + (a->events.n - n), n * sizeof o->events[0]);
    }
    o->r = (struct jb_reply){.size = sizeof o->r,
                             .question = a->answered,
                             .lang = a->korean ? JB_LANG_KO : JB_LANG_EN,
                             .text = text,
                             .as_of = a->as_of,
                             .events = o->events,
                             .events_n = (uint32_t)n,
                             .number = a->who.number,
                             .events_total = a->events.n};
    memcpy(o->r.wallet, a->who.wallet, sizeof o->r.wallet);
    *ret = &o->r;
    return JB_OK;
}

void
answer_let_go(struct answering *a)
{
    while (a->rooms != NULL) {
        struct answer_room *before = a->rooms->before;
        free(a->rooms);
        a->rooms = before;
    }
    jb_vec_free(&a->people);
    jb_vec_free(&a->channels);
    jb_vec_free(&a->events);
    free(a->text.at);
}

static jb_status
answer_once(struct answering *a)
{
    static jb_status (*const answers[JB_QUESTIONS + 1])(struct answering *) = {
        [1] = answer_delete,    [2] = answer_state,   [3] = answer_dormant, [4] = answer_difference,
        [5] = answer_receipt,   [6] = answer_biz,     [7] = answer_rights,  [8] = answer_invoice,
        [9] = answer_search_id, [10] = answer_wallet,
    };
    a->text.n = a->events.n = 0;
    a->again = false;
    jb_status status = ask_who(a);
    if (status != JB_OK) {
        return status;
    }
    const bool of_deleted = a->q->number == 2 || a->q->number == 5 || a->q->number == 8;
    const bool deleted = a->who.status == JB_WALLET_DELETED;
    a->answered = deleted && !of_deleted ? 2 : a->q->number;
    return answers[a->answered](a);
}

/* How often what changes under a reply is asked again. */
#define TRIES_MAX 1000

static jb_status
answer(struct answering *a)
{
    jb_status status;
    unsigned tries = 0;
    do {
        status = answer_once(a);
    } while (status == JB_OK && a->again && ++tries < TRIES_MAX);
    if (status == JB_OK && a->again) {
        return jb_fail(a->err, JB_E_BUSY,
                       "what stands around wallet %s changes faster than it can be read: ask again",
                       a->who.wallet);
    }
    if (status == JB_OK) {
        say_as_of(a);
    }
    return status;
}

static jb_status
check(const struct jb_question *q, jb_lang *lang, struct jb_error *err)
{
    jb_status status = jb_lang_check(q->lang, jb_lang_now, "struct jb_question", lang, err);
    if (status != JB_OK) {
        return status;
    }
    if (q->number == 0 || q->number > JB_QUESTIONS) {
        return jb_fail(err, JB_E_USAGE, "there are questions 1 to %d, and none of number %u",
                       JB_QUESTIONS, q->number);
    }
    if (q->channel.s != NULL && q->number != 6 && q->number != 9) {
        return jb_fail(err, JB_E_USAGE, "only questions 6 and 9 are about a channel");
    }
    if (q->charge.s != NULL && q->number != 5) {
        return jb_fail(err, JB_E_USAGE, "only question 5 is about a charge");
    }
    if (q->month != 0 && q->number != 8) {
        return jb_fail(err, JB_E_USAGE, "only question 8 is about a month");
    }
    return jb_abi_reserved(q->reserved, sizeof q->reserved, "struct jb_question", err);
}

jb_status
jb_reply_get(jb_views *v, const struct jb_question *question, struct jb_reply **ret,
             struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    struct jb_question q;
    jb_lang lang;
    if (v == NULL || question == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_reply_get");
    }
    jb_status status = jb_abi_in(&q, sizeof q, question, "struct jb_question", err);
    status = status == JB_OK ? check(&q, &lang, err) : status;
    if (status != JB_OK) {
        return status;
    }
    struct answering a = {.v = v, .q = &q, .err = err, .korean = lang == JB_LANG_KO};
    status = answer(&a);
    status = status == JB_OK ? lay_out(&a, ret) : status;
    answer_let_go(&a);
    return status;
}

struct jb_reply *
jb_reply_free(struct jb_reply *reply)
{
    free(reply); /* the first member of the piece that everything lies in */
    return NULL;
}
