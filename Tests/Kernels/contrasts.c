#include "driver.h"

#include <math.h>

static double logit(const unsigned char *row, size_t index, perception_element element) {
    if (element == PERCEPTION_F32) {
        float value;
        __builtin_memcpy(&value, row + 4 * index, 4);
        return value;
    }
    uint16_t half;
    __builtin_memcpy(&half, row + 2 * index, 2);
    uint32_t bits = (uint32_t)half << 16;
    float value;
    if (element == PERCEPTION_F16) {
        _Float16 exact;
        __builtin_memcpy(&exact, &half, 2);
        return (float)exact;
    }
    __builtin_memcpy(&value, &bits, 4);
    return value;
}

static double top(const unsigned char *row, size_t count, perception_element element) {
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
    const perception_contrast_kernels *kernels, const perception_row *list, size_t count, perception_element element,
    double temperature, const perception_output outputs[GRADIENTS]) {
    const perception_slope slopes[PERCEPTION_REFERENCES] = {{0.7, 0.25, 0.125}, {-0.3, -0.5, 0.75}};
    int is_finite = kernels->kullback_leibler_gradient(
        list, PERCEPTION_REFERENCES, count, element, temperature, slopes, outputs);
    is_finite &= kernels->jensen_shannon_gradient(
        list, PERCEPTION_REFERENCES, count, element, temperature, slopes, outputs + PERCEPTION_ROWS);
    is_finite &= kernels->jeffreys_gradient(
        list, PERCEPTION_REFERENCES, count, element, temperature, slopes, outputs + 2 * PERCEPTION_ROWS);
    return is_finite & kernels->softmax(list, count, element, temperature, -2, outputs + 3 * PERCEPTION_ROWS);
}

static int are_rounded(const float *gradients, const uint16_t *brains, size_t count) {
    for (size_t index = 0; index < count; index++)
        if (brains[index] != nearest(gradients[index])) return 0;
    return 1;
}

contrast_answer contrast_of(
    const perception_contrast_kernels *kernels, const unsigned char *const rows[PERCEPTION_ROWS], size_t count,
    perception_element element, double temperature, float *gradients, uint16_t *brains) {
    perception_row list[PERCEPTION_ROWS];
    for (int row = 0; row < PERCEPTION_ROWS; row++)
        list[row] = (perception_row){rows[row], top(rows[row], count, element), 1, 0};
    contrast_answer found;
    kernels->contrast(list, PERCEPTION_REFERENCES, count, element, temperature, &found.contrast);
    for (int row = 0; row < PERCEPTION_ROWS; row++) {
        list[row].scale = 1 / found.contrast.sum[row];
        list[row].log_scale = -log(found.contrast.sum[row]);
    }
    kernels->jensen_shannon(list, PERCEPTION_REFERENCES, count, element, temperature, &found.jensen_shannon);
    kernels->jeffreys(list, PERCEPTION_REFERENCES, count, element, temperature, &found.jeffreys);
    found.sum = kernels->sum(list, count, element, temperature);

    perception_output outputs[GRADIENTS];
    for (size_t row = 0; row < GRADIENTS; row++)
        outputs[row] = (perception_output){gradients + row * count, PERCEPTION_F32, 0};
    int is_finite = gradients_of(kernels, list, count, element, temperature, outputs);
    for (size_t row = 0; row < GRADIENTS; row++)
        outputs[row] = (perception_output){brains + row * count, PERCEPTION_BF16, 0};
    is_finite &= gradients_of(kernels, list, count, element, temperature, outputs);
    int is_rounded = are_rounded(gradients, brains, GRADIENTS * count);
    is_finite &= kernels->round_to_bfloat16(gradients, GRADIENTS * count, brains);
    found.is_rounded = is_rounded & are_rounded(gradients, brains, GRADIENTS * count);
    found.is_finite = is_finite;
    return found;
}
