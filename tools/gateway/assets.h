/* What the page links to: embedded when the daemon is built, from assets/. */
#ifndef JANGBUD_ASSETS_H
#define JANGBUD_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name, *type;
    const char *at;
    size_t n;
};
extern const struct asset assets[];
extern const size_t assets_n;

#endif
