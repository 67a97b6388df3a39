/*
 * Encoding, and the checks that keep out of the log what decoding would not take back. Each check
 * here stands for one in decode.c; tests/unit/test_codec.c tries events at and beyond every bound.
 */
#include "event/codec.h"
#include "event/plain.h"

#include <msgpack.h>

const char jb_encode_no_memory[] = "no memory for an event";

struct encoder {
    msgpack_packer pk;
    struct jb_buffer *out;
    const char *why; /* the first failure; what is written after it does not count */
};

/* Room for n more bytes; NULL: no memory, and that is noted. */
static inline uint8_t *
room_for(struct encoder *en, size_t n)
{
    struct jb_buffer *out = en->out;
    if (out->cap - out->n < n && !jb_vec_grow((void **)&out->at, &out->cap, out->n + n, 1)) {
        en->why = en->why != NULL ? en->why : jb_encode_no_memory;
        return NULL;
    }
    return out->at + out->n;
}

/* msgpack-c's callback; nothing else on the way allocates. */
static int
append(void *data, const char *bytes, size_t n)
{
    struct encoder *en = data;
    uint8_t *to = room_for(en, n);
    if (to == NULL) {
        return -1;
    }
    memcpy(to, bytes, n);
    en->out->n += n;
    return 0;
}

static void
require(struct encoder *en, bool holds, const char *why)
{
    if (!holds && en->why == NULL) {
        en->why = why;
    }
}

/*
 * Nearly all elements are numbers from 0 on and short texts. They are written here: a call through
 * msgpack-c's callback for each costs more than all that this file checks.
 */

#define UINT_BYTES_MAX 9

/* The end of the element; *to has room for UINT_BYTES_MAX. */
static inline uint8_t *
put_uint(uint8_t *to, uint64_t value)
{
    if (value < 0x80) {
        *to = (uint8_t)value;
        return to + 1;
    }
    /* 0xcc to 0xcf, and the number in 1, 2, 4 or 8 bytes. */
    unsigned size = value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;
    *to = (uint8_t)(0xcc + size);
    jb_put_be(to + 1, 8, value << (64 - (8U << size))); /* what is too many is written over */
    return to + 1 + (1U << size);
}

#define ARRAY_BYTES_MAX 3

/* Of at most 65,535 elements. */
static inline uint8_t *
put_array(uint8_t *to, size_t n)
{
    if (n < 16) {
        *to = (uint8_t)(0x90 | n);
        return to + 1;
    }
    *to = 0xdc;
    jb_put_be(to + 1, 2, n);
    return to + 3;
}

static void
pack_uint(struct encoder *en, uint64_t value)
{
    uint8_t *to = room_for(en, UINT_BYTES_MAX);
    if (to != NULL) {
        en->out->n += (size_t)(put_uint(to, value) - to);
    }
}

static void
pack_ref(struct encoder *en, uint64_t ref)
{
    require(en, ref <= JB_REF_MAX, "a reference is too large");
    pack_uint(en, ref);
}

static inline void
pack_int(struct encoder *en, int64_t value)
{
    if (value >= 0) {
        pack_uint(en, (uint64_t)value);
    } else {
        msgpack_pack_int64(&en->pk, value);
    }
}

static void
pack_text(struct encoder *en, struct jb_text t, size_t max)
{
    require(en, t.n <= max, "a text is too long");
    require(en, t.n == 0 || t.s != NULL, "a text has no address");
    if (en->why != NULL) {
        return;
    }
    require(en, jb_utf8_valid(t.s, t.n, NULL), "a text is not UTF-8");
    uint8_t *to = t.n < 32 ? room_for(en, 1 + t.n) : NULL;
    if (to != NULL) {
        *to = (uint8_t)(0xa0 | t.n);
        memcpy(to + 1, t.n > 0 ? t.s : "", t.n);
        en->out->n += 1 + t.n;
    } else if (en->why == NULL) {
        msgpack_pack_str(&en->pk, t.n);
        msgpack_pack_str_body(&en->pk, t.s, t.n);
    }
}

