#ifndef TOKEN_LOSS_H
#define TOKEN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number_lists.h"

/* The maximum number of lists of log-probabilities, and of terms. */
enum { TOKEN_LOSS_VIEWS = 3, TOKEN_LOSS_TERMS = 8 };

enum token_loss_estimator {
    token_loss_k1,
    token_loss_abs,
    token_loss_k2,
    token_loss_k3,
    token_loss_symmetric,
};

/* weight * D(anchor || reference). Anchor and reference are indices of lists of log-probabilities. */
struct token_loss_term {
    unsigned anchor, reference;
    double weight;
};

/* The options of the Swift side. Infinity is no limit. */
struct token_loss_options {
    enum token_loss_estimator estimator;
    double input_limit;
    double result_limit;
    /* 0 if the loss is the sum of terms itself. */
    double tau;
    unsigned term_count;
    struct token_loss_term terms[TOKEN_LOSS_TERMS];
};

/* Sums of the contrast and the loss over the tokens of the mask, each in eight parts by position modulo 8 that the caller
 * adds, and the number of clamped tokens. */
struct token_loss_sums {
    double contrast[8], loss[8];
    size_t clamped;
    /* Whether all floats that were written are finite. */
    bool are_finite;
};

/* Lists of `count` tokens. Outputs that are not wanted are null. */
struct token_loss_lists {
    size_t count;
    /* Null for a view that no term names. */
    struct number_lists_source log_probs[TOKEN_LOSS_VIEWS];
    /* The addends of the gradients of response tokens; null for none. */
    const double *addends[TOKEN_LOSS_VIEWS];
    /* Of 0 and 1: the tokens of the response, and the tokens that carry loss. */
    const uint8_t *response, *mask;
    /* The weight of a token's loss in the gradients, equal for all tokens of the lists. */
    double weight;
    /* The sum of terms, and its loss, as doubles and as floats. */
    double *contrast, *loss;
    float *narrow_loss;
    bool *is_clamped;
    float *gradients[TOKEN_LOSS_VIEWS];
    struct token_loss_sums *sums;
};

/* The widths of vector registers for which there is code: the minimum of the compiler's target, AVX2, and AVX-512 (F, DQ,
 * BW, VL). The caller chooses a width that the processor has. */
enum token_loss_width { token_loss_baseline, token_loss_256, token_loss_512 };

/* Computes contrast, loss, clamping and gradients of every token. All are 0 outside the response, and the loss has no
 * gradient outside the mask. The bits are the same at every width. */
void token_loss(
    enum token_loss_width width, const struct token_loss_options *options, const struct token_loss_lists *lists);

#endif
