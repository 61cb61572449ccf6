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

contrast_answer contrast_of(
    const perception_contrast_kernels *kernels, const unsigned char *const rows[PERCEPTION_ROWS], size_t count,
    perception_element element, double temperature, float *gradients) {
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

    const perception_slope slopes[PERCEPTION_REFERENCES] = {{0.7, 0.25, 0.125}, {-0.3, -0.5, 0.75}};
    perception_output outputs[GRADIENTS];
    for (int row = 0; row < GRADIENTS; row++) outputs[row] = (perception_output){gradients + (size_t)row * count, 0};
    int is_finite = kernels->kullback_leibler_gradient(
        list, PERCEPTION_REFERENCES, count, element, temperature, slopes, outputs);
    is_finite &= kernels->jensen_shannon_gradient(
        list, PERCEPTION_REFERENCES, count, element, temperature, slopes, outputs + PERCEPTION_ROWS);
    is_finite &= kernels->jeffreys_gradient(
        list, PERCEPTION_REFERENCES, count, element, temperature, slopes, outputs + 2 * PERCEPTION_ROWS);
    is_finite &= kernels->softmax(list, count, element, temperature, -2, outputs + 3 * PERCEPTION_ROWS);
    found.is_finite = is_finite;
    return found;
}
