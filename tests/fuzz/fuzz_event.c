/* Any bytes: no event, or one that encodes to exactly the bytes it was decoded from. */
#include <jangbu/event.h>

#include "base/error.h"
#include "event/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct jb_event_context context = {INT64_C(1790000000000000), 32400};
    struct jb_event_space space = {0};
    struct jb_decode_failure failure;
    struct jb_event e;
    JB_ASSERT(jb_event_length(data, n) <= n);
    size_t used = jb_event_decode(data, n, 1000, &context, &e, &space, &failure);
    if (used > 0) {
        JB_ASSERT(used <= n && jb_event_length(data, n) == used);
        if (jb_event_type_get(e.type) != NULL) {
            struct jb_buffer again = {0};
            JB_ASSERT(jb_event_encode(&e, &context, &again) == NULL && again.n == used &&
                      memcmp(again.at, data, used) == 0);
            free(again.at);
        }
    } else {
        JB_ASSERT(failure.why != NULL && failure.at <= n);
    }
    jb_event_space_free(&space);
    return 0;
}
