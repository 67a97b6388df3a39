/* The table of all routes: a literal segment stands before a {name} in its place. */
#include "health.h"
#include "route.h"

/* clang-format off */
const struct route routes[] = {
    {METHOD_GET, "/healthz", ACCESS_NONE, LANE_QUICK, health_live, NULL, "live", "whether the daemon runs"},
    {METHOD_GET, "/v1/ledger", ACCESS_READ_ALL, LANE_QUICK, ledger_get, "info", "getLedger", "the ledger: its currency, its place, what it holds"},
};
/* clang-format on */
const size_t routes_n = sizeof routes / sizeof routes[0];
