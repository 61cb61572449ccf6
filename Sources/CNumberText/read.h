/* Numbers of a list from their text. Each instruction set has a file that includes this one and has it compiled for its
 * instructions. */
#ifndef NUMBER_TEXT_READ_H
#define NUMBER_TEXT_READ_H

#include <string.h>

#include "number_text.h"

#define inlined static inline __attribute__((always_inline))

/* The number whose decimal digits are the eight bytes, lowest byte first; by three multiplications. */
inlined uint64_t joined(uint64_t bytes) {
    /* Pairs, then both pairs of each half, then both halves, each product landing in the upper half. */
    uint64_t pairs = bytes * 10 + (bytes >> 8);
    uint64_t upper = (pairs & 0x000000FF000000FF) * (100 + (1000000ull << 32));
    uint64_t lower = (pairs >> 16 & 0x000000FF000000FF) * (1 + (10000ull << 32));
    return (upper + lower) >> 32;
}

static const uint64_t powers_of_ten[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
    10000000000000, 100000000000000, 1000000000000000, 10000000000000000};

/* Exact in Double. */
static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Adds the digits from `cursor` on, at most 24 and three bytes further; where they end. */
inlined const uint8_t *take_digits(const uint8_t *cursor, uint64_t *mantissa) {
    for (int part = 0; part < 3; part++) {
        uint64_t word;
        memcpy(&word, cursor, 8);
        uint64_t values = word - 0x3030303030303030;
        /* The high bit of each byte below '0' or above '9'; those after the first such byte may be wrong. */
        uint64_t strangers = ((word + 0x4646464646464646) | values | word) & 0x8080808080808080;
        if (strangers) {
            int count = __builtin_ctzll(strangers) >> 3;
            /* Digits move to the high bytes, as if zeros stood before them; in two steps, for none of them. */
            *mantissa = *mantissa * powers_of_ten[count] + joined(values << (56 - 8 * count) << 8);
            return cursor + count;
        }
        *mantissa = *mantissa * 100000000 + joined(values);
        cursor += 8;
    }
    return cursor;
}

/* The Double nearest to mantissa * 10^exponent, ties to even, for a mantissa that is not 0 and a normal result; false for
 * others. That nothing stays undecided is shown in N. Mushtak and D. Lemire, "Fast number parsing without fallback"
 * (2022). */
