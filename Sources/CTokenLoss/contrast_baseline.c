#define LANES 8
#include "contrast.h"
#include "widths.h"

void contrast_baseline(const struct token_loss_options *options, const struct token_loss_lists *lists) {
    contrast(options, lists);
}
