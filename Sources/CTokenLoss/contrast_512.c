#if defined(__x86_64__)
#include "widths.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)
#define LANES 32
#include "contrast.h"

void contrast_512(const struct token_loss_options *options, const struct token_loss_lists *lists) {
    contrast(options, lists);
}
#pragma clang attribute pop
#endif
