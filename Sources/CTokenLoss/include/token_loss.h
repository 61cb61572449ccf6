#ifndef TOKEN_LOSS_H
#define TOKEN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the Swift side's options are here. A limit that is off is infinity. */
struct token_loss_options {
    enum token_loss_estimator {
        token_loss_k1,
        token_loss_abs,
        token_loss_k2,
        token_loss_k3,
    } estimator;
    double input_limit;
    double result_limit;
    /* 0: the loss is the margin itself. */
    double tau;
};

/* Lists of `count` tokens. A gradient is null where none is wanted. */
struct token_loss_lists {
    size_t count;
    /* Log-probabilities under the three views. */
    const double *original, *preserving, *removing;
    /* Of 0 and 1: which tokens belong to the response, which carry loss. */
    const uint8_t *response, *mask;
    /* What one token's loss weighs in the aggregate, for all tokens of the lists. */
    double weight;
    double *margin, *loss;
    bool *is_clamped;
    float *gradient_original, *gradient_preserving, *gradient_removing;
};

/* Widths of vector registers that there is code for: what the compiler's target has in any case, AVX2, AVX-512 (F, DQ, BW,
 * VL). The caller knows that the processor has it. */
enum token_loss_width { token_loss_baseline, token_loss_256, token_loss_512 };

/* Margin, loss, clamping and gradients of every token; zeros outside the response, and gradients outside the mask.
 * The same bits come out whatever the width. */
void token_loss(
    enum token_loss_width width, const struct token_loss_options *options, const struct token_loss_lists *lists);

#endif