static void
pack_parts(struct encoder *en, const struct jb_parts *parts, uint32_t last_kind)
{
    require(en, parts->n <= JB_PARTS_STORED_MAX, "an event has more parts than can be stored");
    require(en, parts->n == 0 || parts->at != NULL, "the parts have no address");
    if (en->why != NULL) {
        return;
    }
    msgpack_pack_array(&en->pk, (size_t)parts->n * 2);
    for (uint32_t i = 0; i < parts->n && en->why == NULL; i++) {
        const struct jb_part *p = &parts->at[i];
        require(en,
                p->kind <= last_kind && (p->kind == JB_PART_DEBT) == (p->ordinal == 0) &&
                    p->amount > 0 && p->amount <= JB_BALANCE_MAX,
                "a part is not possible here");
        pack_uint(en, (uint64_t)p->ordinal * 4 + p->kind);
        pack_int(en, p->amount);
    }
}

/* The usual consumption takes all of it from one lot: the lot's ordinal says everything. */
static void
pack_split(struct encoder *en, const struct jb_parts *parts, jb_amount amount)
{
    if (parts->n != 1 || parts->at == NULL || parts->at[0].kind != JB_PART_LOT) {
        pack_parts(en, parts, JB_PART_GRANT);
        return;
    }
    require(en, parts->at[0].ordinal != 0 && parts->at[0].amount == amount,
            "the only part of a consumption is not all of it");
    pack_uint(en, parts->at[0].ordinal);
}

static void
pack_figures(struct encoder *en, const struct jb_figures *figures)
{
    require(en, figures->n <= JB_FIGURES_MAX && (figures->n == 0 || figures->at != NULL),
            "a refusal has too many figures");
    if (en->why != NULL) {
        return;
    }
    msgpack_pack_array(&en->pk, (size_t)figures->n * 2);
    for (uint32_t i = 0; i < figures->n; i++) {
        require(en, jb_figure_word(figures->at[i].name) != NULL, "a figure has no name");
        pack_uint(en, figures->at[i].name);
        pack_int(en, figures->at[i].value);
    }
}

static void
pack_totals(struct encoder *en, const struct jb_totals *totals, uint32_t version)
{
    bool fits = version == 1 ? totals->n == JB_TOTALS_1
                             : totals->n > JB_TOTALS_1 && totals->n <= JB_TOTALS_N;
    require(en, totals->at != NULL && fits, "a closed day has totals of another version");
    if (en->why == NULL) {
        size_t n = totals->n * sizeof(struct jb_int128);
        msgpack_pack_bin(&en->pk, n);
        msgpack_pack_bin_body(&en->pk, totals->at, n);
    }
}

static void
pack_amount(struct encoder *en, jb_amount amount, jb_amount least)
{
    require(en, amount >= least && amount <= JB_BALANCE_MAX, "an amount is out of range");
    pack_int(en, amount);
}

static void
pack_instant(struct encoder *en, jb_instant t)
{
    if (t == JB_NO_INSTANT) {
        msgpack_pack_nil(&en->pk);
        return;
    }
    require(en, t >= JB_INSTANT_MIN && t <= JB_INSTANT_MAX, "an instant is outside the calendar");
    pack_int(en, t);
}

