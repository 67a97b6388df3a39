/*
 * The checking scanner. msgpack-c's own unpacker reserves 8 GB for five hostile bytes and accepts
 * non-canonical forms, so these bytes are read by a cursor that checks every length against what is
 * left and every number for its shortest form.
 */
#include "event/codec.h"

struct scanner {
    const uint8_t *p, *end;
    const uint8_t *start;
    const char *why; /* set by the first failure; all reads after it are harmless */
    size_t bad_at;
    bool newer; /* that failure is something that a newer version may know */
};

static uint64_t
bad(struct scanner *s, const uint8_t *at, const char *why)
{
    if (s->why == NULL) {
        s->why = why;
        s->bad_at = (size_t)(at - s->start);
        s->p = s->end;
    }
    return 0;
}

/* What is canonical, and means nothing here: a later version may have given it a meaning. */
static uint64_t
unknown(struct scanner *s, const uint8_t *at, const char *why)
{
    s->newer |= s->why == NULL;
    return bad(s, at, why);
}

static uint64_t
take_be(struct scanner *s, const uint8_t *at, unsigned bytes)
{
    if ((size_t)(s->end - s->p) < bytes) {
        return bad(s, at, "the event is cut short");
    }
    uint64_t value = jb_get_be(s->p, bytes);
    s->p += bytes;
    return value;
}

static uint64_t
scan_uint(struct scanner *s)
{
    const uint8_t *at = s->p;
    uint8_t tag = (uint8_t)take_be(s, at, 1);
    if (tag < 0x80) {
        return tag;
    }
    if (tag < 0xcc || tag > 0xcf) {
        return bad(s, at, "a number that is not negative is expected");
    }
    unsigned bytes = 1U << (tag - 0xcc);
    uint64_t value = take_be(s, at, bytes);
    uint64_t least = bytes == 1 ? 0x80 : UINT64_C(1) << (bytes * 4);
    return value < least ? bad(s, at, "a number is not in its shortest form") : value;
}

/* The number of something that later versions may have more of. */
static uint32_t
scan_number(struct scanner *s)
{
    const uint8_t *at = s->p;
    uint64_t value = scan_uint(s);
    return value > UINT32_MAX
               ? (uint32_t)unknown(s, at, "a number stands for nothing that this version knows")
               : (uint32_t)value;
}

static uint64_t
scan_uint_max(struct scanner *s, uint64_t max)
{
    const uint8_t *at = s->p;
    uint64_t value = scan_uint(s);
    return value > max ? bad(s, at, "a number is too large for its field") : value;
}

static int64_t
scan_int(struct scanner *s)
{
    const uint8_t *at = s->p;
    if (at < s->end && *at >= 0xe0) {
        s->p++;
        return (int8_t)*at;
    }
    if (at == s->end || *at < 0xd0 || *at > 0xd3) {
        return (int64_t)scan_uint_max(s, INT64_MAX);
    }
    s->p++;
    unsigned bytes = 1U << (*at - 0xd0);
    uint64_t raw = take_be(s, at, bytes);
    int64_t value = bytes == 1   ? (int8_t)raw
                    : bytes == 2 ? (int16_t)raw
                    : bytes == 4 ? (int32_t)raw
                                 : (int64_t)raw;
    /* The largest value that needs this many bytes: -33, -129, -32769, -2147483649. */
    int64_t largest = bytes == 1 ? -33 : -(INT64_C(1) << (bytes * 4 - 1)) - 1;
    return value > largest ? (int64_t)bad(s, at, "a number is not in its shortest form") : value;
}

/* The length of a string or of bytes, in its shortest form, and within what is left. */
static size_t
scan_length(struct scanner *s, const uint8_t *at, uint8_t tag8)
{
    unsigned bytes = 1U << (*at - tag8);
    uint64_t n = take_be(s, at, bytes);
    uint64_t least = bytes > 1 ? UINT64_C(1) << (bytes * 4) : tag8 == 0xd9 ? 32 : 0;
    if (s->why == NULL && n < least) {
        return (size_t)bad(s, at, "a length is not in its shortest form");
    }
    return (size_t)n;
}

