/* Rebuild: both stored projections anew from the log, while the ledger is in use. */
#include <jangbu/replay.h>

#include "base/error.h"
#include "base/threads.h"
#include "ledger/rebuild.h"
#include "projections/views.h"

#include <string.h>

/* state.mdb, which a thread makes anew. */
struct remaking {
    jb_ledger *l;
    jb_lang lang;
    struct jb_state_rebuilt state;
    jb_status status;
    struct jb_error err;
};

static void *
remake_state(void *data)
{
    struct remaking *m = data;
    JB_SPEAK(m->lang);
    m->status = jb_state_rebuild(m->l, NULL, NULL, &m->state, &m->err);
    return NULL;
}

/* Both projections side by side; one after the other where a step back is accepted, so that the
 * second begins with what the first has settled. Progress is that of views.mdb, or of both. */
static jb_status
remake(jb_ledger *l, const struct jb_rebuild_options *w, struct jb_state_rebuilt *state,
       struct jb_views_rebuilt *views, struct jb_error *err)
{
    struct remaking m = {.l = l, .lang = jb_lang_now};
    pthread_t thread;
    if (w->accept_rollback || !jb_thread_start(&thread, remake_state, &m)) {
        jb_status status = jb_state_rebuild(l, w->on_progress, w->data, state, err);
        return status == JB_OK ? jb_views_rebuild(l, w->on_progress, w->data, views, err) : status;
    }
    jb_status status = jb_views_rebuild(l, w->on_progress, w->data, views, err);
    pthread_join(thread, NULL);
    *state = m.state;
    if (m.status != JB_OK && err != NULL) {
        *err = m.err;
    }
    return m.status != JB_OK ? m.status : status;
}

static jb_status
rebuild_once(const char *dir, const struct jb_rebuild_options *w, struct jb_rebuild_result *ret,
             struct jb_error *err)
{
    struct jb_open_options o = {
        .size = sizeof o, .accept_rollback = w->accept_rollback, .lang = w->lang};
    struct jb_rebuild_result r = {.size = sizeof r};
    jb_ledger *l;
    jb_status status = jb_open(dir, &o, &l, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_state_rebuilt state = {0};
    struct jb_views_rebuilt views = {0};
    status = remake(l, w, &state, &views, err);
    if (status == JB_OK) {
        r.events = state.events;
        r.had_state = state.had;
        r.same_state = state.same;
        memcpy(r.state_digest, state.digest, 16);
        r.had_views = views.had;
        r.same_views = views.same;
        memcpy(r.views_digest, views.digest, 16);
        if (w->accept_rollback) {
            jb_accept_head(l);
        }
        status = jb_abi_out(ret, &r, sizeof r, err);
    }
    jb_close(l);
    return status;
}

jb_status
jb_rebuild(const char *dir, const struct jb_rebuild_options *opts, struct jb_rebuild_result *ret,
           struct jb_error *err)
{
    JB_SPEAK(JB_LANG_EN);
    if (dir == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_rebuild");
    }
    struct jb_rebuild_options w = {.size = sizeof w};
    jb_status status =
        opts != NULL ? jb_abi_in(&w, sizeof w, opts, "struct jb_rebuild_options", err) : JB_OK;
    status = status == JB_OK ? jb_abi_reserved(w.reserved_too, sizeof w.reserved_too,
                                               "struct jb_rebuild_options", err)
                             : status;
    status = status == JB_OK
                 ? jb_lang_check(w.lang, JB_LANG_EN, "struct jb_rebuild_options", &w.lang, err)
                 : status;
    if (status != JB_OK) {
        return status;
    }
    jb_lang_set(w.lang);
    status = rebuild_once(dir, &w, ret, err);
    /* What was found to be damaged on the way is made anew by who opens it next. */
    return status == JB_E_STALE ? rebuild_once(dir, &w, ret, err) : status;
}
