/* What the daemon has: one of these, made by main.c. */
#ifndef JANGBUD_GATEWAY_H
#define JANGBUD_GATEWAY_H

#include <jangbu/projections.h>
#include <stdatomic.h>

#include "queries.h"

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
    struct asked quick; /* for LANE_QUICK */
    struct asked slow;  /* for LANE_SLOW: its own views, so that no quick read waits for it */
    jb_views *stores;   /* the keeper's: what the others read is stored by it alone */
    struct auth *auth;
    struct http *http;
    struct submitters *submitters;
    struct workers *workers; /* of LANE_SLOW */
    struct feed *feed;
    struct metrics *metrics;
    struct keeper *keeper;
    struct pages *pages; /* sessions of the page */
    struct out openapi;  /* the document, made when it starts */
    char ledger_id[40];
    bool example; /* jangbud --example: addresses are printed when it listens */
    atomic_bool stopping;
};

#endif
