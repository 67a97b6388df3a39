/*
 * What can stand behind the log in place of one machine's file: the seam, and no engine. With none
 * (NULL) the log is log.mdb, and every commit is one of its transactions (append.c).
 *
 * An engine holds a window of commits that a quorum of machines has synced, where they end (the
 * head: number and chain value), and who may write: the holder of the highest epoch. Every node
 * keeps the whole log in its own log.mdb all the same, with the same keys and values; it puts there
 * only what the engine has committed (jb_log_put). So the seam knows commits and their frames, and
 * nothing of events, wallets or rules.
 *
 * The writer decides, cuts the batch into frames, appends them here together with their personal
 * texts, and then puts them into its own file. What is behind the seam keeps three promises:
 *
 *   1. A commit is there whole, with its texts, or not at all.
 *   2. append succeeds only where the epoch is the highest one and the head is `before`: two
 * writers never both succeed, whatever they believe, and a frame never follows another than its
 * own.
 *   3. read and head show only what no machine's loss can take back.
 *
 * A ledger with an engine has a file `cluster` beside its log: programs without that engine read it
 * and do not write (ledger/requires.h).
 */
#ifndef JANGBU_LOG_ENGINE_H
#define JANGBU_LOG_ENGINE_H

#include "log/log.h"

enum jb_engine_answer {
    JB_ENGINE_OK,
    JB_ENGINE_HELD,    /* claim: another one may write; the answer says who */
    JB_ENGINE_MOVED,   /* append: the head is another one; read on, and decide anew */
    JB_ENGINE_FENCED,  /* renew, append: a higher epoch was given; this one writes no more */
    JB_ENGINE_LATER,   /* wait: the time is over */
    JB_ENGINE_UNKNOWN, /* append: no answer in time. The same bytes again, until it is one of the
                          above: at most one of them is done */
    JB_ENGINE_FAILED
};

struct jb_engine_commit {
    struct jb_log_head before, after;
    const struct jb_log_value *frames;
    size_t frames_n;
    struct jb_log_value texts; /* sealed: the engine does not read them */
};

struct jb_engine {
    void *data;
    /* Becomes the writer for ttl_us; *ret_epoch is higher than any before. Reads up to the head
     * first: nobody of a lower epoch appends any more. */
    enum jb_engine_answer (*claim)(void *data, const char *owner, int64_t ttl_us,
                                   uint64_t *ret_epoch, struct jb_error *err);
    /* Stays the writer. It only says when to try: append is what is decided on. */
    enum jb_engine_answer (*renew)(void *data, uint64_t epoch, struct jb_error *err);
    /* One commit behind `before`. OK: a quorum has synced it. */
    enum jb_engine_answer (*append)(void *data, uint64_t epoch,
                                    const struct jb_engine_commit *commit, struct jb_error *err);
    /* Where the log ends, and the epoch that wrote last. */
    enum jb_engine_answer (*head)(void *data, struct jb_log_head *ret, uint64_t *ret_epoch,
                                  struct jb_error *err);
    /* Whole commits behind after_seq, in order, at most `max` of them; take returns false to stop.
     */
    enum jb_engine_answer (*read)(void *data, jb_seq after_seq, size_t max,
                                  bool (*take)(void *to, const struct jb_engine_commit *commit),
                                  void *to, struct jb_error *err);
    /* Returns when the head is beyond after_seq, the epoch is lost, or the time is over. */
    enum jb_engine_answer (*wait)(void *data, jb_seq after_seq, int64_t timeout_us,
                                  struct jb_error *err);
    /* Forgets commits up to `through`: every node has them on its own disk. */
    enum jb_engine_answer (*trim)(void *data, jb_seq through, struct jb_error *err);
};

#endif
