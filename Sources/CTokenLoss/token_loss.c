#include "token_loss.h"

#include "widths.h"

enum token_loss_width token_loss_widest(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl"))
        return token_loss_512;
    if (__builtin_cpu_supports("avx2")) return token_loss_256;
#endif
    return token_loss_baseline;
}

void token_loss(
    enum token_loss_width width, const struct token_loss_options *options, const struct token_loss_lists *lists) {
#if defined(__x86_64__)
    if (width == token_loss_512) { contrast_512(options, lists); return; }
    if (width == token_loss_256) { contrast_256(options, lists); return; }
#endif
    (void)width;
    contrast_baseline(options, lists);
}
