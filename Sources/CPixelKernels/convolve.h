/* Included by each table of kernels. */

enum { lanes = 8, block_lanes = 32 };

KERNEL size_t whole_blocks(size_t count) { return (count + block_lanes - 1) / block_lanes * block_lanes; }

/* Sum over taps of source[tap][place ...] * weights[tap], each product and sum rounded, first tap first. */
KERNEL void sum_products(const float *const *sources, const float *weights, size_t taps, size_t place, f32x8 sums[4]) {
    for (int v = 0; v < 4; v++) sums[v] = (f32x8){0};
    for (size_t tap = 0; tap < taps; tap++) {
        for (int v = 0; v < 4; v++) {
            f32x8 values;
            memcpy(&values, sources[tap] + place + lanes * v, sizeof values);
            sums[v] += values * weights[tap];
        }
    }
}

KERNEL f32x8 clamped(f32x8 values, float most) {
    f32x8 zero = {0};
    return __builtin_elementwise_min(__builtin_elementwise_max(values, zero), zero + most);
}

KERNEL u8x8 levels(f32x8 sums, int unit) {
    /* Adding and taking away 2^23 rounds half to even. */
    f32x8 scaled = unit ? clamped(sums, 1) * 255 : clamped((sums + 8388608.0f) - 8388608.0f, 255);
    return __builtin_convertvector(__builtin_convertvector(scaled, i32x8), u8x8);
}

KERNEL void widen(const uint8_t *samples, size_t count, int unit, float *values) {
    if (unit) {
        for (size_t i = 0; i < count; i++) values[i] = (float)samples[i] / 255;
    } else {
        for (size_t i = 0; i < count; i++) values[i] = (float)samples[i];
    }
}

KERNEL void mirror_margins(float *row, size_t radius, size_t width) {
    for (size_t distance = 1; distance <= radius; distance++) {
        for (size_t c = 0; c < 3; c++) {
            size_t first = radius, last = radius + width - 1;
            row[(first - distance) * 3 + c] = row[(first + distance) * 3 + c];
            row[(last + distance) * 3 + c] = row[(last - distance) * 3 + c];
        }
    }
}

/* scratch: a ring of `taps` widened rows, then one summed row with its margins. */
KERNEL void convolved(
    pixel_picture picture, uint8_t *target, const float *weights, size_t taps, int unit, float *scratch) {
    size_t radius = taps / 2, stride = picture.width * 3, padded = whole_blocks(stride);
    float *row = scratch + taps * padded;
    memset(row, 0, (padded + 6 * radius + block_lanes) * sizeof *row);
    memset(scratch, 0, taps * padded * sizeof *scratch);
    const float *down[99], *across[99];
    float down_weights[99];
    for (size_t tap = 0; tap < taps; tap++) across[tap] = row + 3 * tap;
    size_t widened = 0;
    for (size_t y = 0; y < picture.height; y++) {
        for (; widened < picture.height && widened <= y + radius; widened++)
            widen(picture.samples + widened * stride, stride, unit, scratch + widened % taps * padded);
        size_t used = 0;
        for (size_t tap = 0; tap < taps; tap++) {
            ptrdiff_t from = (ptrdiff_t)(y + tap) - (ptrdiff_t)radius;
            ptrdiff_t last = (ptrdiff_t)picture.height - 1;
            if (from < 0 || from > last) {
                if (unit) continue;
                from = from < 0 ? -from : 2 * last - from;
            }
            down[used] = scratch + (size_t)from % taps * padded;
            down_weights[used++] = weights[tap];
        }
        f32x8 sums[4];
        for (size_t place = 0; place < stride; place += block_lanes) {
            sum_products(down, down_weights, used, place, sums);
            memcpy(row + 3 * radius + place, sums, sizeof sums);
        }
        /* What the last block wrote beyond the row is margin. */
        memset(row + 3 * radius + stride, 0, (3 * radius + padded - stride) * sizeof *row);
        if (!unit) mirror_margins(row, radius, picture.width);
        for (size_t place = 0; place < stride; place += block_lanes) {
            sum_products(across, weights, taps, place, sums);
            u8x8 done[4];
            for (int v = 0; v < 4; v++) done[v] = levels(sums[v], unit);
            size_t left = stride - place;
            memcpy(target + y * stride + place, done, left < sizeof done ? left : sizeof done);
        }
    }
}

static void convolve(
    pixel_picture picture, uint8_t *target, const float *weights, size_t taps, int unit, float *scratch) {
    if (unit)
        convolved(picture, target, weights, taps, 1, scratch);
    else
        convolved(picture, target, weights, taps, 0, scratch);
}
