#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lang.h"
#include "parse.h"

enum kind { TEXT, ADDRESS, TIME, SIZE, COUNT, WORD };

struct option {
    const char *name;
    enum kind kind;
    size_t at;           /* in struct config */
    const char *unless;  /* as it would be written */
    int64_t least, most; /* in the unit that is kept */
    const char *words;   /* of WORD: "en|ko", numbered from 0 */
    const char *what;
};

#define AT(member) offsetof(struct config, member)
#define SECOND INT64_C(1000000)
#define MIB (INT64_C(1) << 20)

/* clang-format off */
static const struct option options[] = {
    {"ledger", TEXT, AT(ledger), "", 0, 0, NULL, SAID("directory of the ledger")},
    {"key-file", TEXT, AT(key_file), "", 0, 0, NULL, SAID("where the key of a sealed ledger lies; LEDGER.key unless given")},
    {"tokens", TEXT, AT(tokens), "", 0, 0, NULL, SAID("file of the principals: tokens by their hash, users of the Unix socket; mode 0600")},
    {"owner", WORD, AT(owner), "yes", 0, 0, "yes|no", SAID("whether who runs the daemon needs no token over the Unix socket; no where a proxy of the same user has it")},
    {"listen-unix", TEXT, AT(unix_path), "", 0, 0, NULL, SAID("path of the Unix socket, or none; LEDGER.sock unless given")},
    {"listen", ADDRESS, AT(listen), "127.0.0.1:8420", 0, 0, NULL, SAID("address and port of the TCP listener, or none; port 0 takes a free one")},
    {"ops-listen", ADDRESS, AT(ops_listen), "none", 0, 0, NULL, SAID("address and port of a listener for /healthz, /readyz and /metrics alone")},
    {"audit-file", TEXT, AT(audit_file), "", 0, 0, NULL, SAID("file that is touched when an audit has verified the ledger: its time is a metric")},
    {"lang", WORD, AT(lang), "en", 0, 0, "en|ko", SAID("language where a request names neither")},
    {"log", WORD, AT(log), "all", 0, 0, "all|failures|off", SAID("requests that get a line on standard error")},
    {"head-time", TIME, AT(head_us), "10s", SECOND / 100, 600 * SECOND, NULL, SAID("longest time from a request's first line to the end of its head")},
    {"body-time", TIME, AT(body_us), "30s", SECOND / 100, 3600 * SECOND, NULL, SAID("longest time for its body")},
    {"answer-time", TIME, AT(answer_us), "120s", SECOND / 100, 3600 * SECOND, NULL, SAID("longest time until a client has taken its answer")},
    {"idle-time", TIME, AT(idle_us), "75s", SECOND / 100, 86400 * SECOND, NULL, SAID("how long a connection may stay open between two requests")},
    {"lock-time", TIME, AT(lock_wait_us), "10s", SECOND / 100, 3600 * SECOND, NULL, SAID("longest wait for the writer lock of the ledger")},
    {"slow-time", TIME, AT(slow_us), "10s", SECOND / 100, 3600 * SECOND, NULL, SAID("longest wait of a slow read for a worker, and how long it may take then")},
    {"sync-time", TIME, AT(sync_us), "500ms", SECOND / 100, 60 * SECOND, NULL, SAID("how often the projections are stored")},
    {"stop-time", TIME, AT(stop_us), "5s", SECOND / 100, 3600 * SECOND, NULL, SAID("how long a stop waits for clients; what the ledger is at goes on for lock-time or slow-time")},
    {"body-size", SIZE, AT(body_bytes), "64k", 1024, 64 * MIB, NULL, SAID("largest body of one command")},
    {"lines-size", SIZE, AT(lines_bytes), "4M", 1024, 64 * MIB, NULL, SAID("largest body of many, application/x-ndjson")},
    {"bodies-size", SIZE, AT(bodies_bytes), "256M", MIB, INT64_C(1) << 40, NULL, SAID("largest sum of all bodies that are being read or waiting")},
    {"answers-size", SIZE, AT(answers_bytes), "256M", MIB, INT64_C(1) << 40, NULL, SAID("largest sum of all answers that clients have not taken yet")},
    {"disk-free", SIZE, AT(disk_bytes), "64M", 0, INT64_C(1) << 50, NULL, SAID("free space below which it is not ready")},
    {"connections", COUNT, AT(connections), "4096", 1, 1000000, NULL, SAID("most connections at a time")},
    {"connections-per-address", COUNT, AT(per_address), "0", 0, 1000000, NULL, SAID("most of them from one TCP address; 0: no limit, for a proxy")},
    {"queue", COUNT, AT(queue), "65536", 1, 10000000, NULL, SAID("most commands that wait for the ledger")},
    {"slow-queue", COUNT, AT(slow_queue), "256", 1, 1000000, NULL, SAID("most slow reads that wait for a worker")},
    {"page-sessions", COUNT, AT(page_sessions), "4096", 1, 65536, NULL, SAID("most sessions of the page at a time")},
    {"page-rate", COUNT, AT(page_rate), "20", 1, 100000, NULL, SAID("pages a second that one session may ask for; three seconds' worth at once")},
    {"subscribers", COUNT, AT(subscribers), "256", 0, 1000000, NULL, SAID("most streams of events at a time")},
    {"lag", COUNT, AT(lag_events), "1000000", 1, INT64_MAX, NULL, SAID("events not stored above which it is not ready")},
};
/* clang-format on */
#define OPTIONS (sizeof options / sizeof options[0])

