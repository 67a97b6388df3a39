/* Pass over the log, frame by frame; it goes on behind damage where that is possible. */
#include "replay/audit.h"
#include "replay/rules/rules.h"

#include <jangbu/command.h>

#include "storage/lmdb_env.h"
#include "storage/passed.h"

/* Of a long frame the other fold gets pieces. */
#define PIECE_EVENTS (JB_CHECKS ? 5 : 512)

struct scan {
    struct jb_findings *f;
    struct jb_state *state; /* NULL once the state cannot be folded on */
    struct jb_log_identity identity;
    struct jb_event_space space;
    uint8_t chain[JB_CHAIN_BYTES];
    bool chain_known;
    jb_seq next;
    bool last_flag;
    struct jb_cross *cross;
    struct jb_map subjects; /* number * 8 + kind -> its last event */
    struct jb_repeats repeats;
    struct jb_tallies tallies;
    struct jb_judge *judge; /* NULL: the rules are not asked */
    struct jb_scan_result r;
    struct jb_piece piece; /* what the state has applied and the other fold has not got yet */
    struct jb_piece event; /* the one at hand */
    struct jb_ahead ahead; /* those behind it */
    bool chained;          /* the chain value of the frame at hand holds */
    bool sound;            /* everything so far held */
    jb_status failed;      /* the audit itself cannot go on */
    struct jb_error *err;
};

static void
stop_folding(struct scan *s)
{
    s->state = jb_state_close(s->state);
    s->sound = false;
    s->f->unknown |= JB_AUDIT_SUMS | JB_AUDIT_RULES;
}

/* What a newer version may have written is no contradiction, and nothing can be folded on it. Only
 * the first place is told; what lies behind it has its chain and its form looked at. */
static void
is_newer(struct scan *s, jb_seq seq, const char *why)
{
    if (!s->r.newer) {
        jb_not_checked(s->f, JB_AUDIT_ALL,
                       "what stands from event %llu on: it was written by a newer version of "
                       "jangbu (%s). Audit it with that version",
                       (unsigned long long)seq, jb_tr(why));
    }
    s->r.newer = true;
    stop_folding(s);
}

/* The log contradicts itself at e, so nothing can be folded behind it; or there was no memory, and
 * then nothing is known. */
static void
not_applied(struct scan *s, const struct jb_event *e, uint64_t frame, size_t offset,
            const struct jb_error *why)
{
    if (why->status == JB_E_FORMAT) {
        is_newer(s, e->seq, why->text);
        return;
    }
    if (why->status != JB_E_CORRUPT && why->status != JB_E_NOTFOUND) {
        s->failed = jb_fail(s->err, why->status, "%s", why->text);
        return;
    }
    jb_found(s->f, "event", e->seq, frame, offset, "%s", why->text);
    jb_not_checked(s->f, 0,
                   "the state after event %llu: the log contradicts itself there, so nothing can "
                   "be folded behind it",
                   (unsigned long long)e->seq);
    stop_folding(s);
}

static void
give_piece(struct scan *s)
{
    if (s->piece.count > 0) {
        jb_cross_give(s->cross, &s->piece);
        s->piece.count = 0;
    }
}

/* The other fold stands where the state does, or at the event that it did not take. */
static void
settle(struct scan *s)
{
    jb_seq over = 0;
    if (s->cross == NULL) {
        return;
    }
    const uint32_t part = s->f->part;
    void (*catch_up)(void *data) = s->f->catch_up;
    give_piece(s);
    s->f->catch_up = NULL; /* it tells a problem itself */
    s->f->part = JB_AUDIT_SUMS;
    jb_status status = jb_cross_settle(s->cross, s->f, &over, s->err);
    s->f->part = part;
    s->f->catch_up = catch_up;
    s->failed = status != JB_OK ? status : s->failed;
    if (over != 0) {
        s->sound = false;
        s->r.verified_to = s->r.verified_to < over ? s->r.verified_to : over - 1;
    }
}

static void
catch_up(void *data)
{
    settle(data);
}

/* The event at hand is the other fold's next. */
static void
add_to_piece(struct scan *s)
{
    if (s->piece.count == 0) {
        s->piece = s->event;
        return;
    }
    s->piece.count++;
    if (s->piece.count == PIECE_EVENTS) {
        give_piece(s);
    }
}

