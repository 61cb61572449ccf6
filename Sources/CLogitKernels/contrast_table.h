/* The functions of a table, expanded for what they are called with: see logit_kernels_contrast_table. After
   contrast_gradients.h. */

/* One expansion for each number of references and element type. */
#define FOR_EACH_FORM(references, element, statement)                 \
    if ((references) == 1) { FOR_EACH_ELEMENT(element, statement##_ONE); } \
    FOR_EACH_ELEMENT(element, statement##_TWO)

static void contrast(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    logit_kernels_contrast *result) {
#define CONTRAST_ONE(E) contrast_rows(rows, 1, count, E, temperature, result); return;
#define CONTRAST_TWO(E) contrast_rows(rows, 2, count, E, temperature, result); return;
    FOR_EACH_FORM(references, element, CONTRAST);
}

static void jensen_shannon(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    logit_kernels_halves *result) {
#define MIXTURE_ONE(E) halves_of_rows(rows, 1, 0, count, E, temperature, result); return;
#define MIXTURE_TWO(E) halves_of_rows(rows, 2, 0, count, E, temperature, result); return;
    FOR_EACH_FORM(references, element, MIXTURE);
}

static void jeffreys(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    logit_kernels_halves *result) {
#define JEFFREYS_ONE(E) halves_of_rows(rows, 1, 1, count, E, temperature, result); return;
#define JEFFREYS_TWO(E) halves_of_rows(rows, 2, 1, count, E, temperature, result); return;
    FOR_EACH_FORM(references, element, JEFFREYS);
}

static int kullback_leibler_gradient(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    const logit_kernels_slope *slopes, const logit_kernels_output *outputs) {
#define KL_GRADIENT_ONE(E) return kullback_leibler_gradient_rows(rows, 1, count, E, temperature, slopes, outputs);
#define KL_GRADIENT_TWO(E) return kullback_leibler_gradient_rows(rows, 2, count, E, temperature, slopes, outputs);
    FOR_EACH_FORM(references, element, KL_GRADIENT);
}

static int jensen_shannon_gradient(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    const logit_kernels_slope *slopes, const logit_kernels_output *outputs) {
#define JS_GRADIENT_ONE(E) return jensen_shannon_gradient_rows(rows, 1, count, E, temperature, slopes, outputs);
#define JS_GRADIENT_TWO(E) return jensen_shannon_gradient_rows(rows, 2, count, E, temperature, slopes, outputs);
    FOR_EACH_FORM(references, element, JS_GRADIENT);
}

static int jeffreys_gradient(
    const logit_kernels_row *rows, int references, size_t count, logit_kernels_element element, double temperature,
    const logit_kernels_slope *slopes, const logit_kernels_output *outputs) {
#define J_GRADIENT_ONE(E) return jeffreys_gradient_rows(rows, 1, count, E, temperature, slopes, outputs);
#define J_GRADIENT_TWO(E) return jeffreys_gradient_rows(rows, 2, count, E, temperature, slopes, outputs);
    FOR_EACH_FORM(references, element, J_GRADIENT);
}

static double sum(const logit_kernels_row *row, size_t count, logit_kernels_element element, double temperature) {
#define SUM(E) return sum_row(row, count, E, temperature);
    FOR_EACH_ELEMENT(element, SUM);
}

static int softmax(
    const logit_kernels_row *row, size_t count, logit_kernels_element element, double temperature, double factor,
    const logit_kernels_output *output) {
#define SOFTMAX(E) return softmax_row(row, count, E, temperature, factor, *output);
    FOR_EACH_ELEMENT(element, SOFTMAX);
}

#define CONTRAST_KERNELS                                                                   \
    {                                                                                      \
        contrast, jensen_shannon, jeffreys, kullback_leibler_gradient, jensen_shannon_gradient, jeffreys_gradient, \
            sum, softmax, round_to_bfloat16                                                \
    }