static const struct option *
option_called(const char *name, size_t n)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(options[i].name) == n && memcmp(options[i].name, name, n) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

/* What only stands on the command line. */
static const char *const flag_words[] = {"config",  "check",   "openapi",
                                         "example", "version", "help"};
#define FLAG_WORDS (sizeof flag_words / sizeof flag_words[0])

static const char *
nth_setting(unsigned i)
{
    return i < OPTIONS ? options[i].name : NULL;
}

static const char *
nth_flag(unsigned i)
{
    return i < OPTIONS                ? options[i].name
           : i < OPTIONS + FLAG_WORDS ? flag_words[i - OPTIONS]
                                      : NULL;
}

static const char *
nth_command(unsigned i)
{
    static const char *const words[] = {"token", "help"};
    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

/* ---- values ---- */

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit units_of_time[] = {
    {"ms", 1000}, {"s", SECOND}, {"min", 60 * SECOND}, {"h", 3600 * SECOND}, {NULL, 0}};
static const struct unit units_of_size[] = {{"", 1},    {"k", 1024},       {"K", 1024},
                                            {"M", MIB}, {"G", 1024 * MIB}, {NULL, 0}};
static const struct unit units_of_count[] = {{"", 1}, {NULL, 0}};

static const struct unit *
units_of(enum kind kind)
{
    return kind == TIME ? units_of_time : kind == SIZE ? units_of_size : units_of_count;
}

/* Digits and a unit. False: it is none, or too large. */
static bool
number_read(enum kind kind, const char *text, int64_t *ret)
{
    int64_t value = 0;
    const char *s = text;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *s - '0', &value)) {
            return false;
        }
    }
    const struct unit *u = units_of(kind);
    while (u->name != NULL && strcmp(u->name, s) != 0) {
        u++;
    }
    return s != text && u->name != NULL && !__builtin_mul_overflow(value, u->factor, ret);
}

static bool
word_read(const char *words, const char *text, int64_t *ret)
{
    const size_t n = strlen(text);
    int64_t number = 0;
    for (const char *w = words; w != NULL && n > 0; number++) {
        const char *end = strchr(w, '|');
        const size_t length = end != NULL ? (size_t)(end - w) : strlen(w);
        if (length == n && memcmp(w, text, n) == 0) {
            *ret = number;
            return true;
        }
        w = end != NULL ? end + 1 : NULL;
    }
    return false;
}

