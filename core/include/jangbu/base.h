/*
 * jangbu/base.h -- values, statuses and errors of libjangbu.
 *
 * Rules that hold for every function of the library, said once:
 *
 * 1. Parameters: handle, inputs, outputs (ret_*), and last `struct jb_error *err`.
 *
 * 2. Outputs are written only when the call returns JB_OK (or JB_END where the text says so).
 *
 * 3. `err` may be NULL; it is written only on failure. No other pointer may be NULL unless its text
 * says so: a function that returns a status says JB_E_USAGE, another one false, NULL, 0 or nothing.
 *
 * 4. "Owned": the caller releases it with the function named. "Borrowed": it belongs to the handle
 * named and lives until the moment that the text names.
 *
 * 5. Structs that callers make and that may grow begin with `size`; make them with JB_SIZED.
 * Members are only added at the end, 0 means "as before". What the library makes and gives by its
 * address (events, rows, answers) may grow likewise: never copy it by value and never index an
 * array of it. Structs that say "Final" keep their size.
 *
 * 6. Numbers of enumerators are written down and never reused. Be ready for values newer than this
 * header.
 *
 * 7. The library never prints, never exits, never reads the time zone, the locale or the
 * environment.
 *
 * Units: money is in the ledger's minor unit (won for KRW); instants are microseconds since
 * 1970-01-01T00:00:00Z; days are calendar days at the ledger's UTC offset, counted from 1970-01-01
 * = 0; intervals are half open.
 */
#ifndef JANGBU_BASE_H
#define JANGBU_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JB_VERSION_MAJOR 0
#define JB_VERSION_MINOR 2
#define JB_VERSION_PATCH 0
#define JB_VERSION_STRING "0.2.0-dev"

#if defined(__GNUC__)
#define JB_API __attribute__((visibility("default")))
#define JB_NODISCARD __attribute__((warn_unused_result))
#define JB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define JB_API
#define JB_NODISCARD
#define JB_PRINTF(fmt, args)
#endif

/* The value of a struct that begins with `size`: struct jb_head h = JB_SIZED(struct jb_head); */
/* clang-format off */
#ifndef __cplusplus
#define JB_SIZED(type) {.size = sizeof(type)}
#else
#define JB_SIZED(type) jb_sized<type>()
extern "C++" {
template <class T> inline T jb_sized() { T t = T(); t.size = sizeof t; return t; }
}
#endif
/* clang-format on */

typedef int64_t jb_amount;  /* money, minor unit */
typedef int64_t jb_instant; /* microseconds since 1970-01-01T00:00:00Z */
typedef int32_t jb_day;     /* calendar day, 1970-01-01 = 0 */
typedef uint64_t jb_seq;    /* number of an event in the log; the first is 1, 0 is "none" */

/* Told now and then how far a long call is: parts done, parts in all. */
typedef void (*jb_progress)(void *data, uint64_t done, uint64_t all);

/*
 * Limits. Those that fit an int are enumerators, so that bindings see them; the others are macros,
 * because an enumerator of C has no more bits. jb_limit gives both to programs that read no
 * headers.
 */
enum {
    /* The log format that this version writes. Older ones stay readable for ever. */
    JB_LOG_FORMAT = 1,

    /* A day that is not there. */
    JB_NO_DAY = INT32_MIN,
    /* Days outside these are refused: 0001-01-01 to 9999-12-31. */
    JB_DAY_MIN = -719162,
    JB_DAY_MAX = 2932896,

    /* Of texts, in bytes unless said. */
    JB_ID_BYTES_MAX = 64,
    JB_SHORT_BYTES_MAX = 32, /* caller, pg, approve_no, role */
    JB_KEY_BYTES_MAX = 300,
    JB_TXN_REF_BYTES_MAX = 200,
    JB_NAME_CHARACTERS_MAX = 20, /* as people count: grapheme clusters */
    JB_NAME_CODEPOINTS_MAX = 100,
    JB_NOTE_CODEPOINTS_MAX = 500,
    JB_LINE_BYTES_MAX = 4 << 20,
    JB_COMMAND_BYTES_MAX = 64 << 10,

    JB_GROUP_COMMANDS_MAX = 8192, /* members of a group */
    JB_PAGE_ROWS_MAX = 10000,     /* rows of a page of a list */

    /* Rooms for texts that functions write. */
    JB_ERROR_TEXT_BYTES = 960,
    JB_DAY_TEXT_BYTES = 16,
    JB_INSTANT_TEXT_BYTES = 40,
    JB_PERSON_TEXT_BYTES = 2048, /* a name, note, reason or actor out of people.mdb */
    JB_CURSOR_TEXT_BYTES = 128,  /* where the next page of a list begins */
    JB_DUE_KEY_BYTES = 96        /* the key of something that is to be done */
};

/* Largest amount: 10^15 - 1. Adding a thousand of them cannot overflow int64_t, and it is exact in
 * a double. */
#define JB_AMOUNT_MAX INT64_C(999999999999999)
/* What a balance, and so an event about one, can reach: money coming back is never refused for
 * JB_AMOUNT_MAX (docs/rules.md section 2). */
