/* What the logits of a block of two-byte elements span. After terms.h. */

/* Without instructions that scale by any power, logits must lie within the exponents' range. Those of four bytes are each
   brought into it. Of two bytes a block is looked over, which is one instruction for twice as many, and does without the
   other where all are in it. */
INLINE int looks_over(logit_kernels_element element) { return !SCALES && element != LOGIT_KERNELS_F32; }
INLINE int brings_in(logit_kernels_element element) { return !SCALES && element == LOGIT_KERNELS_F32; }

/* The largest positive and the largest negative magnitude so far, as patterns. */
typedef struct extent {
    all_shorts positive; /* or below 0 */
    all_halves negative; /* or below 2^15 */
} extent;

INLINE void extend(extent *e, const unsigned char *at) {
    all_halves bits;
    __builtin_memcpy(&bits, at, sizeof bits);
    e->positive = __builtin_elementwise_max((all_shorts)bits, e->positive);
    e->negative = __builtin_elementwise_max(bits, e->negative);
}

/* Towards zero; the limit is at least 2^-14. */
INLINE uint16_t magnitude_of(float limit, logit_kernels_element element) {
    uint32_t bits;
    __builtin_memcpy(&bits, &limit, 4);
    bits &= 0x7FFFFFFF;
    if (element == LOGIT_KERNELS_BF16) return (uint16_t)(bits >> 16);
    return bits >= 0x47800000 ? 0x7BFF : (uint16_t)((bits - 0x38000000) >> 13);
}

INLINE int is_within(const extent *e, const terms *t, logit_kernels_element element) {
    all_shorts positive = e->positive > (int16_t)magnitude_of(t->most[0], element);
    all_shorts negative = (all_shorts)(e->negative > (uint16_t)(magnitude_of(t->least[0], element) | 0x8000));
    return !__builtin_reduce_or(positive | negative);
}

INLINE enum care care_of(const logit_kernels_sums *sums, const terms *t, logit_kernels_element element) {
    if (is_far(sums)) return GENERAL;
    if (looks_over(element) && (t->least[0] > -0x1p-14f || t->most[0] < 0x1p-14f)) return GENERAL;
    return FUSED && t->low[0] != 0 ? REFINED : PLAIN;
}
