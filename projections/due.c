/* What is due, in pages. */
#include "projections/page.h"

/* In a place: the list is as of the cursor's moment, not of now. */
#define PAST (UINT64_C(1) << 63)

jb_status
jb_due_get(jb_views *v, jb_due_kind kind, bool outside, const struct jb_as_of *as_of,
           const char *cursor, uint32_t limit,
           bool (*each)(void *data, const struct jb_due_item *item), void *data, char *next,
           struct jb_due_list *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    struct jb_page_place place = {0};
    struct jb_as_of_point r;
    struct jb_due_place behind;
    bool fresh;
    const struct jb_page_of of = {.list = JB_PAGE_DUE,
                                  .filter = (uint64_t)kind << 1 | (outside ? 1 : 0)};
    if (v == NULL || each == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_due_get");
    }
    jb_status status = jb_page_begin(v, &of, as_of, cursor, limit, &place, &r, &fresh, err);
    status = status == JB_OK ? jb_page_end_of_day(v, &r, err) : status;
    if (status != JB_OK) {
        return status;
    }
    const bool past = fresh ? !r.now : (place.at & PAST) != 0;
    const struct jb_due_query query = {.size = sizeof query,
                                       .kind = kind,
                                       .outside = outside,
                                       .limit = limit,
                                       .after = {place.at & ~PAST, (uint64_t)place.balance},
                                       .seq = past ? r.moment.seq : 0,
                                       .at = r.moment.at};
    status = jb_due_at(v->l, &query, each, data, ret, &behind, err);
    if (status == JB_OK) {
        place = (struct jb_page_place){behind.at | (past ? PAST : 0), (jb_amount)behind.more};
        jb_page_end(v, &of, behind.at != 0 ? &place : NULL, &r, next, NULL);
    }
    return status;
}
