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
/* The month of `jangbud --example`: tools/example. */
extern const struct asset example_files[];
extern const size_t example_files_n;

#endif