inlined bool nearest(uint64_t mantissa, int exponent, const uint64_t *powers, double *value) {
    if (exponent < NUMBER_TEXT_LEAST_POWER || exponent > NUMBER_TEXT_LARGEST_POWER) return false;
    const uint64_t *halves = powers + 2 * (exponent - NUMBER_TEXT_LEAST_POWER);
    int zeros = __builtin_clzll(mantissa);
    uint64_t shifted = mantissa << zeros;
    unsigned __int128 product = (unsigned __int128)shifted * halves[0];
    /* 55 bits are needed: 53, one that may be lost to normalising, one to round. Only when all below them are ones could
     * the lower half of the power carry into them. */
    if (((uint64_t)(product >> 64) & 0x1FF) == 0x1FF)
        product += (uint64_t)((unsigned __int128)shifted * halves[1] >> 64);
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    int upper = (int)(high >> 63);
    uint64_t bits = high >> (upper + 9);
    /* floor(exponent * log2(10)) by a fixed-point product, then Double's bias. */
    int binary = ((217706 * exponent) >> 16) + 63 + upper - zeros + 1023;
    if (binary <= 0) return false;
    /* Exactly between two Doubles: to even. That happens only where the power is exact. */
    if (low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 && bits << (upper + 9) == high) bits &= ~1ull;
    bits = (bits + (bits & 1)) >> 1;
    if (bits >= 1ull << 53) {
        bits = 1ull << 52;
        binary++;
    }
    if (binary >= 0x7FF) return false;
    bits = (bits & ((1ull << 52) - 1)) | (uint64_t)binary << 52;
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* Before the first other digit. */
inlined size_t leading_zeros(const uint8_t *cursor) {
    size_t zeros = 0;
    for (; *cursor == '0' || *cursor == '.'; cursor++) zeros += *cursor == '0';
    return zeros;
}

/* The Double nearest to mantissa * 10^exponent; false where it is left to the caller. */
inlined bool valued(uint64_t mantissa, int exponent, bool is_negative, const uint64_t *powers, double *value) {
    double magnitude;
    if (mantissa <= 1ull << 53 && exponent >= -22 && exponent <= 22) {
        /* Clinger's fast path: both operands are exact Doubles, so one rounding gives the nearest. */
        double exact = (double)mantissa;
        magnitude = exponent < 0 ? exact / exact_powers[-exponent] : exact * exact_powers[exponent];
    } else if (mantissa == 0 || !nearest(mantissa, exponent, powers, &magnitude)) {
        return false;
    }
    *value = is_negative ? -magnitude : magnitude;
    return true;
}

/* One number that begins at `cursor`; where it ends, or null where it is left to the caller. */
inlined const uint8_t *read_one(const uint8_t *cursor, const uint64_t *powers, double *value) {
    bool is_negative = *cursor == '-';
    cursor += is_negative;
    const uint8_t *whole = cursor;
    uint64_t mantissa = 0;
    if (cursor[1] == '.' && (uint8_t)(*cursor - '0') < 10) mantissa = *cursor++ - '0';
    else cursor = take_digits(cursor, &mantissa);
    size_t digits = (size_t)(cursor - whole);
    if (digits == 0 || (*whole == '0' && digits > 1)) return NULL;
    int exponent = 0;
    if (*cursor == '.') {
        const uint8_t *fraction = ++cursor;
        cursor = take_digits(cursor, &mantissa);
        size_t length = (size_t)(cursor - fraction);
        if (length == 0) return NULL;
        exponent = -(int)length;
        digits += length;
    }
    /* More significant ones don't fit the mantissa. */
    if (digits > 19 && digits - leading_zeros(whole) > 19) return NULL;
    if ((*cursor | 0x20) == 'e') {
        cursor++;
        bool is_lowering = *cursor == '-';
        cursor += is_lowering || *cursor == '+';
        int power = 0, length = 0;
        for (; length < 4 && (uint8_t)(*cursor - '0') < 10; length++) power = power * 10 + (*cursor++ - '0');
        if (length == 0 || length == 4) return NULL;
        exponent += is_lowering ? -power : power;
    }
    return valued(mantissa, exponent, is_negative, powers, value) ? cursor : NULL;
}

#ifdef DIGITS_BEFORE

/* Bytes before a number that reading it may look at. */
enum { READ_BEFORE = 24 };

/* What nearly all numbers between commas are: one digit, a point, and up to nineteen digits. False for others. */
inlined bool read_fraction(const uint8_t *cursor, const uint8_t *end, const uint64_t *powers, double *value) {
    bool is_negative = *cursor == '-';
    const uint8_t *fraction = cursor + is_negative + 2;
    ptrdiff_t length = end - fraction;
    uint64_t whole = (uint64_t)fraction[-2] - '0';
    /* Twenty digits don't fit the mantissa. */
    if (length < 1 || length > 19 - (whole != 0) || whole > 9 || fraction[-1] != '.') return false;
    size_t lower = length < 16 ? (size_t)length : 16, upper = (size_t)length - lower;
    uint64_t word, digits;
    memcpy(&word, end - READ_BEFORE, 8);
    word = (word ^ 0x3030303030303030) & ~(~0ull >> (8 * upper));
    /* A byte from 0x80 on is no digit. The sum alone does not show this, because it overflows from 0x8A on. */
    bool are_digits = DIGITS_BEFORE(end, lower, &digits) & !(((word + 0x7676767676767676) | word) & 0x8080808080808080);
    if (!are_digits) return false;
    uint64_t mantissa = (whole * powers_of_ten[upper] + joined(word)) * powers_of_ten[lower] + digits;
    /* Fewer digits are within the 53 bits of an exact Double; of more, some are and some aren't, and a question that is
     * often answered wrongly costs more than the product. */
    if (length < 16) return valued(mantissa, -(int)length, is_negative, powers, value);
    double magnitude = 0;
    if (mantissa != 0 && !nearest(mantissa, -(int)length, powers, &magnitude)) return false;
    *value = is_negative ? -magnitude : magnitude;
    return true;
}

#endif

inlined const uint8_t *skip_blanks(const uint8_t *cursor, const uint8_t *last) {
    while (cursor < last && (*cursor == ' ' || *cursor == '\n' || *cursor == '\r' || *cursor == '\t')) cursor++;
    return cursor;
}

#ifdef DIGITS_BEFORE

/* How many elements are looked for before any is read, and how many more 64 bytes may hold. */
enum { AHEAD = 16, MORE = 64 };

/* Offsets of the next commas of the list; how many. */
inlined size_t find_ends(const uint8_t *cursor, const uint8_t *last, uint32_t *ends) {
    size_t found = 0;
    bool is_last = false;
    for (const uint8_t *block = cursor; found < AHEAD && block <= last && !is_last; block += 64) {
        uint64_t commas = COMMAS(block, &is_last);
        size_t count = (size_t)__builtin_popcountll(commas);
        uint32_t start = (uint32_t)(block - cursor);
        /* Four at a time, wanted or not: how many there are can't be foreseen. */
        for (size_t index = 0; index < count; index += 4)
            for (size_t next = index; next < index + 4; next++, commas &= commas - 1)
                ends[found + next] = start + FIRST_SET(commas);
        found += count;
    }
    return found;
}

/* The next elements; where the first begins that is not read. All ends are found first, so that no number waits until the
 * one before it has been read. */
inlined const uint8_t *read_some(
    const uint8_t *cursor, const uint8_t *last, const uint64_t *powers, double *values, size_t room, size_t *count) {
    uint32_t ends[AHEAD + MORE + 4];
    size_t found = find_ends(cursor, last, ends);
    const uint8_t *start = cursor;
    if (found > room - *count) found = room - *count;
    for (size_t index = 0; index < found; index++) {
        const uint8_t *end = start + ends[index];
        double *value = &values[*count];
        /* Reading one of another kind may look at bytes behind it. */
        if (!read_fraction(cursor, end, powers, value)
            && (cursor > last || read_one(cursor, powers, value) != end)) break;
        ++*count;
        cursor = skip_blanks(end + 1, last);
    }
    return cursor;
}

#endif

static struct number_text_reading read_list(
    const uint8_t *text, size_t length, size_t position, const uint64_t *powers, double *values, size_t room) {
    struct number_text_reading reading = {.position = position};
    if (length < NUMBER_TEXT_MARGIN) return reading;
    const uint8_t *cursor = text + position, *last = text + length - NUMBER_TEXT_MARGIN;
    while (reading.count < room && cursor <= last) {
#ifdef DIGITS_BEFORE
        if (cursor - text >= READ_BEFORE) {
            const uint8_t *next = read_some(cursor, last, powers, values, room, &reading.count);
            if (next != cursor) {
                cursor = next;
                continue;
            }
        }
#endif
        double value;
        const uint8_t *end = read_one(cursor, powers, &value);
        if (!end) break;
        end = skip_blanks(end, last);
        if (*end == ']') {
            values[reading.count++] = value;
            reading.is_closed = true;
            cursor = end;
            break;
        }
        if (*end != ',') break;
        values[reading.count++] = value;
        cursor = skip_blanks(end + 1, last);
    }
    reading.position = (size_t)(cursor - text);
    return reading;
}

#endif
