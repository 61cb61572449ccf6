/* What a call of `add` works with, from the sums so far. After exponential.h. */

/* What a row or a block asks of the loop. Where less would do, doing more gives the same bits. */
enum care {
    PLAIN,
    REFINED, /* the rate is no Float */
    GENERAL  /* nor are all logits near zero or within the exponents' range */
};

/* What is the same for a whole call. */
typedef struct terms {
    floats rate;
    floats low;   /* what is left of the exact rate, or where FUSED is 0 of 1/rate beside step */
    floats step;  /* 1/rate in 15 bits, whose products with whole numbers up to 2^9 are exact */
    floats shift; /* shifter, less what stands for the pivot */
    floats least; /* logits below count as probability 0 */
    floats most;  /* far above the pivot */
    floats pivot;
    float base;   /* taken off logits that are far from zero */
    double scale; /* what the powers' sums are to be multiplied by */
    polynomial power;
} terms;

/* The pivot's place, in powers of two, up to which logits are taken as they are: further from zero, 2^-reference is no
   Float, or products of steps are not exact. There the pivot is taken off the logits first, which is exact for all that
   are at least half of it. */
enum { NEAR = SCALES ? 64 : 250, CAN_BE_FAR = SCALES || !FUSED };

INLINE int is_far(const logit_kernels_sums *sums) {
    return CAN_BE_FAR && (sums->reference > NEAR || sums->reference < -NEAR);
}

/* 2^x for |x| <= 1/2, by its series. */
INLINE double power_of_fraction(double x) {
    double sum = 1;
    for (int k = 15; k > 0; k--) sum = 1 + x * 0x1.62e42fefa39efp-1 / k * sum;
    return sum;
}

INLINE terms terms_of(const logit_kernels_sums *sums) {
    double rate = sums->rate, reference = is_far(sums) ? 0 : sums->reference;
    float step = (float)(1 / rate);
    uint32_t bits;
    __builtin_memcpy(&bits, &step, 4);
    bits &= 0xFFFFFE00;
    __builtin_memcpy(&step, &bits, 4);
    return (terms){
        every((float)rate),
        every((float)(FUSED ? rate - (double)(float)rate : 1 / rate - (double)step)),
        every(step),
        every(SCALES ? shifter : shifter - (float)reference),
        /* 2^-127, whose pattern is that of 0, and times which nothing takes long. */
        every((float)((sums->reference - 127) / rate)),
        every((float)((sums->reference + 64) / rate)),
        every(sums->pivot),
        is_far(sums) ? sums->pivot : 0,
        is_far(sums) ? taken_back * power_of_fraction((double)sums->pivot * rate - sums->reference) : taken_back,
        polynomial_of(reference, rate),
    };
}
