/* Any bytes: no record of state.mdb, or one that is written again as exactly the bytes it was read
 * from. The first byte says of which kind. */
#include "base/error.h"
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) {
        return 0;
    }
    union item item;
    memset(&item, 0, sizeof item);
    const size_t kind = data[0] % (KINDS + 1);
    if (kind == KINDS) {
        uint8_t again[JB_RETURN_BYTES_MAX];
        jb_seq last = 0;
        jb_amount sum = 0;
        if (jb_read_return(data + 1, n - 1, &last, &sum)) {
            JB_ASSERT(jb_record_return(last, sum, again) == n - 1 &&
                      memcmp(again, data + 1, n - 1) == 0);
        }
        return 0;
    }
    const jb_status status = kinds[kind].read(data + 1, n - 1, &item);
    JB_ASSERT(status == JB_OK || status == JB_E_STALE);
    if (status == JB_OK) {
        struct jb_buffer again = {0};
        JB_ASSERT(kinds[kind].write(&item, &again) && again.n == n - 1 &&
                  memcmp(again.at, data + 1, n - 1) == 0);
        free(again.at);
    }
    kinds[kind].free(&item);
    return 0;
}