static void
check_sums_of(struct scan *s, const struct jb_event *e, uint64_t frame)
{
    if ((s->f->to.only & JB_AUDIT_SUMS) == 0) {
        return;
    }
    jb_check_after(s->state, e, frame, s->f);
    jb_status status = jb_cross_event(s->cross, s->state, e, s->f, s->err);
    s->failed = status != JB_OK ? status : s->failed;
    add_to_piece(s);
    if (e->type == JB_EV_DAY_CLOSED) {
        settle(s);
        jb_cross_day(s->cross, s->state, s->f);
    }
}

/* Each subject's events name the one before, as those of a wallet do. */
static void
check_subject(struct scan *s, const struct jb_event *e, uint64_t frame)
{
    if ((e->flags & JB_EVF_SUBJECT) == 0) {
        return;
    }
    uint64_t subject = e->subject * 8 + e->subject_kind;
    struct jb_map_entry *last = jb_map_change(&s->subjects, subject);
    uint64_t before = last != NULL ? last->value : 0;
    if (e->subject_prev != before) {
        jb_found(s->f, "subject_chain", e->seq, frame, 0,
                 "event %llu of %s %llu names event %llu as the one before it, and that is event "
                 "%llu",
                 (unsigned long long)e->seq, jb_subject_word(e->subject_kind),
                 (unsigned long long)e->subject, (unsigned long long)e->subject_prev,
                 (unsigned long long)before);
    }
    if (last != NULL) {
        last->value = e->seq;
    } else if (!jb_map_put(&s->subjects, subject, e->seq)) {
        s->failed = jb_fail(s->err, JB_E_NOMEM, "no memory to check the subjects of events");
    }
}

/* Asks what must hold before e is applied. */
static void
check_before(struct scan *s, const struct jb_event *e, uint64_t frame)
{
    s->r.enforcing |= s->state->g.matrix != 0;
    s->f->part = JB_AUDIT_FORM;
    jb_check_key(s->state, e, frame, s->f);
    check_subject(s, e, frame);
    s->f->part = JB_AUDIT_RULES;
    if (s->judge != NULL) {
        jb_status status = jb_judge_event(s->judge, e, frame, s->err);
        s->failed = status != JB_OK ? status : s->failed;
    }
    s->f->part = JB_AUDIT_SUMS;
    if ((s->f->to.only & JB_AUDIT_SUMS) != 0) {
        jb_check_before(s->state, e, frame, s->f);
    }
}

static void
check_behind(struct scan *s, const struct jb_event *e, uint64_t frame)
{
    check_sums_of(s, e, frame);
    jb_note_same_txn(s->state, e, s->f);
    if (s->judge != NULL) {
        jb_status status = jb_judge_applied(s->judge, e, s->err);
        s->failed = status != JB_OK ? status : s->failed;
    }
}

/* Checks and folds one event. */
static void
one_event(struct scan *s, const struct jb_event *e, uint64_t frame, size_t offset)
{
    s->r.events++;
    s->r.no_fingerprint += (e->flags & JB_EVF_KEY) != 0 && e->fingerprint == 0;
    if (s->state == NULL || s->failed != JB_OK) {
        return;
    }
    uint64_t problems = s->f->problems;
    check_before(s, e, frame);
    struct jb_error why;
    if (s->failed == JB_OK && jb_state_apply(s->state, e, &why) != JB_OK) {
        not_applied(s, e, frame, offset, &why);
    }
    if (s->failed != JB_OK || s->state == NULL) {
        return;
    }
    check_behind(s, e, frame);
    uint64_t ref = jb_event_highest_ref(e);
    if (ref > s->r.last_ref) {
        s->r.last_ref = ref;
        s->r.last_ref_event = e->seq;
    }
    s->sound = s->sound && s->f->problems == problems;
    if (s->sound) {
        s->r.verified_to = e->seq;
    }
}

/* Behind the last frame of a commit. */
static void
end_commit(struct scan *s)
{
    if (s->judge != NULL && s->state != NULL && s->failed == JB_OK) {
        s->f->part = JB_AUDIT_RULES;
        jb_judge_commit(s->judge);
    }
}

