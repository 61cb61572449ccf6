/* The functions of logit_kernels_table. After statistics.h and maximum.h. */

/* The element type is a constant in each copy of a kernel. */
#define FOR_EACH_ELEMENT(element, statement)                          \
    switch (element) {                                                \
    case LOGIT_KERNELS_F32: statement(LOGIT_KERNELS_F32)                    \
    case LOGIT_KERNELS_BF16: statement(LOGIT_KERNELS_BF16)                  \
    case LOGIT_KERNELS_F16: statement(LOGIT_KERNELS_F16)                    \
    }                                                                 \
    __builtin_trap()

static logit_kernels_maximum maximum(const void *logits, size_t count, logit_kernels_element element) {
    size_t equal;
#define MAXIMUM(E) return block_maximum(logits, count, E, 0, &equal);
    FOR_EACH_ELEMENT(element, MAXIMUM);
}

static size_t add(const void *logits, size_t count, logit_kernels_element element, logit_kernels_sums *sums) {
#define ADD(E) return add_blocks(logits, count, E, 0, sums);
    FOR_EACH_ELEMENT(element, ADD);
}

static size_t add_pivoted(const void *logits, size_t count, logit_kernels_element element, logit_kernels_sums *sums) {
    size_t equal;
#define ADD_ANCHORED(E)                                         \
    if (add_blocks(logits, count, E, 1, sums) < count) return 0; \
    block_maximum(logits, count, E, sums->pivot, &equal);      \
    return equal;
    FOR_EACH_ELEMENT(element, ADD_ANCHORED);
}
