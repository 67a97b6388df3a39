/* Entries as hledger, ledger and beancount want them. */
#include <stdlib.h>
#include <string.h>

#include "double_entry.h"

/* A caller's id as part of an account: a capital in front, letters and digits as they are, every
 * other byte as -hh. Injective, and valid in all three programs (beancount refuses w1, w_1, (x);
 * others cut at two spaces or take ; as a comment). */
static void
escaped(struct out *o, char prefix, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    out_char(o, prefix);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
            out_char(o, (char)c);
        } else {
            out_char(o, '-');
            out_char(o, hex[c >> 4]);
            out_char(o, hex[c & 15]);
        }
    }
}

static void
account_name(const struct books *b, struct account a, struct out *o)
{
    static const char *const roots[] = {
        "Liabilities:Paid:",          "Liabilities:Free:", "Liabilities:Dormant:",
        "Liabilities:RefundPayable:", "Income:Ads:",       "Assets:Clearing:",
        "Liabilities:VatPayable",     "Equity:Promotion",  "Equity:Adjustment"};
    out_str(o, roots[a.kind]);
    if (a.kind <= INCOME) {
        escaped(o, 'W', b->wallets[a.index - 1].id, b->wallets[a.index - 1].id_n);
    } else if (a.kind == CLEARING && a.index == 0) {
        out_str(o, "Unspecified");
    } else if (a.kind == CLEARING) {
        escaped(o, 'P', b->gateways[a.index - 1], strlen(b->gateways[a.index - 1]));
    }
}

/* Plain digits with the currency's decimals: separators are read as decimal marks by some. */
static void
amount(const struct books *b, jb_amount value, struct out *o)
{
    char digits[32];
    uint64_t magnitude = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    size_t at = sizeof digits;
    for (uint32_t i = 0; i < b->app->info.exponent; i++) {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    if (b->app->info.exponent > 0) {
        digits[--at] = '.';
    }
    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    if (value < 0) {
        out_char(o, '-');
    }
    out_bytes(o, digits + at, sizeof digits - at);
    out_char(o, ' ');
    out_str(o, b->app->info.currency);
}

static void
declare_account(const struct books *b, enum books_format format, struct account a, struct out *o)
{
    char day[JB_DAY_TEXT_BYTES];
    const struct wallet *w = a.kind <= INCOME ? &b->wallets[a.index - 1] : NULL;
    if (format == BOOKS_BEANCOUNT) {
        out_str(o, jb_day_print(b->first_day, day));
        out_str(o, " open ");
        account_name(b, a, o);
        out_char(o, ' ');
        out_str(o, b->app->info.currency);
        if (w != NULL) {
            out_str(o, "\n  wallet: \"");
            for (size_t i = 0; i < w->id_n; i++) {
                if (w->id[i] == '"' || w->id[i] == '\\') {
                    out_char(o, '\\');
                }
                out_char(o, w->id[i]);
            }
            out_char(o, '"');
        }
    } else {
        /* A comment of its own: behind the account hledger would read an id such as a,type:A as a
         * tag and make an asset of it. */
        if (w != NULL && format == BOOKS_HLEDGER && a.kind == PAID) {
            out_str(o, "; wallet ");
            out_bytes(o, w->id, w->id_n);
            out_char(o, '\n');
        }
        out_str(o, "account ");
        account_name(b, a, o);
        if (w != NULL && format == BOOKS_LEDGER) {
            out_str(o, "\n    note wallet ");
            out_bytes(o, w->id, w->id_n);
        }
    }
    out_char(o, '\n');
}

/* What each program wants on top; hledger's commodity line is refused by ledger. */
static void
header(const struct books *b, enum books_format format, struct out *o)
{
    static const char zeros[] = "000000";
    const char *currency = b->app->info.currency;
    uint32_t exponent = b->app->info.exponent;
    out_str(o, format == BOOKS_BEANCOUNT ? ";; " : "; ");
    out_str(o, "made by jangbu export; a wallet's liabilities are minus its paid, free and dormant "
               "cash\n");
    switch (format) {
    case BOOKS_HLEDGER:
        out_str(o, "decimal-mark .\ncommodity 1000.");
        out_bytes(o, zeros, exponent);
        out_char(o, ' ');
        out_str(o, currency);
        break;
    case BOOKS_LEDGER:
        out_str(o, "commodity ");
        out_str(o, currency);
        out_str(o, exponent > 0 ? "\n    format 1000." : "\n    format 1000");
        out_bytes(o, zeros, exponent);
        out_char(o, ' ');
        out_str(o, currency);
        break;
    case BOOKS_BEANCOUNT:
        out_str(o, "option \"title\" \"jangbu\"\noption \"operating_currency\" \"");
        out_str(o, currency);
        out_char(o, '"');
        break;
    }
    out_str(o, "\n\n");
    if (b->first_day == JB_NO_DAY) {
        return;
    }
    for (uint32_t i = 1; i <= b->wallets_n; i++) {
        for (uint32_t kind = PAID; kind <= INCOME; kind++) {
            declare_account(b, format, account_of(kind, i), o);
        }
    }
    for (uint32_t i = 0; i <= b->gateways_n; i++) {
        declare_account(b, format, account_of(CLEARING, i), o);
    }
    for (uint32_t kind = VAT; kind <= ADJUSTMENT; kind++) {
        declare_account(b, format, account_of(kind, 0), o);
    }
    out_char(o, '\n');
}

static void
write_entry(const struct books *b, enum books_format format, const struct entry *e, struct out *o)
{
    char day[JB_DAY_TEXT_BYTES];
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    char vat[16];
    snprintf(vat, sizeof vat, "vat of %04u-%02u", e->type / 100 % 10000, e->type % 100);
    const char *name = e->seq == UINT64_MAX ? e->type == 0 ? "vat of the month" : vat
                       : type != NULL       ? type->name
                                            : "event";
    out_str(o, jb_day_print(e->day, day));
    out_str(o, format == BOOKS_BEANCOUNT ? " * \"" : " * ");
    out_str(o, name);
    if (e->seq != UINT64_MAX) {
        out_str(o, " ");
        out_uint(o, e->seq);
    }
    out_str(o, format == BOOKS_BEANCOUNT ? "\"\n" : "\n");
    for (uint32_t i = 0; i < e->n; i++) {
        const struct posting *p = &b->postings[e->first + i];
        out_str(o, "    ");
        account_name(b, p->account, o);
        out_str(o, "  ");
        amount(b, p->amount, o);
        out_char(o, '\n');
    }
    out_char(o, '\n');
}

jb_status
export_books(struct app *app, jb_seq last, enum books_format format, FILE *file, struct progress *p,
             struct jb_error *err)
{
    struct books b = {.app = app, .closed_through = JB_NO_DAY, .first_day = JB_NO_DAY};
    struct out o = {.first = true};
    jb_status status = books_gather(&b, last, p, err);
    if (status == JB_OK) {
        header(&b, format, &o);
        for (size_t i = 0; i < b.entries_n; i++) {
            write_entry(&b, format, &b.entries[i], &o);
            if (o.n > 60000 && !export_flush(&o, file)) {
                break;
            }
            progress_show(p, b.entries_n + i, b.entries_n * 2);
        }
        if (o.no_memory) {
            status = JB_E_NOMEM;
            *err = (struct jb_error){.status = status};
            snprintf(err->text, sizeof err->text, "%s", tr("no memory"));
        }
        export_flush(&o, file);
    }
    free(o.at);
    books_free(&b);
    return status;
}
