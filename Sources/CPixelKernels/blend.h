/* Included by each table of kernels. */

KERNEL uint8_t blended(int degenerate, int value, float factor) {
    float mixed = (float)degenerate + factor * (float)(value - degenerate);
    mixed = mixed < 0 ? 0 : mixed;
    mixed = mixed > 255 ? 255 : mixed;
    return (uint8_t)(int32_t)mixed;
}

KERNEL int32_t luma(const uint8_t *pixel) {
    return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

static void blend_level(uint8_t *samples, size_t count, float factor, uint8_t level) {
    for (size_t i = 0; i < count; i++) samples[i] = blended(level, samples[i], factor);
}

static uint64_t luma_sum(const uint8_t *pixels, size_t count) {
    uint64_t total = 0;
    /* 2^16 lumas fit 32 bits: narrow lanes within. */
    for (size_t start = 0; start < count; start += 65536) {
        size_t left = count - start < 65536 ? count - start : 65536;
        const uint8_t *block = pixels + start * 3;
        uint32_t sum = 0;
        for (size_t i = 0; i < left; i++) sum += (uint32_t)luma(block + 3 * i);
        total += sum;
    }
    return total;
}

/* In blocks: lumas first, each three times, so that the blend itself runs over samples that lie side by side. */
static void blend_luma(uint8_t *pixels, size_t count, float factor) {
    enum { block = 256 };
    uint8_t gray[block * 3];
    for (size_t start = 0; start < count; start += block) {
        size_t size = count - start < block ? count - start : block;
        uint8_t *samples = pixels + start * 3;
        for (size_t i = 0; i < size; i++) {
            uint8_t level = (uint8_t)luma(samples + 3 * i);
            gray[3 * i] = level;
            gray[3 * i + 1] = level;
            gray[3 * i + 2] = level;
        }
        for (size_t i = 0; i < size * 3; i++) samples[i] = blended(gray[i], samples[i], factor);
    }
}
