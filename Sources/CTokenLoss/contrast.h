/* The loss of a list of tokens. Each register width has a file that includes this one and has it compiled for its
 * instructions: one source, so that all widths compute the same. */
#ifndef TOKEN_LOSS_CONTRAST_H
#define TOKEN_LOSS_CONTRAST_H

#include "token_loss.h"

/* A joined product and sum rounds once instead of twice: other bits on machines that have it. */
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
    }
    bits is_excessive = magnitude(result.value) > options->result_limit;
    lanes limit = choose(result.value > 0, all(options->result_limit), all(-options->result_limit));
    result.value = choose(is_excessive, limit, result.value);
    result.is_clamped = is_outside | is_excessive;
    /* torch.clamp passes no gradient where it acts. */
    result.slope = choose(result.is_clamped, all(0), result.slope);
    return result;
}

inlined lanes load(const double *list, size_t first, size_t count) {
    lanes values = {};
    __builtin_memcpy(&values, list + first, count * sizeof(double));
    return values;
}

inlined bits load_mask(const uint8_t *list, size_t first, size_t count) {
    typedef uint8_t bytes __attribute__((vector_size(LANES)));
    bytes values = {};
    __builtin_memcpy(&values, list + first, count);
    return __builtin_convertvector(values, bits) != 0;
}

inlined void store_gradient(float *list, size_t first, size_t count, bits is_open, lanes slope, double weight) {
    typedef float floats __attribute__((vector_size(4 * LANES)));
    if (!list) return;
    /* 0 and not 0·weight, which is −0 or no number. */
    bits carries = is_open & (slope != 0);
    floats narrow = __builtin_convertvector(choose(carries, slope * weight, all(0)), floats);
    __builtin_memcpy(list + first, &narrow, count * sizeof(float));
}

/* At most LANES tokens, from `first` on. */
inlined void contrast_some(
    const struct token_loss_options *options, const struct token_loss_lists *lists, size_t first, size_t count) {
    typedef int8_t flags __attribute__((vector_size(LANES)));
    lanes anchor = load(lists->original, first, count);
    struct estimate near = estimate(options, anchor, load(lists->preserving, first, count));
    struct estimate far = estimate(options, anchor, load(lists->removing, first, count));
    bits is_response = load_mask(lists->response, first, count), is_open = load_mask(lists->mask, first, count);
    lanes margin = near.value - far.value, loss = margin, slope = all(1);
    if (options->tau > 0) {
        lanes x = margin / options->tau;
        /* One exponential serves both: with e = e^{−|x|}, softplus = max(x, 0) + log(1 + e) and
         * sigmoid = (x ≥ 0 ? 1 : e)/(1 + e). */
        lanes e = exponential_of_negative(-magnitude(x));
        loss = choose(x > 0, x, all(0)) + logarithm_of_one_plus(e);
        slope = choose(x >= 0, all(1), e) / ((1 + e) * options->tau);
    }
    margin = choose(is_response, margin, all(0));
    loss = choose(is_response, loss, all(0));
    flags clamped = -__builtin_convertvector((near.is_clamped | far.is_clamped) & is_response, flags);
    __builtin_memcpy(lists->margin + first, &margin, count * sizeof(double));
    __builtin_memcpy(lists->loss + first, &loss, count * sizeof(double));
    __builtin_memcpy(lists->is_clamped + first, &clamped, count);
    store_gradient(lists->gradient_original, first, count, is_open, slope * (near.slope - far.slope), lists->weight);
    store_gradient(lists->gradient_preserving, first, count, is_open, -slope * near.slope, lists->weight);
    store_gradient(lists->gradient_removing, first, count, is_open, slope * far.slope, lists->weight);
}

inlined void contrast_all(const struct token_loss_options *options, const struct token_loss_lists *lists) {
    size_t first = 0;
    for (; first + LANES <= lists->count; first += LANES) contrast_some(options, lists, first, LANES);
    if (first < lists->count) contrast_some(options, lists, first, lists->count - first);
}

/* Each estimator on its own, so that what it doesn't need is gone from its loop. */
inlined void contrast(const struct token_loss_options *given, const struct token_loss_lists *lists) {
    struct token_loss_options options = *given;
    switch (given->estimator) {
    case token_loss_k1: options.estimator = token_loss_k1, contrast_all(&options, lists); break;
    case token_loss_abs: options.estimator = token_loss_abs, contrast_all(&options, lists); break;
    case token_loss_k2: options.estimator = token_loss_k2, contrast_all(&options, lists); break;
    case token_loss_k3: options.estimator = token_loss_k3, contrast_all(&options, lists); break;
    }
}

#endif