/* The events from `at` on are read as far as they are usual, and what they need is sent for. */
static void
look_ahead(struct scan *s, const struct jb_frame *frame, size_t at, uint32_t done,
           const struct jb_event_context *context)
{
    jb_ahead_read(&s->ahead, frame->events + at, frame->bytes - at, frame->count - done,
                  frame->first + done, context);
    jb_ahead_warm(&s->ahead, s->state);
    if (s->judge != NULL) {
        jb_judge_warm(s->judge, s->ahead.others, s->ahead.others_n);
    }
}

/* The usual event, where all was well so far and all is well with it. False: it is looked at in
 * full. */
static bool
usual_event(struct scan *s, const struct jb_ahead_event *x)
{
    const jb_seq seq = s->event.first;
    if (s->state == NULL || !s->sound || s->failed != JB_OK || jb_audit_limits.in_full ||
        (s->f->to.only & JB_AUDIT_SUMS) == 0 || !jb_usual_holds(s->state, s->judge, seq, &x->e)) {
        return false;
    }
    s->r.events++;
    s->r.enforcing |= s->state->g.matrix != 0;
    s->r.no_fingerprint += x->e.key.s != NULL && x->e.fingerprint == 0;
    s->r.verified_to = seq;
    add_to_piece(s);
    return true;
}

static void
one_frame(struct scan *s, const struct jb_frame *frame)
{
    struct jb_event_context context = {frame->base, s->identity.utc_offset_s};
    size_t at = 0;
    s->f->part = JB_AUDIT_FORM;
    for (uint32_t i = 0; i < frame->count; i++) {
        jb_seq seq = frame->first + i;
        struct jb_event e;
        if (s->state != NULL && i % JB_AHEAD_MAX == 0) {
            look_ahead(s, frame, at, i, &context);
        }
        const struct jb_ahead_event *x =
            s->state != NULL ? jb_ahead_next(&s->ahead, frame->events + at) : NULL;
        const bool misplaced =
            frame->offsets != NULL && i > 0 && i % JB_FRAME_STRIDE == 0 &&
            jb_get_be(frame->offsets + (size_t)(i / JB_FRAME_STRIDE - 1) * 4, 4) != at;
        if (x != NULL && !misplaced) {
            s->event =
                (struct jb_piece){frame->events + at, frame->bytes - at, seq, 1, frame->base};
            if (usual_event(s, x)) {
                at += x->bytes;
                continue;
            }
        }
        struct jb_decode_failure failure;
        size_t n = jb_event_decode(frame->events + at, frame->bytes - at, seq, &context, &e,
                                   &s->space, &failure);
        s->f->part = JB_AUDIT_FORM;
        if (n == 0 && failure.no_memory) {
            s->failed = jb_fail(s->err, JB_E_NOMEM, "no memory to read event %llu",
                                (unsigned long long)seq);
            return;
        }
        if (n == 0 && failure.newer && s->chained) {
            is_newer(s, seq, failure.why);
            return;
        }
        if (n == 0) {
            jb_found(s->f, "event", seq, frame->first, JB_FRAME_EVENTS + at + failure.at,
                     "event %llu cannot be read: %s", (unsigned long long)seq, jb_tr(failure.why));
            stop_folding(s);
            return;
        }
        if (misplaced) {
            jb_found(s->f, "frame", seq, frame->first, JB_FRAME_EVENTS + frame->bytes,
                     "the offset table does not say where event %llu begins",
                     (unsigned long long)seq);
            s->sound = false;
        }
        s->event = (struct jb_piece){frame->events + at, frame->bytes - at, seq, 1, frame->base};
        one_event(s, &e, frame->first, JB_FRAME_EVENTS + at);
        at += n;
    }
    give_piece(s);
    s->f->part = JB_AUDIT_FORM;
    if (at != frame->bytes) {
        jb_found(s->f, "frame", 0, frame->first, JB_FRAME_EVENTS + at,
                 "%zu bytes stand behind the last event of frame %llu", frame->bytes - at,
                 (unsigned long long)frame->first);
        s->sound = false;
    }
}

