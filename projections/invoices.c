/* A wallet's tax invoices in pages. */
#include "projections/page.h"

jb_status
jb_invoices_get(jb_views *v, struct jb_text wallet, uint32_t month, const struct jb_as_of *as_of,
                const char *cursor, uint32_t limit,
                bool (*each)(void *data, const struct jb_invoice *row), void *data, char *next,
                struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    struct jb_page_place place = {0};
    struct jb_as_of_point r;
    bool fresh;
    uint64_t behind = 0;
    struct jb_page_of of = {.list = JB_PAGE_INVOICES, .filter = month};
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_invoices_get");
    }
    jb_status status = jb_wallet_number(v->l, wallet, &of.wallet, err);
    status = status == JB_OK ? jb_page_begin(v, &of, as_of, cursor, limit, &place, &r, &fresh, err)
                             : status;
    if (status != JB_OK) {
        return status;
    }
    const struct jb_invoices_query query = {.size = sizeof query,
                                            .wallet = wallet,
                                            .month = month,
                                            .limit = limit,
                                            .after = place.at,
                                            .seq = r.moment.seq};
    status = jb_invoices_at(v->l, &query, each, data, &behind, err);
    place.at = behind;
    if (status == JB_OK) {
        jb_page_end(v, &of, behind != 0 ? &place : NULL, &r, next, moment);
    }
    return status;
}
