/* The loss of a list of tokens. For each register width, a file includes this one and compiles it for its instructions.
 * All widths share this source, so that they compute the same. */
#ifndef TOKEN_LOSS_CONTRAST_H
#define TOKEN_LOSS_CONTRAST_H

#include "token_loss.h"

/* A fused product and sum rounds once instead of twice. Machines that have one would give other bits. */
#pragma STDC FP_CONTRACT OFF

#include "functions.h"

struct estimate {
    lanes value, slope;
    bits is_clamped;
};

inlined struct estimate estimate(const struct token_loss_options *options, lanes anchor, lanes reference) {
    struct estimate result;
    lanes difference = anchor - reference;
    bits is_outside = magnitude(difference) > options->input_limit;
    lanes bound = choose(difference > 0, all(options->input_limit), all(-options->input_limit));
    difference = choose(is_outside, bound, difference);
    switch (options->estimator) {
    case token_loss_k1:
        result.value = difference;
        result.slope = all(1);
        break;
    case token_loss_abs:
        result.value = magnitude(difference);
        result.slope = choose(difference > 0, all(1), choose(difference < 0, all(-1), all(0)));
        break;
    case token_loss_k2:
        result.value = difference * difference * 0.5;
        result.slope = difference;
        break;
    case token_loss_k3: {
        lanes growth = exponential_less_one(-difference);
        lanes value = growth + difference;
        result.value = choose(value < 0, all(0), value);
        result.slope = -growth;
        break;
    }
    case token_loss_symmetric: {
        /* With g = e^|d| - 1: cosh d - 1 = g^2 / (2(1 + g)) and sinh |d| = (g + g/(1 + g)) / 2, without cancellation. */
        lanes growth = exponential_less_one(magnitude(difference)), shrunk = growth / (1 + growth);
        bits is_infinite = growth == __builtin_inf();
        shrunk = choose(is_infinite, all(1), shrunk);
        result.value = growth * shrunk * 0.5;
        lanes steepness = (growth + shrunk) * 0.5;
        result.slope = choose(difference < 0, -steepness, steepness);
        break;
    }
    }
    bits is_excessive = magnitude(result.value) > options->result_limit;
    lanes limit = choose(result.value > 0, all(options->result_limit), all(-options->result_limit));
    result.value = choose(is_excessive, limit, result.value);
    result.is_clamped = is_outside | is_excessive;
    /* Where torch.clamp is active, it passes no gradient. */
    result.slope = choose(result.is_clamped, all(0), result.slope);
    return result;
}

inlined lanes load(const double *list, size_t first, size_t count) {
    lanes values = {};
    __builtin_memcpy(&values, list + first, count * sizeof(double));
    return values;
}

/* The same for a list of doubles or floats. */
inlined lanes load_from(struct number_lists_source list, size_t first, size_t count) {
    if (!list.are_floats) {
        lanes values = {};
        __builtin_memcpy(&values, (const char *)list.first + first * sizeof(double), count * sizeof(double));
        return values;
    }
    typedef float floats __attribute__((vector_size(4 * LANES)));
    floats values = {};
    __builtin_memcpy(&values, (const char *)list.first + first * sizeof(float), count * sizeof(float));
    return __builtin_convertvector(values, lanes);
}

inlined bits load_mask(const uint8_t *list, size_t first, size_t count) {
    typedef uint8_t bytes __attribute__((vector_size(LANES)));
    bytes values = {};
    __builtin_memcpy(&values, list + first, count);
    return __builtin_convertvector(values, bits) != 0;
}

inlined void store(double *list, size_t first, size_t count, lanes values) {
    if (list) __builtin_memcpy(list + first, &values, count * sizeof(double));
}

typedef double eight __attribute__((vector_size(64)));
typedef int32_t narrow_bits __attribute__((vector_size(4 * LANES)));

/* The sums of a loop so far. */
struct running {
    eight contrast, loss;
    bits clamped;
    /* Not 0 in lanes where a float was infinite or NaN. */
    narrow_bits is_strange;
};

inlined void store_narrow(float *list, size_t first, size_t count, lanes values, struct running *running) {
    typedef float floats __attribute__((vector_size(4 * LANES)));
    floats narrow = __builtin_convertvector(values, floats);
    running->is_strange |= ((narrow_bits)narrow & INT32_MAX) >= 0x7F800000;
    __builtin_memcpy(list + first, &narrow, count * sizeof(float));
}

inlined void add(eight *sum, lanes values) {
    eight parts[LANES / 8];
    __builtin_memcpy(parts, &values, sizeof parts);
    for (int part = 0; part < LANES / 8; part++) *sum += parts[part];
}