/* "127.0.0.1:8420", "[::1]:0". getaddrinfo would take port 65537 for 1. */
static bool
is_address(const char *text)
{
    const char *port = strrchr(text, ':');
    if (text[0] == '\0' || strcmp(text, "none") == 0) {
        return true;
    }
    if (port == NULL || port == text) {
        return false;
    }
    int64_t number = 0;
    return number_read(COUNT, port + 1, &number) && number <= UINT16_MAX;
}

static const char *
what_it_takes(const struct option *o)
{
    switch (o->kind) {
    case TIME:
        return tr("a time like 500ms, 10s, 2min");
    case SIZE:
        return tr("a size like 65536, 64k, 4M");
    case COUNT:
        return tr("a whole number");
    case WORD:
        return o->words;
    case ADDRESS:
        return tr("ADDRESS:PORT like 127.0.0.1:8420, the port up to 65535, or none");
    case TEXT:
        break;
    }
    return tr("a text");
}

/* Why the value is none; NULL: it is set. */
static const char *
set(struct config *c, const struct option *o, const char *value)
{
    char *at = (char *)c + o->at;
    if (o->kind == ADDRESS && !is_address(value)) {
        return what_it_takes(o);
    }
    if (o->kind == TEXT || o->kind == ADDRESS) {
        const size_t n = strlen(value);
        if (n >= CONFIG_TEXT_BYTES) {
            return tr("it is too long");
        }
        memcpy(at, value, n + 1);
        return NULL;
    }
    int64_t number = 0;
    const bool read = o->kind == WORD ? word_read(o->words, value, &number)
                                      : number_read(o->kind, value, &number);
    if (!read) {
        return what_it_takes(o);
    }
    if (o->kind != WORD && (number < o->least || number > o->most)) {
        return tr("it is out of range");
    }
    memcpy(at, &number, sizeof number);
    return NULL;
}

void
config_init(struct config *c)
{
    *c = (struct config){.ledger = ""};
    for (size_t i = 0; i < OPTIONS; i++) {
        (void)!set(c, &options[i], options[i].unless);
    }
}

/* ---- the file ---- */

static bool
blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void
trim(const char **s, size_t *n)
{
    while (*n > 0 && blank(**s)) {
        *s += 1;
        *n -= 1;
    }
    while (*n > 0 && blank((*s)[*n - 1])) {
        *n -= 1;
    }
}

/* One line without its end. */
static bool
line_read(struct config *c, const char *file, unsigned number, const char *s, size_t n, char *bad,
          size_t bad_n)
{
    trim(&s, &n);
    if (n == 0 || *s == '#') {
        return true;
    }
    const char *equals = memchr(s, '=', n);
    if (equals == NULL || memchr(s, '\0', n) != NULL) {
        snprintf(bad, bad_n, tr("%s:%u: this is no `name = value`"), file, number);
        return false;
    }
    const char *name = s;
    size_t name_n = (size_t)(equals - s);
    const char *text = equals + 1;
    size_t text_n = n - name_n - 1;
    trim(&name, &name_n);
    trim(&text, &text_n);
    const struct option *o = option_called(name, name_n);
    if (o == NULL) {
        const char *near = nearest_word(name, name_n, nth_setting);
        const int shown = (int)(name_n < 64 ? name_n : 64);
        if (near != NULL) {
            snprintf(bad, bad_n, tr("%s:%u: there is no setting %.*s; do you mean %s?"), file,
                     number, shown, name, near);
        } else {
            snprintf(bad, bad_n, tr("%s:%u: there is no setting %.*s"), file, number, shown, name);
        }
        return false;
    }
    char value[CONFIG_TEXT_BYTES + 1];
    const size_t kept = text_n < CONFIG_TEXT_BYTES ? text_n : CONFIG_TEXT_BYTES;
    memcpy(value, text, kept);
    value[kept] = '\0';
    const char *why = set(c, o, value);
    if (why != NULL) {
        snprintf(bad, bad_n, tr("%s:%u: %s cannot be %.100s: %s"), file, number, o->name, value,
                 why);
    }
    return why == NULL;
}

