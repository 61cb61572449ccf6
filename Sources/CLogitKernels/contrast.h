/* Sums over three rows and what is made of them: see perception_contrast_kernels. After statistics.h and wide.h. */

/* WIDE logits of one row. */
INLINE narrows load_logits(const perception_row *row, size_t index, perception_element element) {
    const unsigned char *at = (const unsigned char *)row->logits + index * element_size(element);
    __builtin_prefetch(at + PREFETCH);
    return load_narrows(at, element);
}

INLINE wides above_anchor(narrows logits, const perception_row *row) {
    wides z = __builtin_convertvector(logits, wides);
    return (z < nothing ? wide(nothing) : z) - row->anchor;
}

/* Rows whose last vector is filled up with -inf: the whole vectors are read where they lie, the last one here. */
typedef struct last_vectors {
    unsigned char bytes[PERCEPTION_VIEWS][WIDE * 4];
    perception_row rows[PERCEPTION_VIEWS];
} last_vectors;

INLINE void copy_last(
    last_vectors *last, const perception_row *rows, int views, size_t start, size_t count, perception_element element) {
    for (int view = 0; view < views; view++) {
        const unsigned char *at = (const unsigned char *)rows[view].logits + start * element_size(element);
        copy_padded(last->bytes[view], at, count - start, WIDE, element);
        last->rows[view] = rows[view];
        last->rows[view].logits = last->bytes[view];
    }
}

/* Runs `body` for every whole vector of the rows, then for what is left. It is told the rows and the index to read at,
   how many elements count, and the position of the first. */
#define FOR_EACH_VECTOR(ROWS, VIEWS, COUNT, ELEMENT, BODY)                            \
    const size_t whole = (COUNT) / WIDE * WIDE;                                       \
    for (size_t index = 0; index < whole; index += WIDE) { BODY((ROWS), index, WIDE, index) } \
    if (whole < (COUNT)) {                                                            \
        last_vectors last;                                                            \
        copy_last(&last, (ROWS), (VIEWS), whole, (COUNT), (ELEMENT));                 \
        BODY(last.rows, 0, (COUNT) - whole, whole)                                    \
    }

INLINE void contrast_vector(
    const perception_row *rows, size_t index, perception_element element, tempering t, wides sums[PERCEPTION_VIEWS],
    wides crossed[2], narrows least[2]) {
    wides x[PERCEPTION_VIEWS], e[PERCEPTION_VIEWS];
#pragma clang loop unroll(full)
    for (int view = 0; view < PERCEPTION_VIEWS; view++) {
        narrows z = load_logits(&rows[view], index, element);
        if (view > 0) least[view - 1] = z < least[view - 1] ? z : least[view - 1];
        x[view] = above_anchor(z, &rows[view]);
        e[view] = exponential(x[view], t);
        sums[view] += e[view];
    }
    crossed[0] = fused_wide(e[0], x[0] - x[1], crossed[0]);
    crossed[1] = fused_wide(e[0], x[0] - x[2], crossed[1]);
}

/* The largest logit of a where r is -inf. */
INLINE float uncovered(
    const perception_row *anchor, const perception_row *reference, size_t count, perception_element element) {
    narrows most = (narrows)(-__builtin_inff());
    const perception_row rows[2] = {*anchor, *reference};
#define UNCOVERED(rows, index, left, position)                                   \
    narrows a = load_logits(&rows[0], index, element);                           \
    narrows r = load_logits(&rows[1], index, element);                           \
    a = r == -__builtin_inff() ? a : (narrows)(-__builtin_inff());               \
    most = a > most ? a : most;
    FOR_EACH_VECTOR(rows, 2, count, element, UNCOVERED)
    float result = most[0];
    for (int lane = 1; lane < WIDE; lane++) result = most[lane] > result ? most[lane] : result;
    return result;
}

