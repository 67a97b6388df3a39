#include "html.h"

#include <string.h>

#include "lang.h"

#define KO(en, ko) {en, ko},
static const struct lang_row korean[] = {
#include "korean_pages.def"
};
#undef KO

void
html_language(void)
{
    lang_also(korean, sizeof korean / sizeof korean[0]);
}

/* ---- text ---- */

/* Bytes of the sign that s begins with, *ret its number; 0: it is not UTF-8. */
static size_t
sign_of(const unsigned char *s, size_t n, uint32_t *ret)
{
    size_t bytes = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (bytes > n || !jb_utf8_valid((const char *)s, bytes, NULL)) {
        return 0;
    }
    *ret = bytes == 1 ? s[0] : s[0] & (0xffU >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) {
        *ret = *ret << 6 | (s[i] & 0x3fU);
    }
    return bytes;
}

/* What no page may have: control characters, and what is no character at all. */
static bool
is_barred(uint32_t sign)
{
    return (sign < 0x20 && sign != '\t' && sign != '\n') || (sign >= 0x7f && sign < 0xa0) ||
           (sign & 0xfffe) == 0xfffe || (sign >= 0xfdd0 && sign <= 0xfdef);
}

static const char *
entity_of(uint32_t sign)
{
    switch (sign) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void
html_text(struct out *o, struct jb_text t)
{
    for (size_t i = 0; t.s != NULL && i < t.n;) {
        uint32_t sign = 0;
        const size_t bytes = sign_of((const unsigned char *)t.s + i, t.n - i, &sign);
        const char *entity = entity_of(sign);
        if (bytes == 0 || is_barred(sign)) {
            out_str(o, "\xef\xbf\xbd");
        } else if (entity != NULL) {
            out_str(o, entity);
        } else {
            out_bytes(o, t.s + i, bytes);
        }
        i += bytes > 0 ? bytes : 1;
    }
}

void
html_str(struct out *o, const char *s)
{
    html_text(o, jb_text_of(s));
}

void
html_given(struct out *o, const char *s)
{
    html_open(o, "bdi", NULL);
    html_str(o, s);
    html_close(o, "bdi");
}

/* ---- elements ---- */

void
html_word(struct out *o, const char *name, const char *value)
{
    out_char(o, ' ');
    out_str(o, name);
    out_str(o, "=\"");
    html_str(o, value);
    out_char(o, '"');
}

void
html_number(struct out *o, const char *name, int64_t value)
{
    out_char(o, ' ');
    out_str(o, name);
    out_str(o, "=\"");
    out_int(o, value);
    out_char(o, '"');
}

static void
begin_tag(struct out *o, const char *tag, const char *class)
{
    out_char(o, '<');
    out_str(o, tag);
    if (class != NULL) {
        html_word(o, "class", class);
    }
}

void
html_open(struct out *o, const char *tag, const char *class)
{
    begin_tag(o, tag, class);
    out_char(o, '>');
}

void
html_close(struct out *o, const char *tag)
{
    out_str(o, "</");
    out_str(o, tag);
    out_str(o, ">\n");
}

void
html_element(struct out *o, const char *tag, const char *class, const char *text)
{
    html_span(o, tag, class, 1, 1, text);
}

void
html_span(struct out *o, const char *tag, const char *class, unsigned columns, unsigned rows,
          const char *text)
{
    begin_tag(o, tag, class);
    if (columns > 1) {
        html_number(o, "colspan", columns);
    }
    if (rows > 1) {
        html_number(o, "rowspan", rows);
    }
    out_char(o, '>');
    html_str(o, text);
    html_close(o, tag);
}

/* ---- the page ---- */

/* Sans-serif families that have Hangul, of each system that has one; then whatever there is. Tables
 * break between rows, and their heads stand on each sheet again. */
static const char style[] =
    "\n@page{size:A4;margin:14mm 12mm 16mm;"
    "@bottom-right{content:counter(page) ' / ' counter(pages);font-size:8pt}}\n"
    "*{box-sizing:border-box}\n"
    "html{-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
    "body{margin:0 auto;max-width:186mm;color:#111;background:#fff;font:9pt/1.45 'Noto Sans KR',"
    "'Noto Sans CJK KR','Apple SD Gothic Neo','Malgun Gothic',NanumGothic,'Nanum Gothic',"
    "'UnDotum',sans-serif;font-variant-numeric:tabular-nums;word-break:keep-all;"
    "overflow-wrap:anywhere}\n"
    "@media screen{body{padding:10mm 0}}\n"
    "h1{font-size:16pt;margin:0 0 2mm;letter-spacing:.02em}\n"
    "h2{font-size:10.5pt;margin:6mm 0 1.5mm;break-after:avoid}\n"
    "p{margin:1mm 0}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "thead{display:table-header-group}\n"
    "tr,svg{break-inside:avoid}\n"
    "th,td{padding:.9mm 1.6mm;text-align:left;vertical-align:top;border-bottom:.2mm solid #ccc;"
    "font-weight:400}\n"
    "thead th{border-bottom:.4mm solid #333;font-weight:700;white-space:nowrap}\n"
    ".r{text-align:right;white-space:nowrap}\n"
    ".n{white-space:nowrap}\n"
    ".c{text-align:center}\n"
    ".b td,.b th{font-weight:700;border-top:.3mm solid #333;background:#f3f3f3}\n"
    ".s{color:#555;font-size:8pt}\n"
    ".two{display:flex;gap:6mm;align-items:flex-start}\n"
    ".two>*{flex:1 1 0}\n"
    ".facts th{color:#555;width:30mm;white-space:nowrap}\n"
    "svg{display:block;width:100%;height:auto;margin:2mm 0}\n"
    /* The boxes of a tax invoice: those of the supplier red, those of the recipient blue. */
    ":is(.inv,.par,.ite) :is(td,th){border:.25mm solid "
    "#444;height:7mm;vertical-align:middle;padding:.8mm 1.2mm}\n"
    ":is(.inv,.par,.ite) "
    "th{background:#f5f5f5;text-align:center;font-size:8pt}\n"
    ".par .v{writing-mode:vertical-rl;text-orientation:upright;letter-spacing:.2em;width:7mm;"
    "padding:0}\n"
    ".par{table-layout:fixed}\n"
    ".par tr:first-child th{width:20mm}\n"
    ".par tr:first-child .v{width:7mm}\n"
    ".par .sup{background:#fdecec;border-color:#b44;color:#922}\n"
    ".par .rec{background:#eaf0fd;border-color:#46a;color:#248}\n"
    ".inv,.ite{margin-top:-.25mm}\n"
    ".inv{table-layout:fixed}\n"
    ".title{display:flex;justify-content:space-between;align-items:flex-end;margin-bottom:2mm}\n";

void
html_page_begin(struct out *o, const char *lang, const char *title)
{
    out_str(o, "<!doctype html>\n<html");
    html_word(o, "lang", lang);
    out_str(o, ">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" "
               "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html_element(o, "title", NULL, title);
    out_str(o, "<style>");
    out_str(o, style);
    out_str(o, "</style>\n</head>\n<body>\n");
}

struct jb_text
html_page_style(void)
{
    return (struct jb_text){style, sizeof style - 1};
}

void
html_page_end(struct out *o)
{
    out_str(o, "</body>\n</html>\n");
}

/* ---- amounts ---- */

char *
money_text(jb_amount amount, uint32_t exponent, char buf[MONEY_BYTES])
{
    char digits[MONEY_BYTES];
    uint64_t value = amount < 0 ? (uint64_t)0 - (uint64_t)amount : (uint64_t)amount;
    size_t at = sizeof digits, count = 0;
    digits[--at] = '\0';
    for (uint32_t i = 0; i < exponent; i++) {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    }
    if (exponent > 0) {
        digits[--at] = '.';
    }
    do {
        if (count > 0 && count % 3 == 0) {
            digits[--at] = ',';
        }
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
        count++;
    } while (value != 0);
    if (amount < 0) {
        digits[--at] = '-';
    }
    return memcpy(buf, digits + at, sizeof digits - at);
}
