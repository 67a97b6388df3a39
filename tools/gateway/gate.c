/* Over the Unix socket: the user that the daemon runs as. Nobody else, and over TCP nobody. */
#include "gate.h"

#include <unistd.h>

#include "problem.h"
#include "route.h"

bool
gate_admit(struct exchange *x)
{
    uint32_t uid = 0;
    const bool own = exchange_peer_uid(x, &uid) && uid == (uint32_t)geteuid();
    if (!own && !(x->route->access == ACCESS_OPS && exchange_operations(x))) {
        problem(x, GATEWAY_UNAUTHENTICATED, NULL);
        return false;
    }
    return true;
}
