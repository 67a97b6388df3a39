#include "supplier_file.h"

#include <errno.h>
#include <stdlib.h>

#define BYTES_MAX 65536

static bool
cannot_read(const char *path, int why, int *ret_exit)
{
    fprintf(stderr, tr("jangbu: cannot read %s: %s\n"), path, system_words(why));
    *ret_exit = why == ENOENT ? EXIT_REFUSED : EXIT_MACHINE;
    return false;
}

static bool
read_text(struct app *app, const char *path, char text[BYTES_MAX + 1], size_t *ret_n, int *ret_exit)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return cannot_read(path, errno, ret_exit);
    }
    errno = 0;
    *ret_n = fread(text, 1, BYTES_MAX + 1, file);
    const int why = ferror(file) ? errno : 0;
    fclose(file);
    if (why != 0) {
        return cannot_read(path, why, ret_exit);
    }
    if (*ret_n > BYTES_MAX) {
        *ret_exit = app_usage(app, "the supplier's file has at most 65,536 bytes: %s", path);
        return false;
    }
    return true;
}

bool
supplier_read(struct app *app, const char *path, struct supplier_file *ret, int *ret_exit)
{
    static char text[BYTES_MAX + 1];
    struct bad_line bad = {.column = 0};
    size_t n;
    const char *named = getenv("JANGBU_SUPPLIER");
    *ret = (struct supplier_file){.given = false};
    path = path != NULL ? path : named != NULL && named[0] != '\0' ? named : NULL;
    if (path == NULL) {
        return true;
    }
    if (!read_text(app, path, text, &n, ret_exit)) {
        return false;
    }
    ret->pool = json_pool_new();
    if (ret->pool == NULL) {
        fputs(tr("jangbu: no memory\n"), stderr);
        *ret_exit = EXIT_MACHINE;
        return false;
    }
    if (!supplier_from_json(ret->pool, text, n, &ret->is, &bad)) {
        *ret_exit = app_usage(app, "%s (in the supplier's file %s)", bad.message, path);
        return false;
    }
    ret->given = true;
    return true;
}

struct invoice_party
supplier_party(const struct supplier_file *s)
{
    return (struct invoice_party){.number = s->is.number.s,
                                  .name = s->is.name.s,
                                  .representative = s->is.representative.s,
                                  .address = s->is.address.s,
                                  .type = s->is.type.s,
                                  .item = s->is.item.s,
                                  .email = s->is.email.s};
}

void
supplier_free(struct supplier_file *s)
{
    json_pool_free(s->pool);
}