static const uint8_t *
take_bytes(struct scanner *s, const uint8_t *at, size_t n)
{
    if ((size_t)(s->end - s->p) < n) {
        bad(s, at, "the event is cut short");
        return NULL;
    }
    const uint8_t *bytes = s->p;
    s->p += n;
    return bytes;
}

static struct jb_text
scan_text(struct scanner *s)
{
    const uint8_t *at = s->p;
    uint8_t tag = (uint8_t)take_be(s, at, 1);
    size_t n = tag & 0x1f;
    if (tag >= 0xd9 && tag <= 0xdb) {
        n = scan_length(s, at, 0xd9);
    } else if ((tag & 0xe0) != 0xa0) {
        bad(s, at, "a text is expected");
    }
    const char *text = s->why == NULL ? (const char *)take_bytes(s, at, n) : NULL;
    if (s->why == NULL && !jb_utf8_valid(text, n, NULL)) {
        bad(s, at, "a text is not UTF-8");
    }
    return s->why == NULL ? (struct jb_text){text, n} : (struct jb_text){NULL, 0};
}

static const uint8_t *
scan_bin(struct scanner *s, size_t *ret_n)
{
    const uint8_t *at = s->p;
    uint8_t tag = (uint8_t)take_be(s, at, 1);
    *ret_n = 0;
    if (tag < 0xc4 || tag > 0xc6) {
        bad(s, at, "bytes are expected");
        return NULL;
    }
    size_t n = scan_length(s, at, 0xc4);
    const uint8_t *bytes = s->why == NULL ? take_bytes(s, at, n) : NULL;
    *ret_n = bytes != NULL ? n : 0;
    return bytes;
}

static size_t
scan_array(struct scanner *s)
{
    const uint8_t *at = s->p;
    uint8_t tag = (uint8_t)take_be(s, at, 1);
    uint64_t n = tag & 0x0f;
    if (tag == 0xdc || tag == 0xdd) {
        n = take_be(s, at, tag == 0xdc ? 2 : 4);
        if (n < (tag == 0xdc ? 16U : 0x10000U)) {
            return (size_t)bad(s, at, "a length is not in its shortest form");
        }
    } else if ((tag & 0xf0) != 0x90) {
        return (size_t)bad(s, at, "an array is expected");
    }
    /* Every element takes a byte at least: what is left bounds any honest count. */
    if (n > (uint64_t)(s->end - s->p)) {
        return (size_t)bad(s, at, "an array is longer than what is left");
    }
    return (size_t)n;
}

static bool
scan_nil(struct scanner *s)
{
    if (s->p < s->end && *s->p == 0xc0) {
        s->p++;
        return true;
    }
    return false;
}

/* Steps over one element of an event whose type is not known here; still canonical, still bounded.
 */