/* At most LANES tokens, from `first` on. */
inlined void contrast_some(
    const struct token_loss_options *options, const struct token_loss_lists *lists, size_t first, size_t count,
    struct running *running) {
    typedef int8_t flags __attribute__((vector_size(LANES)));
    lanes log_probs[TOKEN_LOSS_VIEWS], slopes[TOKEN_LOSS_VIEWS] = {}, contrast = {};
    bits is_clamped = {};
    for (unsigned view = 0; view < TOKEN_LOSS_VIEWS; view++)
        if (lists->log_probs[view].first) log_probs[view] = load_from(lists->log_probs[view], first, count);
    for (unsigned index = 0; index < options->term_count; index++) {
        const struct token_loss_term *term = &options->terms[index];
        struct estimate found = estimate(options, log_probs[term->anchor], log_probs[term->reference]);
        contrast += found.value * term->weight;
        is_clamped |= found.is_clamped;
        slopes[term->anchor] += found.slope * term->weight;
        slopes[term->reference] -= found.slope * term->weight;
    }
    bits is_response = load_mask(lists->response, first, count), is_open = load_mask(lists->mask, first, count);
    lanes loss = contrast, slope = all(1);
    if (options->tau > 0) {
        lanes x = contrast / options->tau;
        /* One exponential serves both: with e = e^{−|x|}, softplus = max(x, 0) + log(1 + e) and
         * sigmoid = (x ≥ 0 ? 1 : e)/(1 + e). */
        lanes e = exponential_of_negative(-magnitude(x));
        loss = choose(x > 0, x, all(0)) + logarithm_of_one_plus(e);
        slope = choose(x >= 0, all(1), e) / ((1 + e) * options->tau);
    }
    store(lists->contrast, first, count, choose(is_response, contrast, all(0)));
    store(lists->loss, first, count, choose(is_response, loss, all(0)));
    if (lists->narrow_loss)
        store_narrow(lists->narrow_loss, first, count, choose(is_response, loss, all(0)), running);
    add(&running->contrast, choose(is_open & is_response, contrast, all(0)));
    add(&running->loss, choose(is_open & is_response, loss, all(0)));
    running->clamped -= is_clamped & is_open & is_response;
    if (lists->is_clamped) {
        flags clamped = -__builtin_convertvector(is_clamped & is_response, flags);
        __builtin_memcpy(lists->is_clamped + first, &clamped, count);
    }
    for (unsigned view = 0; view < TOKEN_LOSS_VIEWS; view++) {
        if (!lists->gradients[view]) continue;
        lanes steepness = slope * slopes[view];
        /* 0, and not 0·weight or steepness·0, which may be −0 or NaN. */
        steepness = choose(
            is_open & (steepness != 0) & (all(lists->weight) != 0), steepness * lists->weight, all(0));
        if (lists->addends[view])
            steepness += choose(is_response, load(lists->addends[view], first, count), all(0));
        store_narrow(lists->gradients[view], first, count, steepness, running);
    }
}

inlined void contrast_all(const struct token_loss_options *options, const struct token_loss_lists *lists) {
    struct running running = {};
    size_t first = 0;
    for (; first + LANES <= lists->count; first += LANES) contrast_some(options, lists, first, LANES, &running);
    if (first < lists->count) contrast_some(options, lists, first, lists->count - first, &running);
    if (!lists->sums) return;
    __builtin_memcpy(lists->sums->contrast, &running.contrast, sizeof running.contrast);
    __builtin_memcpy(lists->sums->loss, &running.loss, sizeof running.loss);
    lists->sums->clamped = 0;
    lists->sums->are_finite = true;
    for (int lane = 0; lane < LANES; lane++) {
        lists->sums->clamped += (size_t)running.clamped[lane];
        if (running.is_strange[lane]) lists->sums->are_finite = false;
    }
}

/* One loop for each estimator, so that each leaves out what it does not need. */
inlined void contrast(const struct token_loss_options *given, const struct token_loss_lists *lists) {
    struct token_loss_options options = *given;
    switch (given->estimator) {
    case token_loss_k1: options.estimator = token_loss_k1, contrast_all(&options, lists); return;
    case token_loss_abs: options.estimator = token_loss_abs, contrast_all(&options, lists); return;
    case token_loss_k2: options.estimator = token_loss_k2, contrast_all(&options, lists); return;
    case token_loss_k3: options.estimator = token_loss_k3, contrast_all(&options, lists); return;
    case token_loss_symmetric: options.estimator = token_loss_symmetric, contrast_all(&options, lists); return;
    }
    __builtin_trap();
}

#endif
