/* Texts: well-formed UTF-8, and what may stand in an id. */
#ifndef JANGBU_TEXT_H
#define JANGBU_TEXT_H

#include <jangbu/base.h>

#include <string.h>

/* 1..max bytes of UTF-8 without control characters and white space. */
bool jb_id_valid(struct jb_text t, size_t max);
/* Text for people: 1..max code points; control characters only where allowed (line breaks in a
 * note), never NUL. */
bool jb_prose_valid(struct jb_text t, size_t codepoints_max, bool line_breaks);

/* No character that shows nothing or turns the line around: one that confuses ids. Asked only where
 * a command makes the id: one that exists already can be named. */
bool jb_id_visible(struct jb_text t);
/* The same for a text for people, where joiners and variation selectors are part of what is seen;
 * and something must be seen. */
bool jb_prose_visible(struct jb_text t);
/* Characters as people count them (grapheme clusters) of well-formed UTF-8. */
size_t jb_graphemes(struct jb_text t);
/* NFC of well-formed UTF-8: JB_OK, JB_E_NOMEM. *ret_owned is what to free, NULL where t is in that
 * form already; *ret then is t. */
jb_status jb_text_nfc(struct jb_text t, struct jb_text *ret, char **ret_owned);

/* How many of the n bytes, which were UTF-8 before they were cut there, are whole characters. */
size_t jb_utf8_whole(const char *s, size_t n);

/* A search id in NFC: 1 to 15 Hangul syllables, a to z, 0 to 9, - and _. Returns its bytes; 0: it
 * is none. */
#define JB_SEARCH_ID_CODEPOINTS_MAX 15
#define JB_SEARCH_ID_BYTES_MAX (JB_SEARCH_ID_CODEPOINTS_MAX * 3)
size_t jb_search_id_nfc(struct jb_text t, char ret[JB_SEARCH_ID_BYTES_MAX]);

/* An amount with the currency's decimals and thousands separators. Returns buf. */
#define JB_MONEY_TEXT_BYTES 48
const char *jb_money_print(jb_amount amount, uint32_t exponent, char buf[JB_MONEY_TEXT_BYTES]);

/* Lengths of other texts. */
#define JB_BIZ_DIGITS 10
#define JB_BIZ_NAME_CHARACTERS_MAX 60
#define JB_ADDRESS_CHARACTERS_MAX 200
#define JB_MAIL_ORDER_CHARACTERS_MAX 40
#define JB_CHARACTER_CODEPOINTS_MAX 8 /* on the average, of what people call a character */
#define JB_EMAIL_BYTES_MAX 254

static inline bool
jb_text_equal(struct jb_text a, struct jb_text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

#endif
