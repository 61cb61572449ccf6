/* Sums over an anchor's row and those of its references, and what is made of them: see logit_kernels_contrast_table. After
   statistics.h and wide.h. `references` is a constant wherever these functions are expanded. */

/* WIDE logits of one row. */
INLINE narrows load_logits(const logit_kernels_row *row, size_t index, logit_kernels_element element) {
    const unsigned char *at = (const unsigned char *)row->logits + index * element_size(element);
    __builtin_prefetch(at + PREFETCH);
    return load_narrows(at, element);
}

INLINE wides above_pivot(narrows logits, const logit_kernels_row *row) {
    wides z = __builtin_convertvector(logits, wides);
    return (z < nothing ? wide(nothing) : z) - row->pivot;
}

/* Rows whose last vector is filled up with -inf: the whole vectors are read where they lie, the last one here. */
typedef struct last_vectors {
    unsigned char bytes[LOGIT_KERNELS_ROWS][WIDE * 4];
    logit_kernels_row rows[LOGIT_KERNELS_ROWS];
} last_vectors;

INLINE void copy_last(
    last_vectors *last, const logit_kernels_row *rows, int row_count, size_t start, size_t count,
    logit_kernels_element element) {
    for (int row = 0; row < row_count; row++) {
        const unsigned char *at = (const unsigned char *)rows[row].logits + start * element_size(element);
        copy_padded(last->bytes[row], at, count - start, WIDE, element);
        last->rows[row] = rows[row];
        last->rows[row].logits = last->bytes[row];
    }
}

/* Runs `body` for every whole vector of the rows, then for what is left. It is told the rows and the index to read at,
   how many elements count, and the position of the first. */
#define FOR_EACH_VECTOR(ROWS, ROW_COUNT, COUNT, ELEMENT, BODY)                        \
    const size_t whole = (COUNT) / WIDE * WIDE;                                       \
    for (size_t index = 0; index < whole; index += WIDE) { BODY((ROWS), index, WIDE, index) } \
    if (whole < (COUNT)) {                                                            \
        last_vectors last;                                                            \
        copy_last(&last, (ROWS), (ROW_COUNT), whole, (COUNT), (ELEMENT));             \
        BODY(last.rows, 0, (COUNT) - whole, whole)                                    \
    }

INLINE void contrast_vector(
    const logit_kernels_row *rows, int references, size_t index, size_t left, logit_kernels_element element, tempering t,
    wides sums[LOGIT_KERNELS_ROWS], wides crossed[LOGIT_KERNELS_REFERENCES], narrows least[LOGIT_KERNELS_ROWS]) {
    wides x[LOGIT_KERNELS_ROWS], e[LOGIT_KERNELS_ROWS];
#pragma clang loop unroll(full)
    for (int row = 0; row <= references; row++) {
        narrows z = load_logits(&rows[row], index, element);
        narrows smaller_ones = z < least[row] ? z : least[row];
        if (left == WIDE)
            least[row] = smaller_ones;
        else /* What fills up the last vector is no logit. */
            for (size_t lane = 0; lane < left; lane++) least[row][lane] = smaller_ones[lane];
        x[row] = above_pivot(z, &rows[row]);
        e[row] = exponential(x[row], t);
        sums[row] += e[row];
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < references; r++) crossed[r] = fused_wide(e[0], x[0] - x[r + 1], crossed[r]);
}

/* The largest logit of a where r is -inf. */
INLINE float uncovered(
    const logit_kernels_row *anchor, const logit_kernels_row *reference, size_t count, logit_kernels_element element) {
    narrows most = (narrows)(-__builtin_inff());
    const logit_kernels_row rows[2] = {*anchor, *reference};
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
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    logit_kernels_contrast *result) {
    tempering t = temper(temperature);
    wides sums[LOGIT_KERNELS_ROWS] = {}, crossed[LOGIT_KERNELS_REFERENCES] = {};
    narrows least[LOGIT_KERNELS_ROWS] = {};
    const float none = -__builtin_inff();
#define CONTRAST_VECTOR(rows, index, left, position) \
    contrast_vector(rows, references, index, left, element, t, sums, crossed, least);
    FOR_EACH_VECTOR(rows, references + 1, count, element, CONTRAST_VECTOR)
    for (int row = 0; row <= references; row++) result->sum[row] = total(sums[row]);
    const int anchor_is_whole = __builtin_reduce_min(least[0]) > none;
    for (int r = 0; r < references; r++) {
        result->crossed[r] = total(crossed[r]);
        const int is_whole = __builtin_reduce_min(least[r + 1]) > none;
        result->uncovered[r] = is_whole ? none : uncovered(&rows[0], &rows[r + 1], count, element);
        result->uncovering[r] = anchor_is_whole ? none : uncovered(&rows[r + 1], &rows[0], count, element);
    }
}

/* Probabilities and their logarithms. */
INLINE void probabilities(
    const logit_kernels_row *rows, int references, size_t index, logit_kernels_element element, tempering t,
    wides p[LOGIT_KERNELS_ROWS], wides logarithms[LOGIT_KERNELS_ROWS]) {
#pragma clang loop unroll(full)
    for (int row = 0; row <= references; row++) {
        wides x = above_pivot(load_logits(&rows[row], index, element), &rows[row]);
        p[row] = exponential(x, t) * rows[row].scale;
        logarithms[row] = fused_wide(x, wide(t.inverse), wide(rows[row].log_scale));
    }
}

INLINE wides log_of_mean(wides p, wides q) { return logarithm((p + q) * 0.5); }

/* Both halves of Jensen-Shannon's divergence, or of Jeffreys'. */
INLINE void halves_of_rows(
    const logit_kernels_row *rows, int references, int is_jeffreys, size_t count, logit_kernels_element element,
    double temperature, logit_kernels_halves *result) {
    tempering t = temper(temperature);
    wides anchor[LOGIT_KERNELS_REFERENCES] = {}, reference[LOGIT_KERNELS_REFERENCES] = {};
#define HALVES_VECTOR(rows, index, left, position)                                                              \
    wides p[LOGIT_KERNELS_ROWS], logarithms[LOGIT_KERNELS_ROWS];                                                      \
    probabilities(rows, references, index, element, t, p, logarithms);                                          \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < references; r++) {                                   \
        wides toward_anchor = is_jeffreys ? logarithms[0] : log_of_mean(p[0], p[r + 1]);                        \
        wides toward_reference = is_jeffreys ? logarithms[r + 1] : toward_anchor;                               \
        anchor[r] = fused_wide(p[0], logarithms[0] - toward_reference, anchor[r]);                              \
        reference[r] = fused_wide(p[r + 1], logarithms[r + 1] - toward_anchor, reference[r]);                   \
    }
    FOR_EACH_VECTOR(rows, references + 1, count, element, HALVES_VECTOR)
    for (int r = 0; r < references; r++) {
        result->anchor[r] = total(anchor[r]);
        result->reference[r] = total(reference[r]);
    }
}

INLINE double sum_row(const logit_kernels_row *row, size_t count, logit_kernels_element element, double temperature) {
    tempering t = temper(temperature);
    wides sum = {};
#define SUM_VECTOR(rows, index, left, position) \
    sum += exponential(above_pivot(load_logits(rows, index, element), rows), t);
    FOR_EACH_VECTOR(row, 1, count, element, SUM_VECTOR)
    return total(sum);
}