static void
pack_field(struct encoder *en, const struct jb_event *e, const struct jb_field_info *f)
{
    const void *at = (const char *)e + f->offset;
    const struct jb_text *text = at;
    const uint32_t *number = at;
    switch (f->kind) {
    case JB_FK_TEXT:
        require(en, text->n >= 1, "an id is empty");
        pack_text(en, *text, JB_ID_BYTES_MAX);
        return;
    case JB_FK_OPT_TEXT:
        if (text->s == NULL && text->n == 0) {
            msgpack_pack_nil(&en->pk);
        } else {
            pack_text(en, *text, JB_EVENT_BYTES_MAX);
        }
        return;
    case JB_FK_ORDINAL:
        require(en, *number != 0, "ordinals are counted from 1");
        pack_uint(en, *number);
        return;
    case JB_FK_NAME:
        require(en, f->names == NULL || jb_name_word(f->names, *number) != NULL,
                "a number stands for no word");
        pack_uint(en, *number);
        return;
    case JB_FK_UINT:
        pack_uint(en, *number);
        return;
    case JB_FK_BOOL:
        pack_uint(en, *(const bool *)at);
        return;
    case JB_FK_AMOUNT:
        pack_amount(en, *(const jb_amount *)at, 1);
        return;
    case JB_FK_AMOUNT0:
        pack_amount(en, *(const jb_amount *)at, 0);
        return;
    case JB_FK_INT:
        pack_int(en, *(const int64_t *)at);
        return;
    case JB_FK_REF:
        pack_ref(en, *(const uint64_t *)at);
        return;
    case JB_FK_SEQ:
        pack_uint(en, *(const uint64_t *)at);
        return;
    case JB_FK_DAY:
        require(en, *(const jb_day *)at >= JB_DAY_MIN && *(const jb_day *)at <= JB_DAY_MAX,
                "a day is outside the calendar");
        pack_int(en, *(const jb_day *)at);
        return;
    case JB_FK_OPT_INSTANT:
        pack_instant(en, *(const jb_instant *)at);
        return;
    case JB_FK_ID16:
        msgpack_pack_bin(&en->pk, 16);
        msgpack_pack_bin_body(&en->pk, at, 16);
        return;
    case JB_FK_SPLIT:
        pack_split(en, at, jb_event_amount(e));
        return;
    case JB_FK_PARTS_FROM:
        pack_parts(en, at, JB_PART_GRANT);
        return;
    case JB_FK_PARTS_TO:
        pack_parts(en, at, JB_PART_LAPSED);
        return;
    case JB_FK_FIGURES:
        pack_figures(en, at);
        return;
    case JB_FK_TOTALS:
        pack_totals(en, at, e->version);
        return;
    }
}

/* What the flags leave out must be what decoding puts there. */
static void
check_times(struct encoder *en, const struct jb_event *e, const struct jb_event_context *context)
{
    if (e->flags & JB_EVF_UNRECORDED) {
        require(en,
                (e->flags & (JB_EVF_OCCURRED | JB_EVF_POSTED)) == 0 &&
                    e->recorded_at == JB_NO_INSTANT && e->occurred_at == JB_NO_INSTANT &&
                    e->posted_on == JB_NO_DAY,
                "an event of init has no times");
        return;
    }
    require(en,
            context->base >= JB_INSTANT_MIN && e->recorded_at >= context->base &&
                e->recorded_at <= JB_INSTANT_MAX,
            "recorded_at is outside the calendar, or before its commit");
    require(en, e->occurred_at >= JB_INSTANT_MIN && e->occurred_at <= JB_INSTANT_MAX,
            "occurred_at is outside the calendar");
    require(en, ((e->flags & JB_EVF_OCCURRED) != 0) == (e->occurred_at != e->recorded_at),
            "the flag OCCURRED does not fit occurred_at");
    /* The usual case without a division: it is the same day. */
    if (en->why == NULL && e->posted_on >= JB_DAY_MIN && e->posted_on <= JB_DAY_MAX &&
        (e->flags & JB_EVF_POSTED) == 0) {
        int64_t since = e->recorded_at - jb_day_start(e->posted_on, context->utc_offset_s);
        require(en, since >= 0 && since < JB_US_PER_DAY,
                "posted_on is not the day of recorded_at, and the flag POSTED is not set");
    } else if (en->why == NULL) {
        int64_t earlier =
            (int64_t)jb_day_of(e->recorded_at, context->utc_offset_s) - (int64_t)e->posted_on;
        require(en,
                earlier >= 0 && earlier <= JB_POSTED_BACK_MAX &&
                    (earlier == 0 || e->posted_on >= JB_DAY_MIN),
                "posted_on is outside the calendar");
        require(en, ((e->flags & JB_EVF_POSTED) != 0) == (earlier != 0),
                "the flag POSTED does not fit posted_on");
    }
}

