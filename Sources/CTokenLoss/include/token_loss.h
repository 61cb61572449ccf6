#ifndef TOKEN_LOSS_H
#define TOKEN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many lists of log-probabilities and how many terms there are at most. */
enum { TOKEN_LOSS_VIEWS = 3, TOKEN_LOSS_TERMS = 8 };

enum token_loss_estimator {
    token_loss_k1,
    token_loss_abs,
    token_loss_k2,
    token_loss_k3,
    token_loss_symmetric,
};

/* weight * D(anchor || reference); both are indices of lists of log-probabilities. */
struct token_loss_term {
    unsigned anchor, reference;
    double weight;
};

/* What the Swift side's options are here. A limit that is off is infinity. */
struct token_loss_options {
    enum token_loss_estimator estimator;
    double input_limit;
    double result_limit;
    /* 0: the loss is the sum of terms itself. */
    double tau;
    unsigned term_count;
    struct token_loss_term terms[TOKEN_LOSS_TERMS];
};

/* Sums over the tokens of the mask: of the contrast and the loss, in eight parts by position modulo 8 that the caller
 * joins, and how many are clamped. */
struct token_loss_sums {
    double contrast[8], loss[8];
    size_t clamped;
    /* Whether all floats that were made are finite. */
    bool are_finite;
};

/* A list of numbers as it lies in memory, at any address: doubles or floats. */
struct token_loss_numbers {
    const void *first;
    bool are_floats;
};

/* Lists of `count` tokens. An output is null where it isn't wanted. */
struct token_loss_lists {
    size_t count;
    /* Null for a view that no term names. */
    struct token_loss_numbers log_probs[TOKEN_LOSS_VIEWS];
    /* What is added to the gradients of response tokens; null for nothing. */
    const double *addends[TOKEN_LOSS_VIEWS];
    /* Of 0 and 1: which tokens belong to the response, which carry loss. */
    const uint8_t *response, *mask;
    /* What one token's loss weighs in the gradients, for all tokens of the lists. */
    double weight;
    /* The sum of terms, and its loss, also as floats. */
    double *contrast, *loss;
    float *narrow_loss;
    bool *is_clamped;
    float *gradients[TOKEN_LOSS_VIEWS];
    struct token_loss_sums *sums;
};

/* Widths of vector registers that there is code for: what the compiler's target has in any case, AVX2, AVX-512 (F, DQ, BW,
 * VL). The caller knows that the processor has it. */
enum token_loss_width { token_loss_baseline, token_loss_256, token_loss_512 };

/* Contrast, loss, clamping and gradients of every token; zeros outside the response, and no gradient of the loss outside
 * the mask. The same bits come out whatever the width. */
void token_loss(
    enum token_loss_width width, const struct token_loss_options *options, const struct token_loss_lists *lists);

#endif
