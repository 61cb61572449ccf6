/* Sums for log-sum-exp and entropy of a row: see logit_kernels_sums. After terms.h and extent.h. */

/* e^x of LANES logits, beside z - centre. A logit far above the pivot makes the power large, and NaN makes it NaN or large;
   so does -inf, unless care is GENERAL. pivoted: 0 for what equals the pivot. */
INLINE floats power_of_logits(
    floats z, logit_kernels_element element, enum care care, int pivoted, const terms *t, floats centre, floats *beside) {
    integers is_pivot = z == t->pivot, is_nothing = z < t->least;
#if SCALES
    (void)element;
    if (care == GENERAL) z = is_nothing ? t->pivot : z;
#else
    (void)is_nothing;
    if (care == GENERAL || brings_in(element)) z = larger(t->least, smaller(t->most, z));
#endif
    if (care == GENERAL && CAN_BE_FAR) z -= t->base;
    floats shifted = fused(z, t->rate, t->shift);
    floats whole = shifted - t->shift;
#if FUSED
    floats r = fused(z, t->rate, -whole);
    if (care != PLAIN) r = fused(z, t->low, r);
#else
    floats r = (z - whole * t->step) - whole * t->low;
#endif
    floats e = power(shifted, whole, r, &t->power);
    *beside = z - centre;
    /* Of nothing there is a power only because numbers too small for a Float take a processor a hundred times as long. */
    if (SCALES && care == GENERAL) e = is_nothing ? every(0) : e;
    if (pivoted) e = is_pivot ? every(0) : e;
    return e;
}

/* Elements of a round of the inner loop, and elements that are summed in Float before the sum goes on in Double: where all
   are equal, every addition rounds the same way. Twice as many would cost 1.5e-6 nats, and save a 25th of the time. */
enum { PAIRS = 2, STEP = PAIRS * 2 * LANES, STRETCH = 8 * STEP };

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

/* Adds one block of a multiple of STEP logits to the sums; false, and nothing changed, when the block's own are no numbers
   or, unless pivoted, so large that something stands above the pivot. */
INLINE int add_block(
    const unsigned char *at, size_t count, logit_kernels_element element, enum care care, int pivoted, const terms *t,
    logit_kernels_sums *state) {
    size_t size = element_size(element);
    float relative = state->centre - t->base;
    floats centre = every(relative);
    doubles block_sum = {}, block_weighted = {};
    integers is_usable = (integers)(-1);
    extent extent = {(all_shorts)(-0x8000), {}};
    /* Where nothing is above the pivot, no e_i is more than the root of 2. */
    float most = pivoted ? __builtin_inff() : 2 * STRETCH / LANES / (float)MADE_SMALLER;
    for (size_t start = 0; start < count; start += STRETCH) {
        size_t end = count - start < STRETCH ? count : start + STRETCH;
        floats sum[PAIRS], weighted[PAIRS];
#pragma clang loop unroll(full)
        for (int pair = 0; pair < PAIRS; pair++) sum[pair] = weighted[pair] = every(0);
        for (size_t index = start; index < end; index += STEP) {
            const unsigned char *here = at + index * size;
            for (size_t line = 0; line < STEP * size; line += 64) __builtin_prefetch(here + PREFETCH + line);
#pragma clang loop unroll(full)
            for (int pair = 0; pair < PAIRS; pair++) {
                const unsigned char *there = here + pair * 2 * LANES * size;
                floats z[2], x[2];
                load_pair(there, element, z);
                if (looks_over(element) && care != GENERAL) extend(&extent, there);
                floats first = power_of_logits(z[0], element, care, pivoted, t, centre, &x[0]);
                floats second = power_of_logits(z[1], element, care, pivoted, t, centre, &x[1]);
                sum[pair] += first + second;
#if FUSED
                weighted[pair] = fused(second, x[1], fused(first, x[0], weighted[pair]));
#else
                weighted[pair] += first * x[0] + second * x[1];
#endif
            }
        }
        floats all = sum[0] + sum[1], all_weighted = weighted[0] + weighted[1];
        is_usable &= (all < most) & (all_weighted - all_weighted == 0);
        block_sum += __builtin_convertvector(all, doubles);
        block_weighted += __builtin_convertvector(all_weighted, doubles);
    }
    if (!__builtin_reduce_and(is_usable)) return 0;
    if (looks_over(element) && care != GENERAL && !is_within(&extent, t, element)) return 0;
    double total_sum = all_lanes(&block_sum);
    double from_pivot = (double)relative + (double)t->base - (double)state->pivot;
    /* Sums of e * z are taken around the row's mean so far: they stay small, and with them the errors of Float. All lanes
       have one mean, and the pivot counts in it with its e of about 1: that of a lane, or of a row, without its leaders
       would be far from a leader that is still to come. It is the mean of one block ago, so that nothing waits for it. */
    float mean = (float)(state->weighted / (state->sum + 1));
    state->centre = state->pivot + (mean - mean == 0 ? mean : 0);
    state->sum += total_sum * t->scale;
    state->weighted += (all_lanes(&block_weighted) + from_pivot * total_sum) * t->scale;
    return 1;
}

INLINE size_t padded(size_t count) { return (count + STEP - 1) / STEP * STEP; }

/* The same for as many whole blocks as it can. */
INLINE size_t add_whole_blocks(
    const unsigned char *at, size_t count, logit_kernels_element element, enum care care, int pivoted, const terms *t,
    logit_kernels_sums *state) {
    size_t done = 0;
    while (count - done >= LOGIT_KERNELS_BLOCK) {
        const unsigned char *block = at + done * element_size(element);
        if (!add_block(block, LOGIT_KERNELS_BLOCK, element, care, pivoted, t, state)) break;
        done += LOGIT_KERNELS_BLOCK;
    }
    return done;
}

INLINE size_t add_blocks(
    const unsigned char *at, size_t count, logit_kernels_element element, int pivoted, logit_kernels_sums *state) {
    terms t = terms_of(state);
    enum care care = pivoted ? GENERAL : care_of(state, &t, element);
    if (pivoted) state->centre = state->pivot;
    size_t size = element_size(element), done = 0;
    if (care == PLAIN) done = add_whole_blocks(at, count, element, PLAIN, pivoted, &t, state);
    if (FUSED && care == REFINED) done = add_whole_blocks(at, count, element, REFINED, pivoted, &t, state);
    /* What stopped it may have been no more than -inf. */
        done += add_whole_blocks(at + done * size, count - done, element, GENERAL, pivoted, &t, state);
    if (done < count && count - done < LOGIT_KERNELS_BLOCK) {
        unsigned char rest[LOGIT_KERNELS_BLOCK * 4];
        size_t left = count - done;
        copy_padded(rest, at + done * size, left, padded(left), element);
        if (add_block(rest, padded(left), element, GENERAL, pivoted, &t, state)) done = count;
    }
    return done;
}
