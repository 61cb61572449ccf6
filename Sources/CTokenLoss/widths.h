#ifndef TOKEN_LOSS_WIDTHS_H
#define TOKEN_LOSS_WIDTHS_H

#include "token_loss.h"

typedef void contrast_function(
    const struct token_loss_options *options, const struct token_loss_lists *lists);

contrast_function contrast_baseline, contrast_256, contrast_512;

#endif