bool
config_read(struct config *c, const char *file, const char *text, size_t n, char *bad, size_t bad_n)
{
    unsigned number = 1;
    for (size_t at = 0; at < n; number++) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end != NULL ? (size_t)(end - (text + at)) : n - at;
        if (!line_read(c, file, number, text + at, length, bad, bad_n)) {
            return false;
        }
        at += length + 1;
    }
    return true;
}

#define FILE_BYTES_MAX (1U << 20)

bool
config_read_file(struct config *c, const char *file, char *bad, size_t bad_n)
{
    FILE *f = fopen(file, "rbe");
    char *text = f != NULL ? malloc(FILE_BYTES_MAX) : NULL;
    const size_t n = text != NULL ? fread(text, 1, FILE_BYTES_MAX, f) : 0;
    bool ok = text != NULL && ferror(f) == 0;
    if (!ok) {
        snprintf(bad, bad_n, tr("reading %s failed: %s"), file, strerror(errno));
    } else if (n == FILE_BYTES_MAX) {
        snprintf(bad, bad_n, tr("%s is too large to be a file of settings"), file);
        ok = false;
    } else {
        ok = config_read(c, file, text, n, bad, bad_n);
    }
    free(text);
    if (f != NULL) {
        fclose(f);
    }
    return ok;
}

/* ---- flags ---- */

struct flags {
    int argc, at;
    char **argv;
    char *bad;
    size_t bad_n;
    const char *ledger; /* the word without dashes; NULL: none yet */
};

/* The value of the flag that is looked at: behind its =, or the next argument. */
static const char *
flag_value(struct flags *f, const char *name, size_t n)
{
    if (name[n] == '=') {
        return name + n + 1;
    }
    if (f->at + 1 < f->argc) {
        return f->argv[++f->at];
    }
    snprintf(f->bad, f->bad_n, tr("--%.64s lacks its value"), name);
    return NULL;
}

static bool
plain_flag(struct config *c, const char *name)
{
    const struct {
        const char *name;
        bool *at;
    } plain[] = {{"check", &c->check},
                 {"help", &c->help},
                 {"version", &c->version},
                 {"openapi", &c->openapi}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(plain[i].name, name) == 0) {
            *plain[i].at = true;
            return true;
        }
    }
    return false;
}

/* The word without dashes is the ledger: one, and none that was to be a command. */
static bool
word_read_alone(struct config *c, struct flags *f, const char *word)
{
    const char *near = nearest_word(word, strlen(word), nth_command);
    if (near != NULL && access(word, F_OK) != 0) {
        snprintf(f->bad, f->bad_n, tr("there is no ledger %.64s; do you mean jangbud %s?"), word,
                 near);
        return false;
    }
    if (f->ledger != NULL) {
        snprintf(f->bad, f->bad_n, tr("it serves one ledger: %.64s, or %.64s?"), f->ledger, word);
        return false;
    }
    f->ledger = word;
    const char *why = set(c, &options[0], word);
    if (why != NULL) {
        snprintf(f->bad, f->bad_n, "%.100s: %s", word, why);
    }
    return why == NULL;
}

static bool
no_flag(const struct flags *f, const char *name, size_t n)
{
    const char *near = nearest_word(name, n, nth_flag);
    const char *typed = f->argv[f->at];
    if (near != NULL) {
        snprintf(f->bad, f->bad_n, tr("there is no flag %.64s; do you mean --%s?"), typed, near);
    } else {
        snprintf(f->bad, f->bad_n, tr("there is no flag %.64s; see jangbud --help"), typed);
    }
    return false;
}

