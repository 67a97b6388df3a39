/* The ledger's parts, for the files of this folder only. */
#ifndef JANGBU_LEDGER_INTERNAL_H
#define JANGBU_LEDGER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "state/state.h"
#include "ledger/answers.h"
#include "ledger/queue.h"
#include "ledger/requires.h"
#include "ledger/secret.h"
#include "ledger/reader.h"
#include "storage/lmdb_env.h"
#include "log/head.h"
#include "storage/writer_lock.h"
#include "log/log.h"
#include "personal/personal.h"
#include "rules/decide.h"
#include "state/around.h"

/* A commit ends at this many events or bytes of them, or after this long of deciding; between
 * commands, never inside one. */
#define JB_COMMIT_EVENTS_MAX 8192
/* Likewise at so many bytes: the largest command then still stays within JB_COMMIT_BYTES_MAX. */
#define JB_COMMIT_BYTES_CUT (16 << 20)
#define JB_COMMIT_DECIDE_US 4000

/* One call of jb_submit, waiting to be carried out. */
struct jb_request {
    struct jb_request *next;
    const struct jb_command *commands;
    size_t n;
    size_t decided; /* commands whose answers are ready but not yet on disk */
    size_t done;    /* commands whose answers are final */
    /* The closing of days before the next command was cut by a commit: the last event before it
     * began. */
    bool cut;
    jb_seq before_cut;
    size_t held; /* commands whose events are on disk; the answers of the last may not be final: */
    jb_seq owes; /* whom this event, the last of `forget`s, forgot is not yet forgotten in every
                    copy; 0: nobody. Their answers wait */
    size_t owes_from; /* the first of these commands */
    struct jb_submit_options options;
    jb_lang lang;
    struct jb_text caller;
    jb_answers *answers;
    jb_status status;
    struct jb_error err;  /* in its language */
    struct jb_error stop; /* why the command behind the n-th cannot be done: of those before it n */
    int64_t since;        /* monotonic: when it was queued */
    bool recover;         /* jb_operator_recover */
    bool finished;        /* it has left the queue; for who leads: the others have `turn` */
    pthread_t thread;
    _Atomic uint32_t turn; /* enum jb_turn */
};

/* known.c */
struct jb_known_id {
    uint64_t ref;
    size_t at, n; /* of bytes */
};
struct jb_known {
    struct jb_map map;
    JB_VEC(struct jb_known_id) list;
    struct jb_buffer bytes;
    uint64_t txn;     /* of people.mdb */
    uint64_t through; /* references up to here are on disk */
};

struct jb_ledger {
    char *dir; /* as it was given, for sentences */
    jb_lang lang;
    char *place; /* the same, absolute: the process may change its directory */
    bool read_only;
    bool accept_rollback;
    bool rolled_back; /* a reader goes on, and is told */
    bool accept_clock;
    struct jb_error
        refused; /* why this program may read and not write (requires.h); status 0: none */
    struct jb_error refused_too; /* the same in the other language: a call may have its own */
    int64_t requires_at;         /* monotonic: when that was looked at last */
    char caller[JB_SHORT_BYTES_MAX + 1];
    int64_t lock_wait_us;
    jb_instant (*now)(void *data);
    void *now_data;
    struct jb_log *log;
    struct jb_log_identity identity;
    struct jb_store *store; /* NULL: read-only and none that can be used */
    struct jb_personal *personal;
    char *key_file;          /* as it was given; NULL: where it lies if nobody says */
    struct jb_error unkeyed; /* people.mdb is not the sealed one that the log speaks of: nothing is
                                written; status 0: it is */
    struct jb_lock *lock;    /* the log's; NULL: read-only */
    int head_fd;
    int64_t fault_again_at; /* monotonic: when the device is read back again */
    bool has_secret;
    bool head_damaged;
    bool secret_damaged; /* there is a file, and it is not this ledger's */
    uint8_t secret[JB_SECRET_BYTES];

    /* Callers that wait; one of them leads and does the work of all. */
    struct jb_queue queue;

    /* What uses the log and this struct until it is closed: the handle itself, its cursors and its
     * projections. `closed` is set by jb_close when others are left. */
    _Atomic unsigned users;
    bool closed;

    /* wait.c: callers of jb_wait. */
    pthread_mutex_t wait_lock;
    pthread_cond_t wait_left;
    unsigned waiting;
    _Atomic bool waits_ended;

