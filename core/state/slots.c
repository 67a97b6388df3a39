#include "state/slots.h"

#include <assert.h>
#include <sys/mman.h>

#include "state/state.h"

#define LINE 64
#define SLOT_BYTES sizeof(struct jb_cached_wallet)
#define FIRST_PIECE ((size_t)16 << 10)
#define HUGE_PAGE ((size_t)2 << 20)

static_assert(SLOT_BYTES % LINE == 0 && offsetof(struct jb_cached_wallet, w.created_seq) ==
                                            JB_SLOT_HOT + JB_SLOT_HOT_BYTES,
              "see JB_SLOT_HOT");

static struct jb_cached_wallet *
begin(void *at)
{
    struct jb_cached_wallet *s = at;
    memset(s, 0, sizeof *s);
    s->w.lots.at = &s->lot;
    s->w.lots.cap = 1;
    return s;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH_BY_ITSELF
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define EACH_BY_ITSELF
#endif

#ifdef EACH_BY_ITSELF

/* So that a sanitizer sees whoever uses one that was given back. */
struct jb_cached_wallet *
jb_slot_new(struct jb_slots *m)
{
    (void)m;
    void *at = malloc(sizeof(struct jb_cached_wallet));
    return at != NULL ? begin(at) : NULL;
}

void
jb_slot_free(struct jb_slots *m, struct jb_cached_wallet *s)
{
    (void)m;
    jb_wallet_free(&s->w);
    free(s);
}

void
jb_slots_clear(struct jb_slots *m)
{
    (void)m;
}

#else

/* On an address that a huge page can begin at; small pages serve as well. */
static void *
map_huge(void)
{
    char *at =
        mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    size_t before = (HUGE_PAGE - (uintptr_t)at % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0) {
        munmap(at, before);
    }
    munmap(at + before + HUGE_PAGE, HUGE_PAGE - before);
    madvise(at + before, HUGE_PAGE, MADV_HUGEPAGE);
    return at + before;
}

/* Each as large as all before it, up to a huge page: few wallets take little. */
static bool
add_piece(struct jb_slots *m)
{
    if (!jb_vec_reserve(&m->pieces, m->pieces.n + 1)) {
        return false;
    }
    size_t bytes = m->pieces.n < 8 ? FIRST_PIECE << m->pieces.n : HUGE_PAGE;
    bool huge = bytes >= HUGE_PAGE;
    char *at = huge ? map_huge() : malloc(bytes);
    if (at == NULL) {
        return false;
    }
    m->pieces.at[m->pieces.n++] = (struct jb_slots_piece){at, huge ? bytes : 0};
    /* What is looked at begins a line. */
    size_t before = (2 * LINE - ((uintptr_t)at + JB_SLOT_HOT) % LINE) % LINE;
    m->fresh = at + before;
    m->fresh_n = (bytes - before) / SLOT_BYTES;
    return true;
}

struct jb_cached_wallet *
jb_slot_new(struct jb_slots *m)
{
    void *at = m->used_before;
    if (at != NULL) {
        memcpy(&m->used_before, at, sizeof at);
        return begin(at);
    }
    if (m->fresh_n == 0 && !add_piece(m)) {
        return NULL;
    }
    at = m->fresh;
    m->fresh += SLOT_BYTES;
    m->fresh_n--;
    return begin(at);
}

void
jb_slot_free(struct jb_slots *m, struct jb_cached_wallet *s)
{
    jb_wallet_free(&s->w);
    memcpy((void *)s, &m->used_before, sizeof m->used_before);
    m->used_before = s;
}

void
jb_slots_clear(struct jb_slots *m)
{
    for (size_t i = 0; i < m->pieces.n; i++) {
        if (m->pieces.at[i].bytes > 0) {
            munmap(m->pieces.at[i].at, m->pieces.at[i].bytes);
        } else {
            free(m->pieces.at[i].at);
        }
    }
    jb_vec_free(&m->pieces);
    *m = (struct jb_slots){0};
}

#endif
