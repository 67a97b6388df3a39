#include "health.h"

#include "gateway.h"
#include "keeper.h"
#include "problem.h"

enum handled
health_live(struct exchange *x)
{
    struct out *o = &x->answer.body;
    js_open(o, NULL, '{');
    js_bool(o, "live", true);
    js_close(o, '}');
    js_line_end(o);
    exchange_answer(x, 200, "application/json");
    return ANSWERED;
}

enum handled
health_ready(struct exchange *x)
{
    const bool ready = keeper_ready(x->gateway->keeper, &x->answer.body);
    exchange_answer(x, ready ? 200 : 503, "application/json");
    return ANSWERED;
}

enum handled
ledger_get(struct exchange *x)
{
    const struct query q = query_of(QUERY_INFO);
    struct jb_error err;
    const jb_status status = query_answer(&x->gateway->quick, &q, &x->answer.body, &err);
    if (status != JB_OK) {
        problem_status(x, status, &err);
    } else {
        exchange_answer(x, 200, "application/json");
    }
    return ANSWERED;
}
