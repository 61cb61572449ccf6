#include <string.h>

#include "number_text.h"

#define inlined static inline __attribute__((always_inline))

struct decimal {
    /* At most nine digits; it may end in zeros. */
    uint32_t digits;
    int exponent;
};

/* value * 2^shift * power / 2^64, its last bit set where anything was cut off, so that it still compares rightly. */
inlined uint32_t scaled(uint32_t value, uint64_t power, uint32_t shift) {
    unsigned __int128 product = (unsigned __int128)power * ((uint64_t)value << shift);
    return (uint32_t)(product >> 64) | ((uint32_t)(product >> 32) > 1);
}

/* The Float, and the middle between it and each of its neighbours, are scaled by one power of ten so that an integer with
 * the digits lies between them. `bits` are those of a finite, positive Float. */
inlined struct decimal shortest(uint32_t bits, const uint64_t *powers) {
    uint32_t fraction = bits & 0x7FFFFF, field = bits >> 23;
    uint32_t significand = field ? fraction | 0x800000 : fraction;
    int binary = (field ? (int)field : 1) - 150;
    if (binary <= 0 && binary > -24 && !(significand & ((1u << -binary) - 1)))
        return (struct decimal){significand >> -binary, 0};

    /* A power of two is twice as far from the Float above as from the one below. */
    bool is_lopsided = !fraction && field > 1;
    /* floor(log10 of the distance between the two middles), in fixed point. */
    int decimal = (binary * 1262611 - (is_lopsided ? 524031 : 0)) >> 22;
    uint32_t shift = (uint32_t)(binary + ((-decimal * 1741647) >> 19) + 1);
    const uint64_t *halves = powers + 2 * (-decimal - NUMBER_TEXT_LEAST_POWER);
    /* Rounded up, but where 64 bits hold it exactly. */
    uint64_t power = halves[0] + (halves[1] != 0);
    /* An even significand is what the middle itself rounds to. */
    uint32_t is_odd = significand & 1;
    uint32_t middle = scaled(4 * significand, power, shift);
    uint32_t lower = scaled(4 * significand - (is_lopsided ? 1 : 2), power, shift) + is_odd;
    uint32_t upper = scaled(4 * significand + 2, power, shift) - is_odd;

    /* Which of two candidates is nearer, and which lies between, is as likely as not: nothing here is a branch. */
    uint32_t candidate = middle / 4, shorter = candidate / 10, half = 4 * candidate + 2;
    /* One digit less, if exactly one of the two candidates lies between. */
    bool is_short_below = lower <= 40 * shorter, is_short_above = 40 * shorter + 40 <= upper;
    bool is_shorter = (candidate >= 10) & (is_short_below != is_short_above);
    bool is_below = lower <= 4 * candidate, is_above = 4 * candidate + 4 <= upper;
    bool is_nearer = (middle > half) | ((middle == half) & (candidate & 1));
    bool is_up = is_below != is_above ? is_above : is_nearer;
    uint32_t digits = candidate + is_up, fewer = shorter + is_short_above;
    uint32_t mask = 0 - (uint32_t)is_shorter;
    return (struct decimal){(fewer & mask) | (digits & ~mask), decimal + is_shorter};
}

static const uint32_t powers_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

/* Of a number from 1 to 999,999,999. */
inlined int digit_count(uint32_t value) {
    /* floor(bits * log10(2)) is right or one too few. */
    int estimate = ((32 - __builtin_clz(value)) * 1233) >> 12;
    return estimate + (value >= powers_of_ten[estimate]);
}

/* The eight decimal digits of a number below 10^8, one a byte, the highest in the lowest byte. */
inlined uint64_t eight_digits(uint32_t value) {
    /* Fours, then pairs, then digits, side by side in one register; the products divide by 100 and by 10. */
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007F0000007F;
    uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (pairs * 103 >> 10) & 0x000F000F000F000F;
    return tens | (pairs - tens * 10) << 8;
}

inlined void put(char *text, unsigned __int128 bytes) { memcpy(text, &bytes, sizeof bytes); }

inlined char *write_one(uint32_t bits, const uint64_t *powers, char *text) {
    *text = '-';
    text += bits >> 31;
    bits &= INT32_MAX;
    struct decimal decimal = shortest(bits, powers);
    int length = digit_count(decimal.digits);
    /* As nine digits, the first of them not 0. */
    uint32_t aligned = decimal.digits * powers_of_ten[9 - length];
    uint64_t tail = eight_digits(aligned % 100000000);
    int significant = tail ? 9 - __builtin_clzll(tail) / 8 : 1;
    unsigned __int128 zeros = (unsigned __int128)0x3030303030303030 << 64 | 0x3030303030303030;
    unsigned __int128 digits = zeros | (unsigned __int128)tail << 8 | aligned / 100000000;
    /* value = first.rest * 10^exponent */
    int exponent = decimal.exponent + length - 1;

    if (exponent < 0 && exponent >= -4) {
        /* "0.000", as far as there are zeros, then all digits. */
        memcpy(text, "0.000000", 8);
        put(text + 1 - exponent, digits);
        return text + 1 - exponent + significant;
    }
    if (exponent >= 0 && bits <= 0x4B800000) {
        /* Up to 2^24. */
        put(text, digits);
        text[exponent + 1] = '.';
        put(text + exponent + 2, digits >> (8 * exponent + 8));
        return text + (significant > exponent + 2 ? significant : exponent + 2) + 1;
    }
    /* d.ddd */
    put(text, digits);
    text[1] = '.';
    put(text + 2, digits >> 8);
    text += significant == 1 ? 1 : significant + 1;
    int magnitude = exponent < 0 ? -exponent : exponent;
    char suffix[4] = {'e', exponent < 0 ? '-' : '+', (char)('0' + magnitude / 10), (char)('0' + magnitude % 10)};
    memcpy(text, suffix, 4);
    return text + 4;
}

size_t number_text_write(const float *values, size_t count, const uint64_t *powers, char *text) {
    char *end = text;
    for (size_t index = 0; index < count; index++) {
        uint32_t bits;
        memcpy(&bits, values + index, sizeof bits);
        uint32_t magnitude = bits & INT32_MAX;
        if (magnitude >= 0x7F800000) return 0;
        if (magnitude == 0) *end++ = '0';  /* Most of a gradient. */
        else end = write_one(bits, powers, end);
        *end++ = ',';
    }
    return (size_t)(end - text);
}

void number_text_write_digits(const uint8_t *digits, size_t count, char *text) {
    for (size_t index = 0; index < count; index++) {
        text[2 * index] = (char)('0' + digits[index]);
        text[2 * index + 1] = ',';
    }
}
