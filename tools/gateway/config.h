/* What the daemon is told: one file of `name = value`, and flags of the same names, which win. */
#ifndef JANGBUD_CONFIG_H
#define JANGBUD_CONFIG_H

#include <jangbu/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum log_what { LOG_ALL, LOG_FAILURES, LOG_OFF };

#define CONFIG_TEXT_BYTES 1024

struct config {
    char ledger[CONFIG_TEXT_BYTES];
    char key_file[CONFIG_TEXT_BYTES];
    char tokens[CONFIG_TEXT_BYTES];
    char unix_path[CONFIG_TEXT_BYTES];
    char listen[CONFIG_TEXT_BYTES];
    char ops_listen[CONFIG_TEXT_BYTES];
    char audit_file[CONFIG_TEXT_BYTES];
    int64_t lang;  /* config_lang */
    int64_t log;   /* enum log_what */
    int64_t owner; /* 0: yes */
    /* Microseconds. */
    int64_t head_us, body_us, answer_us, idle_us;
    int64_t lock_wait_us, slow_us, sync_us, stop_us;
    /* Bytes. */
    int64_t body_bytes, lines_bytes, bodies_bytes, answers_bytes, disk_bytes;
    /* How many. */
    int64_t connections, per_address, queue, slow_queue, page_sessions, page_rate, subscribers,
        lag_events;
    bool check; /* only look whether all is well */
    bool help, version, openapi;
};

static inline jb_lang
config_lang(const struct config *c)
{
    return c->lang == 1 ? JB_LANG_KO : JB_LANG_EN;
}

/* All as it is unless something is said. */
void config_init(struct config *c);
/* Reads text as the file of that name would be. False: a sentence of what is wrong, with file and
 * line, is in bad. */
bool config_read(struct config *c, const char *file, const char *text, size_t n, char *bad,
                 size_t bad_n);
bool config_read_file(struct config *c, const char *file, char *bad, size_t bad_n);
/* The flags, after the file that --config names. */
bool config_read_flags(struct config *c, int argc, char **argv, char *bad, size_t bad_n);
/* What depends on something else, when all was read. */
bool config_finish(struct config *c, char *bad, size_t bad_n);
void config_help(FILE *to);

#endif
