/* ISO 4217: how many digits stand behind the decimal point of a currency. */
#ifndef JANGBU_CURRENCY_H
#define JANGBU_CURRENCY_H

#include <stdint.h>

/* code: three capitals. -1: not a currency of the list, or one without a minor unit (gold, ...). */
int32_t jb_currency_exponent(const char *code);

#endif