#define JB_BALANCE_MAX INT64_C(4611686018427387903)
/* An instant that is not there (an event of `init` has none; a policy set "from the beginning"). */
#define JB_NO_INSTANT INT64_MIN
/* Instants outside these are refused: years 1 to 9999. What a ledger records also lies in a day, at
 * its offset, that can be closed: one before JB_DAY_MAX, from JB_DAY_MIN on. */
#define JB_INSTANT_MIN INT64_C(-62135596800000000)
#define JB_INSTANT_MAX INT64_C(253402300799999999)
#define JB_US_PER_SECOND INT64_C(1000000)
#define JB_US_PER_DAY INT64_C(86400000000)

/* clang-format off */
#define JB_LIMITS(X)                                                                               \
    X(1, AMOUNT_MAX) X(2, BALANCE_MAX) X(3, INSTANT_MIN) X(4, INSTANT_MAX) X(5, NO_INSTANT)        \
    X(6, NO_DAY) X(7, SUBJECT_NUMBER_MAX) X(8, ID_BYTES_MAX) X(9, SHORT_BYTES_MAX)                 \
    X(10, KEY_BYTES_MAX) X(11, TXN_REF_BYTES_MAX) X(12, NAME_CHARACTERS_MAX)                       \
    X(13, NAME_CODEPOINTS_MAX) X(14, NOTE_CODEPOINTS_MAX) X(15, LINE_BYTES_MAX)                    \
    X(16, COMMAND_BYTES_MAX) X(17, GROUP_COMMANDS_MAX) X(18, ERROR_TEXT_BYTES)                     \
    X(19, DAY_TEXT_BYTES) X(20, INSTANT_TEXT_BYTES) X(21, PERSON_TEXT_BYTES) X(22, MOVES_MAX)      \
    X(23, LOG_FORMAT) X(24, RULES) X(25, PAGE_ROWS_MAX) X(26, CURSOR_TEXT_BYTES)        \
    X(27, DAY_MIN) X(28, DAY_MAX) X(29, MAIL_ORDER_BYTES_MAX) X(30, CONDITIONS_MAX) \
    X(31, DUE_KEY_BYTES)
/* clang-format on */

typedef enum jb_limit_name {
#define JB_X(number, name) JB_LIMIT_##name = (number),
    JB_LIMITS(JB_X)
#undef JB_X
        JB_LIMITS_END
} jb_limit_name;

/* The constant JB_... that `which` is called as; 0, which none of them is, for a number that this
 * version does not know. */
JB_API int64_t jb_limit(jb_limit_name which);

/* How many digits ISO 4217 puts behind the decimal point of a currency (three capitals); -1: it
 * does not list the currency, or gives it no minor unit (gold, ...). */
JB_API int32_t jb_currency_exponent(const char *code);

/* Text of n bytes of UTF-8, not ended by NUL. s == NULL means "none". Final. */
struct jb_text {
    const char *s;
    size_t n;
};

/* The text of a string that ends with NUL, borrowed; NULL: none. */
static inline struct jb_text
jb_text_of(const char *s)
{
    struct jb_text t = {s, s != NULL ? strlen(s) : 0};
    return t;
}

/* Did the call work? (Whether the *rules* said yes is another question: struct jb_answer.) */
typedef enum jb_status {
    JB_OK = 0,
    JB_END = 1,            /* a cursor has nothing more; not a failure */
    JB_E_USAGE = -1,       /* the caller broke a stated precondition; nothing happened */
    JB_E_NOMEM = -2,       /* no memory; nothing happened */
    JB_E_IO = -3,          /* the operating system refused: err->os_errno */
    JB_E_BUSY = -4,        /* the writer lock was not to be had before the deadline */
    JB_E_FULL = -5,        /* no space left on the disk; nothing was written */
    JB_E_CORRUPT = -6,     /* the log or a store contradicts itself at err->at, err->offset */
    JB_E_FORMAT = -7,      /* written by a newer jangbu, or not a ledger */
    JB_E_NOTFOUND = -8,    /* no such ledger, wallet, day or event */
    JB_E_READONLY = -9,    /* the ledger was opened for reading, or its file system is read-only */
    JB_E_EXISTS = -10,     /* there is a ledger already */
    JB_E_ROLLBACK = -11,   /* a store or HEAD is ahead of the log: an older log was put back */
    JB_E_UNKNOWN = -12,    /* a fault while committing: it may or may not have happened */
    JB_E_STALE = -13,      /* a stored projection cannot be used and could not be made again here */
    JB_E_NOT_CLOSED = -14, /* the day asked for is not closed yet */
    JB_E_KEY = -15,        /* people.mdb is sealed, and the key to it is not there */
    JB_E_DEVICE = -16, /* the device failed while the ledger was written, and has not been read back
                          whole: nothing is written */
    JB_E_ENGINE = -17, /* reserved for logs that are kept by several machines */
    /* -18, -19 are reserved */
    JB_E_RANGE = -20 /* a sum of the answer is larger than a number of 64 bits; the log is sound */
} jb_status;

