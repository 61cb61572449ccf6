#include "driver.h"

#include <math.h>

static double logit(const unsigned char *row, size_t index, logit_kernels_element element) {
    if (element == LOGIT_KERNELS_F32) {
        float value;
        __builtin_memcpy(&value, row + 4 * index, 4);
        return value;
    }
    uint16_t half;
    __builtin_memcpy(&half, row + 2 * index, 2);
    uint32_t bits = (uint32_t)half << 16;
    float value;
    if (element == LOGIT_KERNELS_F16) {
        _Float16 exact;
        __builtin_memcpy(&exact, &half, 2);
        return (float)exact;
    }
    __builtin_memcpy(&value, &bits, 4);
    return value;
}

static double top(const unsigned char *row, size_t count, logit_kernels_element element) {
    double most = -INFINITY;
    for (size_t index = 0; index < count; index++) most = fmax(most, logit(row, index, element));
    return most;
}

/* The nearer of the two bfloat16 beside a finite number, and of two equally near the even one. */
static uint16_t nearest(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, 4);
    float neighbours[2];
    const uint32_t wide[2] = {bits & 0xFFFF0000, (bits & 0xFFFF0000) + 0x10000};
    __builtin_memcpy(neighbours, wide, sizeof wide);
    double down = fabs((double)value - neighbours[0]), up = fabs(neighbours[1] - (double)value);
    int is_up = up < down || (up == down && (wide[0] >> 16 & 1));
    return (uint16_t)(wide[is_up] >> 16);
}

static int gradients_of(
    const logit_kernels_contrast_table *kernels, const logit_kernels_row *list, size_t count, logit_kernels_element element,
    double temperature, const logit_kernels_output outputs[GRADIENTS]) {
    const logit_kernels_slope slopes[LOGIT_KERNELS_REFERENCES] = {{0.7, 0.25, 0.125}, {-0.3, -0.5, 0.75}};
    int is_finite = kernels->kullback_leibler_gradient(
        list, LOGIT_KERNELS_REFERENCES, count, element, temperature, slopes, outputs);
    is_finite &= kernels->jensen_shannon_gradient(
        list, LOGIT_KERNELS_REFERENCES, count, element, temperature, slopes, outputs + LOGIT_KERNELS_ROWS);
    is_finite &= kernels->jeffreys_gradient(
        list, LOGIT_KERNELS_REFERENCES, count, element, temperature, slopes, outputs + 2 * LOGIT_KERNELS_ROWS);
    return is_finite & kernels->softmax(list, count, element, temperature, -2, outputs + 3 * LOGIT_KERNELS_ROWS);
}

static int are_rounded(const float *gradients, const uint16_t *brains, size_t count) {
    for (size_t index = 0; index < count; index++)
        if (brains[index] != nearest(gradients[index])) return 0;
    return 1;
}

contrast_answer contrast_of(
    const logit_kernels_contrast_table *kernels, const unsigned char *const rows[LOGIT_KERNELS_ROWS], size_t count,
    logit_kernels_element element, double temperature, float *gradients, uint16_t *brains) {
    logit_kernels_row list[LOGIT_KERNELS_ROWS];
    for (int row = 0; row < LOGIT_KERNELS_ROWS; row++)
        list[row] = (logit_kernels_row){rows[row], top(rows[row], count, element), 1, 0};
    contrast_answer found;
    kernels->contrast(list, LOGIT_KERNELS_REFERENCES, count, element, temperature, &found.contrast);
    for (int row = 0; row < LOGIT_KERNELS_ROWS; row++) {
        list[row].scale = 1 / found.contrast.sum[row];
        list[row].log_scale = -log(found.contrast.sum[row]);
    }
    kernels->jensen_shannon(list, LOGIT_KERNELS_REFERENCES, count, element, temperature, &found.jensen_shannon);
    kernels->jeffreys(list, LOGIT_KERNELS_REFERENCES, count, element, temperature, &found.jeffreys);
    found.sum = kernels->sum(list, count, element, temperature);

    logit_kernels_output outputs[GRADIENTS];
    for (size_t row = 0; row < GRADIENTS; row++)
        outputs[row] = (logit_kernels_output){gradients + row * count, LOGIT_KERNELS_F32, 0};
    int is_finite = gradients_of(kernels, list, count, element, temperature, outputs);
    for (size_t row = 0; row < GRADIENTS; row++)
        outputs[row] = (logit_kernels_output){brains + row * count, LOGIT_KERNELS_BF16, 0};
    is_finite &= gradients_of(kernels, list, count, element, temperature, outputs);
    int is_rounded = are_rounded(gradients, brains, GRADIENTS * count);
    is_finite &= kernels->round_to_bfloat16(gradients, GRADIENTS * count, brains);
    found.is_rounded = is_rounded & are_rounded(gradients, brains, GRADIENTS * count);
    found.is_finite = is_finite;
    return found;
}
