/* Vectors of WIDE doubles, half as many as floats, and what is taken of them. After lanes.h. */

typedef float narrows __attribute__((ext_vector_type(WIDE)));
typedef uint16_t narrow_halves __attribute__((ext_vector_type(WIDE)));
typedef uint32_t narrow_patterns __attribute__((ext_vector_type(WIDE)));
typedef double wides __attribute__((ext_vector_type(WIDE)));
typedef uint64_t wide_patterns __attribute__((ext_vector_type(WIDE)));

INLINE wides wide(double value) { return (wides)(value); }

INLINE wides fused_wide(wides a, wides b, wides c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* Always in the same order. */
INLINE double total(wides values) {
    double sum = values[0];
    for (int lane = 1; lane < WIDE; lane++) sum += values[lane];
    return sum;
}

/* WIDE logits in their order, exactly. */
INLINE narrows load_narrows(const unsigned char *at, logit_kernels_element element) {
    if (element == LOGIT_KERNELS_F32) {
        narrows values;
        __builtin_memcpy(&values, at, sizeof values);
        return values;
    }
    narrow_halves bits;
    __builtin_memcpy(&bits, at, sizeof bits);
    narrow_patterns all = __builtin_convertvector(bits, narrow_patterns);
    if (element == LOGIT_KERNELS_BF16) return (narrows)(all << 16);
#if HARDWARE_HALVES
    typedef _Float16 narrow_half_floats __attribute__((ext_vector_type(WIDE)));
    return __builtin_convertvector((narrow_half_floats)bits, narrows);
#else
    /* As load_halves. */
    narrow_patterns magnitude = all & 0x7FFF;
    narrow_patterns scaled = (narrow_patterns)((narrows)(magnitude << 13) * 0x1p112f);
    narrow_patterns special = (narrow_patterns)(magnitude >= 0x7C00) & 0x7F800000;
    return (narrows)(scaled | special | (all & 0x8000) << 16);
#endif
}

/* What stands for -inf, whose differences are no numbers: so far below every Float, masks of the lowest Float included,
   that it has no probability beside any at a temperature up to 2^100. */
static const double nothing = -0x1p240;

/* Powers of two whose exponents are multiples of 1/WIDE_STEPS come from the exponent's bits, and from a table where one
   register can hold it. */
#if LANES == 16
#define WIDE_BITS 4
#else
#define WIDE_BITS 0
#endif
#define WIDE_STEPS (1 << WIDE_BITS)

typedef struct tempering {
    double inverse; /* 1/T */
    double rate;    /* log2(e)/T, in steps */
    double least;   /* x/T below is beneath the exponents of Double */
} tempering;

INLINE tempering temper(double temperature) {
    double rate = 0x1.71547652b82fep+0 / temperature;
    return (tempering){1 / temperature, rate * WIDE_STEPS, -1020 / rate};
}

/* 2^(r/WIDE_STEPS) for |r| <= 1/2 to 3e-16, exactly 1 at 0: the nearest polynomial, by Remez's exchange. And a number times
   2^(n/WIDE_STEPS) for n in the low bits of `shifted`. */
#if WIDE_BITS == 4

static const double wide_roots[16] = {
    0x1.0000000000000p+0, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0,
    0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0, 0x1.5ab07dd485429p+0,
    0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f090p+0,
    0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0, 0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0};

INLINE wides times_power(wides p, wides shifted) {
    /* The low bits are added with the exponent: the table is without them. */
    wide_patterns steps = (wide_patterns){0, 1, 2, 3, 4, 5, 6, 7} << 48;
    wide_patterns lower = (wide_patterns)(wides)_mm512_loadu_pd(wide_roots) - steps;
    wide_patterns upper = (wide_patterns)(wides)_mm512_loadu_pd(wide_roots + 8) - steps - (8ull << 48);
    wide_patterns root =
        (wide_patterns)_mm512_permutex2var_epi64((__m512i)lower, (__m512i)shifted, (__m512i)upper);
    return p * (wides)(root + ((wide_patterns)shifted << 48));
}

INLINE wides power_of_step(wides r) {
    wides p = fused_wide(r, wide(0x1.430cbb59a53f4p-37), wide(0x1.5d89c0bb7649ep-30));
    p = fused_wide(p, r, wide(0x1.3b2ab6f894503p-23));
    p = fused_wide(p, r, wide(0x1.c6b08d6e85546p-17));
    p = fused_wide(p, r, wide(0x1.ebfbdff82c5b1p-11));
    p = fused_wide(p, r, wide(0x1.62e42fefa39fdp-5));
    return fused_wide(p, r, wide(1));
}

#else

INLINE wides times_power(wides p, wides shifted) { return (wides)((wide_patterns)p + ((wide_patterns)shifted << 52)); }

INLINE wides power_of_step(wides r) {
    wides r2 = r * r;
    wides p = fused_wide(wide(0x1.e8b761c675c38p-28), r2, wide(0x1.62be68640a005p-20));
    wides q = fused_wide(wide(0x1.b689b4ad4f65fp-24), r2, wide(0x1.ffcb3f1b1dfa2p-17));
    p = fused_wide(p, r2, wide(0x1.43091387c719ep-13));
    q = fused_wide(q, r2, wide(0x1.5d87fea4a755ap-10));
    p = fused_wide(p, r2, wide(0x1.3b2ab6fb8208ep-7));
    q = fused_wide(q, r2, wide(0x1.c6b08d7039559p-5));
    p = fused_wide(p, r2, wide(0x1.ebfbdff82c61fp-3));
    q = fused_wide(q, r2, wide(0x1.62e42fefa3a28p-1));
    p = fused_wide(p, r2, wide(1));
    p = fused_wide(q, r, p);
    return p;
}

#endif

/* exp(x/T) for x/T <= 300: to 1e-15, and the rounding of x * rate; 2^-1020 where it would be less. */
INLINE wides exponential(wides x, tempering t) {
    const double shift = 0x1.8p52; /* leaves the nearest whole number in the low bits */
    wides above = x < t.least ? wide(t.least) : x;
    wides shifted = fused_wide(above, wide(t.rate), wide(shift));
    wides r = fused_wide(above, wide(t.rate), -(shifted - shift));
    return times_power(power_of_step(r), shifted);
}

/* log(v) for normal v > 0, to 1e-15 relative to it or to 1; a number below -700 for 0. v = 2^k * m with m between the root
   of 1/2 and that of 2, and log(m) = 2 artanh(s) of s = (m - 1)/(m + 1) by its series. */
INLINE wides logarithm(wides v) {
    const uint64_t root_of_half = 0x3FE6A09E667F3BCD, one = 0x3FF0000000000000;
    wide_patterns bits = (wide_patterns)v + (one - root_of_half);
    /* As the low bits of 2^52, a small whole number is a double. */
    wides k = (wides)((bits >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
    wides m = (wides)((bits & 0x000FFFFFFFFFFFFF) + root_of_half);
    wides s = (m - 1) / (m + 1);
    wides z = s * s;
    wides series = wide(2.0 / 19);
#pragma clang loop unroll(full)
    for (int power = 17; power >= 3; power -= 2) series = fused_wide(series, z, wide(2.0 / power));
    wides fraction = fused_wide(s * z, series, s + s);
    return fused_wide(k, wide(0x1.62e42fefa39efp-1), fraction);
}
