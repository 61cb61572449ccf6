/* The largest logit of a block. After statistics.h. */

INLINE logit_kernels_maximum block_maximum(
    const unsigned char *at, size_t count, logit_kernels_element element, float peak, size_t *equal) {
    unsigned char rest[LOGIT_KERNELS_BLOCK * 4];
    if (count % STEP != 0) {
        copy_padded(rest, at, count, padded(count), element);
        at = rest;
        count = padded(count);
    }
    floats most = every(-__builtin_inff());
    integers unordered = {}, equals = {};
    for (size_t index = 0; index < count; index += 2 * LANES) {
        floats pair[2];
        load_pair(at + index * element_size(element), element, pair);
        for (int half = 0; half < 2; half++) {
            most = larger(pair[half], most);
            unordered |= pair[half] != pair[half];
            equals -= pair[half] == peak;
        }
    }
    logit_kernels_maximum result = {most[0], __builtin_reduce_or(unordered) != 0};
    for (int lane = 1; lane < LANES; lane++)
        result.maximum = most[lane] > result.maximum ? most[lane] : result.maximum;
    *equal = 0;
    for (int lane = 0; lane < LANES; lane++) *equal += (size_t)equals[lane];
    return result;
}
