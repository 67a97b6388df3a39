#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

bool
jb_amount_add(jb_amount a, jb_amount b, jb_amount *ret)
{
    jb_amount sum;
    if (ret == NULL || __builtin_add_overflow(a, b, &sum) || sum > JB_AMOUNT_MAX ||
        sum < -JB_AMOUNT_MAX) {
        return false;
    }
    *ret = sum;
    return true;
}

bool
jb_amount_sub(jb_amount a, jb_amount b, jb_amount *ret)
{
    jb_amount difference;
    if (ret == NULL || __builtin_sub_overflow(a, b, &difference) || difference > JB_AMOUNT_MAX ||
        difference < -JB_AMOUNT_MAX) {
        return false;
    }
    *ret = difference;
    return true;
}

bool
jb_vat_split_half_up(jb_amount total, int rate_percent, jb_amount *ret_supply, jb_amount *ret_vat)
{
    if (ret_supply == NULL || ret_vat == NULL || rate_percent < 0 || rate_percent > 100 ||
        total > JB_AMOUNT_MAX || total < -JB_AMOUNT_MAX) {
        return false;
    }
    int64_t divisor = 100 + rate_percent;
    int64_t magnitude = total < 0 ? -total : total;
    /* 10^15 * 100 * 2 + 200 stays below 2^63. */
    int64_t vat = (2 * magnitude * rate_percent + divisor) / (2 * divisor);
    if (total < 0) {
        vat = -vat;
    }
    *ret_vat = vat;
    *ret_supply = total - vat;
    return true;
}

bool
jb_cost_with_vat_ceil(int64_t n, jb_amount unit, jb_amount *ret)
{
    int64_t product;
    if (ret == NULL || n < 0 || unit < 0 || __builtin_mul_overflow(n, unit, &product) ||
        __builtin_mul_overflow(product, 11, &product) ||
        __builtin_add_overflow(product, 9, &product) || product / 10 > JB_AMOUNT_MAX) {
        return false;
    }
    *ret = product / 10;
    return true;
}

const char *
jb_money_print(jb_amount amount, uint32_t exponent, char buf[JB_MONEY_TEXT_BYTES])
{
    uint64_t unit = 1, value = amount < 0 ? (uint64_t)0 - (uint64_t)amount : (uint64_t)amount;
    for (uint32_t i = 0; i < exponent; i++) {
        unit *= 10;
    }
    /* From the end: the decimals, then groups of three behind commas, as tables print them. */
    char text[JB_MONEY_TEXT_BYTES];
    size_t at = sizeof text - 1;
    text[at] = '\0';
    if (exponent > 0) {
        snprintf(text + at - exponent - 1, exponent + 2, ".%0*llu", (int)exponent,
                 (unsigned long long)(value % unit));
        at -= exponent + 1;
    }
    uint64_t whole = value / unit;
    for (unsigned digits = 0; digits == 0 || whole > 0; digits++, whole /= 10) {
        if (digits > 0 && digits % 3 == 0) {
            text[--at] = ',';
        }
        text[--at] = (char)('0' + whole % 10);
    }
    if (amount < 0) {
        text[--at] = '-';
    }
    memcpy(buf, text + at, sizeof text - at);
    return buf;
}
