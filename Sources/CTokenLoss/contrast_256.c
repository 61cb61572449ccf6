#if defined(__x86_64__)
#include "widths.h"

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define LANES 16
#include "contrast.h"

void contrast_256(const struct token_loss_options *options, const struct token_loss_lists *lists) {
    contrast(options, lists);
}
#pragma clang attribute pop
#endif
