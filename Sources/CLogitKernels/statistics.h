/* Sums for log-sum-exp and entropy of a row: see perception_sums. */

/* log2(e)/T in two parts whose sum is exact to 2^-48, so that z * rate - n keeps its last bits after cancellation. */
typedef struct rates {
    floats high;
    floats low;
} rates;

INLINE rates split(double rate) {
    float high = (float)rate;
#if !FUSED
    /* 12 bits, so that their product with 12 bits of a logit is exact. */
    uint32_t bits;
    __builtin_memcpy(&bits, &high, 4);
    bits &= 0xFFFFF000;
    __builtin_memcpy(&high, &bits, 4);
#endif
    return (rates){every(high), every((float)(rate - high))};
}

/* z * rate - whole, |result| about 1/2, rounded at the result's size. */
INLINE floats remainder_of(floats z, rates rate, floats whole, perception_element element) {
#if FUSED
    (void)element;
    return fused(z, rate.low, fused(z, rate.high, -whole));
#else
    if (element != PERCEPTION_F32) /* z has at most 11 bits */
        return (z * rate.high - whole) + z * rate.low;
    floats head = as_floats(as_patterns(z) & 0xFFFFF000);
    return (head * rate.high - whole) + ((z - head) * rate.high + z * rate.low);
#endif
}

#if SATURATES
/* All e_i are made this much smaller, so that what counts as 0, below 2^-126, falls below Float's denormals. */
#define MADE_SMALLER 0x1p23f
#else
#define MADE_SMALLER 1.0f
#endif

/* 2^r * (1 - 6.9e-8) for |r| <= 0.501, to 8.5e-8: the polynomial of degree 5 that starts with exactly 1 and comes nearest,
   by Remez's exchange and a search among neighbouring floats. The common factor is taken back in Double, once a block. */
static const double taken_back = 1.0000000692714637 * MADE_SMALLER;

INLINE floats power_of_two(floats r) {
    floats p = fused(r, every(0x1.5c074cp-10f), every(0x1.3d0e34p-7f));
    p = fused(p, r, every(0x1.c6b6e0p-5f));
    p = fused(p, r, every(0x1.ebf914p-3f));
    p = fused(p, r, every(0x1.62e428p-1f));
    return fused(p, r, every(1));
}

/* 1.5 * 2^23: added to a small number it leaves the nearest whole one in the low bits. */
static const float shifter = 12582912;

/* What is the same for a whole call. */
typedef struct terms {
    rates rate;
    floats shift; /* shifter - reference */
    floats least; /* logits below count as probability 0 */
    floats most;  /* far above the anchor */
    floats anchor;
} terms;

INLINE terms terms_of(const perception_sums *sums) {
    /* 2^-125.5 is e^-87. */
    double least = SATURATES ? -160 : -125.5;
    return (terms){
        split(sums->rate),
        every(shifter - (float)sums->reference),
        every((float)(sums->anchor + least / sums->rate)),
        every((float)(sums->anchor + 64 / sums->rate)),
        every(sums->anchor),
    };
}

/* Adds e^x of 16, 8 or 4 logits, and its product with z - centre. NaN always reaches the weighted sum, a logit far above
   the anchor the sum. anchored: leave out what equals the anchor. */
INLINE void add_vector(
    floats z, perception_element element, int anchored, const terms *t, floats centre, floats *sum, floats *weighted) {
    integers is_left_out = anchored ? z == t->anchor : (integers)(0);
#if !SATURATES
    is_left_out |= z < t->least;
    z = smaller(t->most, z);
#endif
    z = larger(t->least, z); /* -inf has no product with 0 */
    floats shifted = fused(z, t->rate.high, t->shift);
    floats r = remainder_of(z, t->rate, shifted - t->shift, element);
    floats p = power_of_two(r);
#if SATURATES
    floats e = scale(p, shifted - every(shifter + 23));
#else
    /* The whole part of z * rate - reference is added to the exponent. */
    floats e = as_floats(as_patterns(p) + (as_patterns(shifted) << 23));
#endif
#if SATURATES
    if (anchored)
#endif
        e = is_left_out ? every(0) : e;
    *sum += e;
    *weighted = fused(e, z - centre, *weighted);
}

enum { UNROLLED = 4, STEP = UNROLLED * LANES };

/* Adds one block of a multiple of STEP logits to the sums; false, and nothing added, when the block's own are no numbers
   or, unless anchored, so large that something stands above the anchor. */
