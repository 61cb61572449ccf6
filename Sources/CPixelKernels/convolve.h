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

/* Columns of a stretch, as many as photographs have. */
enum { stretch = 8192 };

/* The columns of the result that are made together, and those of the picture that they are made of. */
typedef struct columns {
    size_t left, right, from, to;
} columns;

/* The summed row begins `radius` columns left of the stretch. What lies beyond the picture's edges is mirrored. */
KERNEL void mirror_margins(float *row, size_t radius, size_t width, columns at) {
    ptrdiff_t start = (ptrdiff_t)at.left - (ptrdiff_t)radius, last = (ptrdiff_t)width - 1;
    ptrdiff_t end = (ptrdiff_t)(at.right + radius);
    for (ptrdiff_t column = start; column < 0; column++)
        memcpy(row + (column - start) * 3, row + (-column - start) * 3, 3 * sizeof *row);
    for (ptrdiff_t column = last + 1; column < end; column++)
        memcpy(row + (column - start) * 3, row + (2 * last - column - start) * 3, 3 * sizeof *row);
}

/* scratch: a ring of `taps` widened rows, then one summed row with its margins. */
KERNEL int convolved_stretch(
    pixel_kernels_picture picture, uint8_t *target, const float *weights, size_t taps, int unit, float *scratch, columns at,
    work_watch *watch) {
    size_t radius = taps / 2, stride = picture.width * 3;
    size_t taken = (at.to - at.from) * 3, padded = whole_blocks(taken);
    size_t made = (at.right - at.left) * 3, whole = whole_blocks(made) + 6 * radius + 2 * block_lanes;
    size_t margin = (at.from + radius - at.left) * 3;
    float *row = scratch + taps * padded;
    memset(scratch, 0, (taps * padded + whole) * sizeof *scratch);
    const float *down[99], *across[99];
    float down_weights[99];
    for (size_t tap = 0; tap < taps; tap++) across[tap] = row + 3 * tap;
    size_t widened = 0;
    for (size_t y = 0; y < picture.height; y++) {
        for (; widened < picture.height && widened <= y + radius; widened++)
            widen(
                picture.samples + widened * stride + at.from * 3, taken, unit, scratch + widened % taps * padded);
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
        for (size_t place = 0; place < taken; place += block_lanes) {
            if (!work_watch_goes_on(watch, 8 * taps)) return 0;
            sum_products(down, down_weights, used, place, sums);
            memcpy(row + margin + place, sums, sizeof sums);
        }
        /* What the last block wrote beyond the row is margin. */
        memset(row + margin + taken, 0, (whole - margin - taken) * sizeof *row);
        if (!unit) mirror_margins(row, radius, picture.width, at);
        for (size_t place = 0; place < made; place += block_lanes) {
            if (!work_watch_goes_on(watch, 8 * taps)) return 0;
            sum_products(across, weights, taps, place, sums);
            u8x8 done[4];
            for (int v = 0; v < 4; v++) done[v] = levels(sums[v], unit);
            size_t left = made - place;
            uint8_t *out = target + y * stride + at.left * 3 + place;
            if (left < sizeof done)
                memcpy(out, done, left);
            else
                memcpy(out, done, sizeof done);
        }
    }
    return 1;
}

KERNEL int convolved(
    pixel_kernels_picture picture, uint8_t *target, const float *weights, size_t taps, int unit, float *scratch,
    work_watch *watch) {
    size_t radius = taps / 2, width = picture.width;
    for (size_t left = 0; left < width; left += stretch) {
        columns at = {.left = left, .right = width - left < stretch ? width : left + stretch};
        at.from = left < radius ? 0 : left - radius;
        at.to = width - at.right < radius ? width : at.right + radius;
        if (!convolved_stretch(picture, target, weights, taps, unit, scratch, at, watch)) return 0;
    }
    return 1;
}

static int convolve(
    pixel_kernels_picture picture, uint8_t *target, const float *weights, size_t taps, int unit, float *scratch,
    work_watch *watch) {
    return unit ? convolved(picture, target, weights, taps, 1, scratch, watch)
                : convolved(picture, target, weights, taps, 0, scratch, watch);
}
