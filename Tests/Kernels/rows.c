#include "driver.h"

#include <fenv.h>
#include <math.h>

typedef struct progress {
    double pivot, sum, weighted, rate, inverse; /* 1/T as the rate has it */
    logit_kernels_sums sums;
    int is_within_reach;
} progress;

static void collect(progress *row) {
    if (!row->is_within_reach) return;
    double factor = exp2(row->sums.reference - row->pivot * row->sums.rate);
    row->sum += factor * row->sums.sum;
    row->weighted += factor * row->sums.weighted * row->inverse;
    row->sums.sum = row->sums.weighted = 0;
}

static void raise_pivot(progress *row, double pivot) {
    collect(row);
    double x = (row->pivot - pivot) * row->inverse, factor = exp(x);
    int is_nothing = !(x >= -87);
    row->weighted = is_nothing ? 0 : factor * (row->weighted + x * (row->sum + 1));
    row->sum = is_nothing ? 0 : factor * (row->sum + 1);
    row->pivot = pivot;
    row->is_within_reach = 0;
}

/* Adds a block that needs a new pivot. */
static outcome add_carefully(
    progress *row, const logit_kernels_table *kernels, const unsigned char *block, size_t count,
    logit_kernels_element element) {
    logit_kernels_maximum found = kernels->maximum(block, count, element);
    if (found.has_nan) return NOT_A_NUMBER;
    if (found.maximum == -INFINITY && row->pivot == -INFINITY) return DEFINED;
    if (!(found.maximum > row->pivot)) return NOT_FOR_FLOATS;
    if (found.maximum == INFINITY) return POSITIVE_INFINITY;
    raise_pivot(row, found.maximum);
    row->sums.rate = row->rate;
    row->sums.reference = round(row->pivot * row->rate);
    row->sums.pivot = found.maximum;
    row->is_within_reach = fabs(row->sums.reference) <= 0x1p16 && row->rate > 0x1p-20 && row->rate < 0x1p20;
    if (!row->is_within_reach) return NOT_FOR_FLOATS;
    size_t equal = kernels->add_pivoted(block, count, element, &row->sums);
    if (equal == 0) return NOT_FOR_FLOATS;
    row->sum += (double)(equal - 1);
    return DEFINED;
}

row_answer statistics_of(
    const logit_kernels_table *kernels, const unsigned char *logits, size_t count, logit_kernels_element element,
    double temperature) {
    const double log2_of_e = 1.4426950408889634;
    double rate = log2_of_e / temperature, nearest = (float)rate;
    if (fabs(nearest - rate) <= 1.5e-8 * rate) rate = nearest;
    progress row = {.pivot = -INFINITY, .rate = rate, .inverse = rate / log2_of_e};
    feclearexcept(FE_UNDERFLOW);
    size_t size = element == LOGIT_KERNELS_F32 ? 4 : 2;
    for (size_t start = 0; start < count;) {
        if (row.is_within_reach) start += kernels->add(logits + start * size, count - start, element, &row.sums);
        if (start == count) break;
        size_t left = count - start, taken = left < LOGIT_KERNELS_BLOCK ? left : LOGIT_KERNELS_BLOCK;
        outcome outcome = add_carefully(&row, kernels, logits + start * size, taken, element);
        if (outcome != DEFINED) return (row_answer){.outcome = outcome};
        start += taken;
    }
    double underflows = fetestexcept(FE_UNDERFLOW) != 0;
    row_answer answer = {row.sums.sum, row.sums.weighted, underflows, ALL_NEGATIVE_INFINITY, 0, 0};
    collect(&row);
    if (row.pivot == -INFINITY) return answer;
    double log_sum = log1p(row.sum), mean = row.weighted / (1 + row.sum);
    double drift = row.inverse * temperature - 1;
    answer.outcome = DEFINED;
    answer.log_sum_exp = row.pivot / temperature + (log_sum - drift * mean);
    answer.entropy = log_sum - mean;
    return answer;
}
