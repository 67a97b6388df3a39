/* Channels: what they are, and which wallet they use. docs/rules.md section 11. */
#include "rules/rules.h"

static void
done(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = jb_op_get((uint32_t)k->c->op)->event_type;
}

void
jb_rule_channel_create(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->channel_no != 0) {
        jb_refuse(v, JB_CODE_CHANNEL_EXISTS);
        return;
    }
    done(k, v);
    v->event.channel_created.channel = k->c->channel;
    v->event.channel_created.kind =
        jb_given(k->c, JB_CF_CHANNEL_KIND) ? k->c->channel_kind : (uint32_t)JB_CHANNEL_BASIC;
}

/* connect, disconnect, close: whether they may be hangs on the channel's state alone. */
void
jb_rule_channel_change(const struct jb_case *k, struct jb_verdict *v)
{
    done(k, v);
}

static bool
marks_allowed(const struct jb_case *k)
{
    const struct jb_around *a = k->a;
    int64_t marks = jb_policy_at(k->g, JB_POLICY_SEARCH_ID_MARKS, k->m->recorded_at);
    return ((marks & 1) != 0 || memchr(a->search_id, '-', a->search_id_n) == NULL) &&
           ((marks & 2) != 0 || memchr(a->search_id, '_', a->search_id_n) == NULL);
}

void
jb_rule_search_id(const struct jb_case *k, struct jb_verdict *v)
{
    if (!marks_allowed(k)) {
        jb_refuse(v, JB_CODE_SEARCH_ID_INVALID);
    } else if (k->a->channel.search != 0) {
        jb_refuse_with(v, JB_CODE_SEARCH_ID_SET, JB_FIG_SEQ, (int64_t)k->a->channel.search);
    } else if (k->a->search_taken != 0) {
        jb_refuse_with(v, JB_CODE_SEARCH_ID_TAKEN, JB_FIG_SEQ, (int64_t)k->a->search_taken);
    } else {
        done(k, v);
        v->event.search_id_set.search_id = (struct jb_text){k->a->search_id, k->a->search_id_n};
    }
}

void
jb_rule_mail_order(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->same_mail_order) {
        jb_refuse(v, JB_CODE_UNCHANGED);
        return;
    }
    done(k, v);
    v->event.mail_order_set.mail_order = jb_given_text(k->c, JB_CF_MAIL_ORDER, k->c->mail_order);
}
