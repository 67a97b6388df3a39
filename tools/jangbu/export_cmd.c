/* jangbu export: which format, to where. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "export.h"

static int
run_export(struct app *app, const char *format, bool people, FILE *file)
{
    static const char *const words[] = {"hledger", "ledger", "beancount"};
    struct jb_moment m;
    struct progress p;
    jb_status status =
        jb_moment_resolve(app->views, app->has_as_of ? &app->as_of : NULL, &m, &app->err);
    if (status != JB_OK) {
        return app_fail(app, &app->err);
    }
    progress_begin(&p, "export");
    if (strcmp(format, "csv") == 0 || strcmp(format, "jsonl") == 0) {
        status = export_rows(app, m.seq, strcmp(format, "csv") == 0, people, file, &p, &app->err);
    } else {
        for (int i = 0; i < 3; i++) {
            if (strcmp(format, words[i]) == 0) {
                status = export_books(app, m.seq, (enum books_format)i, file, &p, &app->err);
            }
        }
    }
    progress_end(&p);
    if (status != JB_OK) {
        return app_fail(app, &app->err);
    }
    return EXIT_DONE;
}

/* A new file; NULL with errno. One that names people is for its owner alone, as people.mdb is. */
static FILE *
make_file(const char *path, bool people)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, people ? 0600 : 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && file == NULL) {
        close(fd);
        unlink(path);
        errno = ENOMEM;
    }
    return file;
}

int
cmd_export(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *format = NULL, *path = NULL;
    bool people = false;
    int n, code;
    const struct option_row options[] = {
        {"format", NULL, &format}, {"output", NULL, &path}, {"people", &people, NULL}, {0}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-o") == 0) {
            argv[i] = (char *)(uintptr_t) "--output";
        }
    }
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    static const char *const formats[] = {"csv", "jsonl", "hledger", "ledger", "beancount"};
    bool known = false;
    for (size_t i = 0; i < 5 && format != NULL; i++) {
        known |= strcmp(format, formats[i]) == 0;
    }
    if (n != 1 || format == NULL) {
        return app_usage(app, "jangbu export takes one ledger and --format");
    }
    if (!known) {
        return app_usage(app, "--format is csv, jsonl, hledger, ledger or beancount, not %s",
                         format);
    }
    if (people && strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0) {
        return app_usage(app, "--people is of csv and jsonl: books name nobody");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    FILE *file = path == NULL ? stdout : make_file(path, people);
    if (file == NULL) {
        int why = errno;
        fprintf(stderr, tr("jangbu: cannot make %s: %s%s\n"), path, system_words(why),
                why == EEXIST ? tr("; an export overwrites nothing") : "");
        return why == EEXIST || why == ENOENT ? EXIT_REFUSED : EXIT_MACHINE;
    }
    code = run_export(app, format, people, file);
    bool bad = fflush(file) != 0 || ferror(file) != 0;
    if (path != NULL) {
        bad |= fclose(file) != 0;
    }
    if (bad && path != NULL) { /* standard output: main says it */
        fprintf(stderr, tr("jangbu: the export could not be written: %s\n"), system_words(errno));
        code = EXIT_MACHINE;
    }
    if (code != EXIT_DONE && path != NULL) {
        remove(path); /* half an export is none, and would be in the way of the next */
    }
    return code;
}
