/* What the daemon has: one of these, made by main.c. */
#ifndef JANGBUD_GATEWAY_H
#define JANGBUD_GATEWAY_H

#include <jangbu/projections.h>
#include <stdatomic.h>

#include "queries.h"

#define SLOW_WORKERS 2U

struct auth;
struct config;
struct feed;
struct http;
struct keeper;
struct metrics;
struct pages;
struct submitters;
struct workers;

struct gateway {
    const struct config *config;
    jb_ledger *ledger;
    /* Each has views of its own, so that none waits for another's. */
    struct asked quick; /* for LANE_QUICK, in the loops */
    struct asked brief; /* for what is tried in a moment, before a slow worker has it */
    struct asked slow[SLOW_WORKERS]; /* for each of the slow workers */
    jb_views *stores;                /* the keeper's: what the others read is stored by it alone */
    struct auth *auth;
    struct http *http;
    struct submitters *submitters;
    struct workers *brief_worker; /* of LANE_SLOW, first */
    struct workers *workers;      /* of what took longer */
    struct workers *takers; /* who reads bodies of many commands: no slow read holds them up */
    struct feed *feed;
    struct metrics *metrics;
    struct keeper *keeper;
    struct pages *pages;       /* sessions of the page */
    struct out openapi;        /* the document, made when it starts */
    const char *const *places; /* of this machine, which nobody elsewhere is told: places.h */
    char ledger_id[40];
    bool example; /* jangbud --example: addresses are printed when it listens */
    atomic_bool stopping;
};

#endif
