/* Sums for log-sum-exp and entropy of a row: see perception_sums. */

/* log2(e)/T, and in two parts whose sum is exact to 2^-37, so that z * rate - n keeps its last bits after cancellation. */
typedef struct rates {
    floats nearest;
    floats high;
    floats low;
} rates;

INLINE rates split(double rate) {
    float nearest = (float)rate, high = nearest;
#if !FUSED
    /* 12 bits, so that their product with 12 bits of a logit is exact. */
    uint32_t bits;
    __builtin_memcpy(&bits, &high, 4);
    bits &= 0xFFFFF000;
    __builtin_memcpy(&high, &bits, 4);
#endif
    return (rates){every(nearest), every(high), every((float)(rate - high))};
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

/* What is the same for a whole call. */
typedef struct terms {
    rates rate;
    floats shift; /* shifter - reference */
    floats least; /* logits below count as probability 0 */
    floats most;  /* far above the anchor */
    floats anchor;
} terms;

INLINE terms terms_of(const perception_sums *sums) {
    return (terms){
        split(sums->rate),
        every(shifter - (float)sums->reference),
        /* Between 2^-127 and 2^-126, so that the power is 0 and its exponent not below 0. */
        every((float)((sums->reference - 126.5) / sums->rate)),
        every((float)((sums->reference + 64) / sums->rate)),
        every(sums->anchor),
    };
}

/* Adds e^x of LANES logits, and its product with z - centre. A logit far above the anchor makes the sum large, NaN the
   weighted sum NaN or the sum large. anchored: leave out what equals the anchor. */
INLINE void add_vector(
    floats z, perception_element element, int anchored, const terms *t, floats centre, floats *sum, floats *weighted) {
    integers is_anchor = z == t->anchor;
    /* -inf has no product with 0 */
    z = larger(t->least, smaller(t->most, z));
    floats shifted = fused(z, t->rate.nearest, t->shift);
    floats r = remainder_of(z, t->rate, shifted - t->shift, element);
    floats e = power(shifted, r);
    if (anchored) e = is_anchor ? every(0) : e;
    *sum += e;
    *weighted = fused(e, z - centre, *weighted);
}

/* Elements of a round of the inner loop, and elements that are summed in Float before the sum goes on in Double: where all
   are equal, every addition rounds the same way, and 64 of them would cost 2e-6 nats. */
enum { UNROLLED = 4, STEP = UNROLLED * LANES, STRETCH = 16 * STEP };

/* In halves, whose additions do not wait for one another: of a loop over lanes the compiler makes sixty shuffles. */
INLINE double all_lanes(const doubles *lanes) {
#if LANES == 16
    __auto_type eight = lanes->lo + lanes->hi;
    __auto_type four = eight.lo + eight.hi;
#elif LANES == 8
    __auto_type four = lanes->lo + lanes->hi;
#else
    __auto_type four = *lanes;
#endif
    __auto_type two = four.lo + four.hi;
    return two.lo + two.hi;
}

/* Adds one block of a multiple of STEP logits to the sums; false, and nothing added, when the block's own are no numbers
   or, unless anchored, so large that something stands above the anchor. */
INLINE int add_block(
    const unsigned char *at, size_t count, perception_element element, int anchored, const terms *t,
    perception_sums *state) {
    size_t size = element_size(element);
    /* Sums of e * z are taken around the row's mean so far: they stay small, and with them the errors of Float. All lanes
       have one mean, and the anchor counts in it with its e of about 1: that of a lane, or of a row, without its leaders
       would be far from a leader that is still to come. It is the mean of one block ago, so that nothing waits for it. */
    float mean = (float)(state->weighted / (state->sum + 1));
    float place = state->centre;
    floats centre = every(place);
    state->centre = state->anchor + (mean - mean == 0 ? mean : 0);
    doubles block_sum = {}, block_weighted = {};
    integers is_usable = (integers)(-1);
    /* Where nothing is above the anchor, no e_i is more than the root of 2. */
    float most = anchored ? __builtin_inff() : 2 * STRETCH / LANES / (float)MADE_SMALLER;
    for (size_t start = 0; start < count; start += STRETCH) {
        size_t end = count - start < STRETCH ? count : start + STRETCH;
        floats sum[UNROLLED], weighted[UNROLLED];
#pragma clang loop unroll(full)
        for (int u = 0; u < UNROLLED; u++) sum[u] = weighted[u] = every(0);
        for (size_t index = start; index < end; index += STEP) {
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
        floats all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        floats all_weighted = (weighted[0] + weighted[1]) + (weighted[2] + weighted[3]);
        is_usable &= (all < most) & (all_weighted - all_weighted == 0);
        block_sum += __builtin_convertvector(all, doubles);
        block_weighted += __builtin_convertvector(all_weighted, doubles);
    }
    if (!__builtin_reduce_and(is_usable)) return 0;
    double total_sum = all_lanes(&block_sum);
    state->sum += total_sum * taken_back;
    state->weighted += (all_lanes(&block_weighted) + ((double)place - (double)state->anchor) * total_sum) * taken_back;
    return 1;
}

INLINE size_t padded(size_t count) { return (count + STEP - 1) / STEP * STEP; }

INLINE size_t add_blocks(
    const unsigned char *at, size_t count, perception_element element, int anchored, perception_sums *state) {
    terms t = terms_of(state);
    if (anchored) state->centre = state->anchor;
    size_t done = 0;
    while (count - done >= PERCEPTION_BLOCK) {
        const unsigned char *block = at + done * element_size(element);
        if (!add_block(block, PERCEPTION_BLOCK, element, anchored, &t, state)) break;
        done += PERCEPTION_BLOCK;
    }
    if (done < count && count - done < PERCEPTION_BLOCK) {
        unsigned char rest[PERCEPTION_BLOCK * 4];
        size_t left = count - done;
        copy_padded(rest, at + done * element_size(element), left, padded(left), element);
        if (add_block(rest, padded(left), element, anchored, &t, state)) done = count;
    }
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
    __builtin_trap()

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
