/* Elementary functions of LANES doubles at a time. They use only additions, multiplications, divisions and bit operations,
 * so that every processor gives the same bits. The compiler must not fuse a product and a sum: see contrast.h.
 *
 * The error of e^x − 1 is at most 2.1 units in the last place, that of the other functions 1.5. */
#ifndef TOKEN_LOSS_FUNCTIONS_H
#define TOKEN_LOSS_FUNCTIONS_H

#include <stdint.h>

typedef double lanes __attribute__((vector_size(8 * LANES)));
typedef int64_t bits __attribute__((vector_size(8 * LANES)));

/* LANES fill four registers. Each step is done in four parts, which hide each other's latency. Vectors wider than a
 * register have no fixed calling convention. This does not matter, because everything here is inlined. */
#pragma clang diagnostic ignored "-Wpsabi"
#define inlined static inline __attribute__((always_inline))

inlined lanes all(double value) { return (lanes){} + value; }

/* a where the condition is all ones, b where it is 0. */
inlined lanes choose(bits condition, lanes a, lanes b) {
    return (lanes)(((bits)a & condition) | ((bits)b & ~condition));
}

inlined lanes magnitude(lanes x) { return (lanes)((bits)x & INT64_MAX); }

/* x = k·ln2 + r with |r| ≤ ln2/2. The low mantissa bits of `shifted` hold k. The first part of ln2 ends in 21 zeros, so
 * that its product with k is exact. */
inlined lanes reduce(lanes x, lanes *shifted, lanes *k) {
    *shifted = x * 0x1.71547652b82fep0 + 0x1.8p52;
    *k = *shifted - 0x1.8p52;
    return (x - *k * 0x1.62e42feep-1) - *k * 0x1.a39ef35793c76p-33;
}

/* e^r − 1 for |r| ≤ ln2/2: the Taylor series to r^13, with a remainder of 1.2e-17 of the value. */
inlined lanes exponential_less_one_reduced(lanes r) {
    lanes r2 = r * r, r4 = r2 * r2;
    lanes low = (0x1p-1 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    lanes middle = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    lanes high = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    return r + r2 * (low + r4 * (middle + r4 * high));
}

/* 2^(k − lowered). */
inlined lanes power_of_two(lanes shifted, int64_t lowered) {
    return (lanes)(((bits)shifted << 52) + ((1023 - lowered) << 52));
}

/* e^x − 1; +infinity beyond the range of a double. */
inlined lanes exponential_less_one(lanes x) {
    lanes shifted, k;
    /* Below −45 the result is −1, above 709.9 it is infinity. */
    x = choose(x < -45, all(-45), x);
    x = choose(x > 709.9, all(709.9), x);
    lanes p = exponential_less_one_reduced(reduce(x, &shifted, &k));
    /* Half of 2^k, because k may be 1024, and no double holds 2^1024. */
    lanes half = power_of_two(shifted, 1);
    return (half * p + (half - 0.5)) * 2;
}

/* e^x for x ≤ 0; 0 below −708, where a double no longer has its full mantissa. */
inlined lanes exponential_of_negative(lanes x) {
    lanes shifted, k, clamped = choose(x < -708, all(-708), x);
    lanes p = exponential_less_one_reduced(reduce(clamped, &shifted, &k));
    return choose(x < -708, all(0), (1 + p) * power_of_two(shifted, 0));
}

/* log(1 + e) for e in [0, 1]. If (1 + e)/2 is nearer to 1, it takes the logarithm of that, so that the series is that of
 * log(1 + f) with f from −0.293 to 0.414.
 * Source: the reduction and the seven coefficients of FreeBSD's e_log.c (Sun Microsystems, 1993). */
inlined lanes logarithm_of_one_plus(lanes e) {
    bits is_halved = e > 0x1.a827999fcef32p-2;
    lanes f = choose(is_halved, (e - 1) * 0.5, e);
    lanes s = f / (2 + f), s2 = s * s, s4 = s2 * s2, half = 0.5 * f * f;
    lanes odd = s2 * (6.666666666666735130e-01
        + s4 * (2.857142874366239149e-01 + s4 * (1.818357216161805012e-01 + s4 * 1.479819860511658591e-01)));
    lanes even = s4 * (3.999999999940941908e-01 + s4 * (2.222219843214978396e-01 + s4 * 1.531383769920937332e-01));
    lanes bent = s * (half + (even + odd));
    lanes plain = f - (half - bent);
    lanes doubled = 0x1.62e42feep-1 - ((half - (bent + 0x1.a39ef35793c76p-33)) - f);
    return choose(is_halved, doubled, plain);
}

#endif
