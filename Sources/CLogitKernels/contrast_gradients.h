/* Gradients of an anchor's row and those of its references: see logit_kernels_contrast_table. After contrast.h. */

/* Rounds to Float, and on to bfloat16, and writes the first `left`; what is too large, or no number, shows in `wrong`. */
INLINE void store_bfloat16(void *to, size_t position, size_t left, wides values, wide_patterns *wrong) {
    unsigned char *at = (unsigned char *)to + 2 * position;
    *wrong |= (wide_patterns)~(__builtin_elementwise_abs(values) < too_large_for_bfloat16);
    narrow_halves rounded = nearest_bfloat16(__builtin_convertvector(values, narrows));
    if (left == WIDE)
        __builtin_memcpy(at, &rounded, sizeof rounded);
    else
        __builtin_memcpy(at, &rounded, left * 2);
}

/* The same for what an output is made of; adds what is there if it is to be added. */
INLINE void store(logit_kernels_output output, size_t position, size_t left, wides values, wide_patterns *wrong) {
    if (output.element == LOGIT_KERNELS_BF16) {
        store_bfloat16(output.values, position, left, values, wrong);
        return;
    }
    float *at = (float *)output.values + position;
    if (output.adds) {
        narrows there = {};
        if (left == WIDE)
            __builtin_memcpy(&there, at, sizeof there);
        else
            __builtin_memcpy(&there, at, left * sizeof(float));
        values += __builtin_convertvector(there, wides);
    }
    *wrong |= (wide_patterns)~(__builtin_elementwise_abs(values) < too_large_for_float);
    narrows rounded = __builtin_convertvector(values, narrows);
    if (left == WIDE)
        __builtin_memcpy(at, &rounded, sizeof rounded);
    else
        __builtin_memcpy(at, &rounded, left * sizeof(float));
}

INLINE int kullback_leibler_gradient_rows(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    const logit_kernels_slope *slopes, const logit_kernels_output *outputs) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
    wides steepness[LOGIT_KERNELS_REFERENCES];
    for (int r = 0; r < references; r++) steepness[r] = wide(slopes[r].slope / temperature);
#define KULLBACK_LEIBLER_VECTOR(rows, index, left, position)                                                    \
    wides x[LOGIT_KERNELS_ROWS], p[LOGIT_KERNELS_ROWS], anchor = wide(0);                                             \
    _Pragma("clang loop unroll(full)") for (int row = 0; row <= references; row++) {                            \
        x[row] = above_pivot(load_logits(&rows[row], index, element), &rows[row]);                             \
        p[row] = exponential(x[row], t) * rows[row].scale;                                                      \
    }                                                                                                           \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < references; r++) {                                   \
        anchor = fused_wide((x[0] - x[r + 1]) - slopes[r].anchor_level, steepness[r], anchor);                  \
        if (outputs[r + 1].values)                                                                              \
            store(outputs[r + 1], position, left, (p[r + 1] - p[0]) * slopes[r].slope, &wrong);                 \
    }                                                                                                           \
    if (outputs[0].values) store(outputs[0], position, left, p[0] * anchor, &wrong);
    FOR_EACH_VECTOR(rows, references + 1, count, element, KULLBACK_LEIBLER_VECTOR)
    return !__builtin_reduce_or(wrong);
}

INLINE int jensen_shannon_gradient_rows(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    const logit_kernels_slope *slopes, const logit_kernels_output *outputs) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
#define JENSEN_SHANNON_VECTOR(rows, index, left, position)                                                      \
    wides p[LOGIT_KERNELS_ROWS], logarithms[LOGIT_KERNELS_ROWS], anchor = wide(0);                                    \
    probabilities(rows, references, index, element, t, p, logarithms);                                          \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < references; r++) {                                   \
        wides mean = log_of_mean(p[0], p[r + 1]);                                                               \
        anchor = fused_wide(logarithms[0] - mean - slopes[r].anchor_level, wide(slopes[r].slope), anchor);      \
        if (outputs[r + 1].values)                                                                              \
            store(                                                                                              \
                outputs[r + 1], position, left,                                                                 \
                p[r + 1] * (logarithms[r + 1] - mean - slopes[r].level) * slopes[r].slope, &wrong);             \
    }                                                                                                           \
    if (outputs[0].values) store(outputs[0], position, left, p[0] * anchor, &wrong);
    FOR_EACH_VECTOR(rows, references + 1, count, element, JENSEN_SHANNON_VECTOR)
    return !__builtin_reduce_or(wrong);
}

INLINE int jeffreys_gradient_rows(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    const logit_kernels_slope *slopes, const logit_kernels_output *outputs) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
#define JEFFREYS_VECTOR(rows, index, left, position)                                                            \
    wides p[LOGIT_KERNELS_ROWS], logarithms[LOGIT_KERNELS_ROWS], anchor = wide(0);                                    \
    probabilities(rows, references, index, element, t, p, logarithms);                                          \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < references; r++) {                                   \
        wides gap = logarithms[0] - logarithms[r + 1], surplus = p[0] - p[r + 1];                               \
        wides to_anchor = fused_wide(p[0], gap - slopes[r].anchor_level, surplus) * slopes[r].slope;            \
        wides to_reference = (-fused_wide(p[r + 1], gap + slopes[r].level, surplus)) * slopes[r].slope;         \
        anchor += to_anchor;                                                                                    \
        if (outputs[r + 1].values) store(outputs[r + 1], position, left, to_reference, &wrong);                 \
    }                                                                                                           \
    if (outputs[0].values) store(outputs[0], position, left, anchor, &wrong);
    FOR_EACH_VECTOR(rows, references + 1, count, element, JEFFREYS_VECTOR)
    return !__builtin_reduce_or(wrong);
}

INLINE int softmax_row(
    const logit_kernels_row *row, size_t count, logit_kernels_element element, double temperature, double factor,
    logit_kernels_output output) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
#define SOFTMAX_VECTOR(rows, index, left, position)                                             \
    wides e = exponential(above_pivot(load_logits(rows, index, element), rows), t);            \
    store(output, position, left, e * row->scale * factor, &wrong);
    FOR_EACH_VECTOR(row, 1, count, element, SOFTMAX_VECTOR)
    return !__builtin_reduce_or(wrong);
}