static void
check_chain(struct scan *s, const struct jb_frame *frame)
{
    s->f->part = JB_AUDIT_FORM;
    s->chained = s->chain_known && frame->first == s->next && jb_frame_chained(frame, s->chain);
    if (s->next != 0 && frame->first != s->next) {
        jb_found(s->f, "frame", s->next, frame->first, JB_FRAME_FIRST,
                 "frame %llu stands where event %llu should begin",
                 (unsigned long long)frame->first, (unsigned long long)s->next);
        stop_folding(s);
    } else if (s->chain_known && !s->chained) {
        jb_found(s->f, "chain", 0, frame->first, JB_FRAME_CHAIN,
                 "the chain value of frame %llu does not follow from the frame before and its "
                 "bytes: some byte of it was changed",
                 (unsigned long long)frame->first);
        s->sound = false;
    }
    memcpy(s->chain, frame->chain, JB_CHAIN_BYTES);
    s->chain_known = true;
    s->last_flag = (frame->must & JB_FRAME_LAST) != 0;
}

/* Whether a frame with a format or a flag that is not known here is a damaged one of format 1. The
 * chain value tells: it holds with the header as format 1 would have it, or it should hold as the
 * frame stands and does not. */
static bool
header_damaged(struct scan *s, jb_seq first, const MDB_val *value)
{
    bool can = (s->chain_known || first == 1) && value->mv_size <= JB_FRAME_VALUE_MAX;
    uint8_t *copy = can ? malloc(value->mv_size) : NULL;
    if (copy == NULL) {
        return false;
    }
    struct jb_frame frame;
    struct jb_frame_failure failure;
    memcpy(copy, value->mv_data, value->mv_size);
    uint32_t must = (uint32_t)jb_get_be(copy + JB_FRAME_MUST, 2);
    bool format_1 = jb_get_be(copy + JB_FRAME_FORMAT, 2) == JB_LOG_FORMAT;
    jb_put_be(copy + JB_FRAME_FORMAT, 2, JB_LOG_FORMAT);
    jb_put_be(copy + JB_FRAME_MUST, 2, must & (JB_FRAME_LAST | JB_FRAME_OFFSETS));
    bool as_1 = jb_frame_parse(first, copy, value->mv_size, &frame, &failure) &&
                (s->chain_known || jb_frame_own_root(&frame, s->chain));
    bool damaged = as_1 && jb_frame_chained(&frame, s->chain);
    free(copy);
    frame = (struct jb_frame){.value = value->mv_data, .value_n = value->mv_size};
    frame.chain = frame.value + JB_FRAME_CHAIN;
    return damaged || (format_1 && (s->chain_known || as_1) && !jb_frame_chained(&frame, s->chain));
}

static void
one_value(struct scan *s, const MDB_val *key, const MDB_val *value)
{
    struct jb_frame frame;
    struct jb_frame_failure failure = {0, "the key of a frame is not 8 bytes", false};
    jb_seq first = key->mv_size == 8 ? jb_get_be(key->mv_data, 8) : 0;
    s->r.frames++;
    s->f->part = JB_AUDIT_FORM;
    if (key->mv_size != 8 ||
        !jb_frame_parse(first, value->mv_data, value->mv_size, &frame, &failure)) {
        if (failure.newer && !header_damaged(s, first, value)) {
            is_newer(s, first, failure.why);
            s->chain_known = false;
            s->next = 0;
            s->last_flag = true;
            return;
        }
        jb_found(s->f, "frame", 0, first, failure.at, "frame %llu cannot be read: %s",
                 (unsigned long long)first, jb_tr(failure.why));
        s->chain_known = false; /* the next frame's chain value cannot be checked */
        stop_folding(s);
        return;
    }
    check_chain(s, &frame);
    one_frame(s, &frame);
    if (s->last_flag) {
        end_commit(s);
    }
    s->next = frame.first + frame.count;
}

