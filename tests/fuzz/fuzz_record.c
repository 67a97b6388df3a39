/* Any bytes: no record of state.mdb and no row of views.mdb, or one that is written again as
 * exactly the bytes it was read from. The first byte says of which kind. */
#include "base/error.h"
#include "projections/wallet_summary.h"
#include "state/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
nothing(void *item)
{
    (void)item;
}

static void
free_wallet(void *item)
{
    jb_wallet_free(item);
}

static void
free_refund(void *item)
{
    struct jb_refund *r = item;
    free(r->legs);
}

static void
free_globals(void *item)
{
    jb_globals_free(item);
}

/* Aligned and large enough for each of them. */
union item {
    struct jb_wallet wallet;
    struct jb_lot lot;
    struct jb_grant grant;
    struct jb_refund refund;
    struct jb_interval interval;
    struct jb_globals globals;
};

#define BOTH_WAYS(name)                                                                            \
    static jb_status read_##name(const uint8_t *p, size_t n, void *ret)                            \
    {                                                                                              \
        return jb_read_##name(p, n, ret);                                                          \
    }                                                                                              \
    static bool write_##name(const void *item, struct jb_buffer *out)                              \
    {                                                                                              \
        return jb_record_##name(item, out);                                                        \
    }
BOTH_WAYS(wallet)
BOTH_WAYS(lot)
BOTH_WAYS(grant)
BOTH_WAYS(refund)
BOTH_WAYS(interval)
BOTH_WAYS(globals)

static const struct {
    jb_status (*read)(const uint8_t *p, size_t n, void *ret);
    bool (*write)(const void *item, struct jb_buffer *out);
    void (*free)(void *item);
} kinds[] = {{read_wallet, write_wallet, free_wallet}, {read_lot, write_lot, nothing},
             {read_grant, write_grant, nothing},       {read_refund, write_refund, free_refund},
             {read_interval, write_interval, nothing}, {read_globals, write_globals, free_globals}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void
one_record(size_t kind, const uint8_t *p, size_t n)
{
    union item item;
    memset(&item, 0, sizeof item);
    const jb_status status = kinds[kind].read(p, n, &item);
    JB_ASSERT(status == JB_OK || status == JB_E_STALE);
    if (status == JB_OK) {
        struct jb_buffer again = {0};
        JB_ASSERT(kinds[kind].write(&item, &again) && again.n == n && memcmp(again.at, p, n) == 0);
        free(again.at);
    }
    kinds[kind].free(&item);
}

/* ---- those that are not written into a buffer ---- */

static void
one_return(const uint8_t *p, size_t n)
{
    uint8_t again[JB_RETURN_BYTES_MAX];
    jb_seq last = 0;
    jb_amount sum = 0;
    if (jb_read_return(p, n, &last, &sum)) {
        JB_ASSERT(jb_record_return(last, sum, again) == n && memcmp(again, p, n) == 0);
    }
}

static void
one_summary(const uint8_t *p, size_t n)
{
    struct jb_summary w;
    const jb_status status = jb_summary_decode(p, n, &w);
    JB_ASSERT(status == JB_OK || status == JB_E_STALE);
    if (status == JB_OK) {
        uint8_t *again = malloc(jb_summary_bytes_max(&w));
        JB_ASSERT(again != NULL && jb_summary_encode(&w, again) == n && memcmp(again, p, n) == 0);
        free(again);
        jb_summary_free(&w);
    }
}

static void
one_day_row(const uint8_t *p, size_t n)
{
    struct jb_day_row row;
    uint8_t again[JB_DAY_ROW_BYTES_MAX];
    if (jb_day_row_decode(0, p, n, &row)) {
        JB_ASSERT(jb_day_row_encode(&row, again) == n && memcmp(again, p, n) == 0);
    }
}

static void (*const others[])(const uint8_t *p, size_t n) = {one_return, one_summary, one_day_row};
#define OTHERS (sizeof others / sizeof others[0])

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) {
        return 0;
    }
    const size_t kind = data[0] % (KINDS + OTHERS);
    if (kind < KINDS) {
        one_record(kind, data + 1, n - 1);
    } else {
        others[kind - KINDS](data + 1, n - 1);
    }
    return 0;
}
