/* Rebuild: both stored projections anew from the log, while the ledger is in use. */
#include <jangbu/replay.h>

#include "base/error.h"
#include "ledger/rebuild.h"
#include "projections/views.h"

#include <string.h>

jb_status
jb_rebuild(const char *dir, const struct jb_rebuild_options *opts, struct jb_rebuild_result *ret,
           struct jb_error *err)
{
    if (dir == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_rebuild");
    }
    struct jb_rebuild_options w = {.size = sizeof w};
    jb_status status =
        opts != NULL ? jb_abi_in(&w, sizeof w, opts, "struct jb_rebuild_options", err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    struct jb_open_options o = {.size = sizeof o, .accept_rollback = w.accept_rollback};
    struct jb_rebuild_result r = {.size = sizeof r};
    jb_ledger *l;
    status = jb_open(dir, &o, &l, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_state_rebuilt state = {0};
    struct jb_views_rebuilt views = {0};
    status = jb_state_rebuild(l, w.on_progress, w.data, &state, err);
    status = status == JB_OK ? jb_views_rebuild(l, w.on_progress, w.data, &views, err) : status;
    if (status == JB_OK) {
        r.events = state.events;
        r.had_state = state.had;
        r.same_state = state.same;
        memcpy(r.state_digest, state.digest, 16);
        r.had_views = views.had;
        r.same_views = views.same;
        memcpy(r.views_digest, views.digest, 16);
        if (w.accept_rollback) {
            jb_accept_head(l);
        }
        status = jb_abi_out(ret, &r, sizeof r, err);
    }
    jb_close(l);
    return status;
}
