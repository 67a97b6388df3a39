#include "event/codec.h"

#include <msgpack.h>

/* msgpack-c's callback: appends to the buffer; nothing else on the way allocates. */
static int
append(void *data, const char *bytes, size_t n)
{
    struct jb_buffer *out = data;
    if (out->cap - out->n < n && !jb_vec_grow((void **)&out->at, &out->cap, out->n + n, 1)) {
        return -1;
    }
    memcpy(out->at + out->n, bytes, n);
    out->n += n;
    return 0;
}

static int
pack_text(msgpack_packer *pk, struct jb_text t)
{
    return msgpack_pack_str(pk, t.n) != 0 || (t.n > 0 && msgpack_pack_str_body(pk, t.s, t.n) != 0);
}

static int
pack_parts(msgpack_packer *pk, const struct jb_parts *parts)
{
    int bad = msgpack_pack_array(pk, (size_t)parts->n * 2);
    for (uint32_t i = 0; i < parts->n; i++) {
        bad |= msgpack_pack_uint64(pk, (uint64_t)parts->at[i].ordinal * 4 + parts->at[i].kind);
        bad |= msgpack_pack_int64(pk, parts->at[i].amount);
    }
    return bad;
}

/* The usual consumption takes all of it from one lot: the lot's ordinal says everything. */
static int
pack_split(msgpack_packer *pk, const struct jb_parts *parts)
{
    return parts->n == 1 && parts->at[0].kind == JB_PART_LOT
               ? msgpack_pack_uint32(pk, parts->at[0].ordinal)
               : pack_parts(pk, parts);
}

static int
pack_figures(msgpack_packer *pk, const struct jb_figures *figures)
{
    int bad = msgpack_pack_array(pk, (size_t)figures->n * 2);
    for (uint32_t i = 0; i < figures->n; i++) {
        bad |= msgpack_pack_uint32(pk, figures->at[i].name);
        bad |= msgpack_pack_int64(pk, figures->at[i].value);
    }
    return bad;
}

static int
pack_totals(msgpack_packer *pk, const struct jb_int128 *totals)
{
    int bad = msgpack_pack_bin(pk, sizeof(struct jb_int128) * JB_TOTALS_N);
    return bad | msgpack_pack_bin_body(pk, totals, sizeof(struct jb_int128) * JB_TOTALS_N);
}

static int
pack_field(msgpack_packer *pk, const struct jb_event *e, const struct jb_field_info *f)
{
    const void *at = (const char *)e + f->offset;
    switch (f->kind) {
    case JB_FK_TEXT:
        return pack_text(pk, *(const struct jb_text *)at);
    case JB_FK_OPT_TEXT:
        return ((const struct jb_text *)at)->s == NULL ? msgpack_pack_nil(pk)
                                                       : pack_text(pk, *(const struct jb_text *)at);
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
    case JB_FK_NAME:
        return msgpack_pack_uint32(pk, *(const uint32_t *)at);
    case JB_FK_BOOL:
        return msgpack_pack_uint32(pk, *(const bool *)at);
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
    case JB_FK_INT:
        return msgpack_pack_int64(pk, *(const int64_t *)at);
    case JB_FK_REF:
    case JB_FK_SEQ:
        return msgpack_pack_uint64(pk, *(const uint64_t *)at);
    case JB_FK_DAY:
        return msgpack_pack_int32(pk, *(const jb_day *)at);
    case JB_FK_OPT_INSTANT:
        return *(const jb_instant *)at == JB_NO_INSTANT
                   ? msgpack_pack_nil(pk)
                   : msgpack_pack_int64(pk, *(const jb_instant *)at);
    case JB_FK_ID16:
        return msgpack_pack_bin(pk, 16) | msgpack_pack_bin_body(pk, at, 16);
    case JB_FK_SPLIT:
        return pack_split(pk, at);
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        return pack_parts(pk, at);
    case JB_FK_FIGURES:
        return pack_figures(pk, at);
    case JB_FK_TOTALS:
        return pack_totals(pk, *(const struct jb_int128 *const *)at);
    }
    return -1;
}

static size_t
optional_elements(uint32_t flags)
{
    size_t n = 0;
    n += flags & JB_EVF_VERSION ? 1 : 0;
    n += flags & JB_EVF_OCCURRED ? 1 : 0;
    n += flags & JB_EVF_POSTED ? 1 : 0;
    n += flags & JB_EVF_KEY ? 3 : 0;
    n += flags & JB_EVF_ACTOR ? 2 : 0;
    n += flags & JB_EVF_NOTE ? 1 : 0;
    n += flags & JB_EVF_CAUSE ? 1 : 0;
    n += flags & JB_EVF_GROUP ? 2 : 0;
    return n;
}

static int
pack_optional(msgpack_packer *pk, const struct jb_event *e, const struct jb_event_context *context)
{
    int bad = 0;
    if (e->flags & JB_EVF_VERSION) {
        bad |= msgpack_pack_uint32(pk, e->version);
    }
    if (e->flags & JB_EVF_OCCURRED) {
        bad |= msgpack_pack_int64(pk, e->recorded_at - e->occurred_at);
    }
    if (e->flags & JB_EVF_POSTED) {
        bad |=
            msgpack_pack_int32(pk, jb_day_of(e->recorded_at, context->utc_offset_s) - e->posted_on);
    }
    if (e->flags & JB_EVF_KEY) {
        bad |= pack_text(pk, e->key);
        bad |= pack_text(pk, e->caller);
        bad |= msgpack_pack_uint64(pk, e->fingerprint);
    }
    if (e->flags & JB_EVF_ACTOR) {
        bad |= msgpack_pack_uint64(pk, e->actor);
        bad |= pack_text(pk, e->role);
    }
    if (e->flags & JB_EVF_NOTE) {
        bad |= msgpack_pack_uint64(pk, e->note);
    }
    if (e->flags & JB_EVF_CAUSE) {
        bad |= msgpack_pack_uint64(pk, e->cause);
    }
    if (e->flags & JB_EVF_GROUP) {
        bad |= msgpack_pack_uint32(pk, e->group_events);
        bad |= msgpack_pack_uint32(pk, e->group_commands);
    }
    return bad;
}

bool
jb_event_encode(const struct jb_event *e, const struct jb_event_context *context,
                struct jb_buffer *out)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    if (type == NULL) {
        return false;
    }
    size_t start = out->n;
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, append);
    int bad = msgpack_pack_array(&pk, 5 + optional_elements(e->flags) + type->fields_n);
    bad |= msgpack_pack_uint32(&pk, e->type);
    bad |= msgpack_pack_uint32(&pk, e->flags);
    bad |= msgpack_pack_uint32(&pk, e->wallet);
    bad |= msgpack_pack_uint64(&pk, e->prev == 0 ? 0 : e->seq - e->prev);
    bad |=
        msgpack_pack_int64(&pk, e->flags & JB_EVF_UNRECORDED ? 0 : e->recorded_at - context->base);
    if (e->flags != 0) {
        bad |= pack_optional(&pk, e, context);
    }
    for (uint32_t i = 0; i < type->fields_n; i++) {
        bad |= pack_field(&pk, e, &type->fields[i]);
    }
    if (bad != 0) {
        out->n = start;
        return false;
    }
    return true;
}