    /* Held by who uses the writing side and does not lead, and by who leads and does not hold the
     * writer lock yet. Taken before that one. */
    pthread_mutex_t state_lock;
    /* The writing side: used by who leads and holds the writer lock. */
    struct jb_state *state;
    struct jb_log_batch batch;
    struct jb_verdict verdict;
    struct jb_known known;
    struct jb_around around; /* of the command that is decided, where anything is asked of it */
    unsigned pressure;       /* jb_behind_pressure, when the last commit ended; by who leads */
    jb_instant stored_at;    /* monotonic, of the last freeze */
    uint64_t looks;          /* at the clock while deciding; tests count them */
    jb_instant clock;        /* as it was read last, which holds for so many commands more */
    unsigned clock_holds;
#define JB_NEAR (2 * JB_WARM_MAX)
    uint32_t near[JB_NEAR]; /* numbers of the wallets that were sent for, by the commands' places;
                               guesses: whoever uses one looks at its id */
    /* Where a closing of days that was cut by a commit goes on. */
    jb_seq forgot;          /* by the command that was decided last; 0: it was no `forget` */
    JB_VEC(uint64_t) dying; /* people whom events of the batch forget */
    jb_day closing_day;
    struct jb_due closing_after;
    bool closing;
    bool trial; /* a closing that will be undone: it is not cut by the commit's cap */

    /* What opening a ledger to write has folded, for the side that is used first: a command's or a
     * query's, which then need not fold the same. NULL: one of them has it. */
    struct jb_state *_Atomic folded;

    /* The reading side. */
    pthread_mutex_t read_lock;
    struct jb_state *read_state;
    pthread_mutex_t past_lock;
    struct jb_state *past; /* folded up to some past event; NULL: nobody has asked (read_due.c) */
    JB_VEC(struct jb_reader_grant) read_grants;
};

/* people.c: opens people.mdb, and goes on with what a killed `encrypt` or `forget` left. */
jb_status jb_people_open(struct jb_ledger *l, struct jb_error *err);
/* What comes before a commit: the key, and who was forgotten since by others. By the holder of the
 * writer lock, who has caught up. */
jb_status jb_people_begin(struct jb_ledger *l, struct jb_error *err);
/* One step of what is left to do about the forgotten up to event `seq`. *ret_done: there is nothing
 * left. */
jb_status jb_people_step(struct jb_ledger *l, jb_seq seq, size_t owners, bool *ret_done,
                         struct jb_error *err);
/* encrypt.c: puts in place what an `encrypt` made that was killed behind its event. */
jb_status jb_encrypt_finish(const char *dir, struct jb_error *err);

/* texts.c: what kind of text lies behind a reference in an event's field. */
enum jb_text_kind {
    JB_KIND_ID,    /* of a person, who is its owner */
    JB_KIND_NAME,  /* of a wallet */
    JB_KIND_WORDS, /* a note, or a reason in words */
    JB_KIND_MAIL,  /* an address for mail */
    JB_KIND_RECORD /* of a business */
};
enum jb_text_kind jb_text_kind_of(uint32_t type, const char *field);
/* Whom such a text of the event is about. The ids that the event names have their references
 * already. master: its wallet's master at this event; 0: none. */
void jb_text_owners(const struct jb_event *e, enum jb_text_kind kind, uint64_t master,
                    struct jb_owners *ret);
uint64_t jb_business_number(struct jb_text digits);
/* A reason that is no code, and so a personal text. */
bool jb_reason_is_words(const struct jb_command *c);

/* submit.c: whether this program may write on; and a device that failed is noted. */
jb_status jb_ledger_may_write(struct jb_ledger *l, struct jb_error *err);
jb_status jb_ledger_clear_fault(struct jb_ledger *l, struct jb_error *err);
void jb_ledger_note_fault(struct jb_ledger *l, jb_status status, const struct jb_error *err);

/* open.c: the side takes what opening has folded, if nobody has it yet: as a writer under
 * state_lock or the writer lock, as a reader under read_lock. */
void jb_ledger_take_writing(struct jb_ledger *l);
void jb_ledger_take_reading(struct jb_ledger *l);
/* As it was when the ledger was opened, or later. By who is alone with the handle. */
const struct jb_globals *jb_ledger_as_opened(const struct jb_ledger *l, bool *ret_known);

/* open.c: l->refused, in the language of the call. */
jb_status jb_fail_refused(const struct jb_ledger *l, struct jb_error *err);
/* open.c: goes on as a reader; jb_submit says JB_E_FORMAT with that sentence, whose %s is the
 * ledger's directory. */
void jb_ledger_refuse(struct jb_ledger *l, const char *why);