static void
check_envelope(struct encoder *en, const struct jb_event *e, uint32_t newest,
               const struct jb_event_context *context)
{
    require(en, (e->flags & ~(uint32_t)JB_EVF_ALL) == 0, "the envelope has a flag that is none");
    require(en, (e->flags & JB_EVF_SKIPPABLE) == 0,
            "an event of a type that is known may be skipped");
    require(en,
            e->version >= 1 && e->version <= newest &&
                ((e->flags & JB_EVF_VERSION) != 0) == (e->version > 1),
            "the version is none of the type's, or the flag VERSION does not fit it");
    require(en, e->prev < e->seq && (e->wallet != 0 || e->prev == 0),
            "the wallet's previous event lies behind this one, or there is no wallet");
    check_times(en, e, context);
}

static void
pack_subject(struct encoder *en, const struct jb_event *e)
{
    require(en,
            jb_subject_word(e->subject_kind) != NULL && e->subject >= 1 &&
                e->subject <= JB_SUBJECT_NUMBER_MAX && e->subject_prev < e->seq,
            "the subject is none, or its previous event lies behind this one");
    pack_uint(en, e->subject * 8 + e->subject_kind);
    pack_uint(en, e->subject_prev == 0 ? 0 : e->seq - e->subject_prev);
}

static void
pack_optional(struct encoder *en, const struct jb_event *e, const struct jb_event_context *context)
{
    if (e->flags & JB_EVF_VERSION) {
        pack_uint(en, e->version);
    }
    if (e->flags & JB_EVF_OCCURRED) {
        pack_int(en, e->recorded_at - e->occurred_at);
    }
    if (e->flags & JB_EVF_POSTED) {
        pack_int(en, (int64_t)jb_day_of(e->recorded_at, context->utc_offset_s) - e->posted_on);
    }
    if (e->flags & JB_EVF_KEY) {
        require(en, e->key.n >= 1, "a key is empty");
        pack_text(en, e->key, JB_KEY_BYTES_MAX);
        pack_text(en, e->caller, JB_SHORT_BYTES_MAX);
        pack_uint(en, e->fingerprint);
    }
    if (e->flags & JB_EVF_ACTOR) {
        pack_ref(en, e->actor);
        pack_text(en, e->role, JB_EVENT_BYTES_MAX);
    }
    if (e->flags & JB_EVF_NOTE) {
        pack_ref(en, e->note);
    }
    if (e->flags & JB_EVF_CAUSE) {
        pack_uint(en, e->cause);
    }
    if (e->flags & JB_EVF_GROUP) {
        pack_uint(en, e->group_events);
        pack_uint(en, e->group_commands);
    }
    if (e->flags & JB_EVF_CHANNEL) {
        require(en, e->channel >= 1 && e->channel <= JB_SUBJECT_NUMBER_MAX,
                "the channel that is mentioned has no number");
        pack_uint(en, e->channel);
    }
    if (e->flags & JB_EVF_SUBJECT) {
        pack_subject(en, e);
    }
}

static void
pack_event(struct encoder *en, const struct jb_event *e, const struct jb_event_type_info *type,
           const struct jb_event_context *context)
{
    uint32_t fields = jb_event_fields_n(type, e->version);
    size_t elements = (e->flags == 0 ? 5 : jb_event_envelope_n(e->flags)) + fields;
    uint8_t *to = room_for(en, ARRAY_BYTES_MAX + 5 * UINT_BYTES_MAX);
    if (to == NULL) {
        return;
    }
    uint8_t *end = put_array(to, elements);
    end = put_uint(end, e->type);
    end = put_uint(end, e->flags);
    end = put_uint(end, e->wallet);
    end = put_uint(end, e->prev == 0 ? 0 : e->seq - e->prev);
    end = put_uint(end,
                   e->flags & JB_EVF_UNRECORDED ? 0 : (uint64_t)(e->recorded_at - context->base));
    en->out->n += (size_t)(end - to);
    if (e->flags != 0) {
        pack_optional(en, e, context);
    }
    for (uint32_t i = 0; i < fields && en->why == NULL; i++) {
        pack_field(en, e, &type->fields[i]);
    }
    require(en,
            e->type != JB_EV_COMMAND_REFUSED || e->command_refused.wallet_no == 0 ||
                e->command_refused.wallet_id.s == NULL,
            "a refused command has a wallet's number and its id");
}