static bool
flag_read(struct config *c, struct flags *f, bool files)
{
    const char *name = f->argv[f->at];
    if (name[0] != '-') {
        return files || word_read_alone(c, f, name);
    }
    if (strcmp(name, "-h") == 0) {
        c->help = true;
        return true;
    }
    if (name[1] != '-') {
        return no_flag(f, name + 1, strcspn(name + 1, "="));
    }
    name += 2;
    if (plain_flag(c, name)) {
        return true;
    }
    const size_t n = strcspn(name, "=");
    const bool file = n == 6 && memcmp(name, "config", 6) == 0;
    const struct option *o = option_called(name, n);
    if (o == NULL && !file) {
        return no_flag(f, name, n);
    }
    const char *value = flag_value(f, name, n);
    if (value == NULL) {
        return false;
    }
    if (file) {
        return !files || config_read_file(c, value, f->bad, f->bad_n);
    }
    const char *why = files ? NULL : set(c, o, value);
    if (why != NULL) {
        snprintf(f->bad, f->bad_n, tr("--%s cannot be %.100s: %s"), o->name, value, why);
    }
    return why == NULL;
}

bool
config_read_flags(struct config *c, int argc, char **argv, char *bad, size_t bad_n)
{
    /* The file first, wherever it is named. */
    for (int pass = 0; pass < 2; pass++) {
        struct flags f = {.argc = argc, .at = 1, .argv = argv, .bad = bad, .bad_n = bad_n};
        for (; f.at < argc; f.at++) {
            if (!flag_read(c, &f, pass == 0)) {
                return false;
            }
        }
    }
    return true;
}

/* As it is from the root on, so that no sentence depends on where the daemon was started. Too long:
 * it stays as it was given. */
static void
from_root(char path[CONFIG_TEXT_BYTES])
{
    char whole[CONFIG_TEXT_BYTES];
    char *here = path[0] != '/' ? getcwd(NULL, 0) : NULL;
    const int n = here != NULL ? snprintf(whole, sizeof whole, "%s/%s",
                                          strcmp(here, "/") != 0 ? here : "", path)
                               : -1;
    if (n > 0 && (size_t)n < sizeof whole) {
        memcpy(path, whole, (size_t)n + 1);
    }
    free(here);
}

bool
config_finish(struct config *c, char *bad, size_t bad_n)
{
    if (c->ledger[0] == '\0') {
        snprintf(bad, bad_n, "%s", tr("there is no ledger given; see jangbud --help"));
        return false;
    }
    size_t n = strlen(c->ledger);
    while (n > 1 && c->ledger[n - 1] == '/') {
        c->ledger[--n] = '\0';
    }
    if (c->unix_path[0] == '\0') {
        const int wrote = snprintf(c->unix_path, sizeof c->unix_path, "%s.sock", c->ledger);
        if (wrote < 0 || (size_t)wrote >= sizeof c->unix_path) {
            snprintf(bad, bad_n, "%s", tr("the path of the ledger is too long"));
            return false;
        }
    }
    from_root(c->ledger);
    if (c->key_file[0] != '\0') {
        from_root(c->key_file);
    }
    return true;
}

void
config_help(FILE *to)
{
    fputs(tr("usage: jangbud LEDGER [--config FILE] [--NAME VALUE]...\n"
             "Serves a ledger over HTTP. FILE has a `name = value` a line; flags of the same names "
             "win.\n\n"
             "  --config FILE   settings\n"
             "  --check         look whether the settings and the ledger are well, then end\n"
             "  --openapi       print the description of the interface\n"
             "  --example DIR   make an example ledger there, and print addresses of its page\n"
             "  --version, --help\n"
             "  token new NAME  make a token: `jangbud token --help`\n\n"
             "Settings:\n"),
          to);
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        fprintf(to, "  %-24s %s", o->name, tr(o->what));
        if (o->words != NULL) {
            fprintf(to, "; %s", o->words);
        }
        if (o->unless[0] != '\0') {
            fprintf(to, " [%s]", o->unless);
        }
        fputc('\n', to);
    }
    fputs(tr("\nSIGTERM and SIGINT end it when all that was accepted is answered; SIGHUP reads the "
             "tokens again.\n"),
          to);
}