INLINE void contrast_rows(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    perception_contrast *result) {
    tempering t = temper(temperature);
    wides sums[PERCEPTION_VIEWS] = {}, crossed[2] = {};
    narrows least[2] = {};
#define CONTRAST_VECTOR(rows, index, left, position) contrast_vector(rows, index, element, t, sums, crossed, least);
    FOR_EACH_VECTOR(rows, PERCEPTION_VIEWS, count, element, CONTRAST_VECTOR)
    for (int view = 0; view < PERCEPTION_VIEWS; view++) result->sum[view] = total(sums[view]);
    for (int reference = 0; reference < 2; reference++) {
        result->crossed[reference] = total(crossed[reference]);
        result->uncovered[reference] = __builtin_reduce_min(least[reference]) > -__builtin_inff()
            ? -__builtin_inff()
            : uncovered(&rows[0], &rows[reference + 1], count, element);
    }
}

/* Probabilities and their logarithms. */
INLINE void probabilities(
    const perception_row *rows, size_t index, perception_element element, tempering t, wides p[PERCEPTION_VIEWS],
    wides logarithms[PERCEPTION_VIEWS]) {
#pragma clang loop unroll(full)
    for (int view = 0; view < PERCEPTION_VIEWS; view++) {
        wides x = above_anchor(load_logits(&rows[view], index, element), &rows[view]);
        p[view] = exponential(x, t) * rows[view].scale;
        logarithms[view] = fused_wide(x, wide(t.inverse), wide(rows[view].log_scale));
    }
}

INLINE wides log_of_mean(wides p, wides q) { return logarithm((p + q) * 0.5); }

INLINE void mixture_rows(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    perception_mixture *result) {
    tempering t = temper(temperature);
    wides anchor[2] = {}, reference[2] = {};
#define MIXTURE_VECTOR(rows, index, left, position)                                          \
    wides p[PERCEPTION_VIEWS], logarithms[PERCEPTION_VIEWS];                                 \
    probabilities(rows, index, element, t, p, logarithms);                                   \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < 2; r++) {                         \
        wides mean = log_of_mean(p[0], p[r + 1]);                                            \
        anchor[r] = fused_wide(p[0], logarithms[0] - mean, anchor[r]);                       \
        reference[r] = fused_wide(p[r + 1], logarithms[r + 1] - mean, reference[r]);         \
    }
    FOR_EACH_VECTOR(rows, PERCEPTION_VIEWS, count, element, MIXTURE_VECTOR)
    for (int r = 0; r < 2; r++) {
        result->anchor[r] = total(anchor[r]);
        result->reference[r] = total(reference[r]);
    }
}

/* Rounds to Float and writes the first `left`; what is too large, or no number, shows in `wrong`. */
INLINE void store(float *output, size_t position, size_t left, wides values, wide_patterns *wrong) {
    *wrong |= (wide_patterns)~(__builtin_elementwise_abs(values) <= 0x1.fffffefp127);
    narrows rounded = __builtin_convertvector(values, narrows);
    if (left == WIDE)
        __builtin_memcpy(output + position, &rounded, sizeof rounded);
    else
        __builtin_memcpy(output + position, &rounded, left * sizeof(float));
}

INLINE int kullback_leibler_gradient_rows(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    const perception_slope *slopes, float *const *outputs) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
    wides steepness[2];
    for (int r = 0; r < 2; r++) steepness[r] = wide(slopes[r].slope / temperature);
#define KULLBACK_LEIBLER_VECTOR(rows, index, left, position)                                                    \
    wides x[PERCEPTION_VIEWS], p[PERCEPTION_VIEWS];                                                             \
    _Pragma("clang loop unroll(full)") for (int view = 0; view < PERCEPTION_VIEWS; view++) {                    \
        x[view] = above_anchor(load_logits(&rows[view], index, element), &rows[view]);                          \
        p[view] = exponential(x[view], t) * rows[view].scale;                                                   \
    }                                                                                                           \
    if (outputs[0]) {                                                                                           \
        wides near = (x[0] - x[1]) - slopes[0].anchor_level;                                                    \
        wides far = (x[0] - x[2]) - slopes[1].anchor_level;                                                     \
        store(                                                                                                  \
            outputs[0], position, left, p[0] * fused_wide(far, steepness[1], near * steepness[0]), &wrong);     \
    }                                                                                                           \
    if (outputs[1]) store(outputs[1], position, left, (p[1] - p[0]) * slopes[0].slope, &wrong);                 \
    if (outputs[2]) store(outputs[2], position, left, (p[2] - p[0]) * slopes[1].slope, &wrong);
    FOR_EACH_VECTOR(rows, PERCEPTION_VIEWS, count, element, KULLBACK_LEIBLER_VECTOR)
    return !__builtin_reduce_or(wrong);
}