/* fingerprint.c */
uint64_t jb_fingerprint(const struct jb_ledger *l,
                        const struct jb_command *c); /* 0: the secret is lost */
/* False: the event's was made with the secret from before people.mdb was sealed. */
bool jb_fingerprint_holds(const struct jb_ledger *l, jb_seq seq);
/* secret.c */
jb_status jb_secret_make(const char *dir, const uint8_t ledger_id[16], struct jb_error *err);
jb_status jb_secret_write(const char *dir, const uint8_t secret[JB_SECRET_BYTES],
                          const uint8_t ledger_id[16], struct jb_error *err);
jb_status jb_secret_write_as(const char *dir, const char *name,
                             const uint8_t secret[JB_SECRET_BYTES], const uint8_t ledger_id[16],
                             struct jb_error *err);
jb_status jb_secret_load(struct jb_ledger *l, struct jb_error *err);

/* read.c: what a look into the state met: JB_E_STALE where the stored part of it cannot be
 * believed. Then it is folded again from the log alone, up to the same event, and the look is worth
 * another try. */
bool jb_reader_again(jb_ledger *l, jb_status *status, struct jb_error *err);

/* wait.c: returns when those who wait have left. It knows of those alone that have entered: who
 * closes must have seen to it that none is on the way in. */
void jb_wait_left(struct jb_ledger *l);

/* open.c: the error of what uses a ledger that was closed. */
jb_status jb_fail_closed(struct jb_error *err);

/* init.c: makes the names in a new directory, and its own, last. */
jb_status jb_sync_dir(const char *dir, struct jb_error *err);

/* Whether the command is one of this version's header; of a group, whose members may be others,
 * false: it has to be looked at closely. */
static inline bool
jb_abi_is_ours(const struct jb_command *c)
{
    return c->size == sizeof *c && c->op != JB_OP_ATOMIC;
}
/* command_abi.c: commands as this version has them: as they are where the caller has the same
 * header, else copies in set's memory. */
jb_status jb_abi_commands(jb_answers *set, const struct jb_command *list, size_t n,
                          const struct jb_command **ret, struct jb_error *err);

/* execute.c: decides one command, its events go into the batch. */
enum jb_step {
    JB_STEP_DECIDED,      /* the answer is ready */
    JB_STEP_COMMIT_FIRST, /* a closing of days filled the commit: commit, let others pass, and come
                             again */
    JB_STEP_FAILED        /* err says why; the state is not usable */
};
enum jb_step jb_execute(struct jb_ledger *l, const struct jb_request *r, size_t index,
                        struct jb_error *err);
/* forget.c: a step on the way to forget whom event seq, or one before it, forgot.
 * JB_STEP_COMMIT_FIRST: there are more, or something is to be committed before. */
enum jb_step jb_forget_on(struct jb_ledger *l, jb_seq seq, struct jb_error *err);
/* batch.c: asserts that the batch, the state and the end of the log go in step. */
void jb_batch_check(const struct jb_ledger *l);
/* batch.c: puts an event that is complete but for seq and prev into the batch and the state. */
jb_status jb_batch_append(struct jb_ledger *l, struct jb_event *e, struct jb_error *err);

/* closing.c: closes days up to `through`, in steps. final (may be NULL) has the envelope of the
 * last day's event. */
enum jb_step jb_close_days(struct jb_ledger *l, jb_day through, jb_instant recorded_at,
                           const struct jb_event *final, struct jb_error *err);
/* Writes the wallet's due expiries. */
jb_status jb_expire_due(struct jb_ledger *l, struct jb_cached_wallet *s, jb_instant recorded_at,
                        struct jb_error *err);

/* around.c: of a command that makes another master: who is the master; 0: nobody. One who is
 * forgotten, or whose name is lost, can do nothing any more. */
uint64_t jb_master_of(const struct jb_wallet *w, const struct jb_command *c,
                      const struct jb_around *a);

/* The writer has caught up, and begins to decide; its commit is on disk. */
void jb_known_begin(struct jb_ledger *l);
void jb_known_committed(struct jb_ledger *l);
/* The reference that a person's id has; 0: nobody knows it. */
jb_status jb_known_find(struct jb_ledger *l, struct jb_text id, uint64_t *ret,
                        struct jb_error *err);
/* As jb_state_warm, for actors. */
void jb_known_warm(const struct jb_ledger *l, const struct jb_text *ids, size_t n);
/* Somebody is forgotten: nothing of what was looked up counts. */
void jb_known_clear(struct jb_known *k);
void jb_known_free(struct jb_known *k);

#endif