static void
skip_element(struct scanner *s, unsigned depth)
{
    if (s->p == s->end) {
        bad(s, s->p, "the event is cut short");
        return;
    }
    uint8_t tag = *s->p;
    if (tag == 0xc0) {
        s->p++;
    } else if ((tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd) {
        size_t n = scan_array(s);
        if (depth == 0) {
            bad(s, s->p, "arrays are nested too deeply");
        }
        for (size_t i = 0; i < n && s->why == NULL; i++) {
            skip_element(s, depth - 1);
        }
    } else if ((tag & 0xe0) == 0xa0 || (tag >= 0xd9 && tag <= 0xdb)) {
        scan_text(s);
    } else if (tag >= 0xc4 && tag <= 0xc6) {
        const uint8_t *at = s->p++;
        size_t n = scan_length(s, at, 0xc4);
        take_bytes(s, at, n);
    } else if (tag < 0x80 || (tag >= 0xcc && tag <= 0xcf)) {
        scan_uint(s); /* up to 64 bits: a fingerprint */
    } else {
        scan_int(s);
    }
}

static void
scan_parts(struct scanner *s, struct jb_parts *ret, struct jb_event_space *space,
           uint32_t last_kind, bool *no_memory)
{
    const uint8_t *at = s->p;
    size_t n = scan_array(s);
    if (s->why != NULL) {
        return;
    }
    if (n % 2 != 0 || n / 2 > JB_PARTS_STORED_MAX) {
        bad(s, at, "a list of parts has an odd or too large length");
        return;
    }
    n /= 2;
    if (!jb_vec_reserve(&space->parts, n)) {
        *no_memory = true;
        bad(s, at, "no memory");
        return;
    }
    for (size_t i = 0; i < n && s->why == NULL; i++) {
        at = s->p;
        uint64_t source = scan_uint(s);
        struct jb_part part = {(uint32_t)(source & 3), (uint32_t)(source >> 2), 0};
        part.amount = (jb_amount)scan_uint_max(s, (uint64_t)JB_BALANCE_MAX);
        if (s->why == NULL &&
            (source >> 2 > UINT32_MAX || part.kind > last_kind ||
             (part.kind == JB_PART_DEBT) != (part.ordinal == 0) || part.amount == 0)) {
            bad(s, at, "a part is not possible here");
        }
        space->parts.at[i] = part;
    }
    *ret = (struct jb_parts){space->parts.at, (uint32_t)n};
}

static void
scan_split(struct scanner *s, struct jb_parts *ret, jb_amount amount, struct jb_event_space *space,
           bool *no_memory)
{
    const uint8_t *at = s->p;
    if (at < s->end && ((*at & 0xf0) == 0x90 || *at == 0xdc || *at == 0xdd)) {
        scan_parts(s, ret, space, JB_PART_GRANT, no_memory);
        if (s->why == NULL && ret->n == 1 && ret->at[0].kind == JB_PART_LOT) {
            bad(s, at, "a consumption from one lot has a short form");
        }
        return;
    }
    uint32_t ordinal = (uint32_t)scan_uint_max(s, UINT32_MAX);
    if (s->why == NULL && ordinal == 0) {
        bad(s, at, "lots are numbered from 1");
    }
    if (!jb_vec_reserve(&space->parts, 1)) {
        *no_memory = true;
        bad(s, at, "no memory");
        return;
    }
    space->parts.at[0] = (struct jb_part){JB_PART_LOT, ordinal, amount};
    *ret = (struct jb_parts){space->parts.at, 1};
}

static void
scan_figures(struct scanner *s, struct jb_figures *ret, struct jb_event_space *space)
{
    const uint8_t *at = s->p;
    size_t n = scan_array(s);
    if (s->why == NULL && n % 2 != 0) {
        bad(s, at, "a list of figures has an odd length");
    } else if (s->why == NULL && n / 2 > JB_FIGURES_MAX) {
        unknown(s, at, "a refusal has more figures than this version knows");
    }
    for (size_t i = 0; i < n / 2 && s->why == NULL; i++) {
        at = s->p;
        space->figures[i].name = scan_number(s);
        space->figures[i].value = scan_int(s);
        if (s->why == NULL && jb_figure_word(space->figures[i].name) == NULL) {
            unknown(s, at, "a figure of a refusal is not known to this version");
        }
    }
    *ret = (struct jb_figures){space->figures, (uint32_t)(n / 2)};
}

/* Version 1 has 22 totals; a later one has more, and says by its length how many. */
static void
scan_totals(struct scanner *s, struct jb_totals *ret, uint32_t version,
            struct jb_event_space *space)
{
    const uint8_t *at = s->p;
    size_t n;
    const uint8_t *bytes = scan_bin(s, &n);
    size_t count = n / sizeof(struct jb_int128);
    if (s->why != NULL) {
        return;
    }
    if (n % sizeof(struct jb_int128) != 0 ||
        (version == 1 ? count != JB_TOTALS_1 : count <= JB_TOTALS_1)) {
        bad(s, at, "the totals of a day have the wrong length");
    } else if (count > JB_TOTALS_N) {
        unknown(s, at, "a closed day has totals that this version does not know");
    } else {
        memcpy(space->totals, bytes, n);
        *ret = (struct jb_totals){space->totals, (uint32_t)count};
    }
}

static void
scan_field(struct scanner *s, struct jb_event *e, const struct jb_field_info *f,
           struct jb_event_space *space, bool *no_memory)
{
    const uint8_t *at = s->p;
    void *to = (char *)e + f->offset;
    switch (f->kind) {
    case JB_FK_TEXT:
        *(struct jb_text *)to = scan_text(s);
        /* Whoever indexes ids, or keeps a wallet's, has room for as many bytes. */
        if (s->why == NULL &&
            (((struct jb_text *)to)->n < 1 || ((struct jb_text *)to)->n > JB_ID_BYTES_MAX)) {
            bad(s, at, "an id is empty or longer than 64 bytes");
        }
        break;
    case JB_FK_OPT_TEXT:
        if (!scan_nil(s)) {
            *(struct jb_text *)to = scan_text(s);
        }
        break;
    case JB_FK_ORDINAL:
        *(uint32_t *)to = (uint32_t)scan_uint_max(s, UINT32_MAX);
        if (s->why == NULL && *(uint32_t *)to == 0) {
            bad(s, at, "ordinals are counted from 1");
        }
        break;
    case JB_FK_UINT:
        *(uint32_t *)to = (uint32_t)scan_uint_max(s, UINT32_MAX);
        break;
    case JB_FK_NAME:
        *(uint32_t *)to = scan_number(s);
        if (s->why == NULL && f->names != NULL && jb_name_word(f->names, *(uint32_t *)to) == NULL) {
            unknown(s, at, "a number stands for no word that this version knows");
        }
        break;
    case JB_FK_BOOL:
        *(bool *)to = scan_uint_max(s, 1) != 0;
        break;
    case JB_FK_AMOUNT:
        *(jb_amount *)to = (jb_amount)scan_uint_max(s, (uint64_t)JB_BALANCE_MAX);
        if (s->why == NULL && *(jb_amount *)to == 0) {
            bad(s, at, "an amount is 0");
        }
        break;
    case JB_FK_AMOUNT0:
        *(jb_amount *)to = (jb_amount)scan_uint_max(s, (uint64_t)JB_BALANCE_MAX);
        break;
    case JB_FK_INT:
        *(int64_t *)to = scan_int(s);
        break;
    case JB_FK_REF:
        *(uint64_t *)to = scan_uint_max(s, JB_REF_MAX);
        break;
    case JB_FK_SEQ:
        *(uint64_t *)to = scan_uint(s);
        break;
    case JB_FK_DAY: {
        int64_t day = scan_int(s);
        if (s->why == NULL && (day < JB_DAY_MIN || day > JB_DAY_MAX)) {
            bad(s, at, "a day is outside the calendar");
        }
        *(jb_day *)to = (jb_day)day;
        break;
    }
    case JB_FK_OPT_INSTANT:
        *(jb_instant *)to = JB_NO_INSTANT;
        if (!scan_nil(s)) {
            *(jb_instant *)to = scan_int(s);
            if (s->why == NULL &&
                (*(jb_instant *)to < JB_INSTANT_MIN || *(jb_instant *)to > JB_INSTANT_MAX)) {
                bad(s, at, "an instant is outside the calendar");
            }
        }
        break;
    case JB_FK_ID16: {
        size_t n;
        const uint8_t *bytes = scan_bin(s, &n);
        if (s->why == NULL && n != 16) {
            bad(s, at, "a field of bytes has the wrong length");
        } else if (s->why == NULL) {
            memcpy(to, bytes, 16);
        }
        break;
    }
    case JB_FK_SPLIT:
        scan_split(s, to, jb_event_amount(e), space, no_memory);
        break;
    case JB_FK_PARTS_FROM:
        scan_parts(s, to, space, JB_PART_GRANT, no_memory);
        break;
    case JB_FK_PARTS_TO:
        scan_parts(s, to, space, JB_PART_LAPSED, no_memory);
        break;
    case JB_FK_FIGURES:
        scan_figures(s, to, space);
        break;
    case JB_FK_TOTALS:
        scan_totals(s, to, e->version, space);
        break;
    }
}

static void
scan_subject(struct scanner *s, struct jb_event *e)
{
    const uint8_t *at = s->p;
    uint64_t subject = scan_uint(s);
    e->subject_kind = (uint32_t)(subject & 7);
    e->subject = subject >> 3;
    if (s->why == NULL && jb_subject_word(e->subject_kind) == NULL) {
        unknown(s, at, "an event belongs to something of a kind that is not known");
    }
    if (s->why == NULL && e->subject == 0) {
        bad(s, at, "subjects are numbered from 1");
    }
    at = s->p;
    uint64_t back = scan_uint(s);
    if (s->why == NULL && back >= e->seq + (back == 0)) {
        bad(s, at, "the subject's previous event would lie before the log");
    }
    e->subject_prev = back == 0 ? 0 : e->seq - back;
}

static void
scan_optional(struct scanner *s, struct jb_event *e)
{
    const uint8_t *at = s->p;
    if (e->flags & JB_EVF_VERSION) {
        e->version = (uint32_t)scan_uint_max(s, UINT32_MAX);
        if (s->why == NULL && e->version < 2) {
            bad(s, at, "version 1 is not written");
        }
    }
    if (e->flags & JB_EVF_OCCURRED) {
        at = s->p;
        int64_t ago = scan_int(s);
        if (s->why == NULL && (ago == 0 || ago > e->recorded_at - JB_INSTANT_MIN ||
                               ago < e->recorded_at - JB_INSTANT_MAX)) {
            bad(s, at, "occurred_at is outside the calendar, or written though it is recorded_at");
        } else {
            e->occurred_at = e->recorded_at - ago;
        }
    }
    if (e->flags & JB_EVF_POSTED) {
        at = s->p;
        uint64_t earlier = scan_uint_max(s, JB_POSTED_BACK_MAX);
        if (s->why == NULL && earlier == 0) {
            bad(s, at, "posted_on is written though it is the day of recorded_at");
        }
        e->posted_on -= (jb_day)earlier;
        if (s->why == NULL && e->posted_on < JB_DAY_MIN) {
            bad(s, at, "posted_on is outside the calendar");
        }
    }
    if (e->flags & JB_EVF_KEY) {
        at = s->p;
        e->key = scan_text(s);
        e->caller = scan_text(s);
        e->fingerprint = scan_uint(s);
        if (s->why == NULL &&
            (e->key.n < 1 || e->key.n > JB_KEY_BYTES_MAX || e->caller.n > JB_SHORT_BYTES_MAX)) {
            bad(s, at, "a key or a caller has a wrong length");
        }
    }
    if (e->flags & JB_EVF_ACTOR) {
        e->actor = scan_uint_max(s, JB_REF_MAX);
        e->role = scan_text(s);
    }
    if (e->flags & JB_EVF_NOTE) {
        e->note = scan_uint_max(s, JB_REF_MAX);
    }
    if (e->flags & JB_EVF_CAUSE) {
        e->cause = scan_uint(s);
    }
    if (e->flags & JB_EVF_GROUP) {
        e->group_events = (uint32_t)scan_uint_max(s, UINT32_MAX);
        e->group_commands = (uint32_t)scan_uint_max(s, UINT32_MAX);
    }
    if (e->flags & JB_EVF_CHANNEL) {
        at = s->p;
        e->channel = scan_uint_max(s, JB_SUBJECT_NUMBER_MAX);
        if (s->why == NULL && e->channel == 0) {
            bad(s, at, "channels are numbered from 1");
        }
    }
    if (e->flags & JB_EVF_SUBJECT) {
        scan_subject(s, e);
    }
}

size_t
jb_event_envelope_n(uint32_t flags)
{
    return 5U + (flags & JB_EVF_VERSION ? 1U : 0) + (flags & JB_EVF_OCCURRED ? 1U : 0) +
           (flags & JB_EVF_POSTED ? 1U : 0) + (flags & JB_EVF_KEY ? 3U : 0) +
           (flags & JB_EVF_ACTOR ? 2U : 0) + (flags & JB_EVF_NOTE ? 1U : 0) +
           (flags & JB_EVF_CAUSE ? 1U : 0) + (flags & JB_EVF_GROUP ? 2U : 0) +
           (flags & JB_EVF_CHANNEL ? 1U : 0) + (flags & JB_EVF_SUBJECT ? 2U : 0);
}

/* Type, flags, wallet, prev, recorded_at. */
static void
scan_envelope(struct scanner *s, struct jb_event *e, const struct jb_event_context *context)
{
    e->type = scan_number(s);
    const uint8_t *at = s->p;
    e->flags = scan_number(s);
    e->version = 1;
    if (s->why == NULL && (e->flags & ~(uint32_t)JB_EVF_ALL) != 0) {
        unknown(s, at, "a flag of the envelope is not known to this version");
    }
    e->wallet = (uint32_t)scan_uint_max(s, UINT32_MAX);
    at = s->p;
    uint64_t back = scan_uint(s);
    if (s->why == NULL && (back >= e->seq + (back == 0) || (e->wallet == 0 && back != 0))) {
        bad(s, at, "the wallet's previous event would lie before the log");
    }
    e->prev = back == 0 ? 0 : e->seq - back;
    at = s->p;
    uint64_t after = scan_uint_max(s, INT64_MAX);
    if (s->why != NULL) {
        return; /* what was not read is not reckoned with: base may be anything */
    }
    if (e->flags & JB_EVF_UNRECORDED) {
        e->recorded_at = e->occurred_at = JB_NO_INSTANT;
        e->posted_on = JB_NO_DAY;
        if (after != 0 || (e->flags & (JB_EVF_OCCURRED | JB_EVF_POSTED)) != 0) {
            bad(s, at, "an event of init has no times");
        }
        return;
    }
    if (context->base < JB_INSTANT_MIN || context->base > JB_INSTANT_MAX ||
        after > (uint64_t)(JB_INSTANT_MAX - context->base)) {
        bad(s, at, "recorded_at is outside the calendar");
        return;
    }
    e->recorded_at = e->occurred_at = context->base + (jb_instant)after;
    e->posted_on = jb_day_of(e->recorded_at, context->utc_offset_s);
}

size_t
jb_event_decode(const uint8_t *p, size_t n, jb_seq seq, const struct jb_event_context *context,
                struct jb_event *ret, struct jb_event_space *space,
                struct jb_decode_failure *failure)
{
    struct scanner s = {.p = p, .end = p + n, .start = p};
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.seq = seq;
    *failure = (struct jb_decode_failure){0};
    size_t elements = scan_array(&s);
    scan_envelope(&s, &e, context);
    if (s.why == NULL && e.flags != 0) {
        scan_optional(&s, &e);
    }
    const struct jb_event_type_info *type = jb_event_type_get(e.type);
    size_t envelope = jb_event_envelope_n(e.flags);
    if (s.why == NULL && (type == NULL || e.version > type->version)) {
        /* What answers a command is never skipped: its key has an answer. */
        if ((e.flags & JB_EVF_SKIPPABLE) == 0 || (e.flags & (JB_EVF_KEY | JB_EVF_GROUP)) != 0) {
            unknown(&s, p, "an event of a type or version that must be understood is not known");
        }
        for (size_t i = envelope; i < elements && s.why == NULL; i++) {
            skip_element(&s, 4);
        }
        /* Nobody may take it for an event of a version whose fields are known here. */
        e.type |= type != NULL ? JB_EV_UNKNOWN_VERSION : 0;
    } else if (s.why == NULL) {
        uint32_t fields = jb_event_fields_n(type, e.version);
        for (uint32_t i = 0; i < fields && s.why == NULL; i++) {
            scan_field(&s, &e, &type->fields[i], space, &failure->no_memory);
        }
        if (s.why == NULL && (e.flags & JB_EVF_SKIPPABLE) != 0) {
            bad(&s, p, "an event of a type that is known may be skipped");
        }
        if (s.why == NULL && elements != envelope + fields) {
            bad(&s, p, "the event has more or fewer elements than its type");
        }
        if (s.why == NULL && e.type == JB_EV_COMMAND_REFUSED && e.command_refused.wallet_no != 0 &&
            e.command_refused.wallet_id.s != NULL) {
            bad(&s, p, "a refused command has a wallet's number and its id");
        }
    }
    if (s.why == NULL && elements < envelope) {
        bad(&s, p, "the event has fewer elements than its flags say");
    }
    if (s.why != NULL) {
        failure->at = s.bad_at;
        failure->why = s.why;
        failure->newer = s.newer;
        return 0;
    }
    *ret = e;
    return (size_t)(s.p - p);
}

void
jb_event_space_free(struct jb_event_space *s)
{
    jb_vec_free(&s->parts);
}

/* What the element at p takes without the elements inside of it, of which *inside gets the number;
 * 0: it has no form, or is longer than the n bytes that are left. */
static size_t
element_bytes(const uint8_t *p, size_t n, size_t *inside)
{
    const uint8_t tag = *p;
    *inside = 0;
    if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0) {
        return 1;
    }
    if ((tag & 0xf0) == 0x90) {
        *inside = tag & 0x0f;
        return 1;
    }
    if ((tag & 0xe0) == 0xa0) {
        return 1U + (tag & 0x1fU);
    }
    if (tag >= 0xcc && tag <= 0xd3) {
        return 1U + (1U << (tag & 3));
    }
    const bool bin = tag >= 0xc4 && tag <= 0xc6, text = tag >= 0xd9 && tag <= 0xdb;
    const bool array = tag == 0xdc || tag == 0xdd;
    const unsigned bytes = bin           ? 1U << (tag - 0xc4)
                           : text        ? 1U << (tag - 0xd9)
                           : tag == 0xdc ? 2
                                         : 4;
    if ((!bin && !text && !array) || n < 1 + bytes) {
        return 0;
    }
    const size_t length = (size_t)jb_get_be(p + 1, bytes);
    *inside = array ? length : 0;
    return 1 + bytes + (array ? 0 : length);
}

