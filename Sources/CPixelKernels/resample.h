/* Included by each table of kernels. */

enum { weight_bits = 32 - 8 - 2 };

KERNEL i32x4 pixel_lanes(const uint8_t *pixel) {
    u8x4 bytes;
    memcpy(&bytes, pixel, 4);
    return __builtin_convertvector(bytes, i32x4);
}

/* Never reads beyond the pixel. */
KERNEL i32x4 last_pixel_lanes(const uint8_t *pixel) { return (i32x4){pixel[0], pixel[1], pixel[2], 0}; }

KERNEL u8x4 settled(i32x4 sums) {
    i32x4 zero = {0};
    sums = __builtin_elementwise_min(__builtin_elementwise_max(sums >> weight_bits, zero), zero + 255);
    return __builtin_convertvector(sums, u8x4);
}

/* One row. Pixels are read and written as four bytes; `isLast` where no byte follows the row in memory. */
KERNEL void across_row(const uint8_t *row, uint8_t *target, size_t width, pixel_weights across, int is_last) {
    for (size_t place = 0; place < width; place++) {
        const uint8_t *from = row + across.starts[place] * 3;
        const int32_t *weights = across.values + place * across.most;
        int64_t count = across.counts[place];
        i32x4 sums = (i32x4){0} + (1 << (weight_bits - 1));
        for (int64_t k = 0; k < count; k++, from += 3)
            sums += (is_last ? last_pixel_lanes(from) : pixel_lanes(from)) * weights[k];
        u8x4 level = settled(sums);
        memcpy(target + place * 3, &level, 4);
    }
}

/* `rows` is the ring. */
KERNEL void down_block(
    const uint8_t *rows, size_t ring, size_t padded, const int32_t *weights, size_t start, size_t count, size_t place,
    uint8_t done[32]) {
    i32x8 sums[4];
    for (int v = 0; v < 4; v++) sums[v] = (i32x8){0} + (1 << (weight_bits - 1));
    size_t slot = start % ring;
    for (size_t k = 0; k < count; k++, slot = slot + 1 == ring ? 0 : slot + 1) {
        const uint8_t *row = rows + slot * padded + place;
        for (int v = 0; v < 4; v++) {
            u8x8 bytes;
            memcpy(&bytes, row + 8 * v, sizeof bytes);
            sums[v] += __builtin_convertvector(bytes, i32x8) * weights[k];
        }
    }
    for (int v = 0; v < 4; v++) {
        i32x8 zero = {0};
        i32x8 level = __builtin_elementwise_min(__builtin_elementwise_max(sums[v] >> weight_bits, zero), zero + 255);
        u8x8 bytes = __builtin_convertvector(level, u8x8);
        memcpy(done + 8 * v, &bytes, sizeof bytes);
    }
}

/* scratch: a ring of down.most rows of the target, 32 bytes apart from one another at least. */
static void resample(
    pixel_picture picture, size_t left, size_t top, pixel_target target, pixel_weights across, pixel_weights down,
    uint8_t *scratch) {
    size_t stride = target.width * 3, ring = down.values ? down.most : 1;
    size_t padded = stride + 32;
    int64_t made = 0;
    for (size_t y = 0; y < target.height; y++) {
        int64_t start = down.values ? down.starts[y] : (int64_t)y;
        int64_t count = down.values ? down.counts[y] : 1;
        if (made < start) made = start;
        for (; made < start + count; made++) {
            size_t row = top + (size_t)made;
            const uint8_t *from = picture.samples + (row * picture.width + left) * 3;
            uint8_t *into = scratch + (size_t)made % ring * padded;
            if (!across.values)
                memcpy(into, from, stride);
            else if (row + 1 < picture.height)
                across_row(from, into, target.width, across, 0);
            else
                across_row(from, into, target.width, across, 1);
        }
        uint8_t *out = target.samples + y * stride;
        if (!down.values) {
            memcpy(out, scratch + (size_t)start % ring * padded, stride);
            continue;
        }
        const int32_t *weights = down.values + y * down.most;
        uint8_t done[32];
        for (size_t place = 0; place < stride; place += 32) {
            down_block(scratch, ring, padded, weights, (size_t)start, (size_t)count, place, done);
            size_t rest = stride - place;
            memcpy(out + place, done, rest < 32 ? rest : 32);
        }
    }
}
