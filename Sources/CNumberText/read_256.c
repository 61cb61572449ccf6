#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
/* Bit i is set where byte i of the 64 from `cursor` on is a comma, up to the first bracket. */
static inline __attribute__((always_inline)) unsigned long find_commas(const unsigned char *cursor, _Bool *has_bracket) {
    __m256i low = _mm256_loadu_si256((const __m256i *)cursor);
    __m256i high = _mm256_loadu_si256((const __m256i *)(cursor + 32));
    __m256i comma = _mm256_set1_epi8(','), bracket = _mm256_set1_epi8(']');
    unsigned long commas = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, comma));
    unsigned long brackets = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, bracket));
    commas = commas << 32 | (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, comma));
    brackets = brackets << 32 | (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, bracket));
    *has_bracket = brackets != 0;
    return commas & (brackets ^ (brackets - 1));
}

/* The number of the last `count` of the sixteen bytes before `end`, added up to pairs, fours, and eights; whether all of
 * them are digits. */
static inline __attribute__((always_inline)) _Bool digits_before(
    const unsigned char *end, unsigned long count, unsigned long *number) {
    static const unsigned char window[32] = {[16 ... 31] = 0xFF};
    __m128i digits = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(end - 16)), _mm_set1_epi8('0'));
    digits = _mm_and_si128(digits, _mm_loadu_si128((const __m128i *)(window + count)));
    __m128i excess = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 | 1 << 16));
    __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(10000 | 1 << 16));
    unsigned long both = (unsigned long)_mm_cvtsi128_si64(eights);
    *number = (both & 0xFFFFFFFF) * 100000000 + (both >> 32);
    return _mm_testz_si128(excess, excess);
}

#define COMMAS find_commas
#define FIRST_SET(bits) ((uint32_t)_tzcnt_u64(bits))
#define DIGITS_BEFORE digits_before
#include "read.h"
#include "widths.h"

struct number_text_reading number_text_read_256(
    const uint8_t *text, size_t length, size_t position, const uint64_t *powers, double *values, size_t room) {
    return read_list(text, length, position, powers, values, room);
}
#pragma clang attribute pop
#endif