/* Looks for one event among others go over those before it: a byte says how long an element is,
 * and all else is looked at where an event is decoded. */
size_t
jb_event_length(const uint8_t *p, size_t n)
{
    size_t at = 0, left = 1, inside = 0;
    for (; left > 0; left += inside - 1) {
        const size_t bytes = at < n ? element_bytes(p + at, n - at, &inside) : 0;
        /* Every element takes a byte at least. */
        if (bytes == 0 || bytes > n - at || inside > n - at - bytes || left > n) {
            return 0;
        }
        at += bytes;
    }
    return (*p & 0xf0) == 0x90 || *p == 0xdc || *p == 0xdd ? at : 0;
}

/* One event has one encoding, and what does not stand in the bytes is compared here: so equal bytes
 * are equal events. */
bool
jb_event_reads_back(const struct jb_event *e, const struct jb_event_context *context,
                    const uint8_t *p, size_t n)
{
    struct jb_event back;
    struct jb_event_space space = {0};
    struct jb_decode_failure failure;
    struct jb_buffer again = {0};
    bool read = jb_event_decode(p, n, e->seq, context, &back, &space, &failure) == n;
    const char *why = read ? jb_event_encode(&back, context, &again) : NULL;
    bool same = read && why == NULL && again.n == n && memcmp(again.at, p, n) == 0 &&
                back.type == e->type && back.version == e->version && back.flags == e->flags &&
                back.wallet == e->wallet && back.prev == e->prev &&
                back.recorded_at == e->recorded_at && back.occurred_at == e->occurred_at &&
                back.posted_on == e->posted_on;
    /* Want of memory says nothing about the event. */
    bool unknown = (!read && failure.no_memory) || why == jb_encode_no_memory;
    free(again.at);
    jb_event_space_free(&space);
    return same || unknown;
}