/* The language of sentences: of jb_error.text, of answers' messages, of what an audit finds. Codes,
 * words such as ACTIVE, numbers and times are the same in both. The library reads no environment.
 */
typedef enum jb_lang {
    JB_LANG_UNSAID = 0, /* in options: English, or the language of the handle */
    JB_LANG_EN = 1,
    JB_LANG_KO = 2
} jb_lang;

/* What the calling thread's calls say from now on, whatever the language of the handle:
 * JB_LANG_UNSAID: that of the handle again. Returns what it was. A number that is no language
 * changes nothing. Of a program that answers people of both languages through one handle. */
JB_API jb_lang jb_speak(jb_lang lang);

/* Why a call failed. It lives where the caller puts it and owns nothing. Final: 1,024 bytes. */
struct jb_error {
    jb_status status;
    int os_errno;                   /* 0 where the system was not involved */
    jb_seq at;                      /* the event concerned, or 0 */
    uint64_t frame;                 /* first sequence number of the frame concerned, or 0 */
    uint64_t offset;                /* byte offset in that frame's value */
    uint64_t reserved[4];           /* 0 */
    char text[JB_ERROR_TEXT_BYTES]; /* one sentence: what is wrong, where, what to do. UTF-8, also
                                       where it was too long and ends early */
};

/* Version of the library at run time: (major << 16) | (minor << 8) | patch. */
JB_API uint32_t jb_version(void);

/* A stable upper-case word for s ("OK", "E_BUSY", ...). Static storage, never NULL. */
JB_API const char *jb_status_word(jb_status s);

/* a + b, a - b. False, and *ret untouched, where the result leaves +-JB_AMOUNT_MAX. */
JB_API JB_NODISCARD bool jb_amount_add(jb_amount a, jb_amount b, jb_amount *ret);
JB_API JB_NODISCARD bool jb_amount_sub(jb_amount a, jb_amount b, jb_amount *ret);

/*
 * Splits a total that includes VAT at rate_percent: vat = total * rate / (100 + rate), halves
 * rounded up in magnitude (no tie can occur at 10 %), supply = total - vat. Works for negative
 * totals (a month of returns), mirrored. False where rate_percent is not 0..100 or |total| >
 * JB_AMOUNT_MAX. (docs/rules.md section 14)
 */
JB_API JB_NODISCARD bool jb_vat_split_half_up(jb_amount total, int rate_percent,
                                              jb_amount *ret_supply, jb_amount *ret_vat);

/* What n units at a price without VAT cost: ceil(n * unit * 11 / 10), rounded once. False on
 * overflow or below 0. */
JB_API JB_NODISCARD bool jb_cost_with_vat_ceil(int64_t n, jb_amount unit, jb_amount *ret);

/* The calendar day that contains t at the given offset from UTC in seconds. Here and in the next
 * every number is taken: what is too large for the result becomes the largest one, or the smallest.
 */
JB_API jb_day jb_day_of(jb_instant t, int32_t utc_offset_s);
/* 00:00 of day d. Of JB_NO_DAY: JB_NO_INSTANT. */
JB_API jb_instant jb_day_start(jb_day d, int32_t utc_offset_s);
/* Gregorian calendar. False for a date that does not exist or a year outside 1..9999. */
JB_API JB_NODISCARD bool jb_day_from_date(int year, int month, int day, jb_day *ret);
/* A day outside JB_DAY_MIN to JB_DAY_MAX: the date of the nearer of the two. */
JB_API void jb_day_to_date(jb_day d, int *ret_year, int *ret_month, int *ret_day);

/* "2026-10-31" and "2026-10-31T09:00:00.000000+09:00"; buf has JB_DAY_TEXT_BYTES, or
 * JB_INSTANT_TEXT_BYTES. Returns buf. "-" for JB_NO_DAY and JB_NO_INSTANT, for a day, or an instant
 * whose day at that offset lies, outside JB_DAY_MIN to JB_DAY_MAX, and for an offset that no ledger
 * has: no whole minutes, or beyond 18 h. */
JB_API char *jb_day_print(jb_day d, char *buf);
JB_API char *jb_instant_print(jb_instant t, int32_t utc_offset_s, char *buf);
/* The reverse; all n bytes must belong to it. The instant needs an offset ("Z" or +-hh:mm);
 * digits of its fraction beyond the sixth are cut, and second 60 is 59.999999. */
JB_API JB_NODISCARD bool jb_day_parse(const char *s, size_t n, jb_day *ret);
JB_API JB_NODISCARD bool jb_instant_parse(const char *s, size_t n, jb_instant *ret);

/* True where the n bytes are well-formed UTF-8 (no surrogates, no overlong forms); *ret_codepoints
 * (may be NULL) counts them. */
JB_API JB_NODISCARD bool jb_utf8_valid(const char *s, size_t n, size_t *ret_codepoints);

#ifdef __cplusplus
}
#endif

#endif
