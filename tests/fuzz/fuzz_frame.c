/* Any bytes as a frame: refused with a reason, or read to its end without leaving its bounds. */
#include "base/error.h"
#include "log/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct jb_frame frame;
    struct jb_frame_failure failure = {0};
    jb_seq key = n >= 16 ? jb_get_be(data + 8, 8) : 1;
    if (!jb_frame_parse(key, data, n, &frame, &failure)) {
        JB_ASSERT(failure.why != NULL && failure.at <= n + JB_FRAME_EVENTS);
        return 0;
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
    return 0;
}
