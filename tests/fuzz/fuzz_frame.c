/* Any bytes as a frame: refused with a reason, or read to its end without leaving its bounds. Once
 * as they are, and once with a header whose lengths hold, so that what stands in the frame is read.
 */
#include "base/error.h"
#include "log/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
one(const uint8_t *data, size_t n)
{
    struct jb_frame frame;
    struct jb_frame_failure failure = {0};
    jb_seq key = n >= 16 ? jb_get_be(data + JB_FRAME_FIRST, 8) : 1;
    if (!jb_frame_parse(key, data, n, &frame, &failure)) {
        JB_ASSERT(failure.why != NULL && failure.at <= n + JB_FRAME_EVENTS);
        return;
    }
    JB_ASSERT(jb_frame_size(frame.count, frame.bytes) == n);
    struct jb_event_context context = {frame.base, 32400};
    struct jb_event_space space = {0};
    struct jb_decode_failure why;
    struct jb_event e;
    size_t at = 0;
    for (uint32_t i = 0; i < frame.count && at < frame.bytes; i++) {
        size_t used = jb_event_decode(frame.events + at, frame.bytes - at, frame.first + i,
                                      &context, &e, &space, &why);
        if (used == 0) {
            break;
        }
        at += used;
    }
    jb_seq middle = frame.first + frame.count / 2;
    size_t offset = jb_frame_offset(&frame, middle);
    JB_ASSERT(offset == SIZE_MAX || offset < frame.bytes);
    jb_event_space_free(&space);
}

/* The number of events stays as near to what it was as the length allows. */
static void
mended(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n);
    JB_ASSERT(copy != NULL);
    memcpy(copy, data, n);
    size_t room = n - JB_FRAME_EVENTS;
    size_t count = (size_t)jb_get_be(data + JB_FRAME_COUNT, 4) % 1000 + 1;
    count = count < room ? count : room;
    while (count > 1 && jb_frame_size((uint32_t)count, count) > n) {
        count--;
    }
    size_t table = jb_frame_size((uint32_t)count, 0) - JB_FRAME_EVENTS;
    uint64_t must =
        (jb_get_be(data + JB_FRAME_MUST, 2) & JB_FRAME_LAST) | (table > 0 ? JB_FRAME_OFFSETS : 0);
    jb_put_be(copy + JB_FRAME_FORMAT, 2, JB_LOG_FORMAT);
    jb_put_be(copy + JB_FRAME_MUST, 2, must);
    jb_put_be(copy + JB_FRAME_RESERVED, 2, 0);
    jb_put_be(copy + JB_FRAME_COUNT, 4, count);
    jb_put_be(copy + JB_FRAME_BYTES, 4, room - table);
    one(copy, n);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    one(data, n);
    if (n > JB_FRAME_EVENTS) {
        mended(data, n);
    }
    return 0;
}
