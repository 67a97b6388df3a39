/* A follower's only way in: frames that were committed elsewhere, checked as a reader checks them.
 */
#include "log/log_file.h"

struct putting {
    struct jb_log *l;
    jb_seq next;
    uint8_t chain[JB_CHAIN_BYTES];
    int32_t utc_offset_s;
    struct jb_event_space space;
};

static jb_status
refuse(struct jb_error *err, jb_seq frame, const char *why, bool newer)
{
    return newer
               ? jb_fail(err, JB_E_FORMAT,
                         "frame %llu was written by a newer version of jangbu: %s. Use that "
                         "version",
                         (unsigned long long)frame, jb_tr(why))
               : jb_fail(err, JB_E_CORRUPT, "frame %llu does not follow: %s; nothing was appended",
                         (unsigned long long)frame, jb_tr(why));
}

static jb_status
check_events(struct putting *p, const struct jb_frame *f, struct jb_error *err)
{
    struct jb_event_context context = {f->base, p->utc_offset_s};
    size_t at = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        struct jb_event e;
        struct jb_decode_failure failure;
        size_t n = jb_event_decode(f->events + at, f->bytes - at, f->first + i, &context, &e,
                                   &p->space, &failure);
        if (n == 0 && failure.no_memory) {
            return jb_fail(err, JB_E_NOMEM, "no memory to read event %llu",
                           (unsigned long long)f->first + i);
        }
        if (n == 0) {
            return refuse(err, f->first, failure.why, failure.newer);
        }
        at += n;
    }
    return at == f->bytes ? JB_OK : refuse(err, f->first, "bytes stand behind its events", false);
}

static jb_status
check_frame(struct putting *p, const struct jb_log_value *value, bool last, struct jb_error *err)
{
    struct jb_frame f;
    struct jb_frame_failure failure;
    if (!jb_frame_parse(p->next, value->at, value->n, &f, &failure)) {
        return refuse(err, p->next, failure.why, failure.newer);
    }
    if (f.first == 1 && !jb_frame_own_root(&f, p->chain)) {
        return refuse(err, 1, "it does not begin as a ledger's log does", false);
    }
    if (!jb_frame_chained(&f, p->chain)) {
        return refuse(err, f.first, "its chain value does not hold", false);
    }
    if (last && (f.must & JB_FRAME_LAST) == 0) {
        return refuse(err, f.first, "its commit is not whole", false);
    }
    memcpy(p->chain, f.chain, JB_CHAIN_BYTES);
    p->next = f.first + f.count;
    return check_events(p, &f, err);
}

/* Days are counted at the offset that the first event says: of the log, or, where it is empty, of
 * the frames. */
static jb_status
find_offset(struct putting *p, const struct jb_log_value *first, struct jb_error *err)
{
    struct jb_log_identity identity;
    if (p->next != 1) {
        jb_status status = jb_log_identity(p->l, &identity, err);
        p->utc_offset_s = status == JB_OK ? identity.utc_offset_s : 0;
        return status;
    }
    struct jb_frame f;
    struct jb_frame_failure failure;
    struct jb_event e;
    struct jb_decode_failure why;
    if (jb_frame_parse(1, first->at, first->n, &f, &failure)) {
        struct jb_event_context context = {f.base, 0};
        bool created = jb_event_decode(f.events, f.bytes, 1, &context, &e, &p->space, &why) > 0 &&
                       e.type == JB_EV_LEDGER_CREATED;
        p->utc_offset_s = created ? (int32_t)e.ledger_created.utc_offset_s : 0;
    }
    return JB_OK; /* what is wrong with it is said when it is checked */
}

jb_status
jb_log_put(struct jb_log *l, const struct jb_log_value *frames, size_t n, struct jb_log_head *head,
           enum jb_log_result *ret_result, struct jb_error *err)
{
    struct putting p = {.l = l, .next = head->seq + 1};
    *ret_result = JB_LOG_FAILED;
    if (n == 0) {
        return jb_fail(err, JB_E_USAGE, "no frame to append");
    }
    memcpy(p.chain, head->chain, JB_CHAIN_BYTES);
    jb_status status = find_offset(&p, &frames[0], err);
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        status = check_frame(&p, &frames[i], i + 1 == n, err);
    }
    jb_event_space_free(&p.space);
    struct jb_log_addition a = {.frames = frames, .frames_n = n};
    return status == JB_OK ? jb_log_add(l, &a, head, ret_result, err) : status;
}
