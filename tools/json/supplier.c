#include "supplier.h"

#include "members.h"

#define AT(member) offsetof(struct supplier, member)
static const struct member_row rows[] = {
    {"number", MEMBER_TEXT, AT(number), 0, 0, NULL},
    {"name", MEMBER_TEXT, AT(name), 0, 0, NULL},
    {"representative", MEMBER_TEXT, AT(representative), 0, 0, NULL},
    {"address", MEMBER_TEXT, AT(address), 0, 0, NULL},
    {"type", MEMBER_TEXT, AT(type), 0, 0, NULL},
    {"item", MEMBER_TEXT, AT(item), 0, 0, NULL},
    {"email", MEMBER_TEXT, AT(email), 0, 0, NULL},
};
#define ROWS (sizeof rows / sizeof rows[0])

bool
supplier_from_json(struct json_pool *pool, const char *text, size_t n, struct supplier *ret,
                   struct bad_line *bad)
{
    uint64_t has;
    *ret = (struct supplier){.number = {NULL, 0}};
    json_t *root = parse_begin(pool, TEXT_OPTIONS, text, n, bad);
    const bool ok = root != NULL && members_read(root, rows, ROWS, MEMBER(ROWS) - 1, NULL,
                                                 "supplier", ret, &has, bad);
    return parse_end(pool, ok, bad);
}