/* Behind a frame: whoever waits for this event has its turn. */
static void
stop_here(struct scan *s, const struct jb_scan_stop *stops, size_t stops_n)
{
    for (size_t i = 0; i < stops_n && s->state != NULL && s->failed == JB_OK; i++) {
        if (s->state->g.seq == stops[i].stop) {
            settle(s);
            memcpy(s->state->head.chain, s->chain, JB_CHAIN_BYTES);
            s->f->part = JB_AUDIT_SUMS;
            if (s->failed != JB_OK) {
                return;
            }
            s->failed = stops[i].at_seq(stops[i].data, s->state, s->cross, s->err);
        }
    }
}

static void
log_ended(struct scan *s, int code)
{
    s->f->part = JB_AUDIT_FORM;
    if (code != MDB_NOTFOUND) {
        jb_found(s->f, "file", s->next, 0, 0, "LMDB cannot read on behind event %llu: %s",
                 (unsigned long long)(s->next - 1), mdb_strerror(code));
        stop_folding(s);
    }
    if (s->r.frames > 0 && !s->last_flag) {
        jb_found(
            s->f, "frame", s->next - 1, 0, 0,
            "the log ends inside a commit: its last frame is not marked as the last of its commit");
    }
}

/* Finds out what repeats, before anything is folded. */
static void
find_names(struct scan *s, MDB_txn *txn, const MDB_val *key)
{
    enum jb_names_found found;
    int code = 0;
    if (s->state == NULL) {
        return;
    }
    s->state->tallies = &s->tallies;
    s->failed = jb_audit_names(s->state, txn, key, &s->repeats, &found, &code, s->err);
    if (s->failed != JB_OK || found == JB_NAMES_UNKNOWN) {
        return; /* everything is kept */
    }
    s->state->repeats = &s->repeats;
    if (found == JB_NAMES_NO_ROOM) {
        s->f->part = JB_AUDIT_FORM;
        jb_not_checked(s->f, JB_AUDIT_ALL,
                       "keys, ids and all that is folded: there is no room for what an audit sorts "
                       "in temporary files (TMPDIR): %s",
                       strerror(code));
        s->r.unfolded = true;
        stop_folding(s);
    }
}

static jb_status
all_values(struct scan *s, struct jb_log *log, MDB_txn *txn, const struct jb_scan_stop *stops,
           size_t stops_n)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_stat st;
    int code = mdb_dbi_open(txn, NULL, 0, &dbi);
    code = code == 0 ? mdb_cursor_open(txn, dbi, &cursor) : code;
    if (code != 0) {
        return jb_env_fail(s->err, code, jb_log_env(log), "reading");
    }
    mdb_stat(txn, dbi, &st);
    MDB_val key, value;
    struct jb_passed passed = {0};
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (code == 0) {
        find_names(s, txn, &key);
    }
    for (size_t i = 0; i < stops_n && s->state != NULL && s->failed == JB_OK; i++) {
        if (stops[i].begins != NULL) {
            stops[i].begins(stops[i].data, s->state);
        }
    }
    for (; s->failed == JB_OK && code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        jb_audit_progress(s->f, s->r.frames, st.ms_entries);
        one_value(s, &key, &value);
        jb_passed(&passed, value.mv_data, value.mv_size);
        stop_here(s, stops, stops_n);
    }
    mdb_cursor_close(cursor);
    if (s->failed == JB_OK) {
        log_ended(s, code);
    }
    return s->failed;
}

/* Of a frame, from that event on. False: something of it cannot be read. */
static bool
events_of_frame(const struct jb_state *b, const struct jb_frame *f, jb_seq from, jb_seq through,
                struct jb_event_space *space, void (*look)(void *data, const struct jb_event *e),
                void *data, bool *no_memory)
{
    struct jb_event_context context = {f->base, b->identity.utc_offset_s};
    size_t at = 0;
    for (uint32_t i = 0; i < f->count && f->first + i <= through; i++) {
        struct jb_decode_failure failure;
        struct jb_event e;
        size_t n = jb_event_decode(f->events + at, f->bytes - at, f->first + i, &context, &e, space,
                                   &failure);
        if (n == 0) {
            *no_memory |= failure.no_memory;
            return false;
        }
        at += n;
        if (e.seq >= from) {
            look(data, &e);
        }
    }
    return true;
}