INLINE int add_block(
    const unsigned char *at, size_t count, perception_element element, int anchored, const terms *t, doubles *sums,
    doubles *weighted_sums) {
    size_t size = element_size(element);
    /* Sums of e * z are taken around each lane's mean so far: they stay small, and with them the errors of Float, which
       add up where many logits are equal. */
    floats mean = __builtin_convertvector(*weighted_sums, floats) / __builtin_convertvector(*sums, floats);
    floats centre = t->anchor + (mean - mean == 0 ? mean : every(0));
    floats sum[UNROLLED], weighted[UNROLLED];
#pragma clang loop unroll(full)
    for (int u = 0; u < UNROLLED; u++) sum[u] = weighted[u] = every(0);
    for (size_t index = 0; index < count; index += STEP) {
        const unsigned char *here = at + index * size;
        for (size_t line = 0; line < STEP * size; line += 64) __builtin_prefetch(here + PREFETCH + line);
#pragma clang loop unroll(full)
        for (int u = 0; u < UNROLLED; u += 2) {
            floats pair[2];
            load_pair(here + u * LANES * size, element, pair);
            add_vector(pair[0], element, anchored, t, centre, &sum[u], &weighted[u]);
            add_vector(pair[1], element, anchored, t, centre, &sum[u + 1], &weighted[u + 1]);
        }
    }
    floats block_sum = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    floats block_weighted = (weighted[0] + weighted[1]) + (weighted[2] + weighted[3]);
    /* Where nothing is above the anchor, no e_i is more than the root of 2. */
    float most = anchored ? __builtin_inff() : 2 * PERCEPTION_BLOCK / LANES / MADE_SMALLER;
    integers is_usable = (block_sum < most) & (block_weighted - block_weighted == 0);
    if (!__builtin_reduce_and(is_usable)) return 0;
    doubles wide = __builtin_convertvector(block_sum, doubles);
    doubles offset = __builtin_convertvector(centre, doubles) - __builtin_convertvector(t->anchor, doubles);
    *sums += wide * taken_back;
    *weighted_sums += (__builtin_convertvector(block_weighted, doubles) + offset * wide) * taken_back;
    return 1;
}

INLINE size_t padded(size_t count) { return (count + STEP - 1) / STEP * STEP; }

INLINE size_t add_blocks(
    const unsigned char *at, size_t count, perception_element element, int anchored, perception_sums *state) {
    terms t = terms_of(state);
    doubles sums, weighted;
    __builtin_memcpy(&sums, state->sum, sizeof sums);
    __builtin_memcpy(&weighted, state->weighted, sizeof weighted);
    size_t done = 0;
    while (count - done >= PERCEPTION_BLOCK) {
        const unsigned char *block = at + done * element_size(element);
        if (!add_block(block, PERCEPTION_BLOCK, element, anchored, &t, &sums, &weighted)) break;
        done += PERCEPTION_BLOCK;
    }
    if (done < count && count - done < PERCEPTION_BLOCK) {
        unsigned char rest[PERCEPTION_BLOCK * 4];
        size_t left = count - done;
        copy_padded(rest, at + done * element_size(element), left, padded(left), element);
        if (add_block(rest, padded(left), element, anchored, &t, &sums, &weighted)) done = count;
    }
    __builtin_memcpy(state->sum, &sums, sizeof sums);
    __builtin_memcpy(state->weighted, &weighted, sizeof weighted);
    return done;
}

INLINE perception_maximum block_maximum(
    const unsigned char *at, size_t count, perception_element element, float peak, size_t *equal) {
    unsigned char rest[PERCEPTION_BLOCK * 4];
    if (count % STEP != 0) {
        copy_padded(rest, at, count, padded(count), element);
        at = rest;
        count = padded(count);
    }
    floats most = every(-__builtin_inff());
    integers unordered = {}, equals = {};
    for (size_t index = 0; index < count; index += 2 * LANES) {
        floats pair[2];
        load_pair(at + index * element_size(element), element, pair);
        for (int half = 0; half < 2; half++) {
            most = larger(pair[half], most);
            unordered |= pair[half] != pair[half];
            equals -= pair[half] == peak;
        }
    }
    perception_maximum result = {most[0], __builtin_reduce_or(unordered) != 0};
    for (int lane = 1; lane < LANES; lane++)
        result.maximum = most[lane] > result.maximum ? most[lane] : result.maximum;
    *equal = 0;
    for (int lane = 0; lane < LANES; lane++) *equal += (size_t)equals[lane];
    return result;
}

/* The element type is a constant in each copy of a kernel. */
#define FOR_EACH_ELEMENT(element, statement)                          \
    switch (element) {                                                \
    case PERCEPTION_F32: statement(PERCEPTION_F32)                    \
    case PERCEPTION_BF16: statement(PERCEPTION_BF16)                  \
    case PERCEPTION_F16: statement(PERCEPTION_F16)                    \
    }                                                                 \
    __builtin_unreachable()

static perception_maximum maximum(const void *logits, size_t count, perception_element element) {
    size_t equal;
#define MAXIMUM(E) return block_maximum(logits, count, E, 0, &equal);
    FOR_EACH_ELEMENT(element, MAXIMUM);
}

static size_t add(const void *logits, size_t count, perception_element element, perception_sums *sums) {
#define ADD(E) return add_blocks(logits, count, E, 0, sums);
    FOR_EACH_ELEMENT(element, ADD);
}

static size_t add_anchored(const void *logits, size_t count, perception_element element, perception_sums *sums) {
    size_t equal;
#define ADD_ANCHORED(E)                                         \
    if (add_blocks(logits, count, E, 1, sums) < count) return 0; \
    block_maximum(logits, count, E, sums->anchor, &equal);      \
    return equal;
    FOR_EACH_ELEMENT(element, ADD_ANCHORED);
}