INLINE int jensen_shannon_gradient_rows(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    const perception_slope *slopes, float *const *outputs) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
#define JENSEN_SHANNON_VECTOR(rows, index, left, position)                                                      \
    wides p[PERCEPTION_VIEWS], logarithms[PERCEPTION_VIEWS], anchor = wide(0);                                  \
    probabilities(rows, index, element, t, p, logarithms);                                                      \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < 2; r++) {                                            \
        wides mean = log_of_mean(p[0], p[r + 1]);                                                               \
        anchor = fused_wide(logarithms[0] - mean - slopes[r].anchor_level, wide(slopes[r].slope), anchor);      \
        if (outputs[r + 1])                                                                                     \
            store(                                                                                              \
                outputs[r + 1], position, left,                                                                 \
                p[r + 1] * (logarithms[r + 1] - mean - slopes[r].level) * slopes[r].slope, &wrong);             \
    }                                                                                                           \
    if (outputs[0]) store(outputs[0], position, left, p[0] * anchor, &wrong);
    FOR_EACH_VECTOR(rows, PERCEPTION_VIEWS, count, element, JENSEN_SHANNON_VECTOR)
    return !__builtin_reduce_or(wrong);
}

INLINE double sum_row(const perception_row *row, size_t count, perception_element element, double temperature) {
    tempering t = temper(temperature);
    wides sum = {};
#define SUM_VECTOR(rows, index, left, position) \
    sum += exponential(above_anchor(load_logits(rows, index, element), rows), t);
    FOR_EACH_VECTOR(row, 1, count, element, SUM_VECTOR)
    return total(sum);
}

INLINE int softmax_row(
    const perception_row *row, size_t count, perception_element element, double temperature, double factor,
    float *output) {
    tempering t = temper(temperature);
    wide_patterns wrong = {};
#define SOFTMAX_VECTOR(rows, index, left, position)                                             \
    wides e = exponential(above_anchor(load_logits(rows, index, element), rows), t);            \
    store(output, position, left, e * row->scale * factor, &wrong);
    FOR_EACH_VECTOR(row, 1, count, element, SOFTMAX_VECTOR)
    return !__builtin_reduce_or(wrong);
}

static void contrast(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    perception_contrast *result) {
#define CONTRAST(E) contrast_rows(rows, count, E, temperature, result); return;
    FOR_EACH_ELEMENT(element, CONTRAST);
}

static void mixture(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    perception_mixture *result) {
#define MIXTURE(E) mixture_rows(rows, count, E, temperature, result); return;
    FOR_EACH_ELEMENT(element, MIXTURE);
}

static int kullback_leibler_gradient(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    const perception_slope *slopes, float *const *outputs) {
#define KULLBACK_LEIBLER(E) return kullback_leibler_gradient_rows(rows, count, E, temperature, slopes, outputs);
    FOR_EACH_ELEMENT(element, KULLBACK_LEIBLER);
}

static int jensen_shannon_gradient(
    const perception_row *rows, size_t count, perception_element element, double temperature,
    const perception_slope *slopes, float *const *outputs) {
#define JENSEN_SHANNON(E) return jensen_shannon_gradient_rows(rows, count, E, temperature, slopes, outputs);
    FOR_EACH_ELEMENT(element, JENSEN_SHANNON);
}

static double sum(const perception_row *row, size_t count, perception_element element, double temperature) {
#define SUM(E) return sum_row(row, count, E, temperature);
    FOR_EACH_ELEMENT(element, SUM);
}

static int softmax(
    const perception_row *row, size_t count, perception_element element, double temperature, double factor,
    float *output) {
#define SOFTMAX(E) return softmax_row(row, count, E, temperature, factor, output);
    FOR_EACH_ELEMENT(element, SOFTMAX);
}

#define CONTRAST_KERNELS \
    { contrast, mixture, kullback_leibler_gradient, jensen_shannon_gradient, sum, softmax }
