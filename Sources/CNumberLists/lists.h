/* Inner loops over lists. Each register width has a file that includes this one and has it compiled for its instructions:
 * one source, so that all widths compute the same. LANES is a multiple of 8. */
#ifndef NUMBER_LISTS_LISTS_H
#define NUMBER_LISTS_LISTS_H

#include "conversions.h"
#include "ranking.h"
#include "sums.h"

#define NUMBER_KERNELS \
    { \
        .widen = widen, .narrow = narrow, .are_finite = are_finite, .sum = sum, .count = count_set, \
        .count_equal = count_equal, .count_above = count_above, .select = choose_from, .keep = keep, .compare = compare, \
        .narrow_down = narrow_down, \
    }

#endif
