/*
 * schema/number.c: comparing numbers exactly, and multiples of decimal numbers.
 *
 * An integer is a sign and a 64-bit magnitude. A double is compared with an integer by value, never by converting the integer.
 * multipleOf takes a double for the shortest decimal number that reads back as it, which is what stands in the text in practice: so
 * 0.3 is a multiple of 0.1, and 0.00751 is none of 0.0001, whatever binary fractions say.
 */
#include "schema/program.h"

#include <math.h>

static int compare_magnitude(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

/* An integer with a double. */
static int compare_mixed(const brant__number *integer, double real) {
    if (real >= 18446744073709551616.0) return -1;
    if (real <= -18446744073709551616.0) return 1;
    const bool negative = real < 0;
    if (integer->negative != negative) return integer->negative ? -1 : 1;
    const double magnitude = fabs(real);
    const uint64_t whole = (uint64_t)magnitude;
    int order = compare_magnitude(integer->magnitude, whole);
    if (order == 0 && magnitude > (double)whole) order = -1;
    return negative ? -order : order;
}

int brant__number_compare(const brant__number *a, const brant__number *b) {
    if (a->integer && b->integer) {
        if (a->negative != b->negative) return a->negative ? -1 : 1;
        const int order = compare_magnitude(a->magnitude, b->magnitude);
        return a->negative ? -order : order;
    }
    if (a->integer) return compare_mixed(a, b->real);
    if (b->integer) return -compare_mixed(b, a->real);
    return a->real < b->real ? -1 : a->real > b->real;
}

/* Read the digits and exponent of a number's shortest text. */
static void read_decimal(brant__number *number, yyjson_val *value) {
    char text[BRANT__NUMBER_SIZE];
    const char *end = text + brant__json_number(text, value);
    /* Zeros are held back until another digit follows: 17 digits fit, zeros at the end need not. */
    int exponent = 0, zeros = 0;
    bool fraction = false;
    const char *at = text;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') fraction = true;
        if (*at < '0' || *at > '9') continue;
        exponent -= fraction;
        if (*at == '0') {
            zeros++;
            continue;
        }
        for (; zeros > 0; zeros--)
            number->digits *= 10; /* no effect before the first digit */
        number->digits = number->digits * 10 + (uint64_t)(*at - '0');
    }
    exponent += zeros;
    if (at < end) {
        at++;
        const bool negative = *at == '-';
        if (*at == '-' || *at == '+') at++;
        int written = 0;
        for (; at < end; at++)
            written = written * 10 + (*at - '0');
        exponent += negative ? -written : written;
    }
    number->exponent = number->digits == 0 ? 0 : exponent;
}

brant__number brant__number_of(yyjson_val *value, bool decimal) {
    brant__number number = {.constant = BRANT__NONE};
    if (yyjson_is_real(value)) {
        number.real = yyjson_get_real(value);
        if (decimal) read_decimal(&number, value);
        return number;
    }
    number.integer = true;
    if (yyjson_is_sint(value)) {
        const int64_t integer = yyjson_get_sint(value);
        number.negative = integer < 0;
        number.magnitude = number.negative ? 0 - (uint64_t)integer : (uint64_t)integer;
    } else {
        number.magnitude = yyjson_get_uint(value);
    }
    if (decimal) {
        number.digits = number.magnitude;
        for (; number.digits != 0 && number.digits % 10 == 0; number.exponent++)
            number.digits /= 10;
    }
    return number;
}

bool brant__number_integral(yyjson_val *value) {
    if (!yyjson_is_real(value)) return yyjson_is_num(value);
    const double real = yyjson_get_real(value);
    return real == floor(real);
}

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus) {
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)a * b % modulus);
#else
    uint64_t result = 0;
    for (a %= modulus; b; b >>= 1) {
        if (b & 1) result = result >= modulus - a ? result - (modulus - a) : result + a;
        a = a >= modulus - a ? a - (modulus - a) : a + a;
    }
    return result;
#endif
}

bool brant__number_multiple(const brant__number *value, const brant__number *divisor) {
    if (value->integer && divisor->integer)
        return divisor->magnitude != 0 && value->magnitude % divisor->magnitude == 0;
    if (value->digits == 0) return true;
    int shift = value->exponent - divisor->exponent;
    if (shift >= 0) {
        uint64_t rest = value->digits % divisor->digits, factor = 10 % divisor->digits;
        for (; shift > 0 && rest != 0; shift >>= 1) {
            if (shift & 1) rest = multiply_modulo(rest, factor, divisor->digits);
            factor = multiply_modulo(factor, factor, divisor->digits);
        }
        return rest == 0;
    }
    /* Neither ends in zeros: the value's digits would have to be a multiple of 10. */
    return false;
}
