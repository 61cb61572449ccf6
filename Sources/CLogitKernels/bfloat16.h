/* The nearest bfloat16, and of two equally near the even one. In whole numbers: the instructions for it take what is below
   the least normal Float for 0. After wide.h. */

/* Of finite numbers below `too_large_for_bfloat16`; its sign and all but 16 bits are what a Float has. */
INLINE narrow_halves nearest_bfloat16(narrows values) {
    narrow_patterns bits = (narrow_patterns)values;
    return __builtin_convertvector((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, narrow_halves);
}

/* Doubles from here on become infinite as a Float, and as the bfloat16 next to that Float. */
static const double too_large_for_float = 0x1.ffffffp127, too_large_for_bfloat16 = 0x1.fefffffp127;

/* As nearest_bfloat16, for twice as many. What is too large, or no number, shows in `wrong`. */
INLINE halves round_floats(patterns bits, patterns *wrong) {
    *wrong |= (patterns)((bits & 0x7FFFFFFF) >= 0x7F7F8000);
    return __builtin_convertvector((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, halves);
}

static int round_to_bfloat16(const float *values, size_t count, void *results) {
    const unsigned char *from = (const unsigned char *)values;
    unsigned char *to = results;
    const size_t whole = count / LANES * LANES;
    patterns wrong = {};
    for (size_t index = 0; index < whole; index += LANES) {
        halves rounded = round_floats(load_patterns(from + 4 * index), &wrong);
        __builtin_memcpy(to + 2 * index, &rounded, sizeof rounded);
    }
    if (whole < count) {
        patterns last = {};
        __builtin_memcpy(&last, from + 4 * whole, 4 * (count - whole));
        halves rounded = round_floats(last, &wrong);
        __builtin_memcpy(to + 2 * whole, &rounded, 2 * (count - whole));
    }
    return !__builtin_reduce_or(wrong);
}
