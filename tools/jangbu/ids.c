#include "ids.h"

#include <stdlib.h>
#include <string.h>

#include "rows_json.h"

/* Places; a number has one, and loses it to another number of that place. */
#define PLACES 65536U

struct known_id {
    uint64_t number; /* 0: none */
    uint8_t n;
    char id[JB_ID_BYTES_MAX + 1];
};

void
ids_free(struct ids *ids)
{
    free(ids->wallets);
    free(ids->channels);
}

static struct known_id *
place_of(struct known_id **known, uint64_t number)
{
    *known = *known != NULL ? *known : calloc(PLACES, sizeof **known);
    return *known != NULL ? &(*known)[number % PLACES] : NULL;
}

static void
set(struct known_id *k, uint64_t number, struct jb_text id)
{
    memcpy(k->id, id.s, id.n);
    k->id[id.n] = '\0';
    k->n = (uint8_t)id.n;
    k->number = number;
}

/* Whether the event says the id of what it makes: then it is known. */
static bool
says_id(const struct jb_event *e, uint32_t type, struct jb_text *ret)
{
    *ret = e->type == type ? jb_event_own_id(e) : (struct jb_text){NULL, 0};
    return ret->s != NULL && ret->n <= JB_ID_BYTES_MAX;
}

static jb_status
wallet_of(struct ids *ids, jb_ledger *l, const struct jb_event *e, struct jb_text *ret,
          struct jb_error *err)
{
    const uint32_t number = event_wallet(e);
    struct known_id *k = place_of(&ids->wallets, number);
    struct jb_text own;
    if (k == NULL) {
        return app_no_memory(err);
    }
    if (says_id(e, JB_EV_WALLET_CREATED, &own)) {
        set(k, number, own);
    } else if (k->number != number) {
        char id[JB_ID_BYTES_MAX];
        size_t n = 0;
        jb_status status = jb_wallet_id(l, number, id, &n, err);
        if (status != JB_OK) {
            return status; /* an id that is left out would be a wrong answer */
        }
        set(k, number, (struct jb_text){id, n});
    }
    *ret = (struct jb_text){k->id, k->n};
    return JB_OK;
}

static jb_status
channel_of(struct ids *ids, jb_ledger *l, const struct jb_event *e, struct jb_text *ret,
           struct jb_error *err)
{
    const uint64_t number = event_channel(e);
    struct known_id *k = place_of(&ids->channels, number);
    struct jb_text own;
    if (k == NULL) {
        return app_no_memory(err);
    }
    if (says_id(e, JB_EV_CHANNEL_CREATED, &own)) {
        set(k, number, own);
    } else if (k->number != number) {
        char id[JB_ID_BYTES_MAX];
        size_t n = 0;
        jb_status status = jb_channel_id(l, number, id, &n, err);
        if (status != JB_OK) {
            return status == JB_E_NOTFOUND ? JB_OK : status; /* its number is shown */
        }
        set(k, number, (struct jb_text){id, n});
    }
    *ret = (struct jb_text){k->id, k->n};
    return JB_OK;
}

jb_status
ids_of_event(struct ids *ids, jb_ledger *l, const struct jb_event *e, struct event_ids *ret,
             struct jb_error *err)
{
    *ret = (struct event_ids){{NULL, 0}, {NULL, 0}};
    jb_status status = event_wallet(e) != 0 ? wallet_of(ids, l, e, &ret->wallet, err) : JB_OK;
    return status == JB_OK && event_channel(e) != 0 ? channel_of(ids, l, e, &ret->channel, err)
                                                    : status;
}
