#include "token_loss.h"

#include "widths.h"

void token_loss(
    enum token_loss_width width, const struct token_loss_options *options, const struct token_loss_lists *lists) {
#if defined(__x86_64__)
    if (width == token_loss_512) { contrast_512(options, lists); return; }
    if (width == token_loss_256) { contrast_256(options, lists); return; }
#endif
    (void)width;
    contrast_baseline(options, lists);
}
