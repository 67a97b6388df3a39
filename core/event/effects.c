/* effects.def as data: which ways the money of an event goes. */
#include <jangbu/event.h>

#include <assert.h>

/* How much a move takes, of what the event carries. */
enum what {
    END,
    AMOUNT,
    IN_USE,
    NOT_IN_USE,
    CAME_BACK,
    PARTS_PAID,
    PARTS_FREE,
    PARTS_LAPSED,
    WHATS
};

struct row {
    uint8_t total, from, to, what;
};

enum { JB_TOTAL_none = JB_TOTAL_NONE };
static_assert(JB_TOTAL_NONE < UINT8_MAX, "the number of a total does not fit into a row");

/* By type, ended by END. */
#define ROW_MOVES 4
static const struct row rows[JB_EV_TYPES][ROW_MOVES + 1] = {
#define MOVE(total, from, to, what) {JB_TOTAL_##total, JB_PLACE_##from, JB_PLACE_##to, what},
#define EFFECT(NAME, history, cause, ...) [JB_EV_##NAME] = {__VA_ARGS__{0, 0, 0, END}},
#include "event/effects.def"
#undef EFFECT
#undef MOVE
};

/* Each type has one row (two would give one name twice) of at most ROW_MOVES moves. */
enum effect_row {
#define EFFECT(NAME, history, cause, ...) EFFECT_OF_##NAME,
#include "event/effects.def"
#undef EFFECT
};
#define EVENT(number, NAME, name, version, meaning, ...)                                           \
    static_assert(EFFECT_OF_##NAME >= 0, "a type has no row in effects.def: " #name);
#include "event/events.def"
#undef EVENT
#define MOVE(total, from, to, what) +1
#define EFFECT(NAME, history, cause, ...)                                                          \
    static_assert((0 __VA_ARGS__) <= ROW_MOVES, "a type has too many moves: " #NAME);
#include "event/effects.def"
#undef EFFECT
#undef MOVE

/* A damaged event may name any sum; what passes 64 bits stays at their end. */
static jb_amount
add(jb_amount a, jb_amount b)
{
    jb_amount sum;
    return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static bool
in_use(const struct jb_event *e)
{
    return e->type == JB_EV_FREE_EXPIRED     ? e->free_expired.in_use
           : e->type == JB_EV_FREE_FORFEITED ? e->free_forfeited.in_use
                                             : false;
}

/* Sums of the parts, by kind; a debt is paid cash as a lot is. */
static void
add_parts(struct jb_parts parts, jb_amount of[WHATS])
{
    static const uint8_t what[] = {[JB_PART_DEBT] = PARTS_PAID,
                                   [JB_PART_LOT] = PARTS_PAID,
                                   [JB_PART_GRANT] = PARTS_FREE,
                                   [JB_PART_LAPSED] = PARTS_LAPSED};
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        jb_amount *to = &of[p->kind <= JB_PART_LAPSED ? what[p->kind] : PARTS_PAID];
        *to = add(*to, p->amount);
    }
}

size_t
jb_event_moves(const struct jb_event *e, struct jb_money_move ret[JB_MOVES_MAX])
{
    if (e == NULL || e->type >= JB_EV_TYPES || rows[e->type][0].what == END) {
        return 0;
    }
    const struct jb_parts parts = jb_event_parts(e);
    const jb_amount amount = jb_event_amount(e);
    jb_amount of[WHATS] = {[AMOUNT] = amount, [CAME_BACK] = parts.n > 0 ? amount : 0};
    of[in_use(e) ? IN_USE : NOT_IN_USE] = amount;
    add_parts(parts, of);
    size_t n = 0;
    for (const struct row *r = rows[e->type]; r->what != END; r++) {
        if (of[r->what] != 0) {
            if (ret != NULL) {
                ret[n] = (struct jb_money_move){r->total, r->from, r->to, of[r->what]};
            }
            n++;
        }
    }
    return n;
}

static bool
in_total(uint32_t place)
{
    return place == JB_PLACE_PAID || place == JB_PLACE_FREE;
}

jb_amount
jb_event_effect(const struct jb_event *e)
{
    struct jb_money_move moves[JB_MOVES_MAX];
    size_t n = jb_event_moves(e, moves);
    jb_amount effect = 0;
    for (size_t i = 0; i < n; i++) {
        effect = add(effect, in_total(moves[i].to) ? moves[i].amount : 0);
        effect = add(effect, in_total(moves[i].from) ? -moves[i].amount : 0);
    }
    return effect;
}
