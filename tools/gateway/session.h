/*
 * Sessions of the page, and the tickets that they begin with. Both lie in memory only: where the
 * daemon stops, everybody signs in again. What stands here of a ticket or a cookie is its hash.
 */
#ifndef JANGBUD_SESSION_H
#define JANGBUD_SESSION_H

#include "auth.h"

/* Most tickets at a time. */
enum { TICKETS_MAX = 4096 };
/* Of a ticket, and of a cookie: 32 random bytes as text, and the NUL. */
enum { SECRET_TEXT = 44, CSRF_TEXT = 33 };
/* Seconds. A session ends when nobody used it for so long, or at the latest after a day's work. */
enum { TICKET_TTL_MAX = 60, SESSION_IDLE = 30 * 60, SESSION_MAX = 8 * 3600 };

/* Who looks at the page. */
struct session {
    bool operates;                    /* an operator; else the holder of `wallet` */
    jb_lang lang;                     /* UNSAID: what the browser prefers */
    char wallet[JB_ID_BYTES_MAX + 1]; /* "": none */
    char actor[JB_ID_BYTES_MAX + 1];
    char csrf[CSRF_TEXT];
    struct principal who; /* whose token it was: the session may do no more */
};

/* Whether it is within the rights of `who`, as they are now. */
bool session_allowed(const struct session *s);
/* Whether a token opens sessions at all: the page shows what many queries ask, so one that may ask
 * some of them only opens none. */
bool session_opened_by(const struct principal *who);

struct pages;
/* Room for so many sessions, of which each may ask `rate` times a second (and three seconds' worth
 * at once). One more than there is room for takes the place of the one that would end first, of
 * those whose token has the most; an operator's goes last. NULL: no memory. */
struct pages *pages_new(size_t sessions, uint32_t rate);
struct pages *pages_free(struct pages *p);

/* A ticket for such a session, that works once, within so many seconds. */
void pages_ticket(struct pages *p, const struct session *s, unsigned ttl_s, char ret[SECRET_TEXT]);
/* The session that a ticket is for, which is not used up. False: as below. */
bool pages_peek(struct pages *p, struct jb_text ticket, struct session *ret);
/* The session that a ticket is for begins: its cookie. False: there is no such ticket (any more).
 */
bool pages_redeem(struct pages *p, struct jb_text ticket, char ret_cookie[SECRET_TEXT],
                  struct session *ret);
void pages_begin(struct pages *p, const struct session *s, char ret_cookie[SECRET_TEXT]);
/* What a request with that cookie is to its session: none has it, one has it, or it asks too often.
 */
enum asks { ASKS_NOBODY, ASKS_SESSION, ASKS_TOO_OFTEN };
enum asks pages_ask(struct pages *p, struct jb_text cookie);
/* The session of a cookie, which goes on. False: there is none (any more). */
bool pages_session(struct pages *p, struct jb_text cookie, struct session *ret);
void pages_speak(struct pages *p, struct jb_text cookie, jb_lang lang);
void pages_end(struct pages *p, struct jb_text cookie);
/* How many sessions there are. */
unsigned pages_count(struct pages *p);

#endif
