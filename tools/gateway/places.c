#include "places.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "log.h"

/* The ledger, what lies in it, and what lies where the key does: each as it is named, and as links
 * lead to it. */
#define PLACES 6

struct places {
    const char *list[PLACES + 1];
    char text[PLACES][PATH_MAX + 1];
};

static void
add(struct places *p, size_t *n, const char *path, const char *end)
{
    const int wrote = snprintf(p->text[*n], sizeof p->text[0], "%s%s", path, end);
    if (wrote > 1 && (size_t)wrote < sizeof p->text[0]) {
        p->list[*n] = p->text[*n];
        *n += 1;
    }
}

/* What lies in the directory of the file, and how links lead to it. */
static void
add_folder(struct places *p, size_t *n, const char *file)
{
    char folder[CONFIG_TEXT_BYTES], real[PATH_MAX];
    const char *slash = strrchr(file, '/');
    if (slash == NULL || slash == file) {
        return; /* of no place but the root */
    }
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - file), file);
    add(p, n, folder, "/");
    if (realpath(folder, real) != NULL) {
        add(p, n, real, "/");
    }
}

const char *const *
places_new(const struct config *c)
{
    char real[PATH_MAX];
    size_t n = 0;
    struct places *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    add(p, &n, c->ledger, "/");
    add(p, &n, c->ledger, "");
    if (realpath(c->ledger, real) != NULL) {
        add(p, &n, real, "/");
        add(p, &n, real, "");
    }
    add_folder(p, &n, c->key_file);
    return p->list;
}

void
places_free(const char *const *places)
{
    free((void *)(uintptr_t)places); /* the list is the first of its struct */
}

void
places_log(const struct exchange *x, const char *sentence)
{
    if (sentence_hides(sentence, x->gateway->places)) {
        log_failed(x, sentence);
    }
}