jb_status
jb_audit_events(struct jb_state *b, jb_seq from, jb_seq through,
                void (*look)(void *data, const struct jb_event *e), void *data,
                struct jb_error *err)
{
    struct jb_event_space space = {0};
    struct jb_passed passed = {0};
    struct jb_log_reader *r;
    struct jb_frame frame;
    bool no_memory = false, holds = true;
    jb_status status = jb_log_reader_open(b->log, &r, err);
    if (status != JB_OK) {
        return status;
    }
    for (jb_seq next = from; next <= through && status == JB_OK && holds;
         next = frame.first + frame.count) {
        status = jb_log_reader_any_frame(r, next, &frame, err);
        holds = status == JB_OK &&
                events_of_frame(b, &frame, from, through, &space, look, data, &no_memory);
        if (holds) {
            jb_passed(&passed, frame.value, frame.value_n);
        }
    }
    jb_log_reader_close(r);
    jb_event_space_free(&space);
    return no_memory ? jb_fail(err, JB_E_NOMEM, "no memory to read events again") : status;
}

/* The first event says what the chain begins with and how days are counted. Where it cannot be
 * read, nothing can be. */
static jb_status
begin(struct scan *s, struct jb_log *log)
{
    struct jb_error why = {0};
    s->f->part = JB_AUDIT_FORM;
    jb_status status = jb_log_identity(log, &s->identity, &why);
    if (status == JB_E_NOMEM) {
        return jb_fail(s->err, JB_E_NOMEM, "%s", why.text);
    }
    if (status != JB_OK) {
        bool newer = status == JB_E_FORMAT && why.at == 1;
        if (newer && why.frame == 0) {
            is_newer(s, 1, why.text);
        } else if (!newer) { /* else a header of that kind: it is told where the frame is reached */
            jb_found(s->f, "frame", 1, 1, why.offset, "the first frame is damaged: %s", why.text);
        }
        return JB_OK;
    }
    memcpy(s->chain, s->identity.root, JB_CHAIN_BYTES);
    s->chain_known = true;
    status = jb_state_open(log, NULL, &s->identity, &s->state, s->err);
    if (status != JB_OK) {
        return status;
    }
    s->state->usable = true;
    status = jb_cross_open(s->identity.utc_offset_s, &s->cross, s->err);
    return status == JB_OK && (s->f->to.only & JB_AUDIT_RULES) != 0
               ? jb_judge_open(s->state, s->f, &s->judge, s->err)
               : status;
}

static jb_status
read_all(struct scan *s, struct jb_log *log, const struct jb_scan_stop *stops, size_t stops_n)
{
    MDB_txn *txn;
    jb_status status = begin(s, log);
    status = status == JB_OK ? jb_env_begin(jb_log_env(log), MDB_RDONLY, &txn, s->err) : status;
    if (status == JB_OK) {
        status = all_values(s, log, txn, stops, stops_n);
        settle(s);
        status = status == JB_OK ? s->failed : status;
        jb_env_abort(jb_log_env(log), txn);
    }
    if (status == JB_OK && s->state != NULL && (s->f->to.only & JB_AUDIT_SUMS) != 0) {
        s->f->part = JB_AUDIT_SUMS;
        jb_check_sums(s->state, s->f);
        status = jb_cross_end(s->cross, s->state, s->f, s->err);
    }
    if (status == JB_OK && s->state != NULL && s->judge != NULL) {
        s->f->part = JB_AUDIT_RULES;
        jb_judge_end(s->judge);
    }
    return status;
}

jb_status
jb_scan_log(struct jb_log *log, struct jb_findings *f, const struct jb_scan_stop *stops,
            size_t stops_n, struct jb_scan_result *ret, struct jb_error *err)
{
    struct scan s = {.f = f, .next = 1, .sound = true, .err = err};
    f->catch_up = catch_up;
    f->catch_up_data = &s;
    jb_status status = read_all(&s, log, stops, stops_n);
    f->catch_up = NULL;
    jb_cross_close(s.cross);
    jb_map_free(&s.subjects);
    jb_repeats_free(&s.repeats);
    jb_judge_close(s.judge);
    jb_state_close(s.state);
    jb_event_space_free(&s.space);
    memcpy(s.r.chain, s.chain, 16);
    *ret = s.r;
    return status;
}
