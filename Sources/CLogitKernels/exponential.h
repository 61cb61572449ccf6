/* e^x as 2^(z * rate - reference): a multiple of a small step, whose power comes from a table and from integer arithmetic on
   the exponent, times the power of a remainder, from a polynomial with about the error of a Float's last bit.

   All powers are made 2^-24 as large, so that those below 2^-126 fall below Float's denormals and become 0. */

#define MADE_SMALLER 0x1p24

/* Of the polynomial of a remainder, times what makes powers smaller. */
typedef struct polynomial {
    floats coefficients[6]; /* from the constant one on */
} polynomial;

#if TABLE_BITS == 5

static const float roots[32] = {
    0x1.000000p+0f, 0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f, 0x1.2387a6p+0f,
    0x1.29e9e0p+0f, 0x1.306fe0p+0f, 0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f, 0x1.4bfdaep+0f, 0x1.5342b6p+0f,
    0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f, 0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f,
    0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f, 0x1.ae89fap+0f, 0x1.b7f770p+0f, 0x1.c199bep+0f, 0x1.cb720ep+0f,
    0x1.d5818ep+0f, 0x1.dfc974p+0f, 0x1.ea4afap+0f, 0x1.f50766p+0f};

/* 2^r for |r| <= 1/64, to 5.4e-8 */
enum { DEGREE = 2 };
static const float coefficients[] = {0x1p-24f, 0x1.62e586p-25f, 0x1.ebfd6cp-27f};

#define ROUNDED_UP 1.0

#elif TABLE_BITS == 3

static const float roots[8] = {
    0x1.000000p+0f, 0x1.172b84p+0f, 0x1.306fe0p+0f, 0x1.4bfdaep+0f,
    0x1.6a09e6p+0f, 0x1.8ace54p+0f, 0x1.ae89fap+0f, 0x1.d5818ep+0f};

/* 2^r for |r| <= 1/16, to 2.7e-8 */
enum { DEGREE = 3 };
static const float coefficients[] = {0x1p-24f, 0x1.62e432p-25f, 0x1.ec0c3ep-27f, 0x1.c69f82p-29f};

#define ROUNDED_UP 1.0

#else

/* 2^r / ROUNDED_UP for |r| <= 0.501, to 8.5e-8: the polynomial of degree 5 that starts with exactly 1 and comes nearest. */
enum { DEGREE = 5 };
static const float coefficients[] = {
    0x1p-24f, 0x1.62e428p-25f, 0x1.ebf914p-27f, 0x1.c6b6e0p-29f, 0x1.3d0e34p-31f, 0x1.5c074cp-34f};

#define ROUNDED_UP 1.0000000692714637

#endif

/* What sums of powers are to be multiplied by, in Double. */
static const double taken_back = MADE_SMALLER * ROUNDED_UP;

/* Added to a small number it leaves the nearest multiple of 2^-TABLE_BITS in the low bits. */
static const float shifter = 1.5f * (1 << (23 - TABLE_BITS));

/* Times 2^-reference where one instruction adds to an exponent, and for r in logits where it is not in powers of 2. */
INLINE polynomial polynomial_of(double reference, double rate) {
    polynomial p;
    double scale = 1;
#if SCALES
    uint64_t bits = (uint64_t)(1023 - (int64_t)reference) << 52;
    __builtin_memcpy(&scale, &bits, 8);
#endif
    (void)reference;
    for (int power = 0; power <= DEGREE; power++) {
        p.coefficients[power] = every((float)(coefficients[power] * scale));
        if (!FUSED) scale *= rate;
    }
    return p;
}

/* 2^(n + r) / taken_back, where shifted = shifter + n, n > -127, and r is what n leaves. */
INLINE floats power(floats shifted, floats whole, floats r, const polynomial *p) {
    floats q = p->coefficients[DEGREE];
#pragma clang loop unroll(full)
    for (int power = DEGREE - 1; power >= 0; power--) q = fused(q, r, p->coefficients[power]);
#if SCALES
    floats root = (floats)_mm512_permutex2var_ps(
        _mm512_loadu_ps(roots), (__m512i)shifted, _mm512_loadu_ps(roots + 16));
    return (floats)_mm512_scalef_ps((__m512)(root * q), (__m512)whole);
#else
    (void)whole;
    patterns exponent = as_patterns(shifted) << (23 - TABLE_BITS);
#if TABLE_BITS == 3
    /* The low bits of n choose a root of 2, from which they are taken off beforehand; the others go to its exponent. */
    patterns steps = (patterns){0, 1, 2, 3, 4, 5, 6, 7} << 20;
    patterns table = as_patterns((floats)_mm256_loadu_ps(roots)) - steps;
    return as_floats((patterns)_mm256_permutevar8x32_epi32((__m256i)table, (__m256i)shifted) + exponent) * q;
#else
    return as_floats(as_patterns(every(1)) + exponent) * q;
#endif
#endif
}