/* What is written without another look: nothing is wrong with it, and nothing unusual. */
static inline bool
is_plain(const struct jb_event *e, const struct jb_event_context *context)
{
    const struct jb_cash_consumed *c = &e->cash_consumed;
    if (e->type != JB_EV_CASH_CONSUMED || e->flags != 0 || e->version != 1 || e->wallet == 0 ||
        e->prev == 0 || e->prev >= e->seq || c->parts.n != 1 || c->parts.at == NULL) {
        return false;
    }
    const struct jb_part *p = c->parts.at;
    if (p->kind != JB_PART_LOT || p->ordinal == 0 || p->amount != c->amount || c->amount < 1 ||
        c->amount > JB_BALANCE_MAX || c->usage.s == NULL || c->usage.n < 1 ||
        c->usage.n > JB_ID_BYTES_MAX || e->occurred_at != e->recorded_at ||
        context->base < JB_INSTANT_MIN || e->recorded_at < context->base ||
        e->recorded_at > JB_INSTANT_MAX || e->posted_on < JB_DAY_MIN || e->posted_on > JB_DAY_MAX) {
        return false;
    }
    const int64_t since = e->recorded_at - jb_day_start(e->posted_on, context->utc_offset_s);
    return since >= 0 && since < JB_US_PER_DAY && jb_utf8_valid(c->usage.s, c->usage.n, NULL);
}

/* The usual event (plain.h reads it): of ten that are written nine. False: no memory. */
static bool
write_plain(const struct jb_event *e, const struct jb_event_context *context, struct jb_buffer *out)
{
    const struct jb_cash_consumed *c = &e->cash_consumed;
    if (!jb_vec_grow((void **)&out->at, &out->cap, out->n + JB_PLAIN_BYTES_MAX, 1)) {
        return false;
    }
    uint8_t *to = put_array(out->at + out->n, 5 + 3);
    to = put_uint(to, e->type);
    to = put_uint(to, 0);
    to = put_uint(to, e->wallet);
    to = put_uint(to, e->seq - e->prev);
    to = put_uint(to, (uint64_t)(e->recorded_at - context->base));
    if (c->usage.n < 32) {
        *to++ = (uint8_t)(0xa0 | c->usage.n);
    } else {
        *to++ = 0xd9;
        *to++ = (uint8_t)c->usage.n;
    }
    memcpy(to, c->usage.s, c->usage.n);
    to = put_uint(to + c->usage.n, (uint64_t)c->amount);
    to = put_uint(to, c->parts.at[0].ordinal);
    out->n = (size_t)(to - out->at);
    return true;
}

const char *
jb_event_encode(const struct jb_event *e, const struct jb_event_context *context,
                struct jb_buffer *out)
{
    if (is_plain(e, context)) {
        return write_plain(e, context, out) ? NULL : jb_encode_no_memory;
    }
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    if (type == NULL) {
        return "the event's type is none";
    }
    struct encoder en = {.out = out};
    size_t start = out->n;
    msgpack_packer_init(&en.pk, &en, append);
    check_envelope(&en, e, type->version, context);
    if (en.why == NULL) {
        pack_event(&en, e, type, context);
    }
    require(&en, out->n - start <= JB_EVENT_BYTES_MAX, "the event is longer than a frame");
    if (en.why != NULL) {
        out->n = start;
    }
    return en.why;
}
