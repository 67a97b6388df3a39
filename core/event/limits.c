/* What the headers have as constants, by number. */
#include <jangbu/ledger.h>

int64_t
jb_limit(jb_limit_name which)
{
    switch (which) {
#define JB_X(number, name)                                                                         \
    case JB_LIMIT_##name:                                                                          \
        return (int64_t)JB_##name;
        JB_LIMITS(JB_X)
#undef JB_X
    case JB_LIMITS_END:
        break;
    }
    return 0;
}
