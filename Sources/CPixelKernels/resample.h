/* Included by each table of kernels: how rows and columns are resampled. */

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

/* One row. Pixels are read and written as four bytes; `is_last` where no byte follows the row in memory. */
KERNEL void across_row(
    const uint8_t *row, uint8_t *target, size_t width, const resampling *it, int is_last) {
    for (size_t place = 0; place < width; place++) {
        const uint8_t *from = row + it->starts[place] * 3;
        const int32_t *weights = it->values + place * it->across.most;
        int64_t count = it->counts[place];
        i32x4 sums = (i32x4){0} + (1 << (weight_bits - 1));
        for (int64_t k = 0; k < count; k++, from += 3)
            sums += (is_last ? last_pixel_lanes(from) : pixel_lanes(from)) * weights[k];
        u8x4 level = settled(sums);
        memcpy(target + place * 3, &level, 4);
    }
}

/* One place of one row, whose weights are too many to be kept. */
KERNEL int across_place(const uint8_t *row, uint8_t *target, const place_weights *place, work_watch *watch) {
    i32x4 sums = (i32x4){0} + (1 << (weight_bits - 1));
    for (int64_t k = 0; k < place->count; k++) {
        if (!work_watch_goes_on(watch, 4)) return 0;
        sums += last_pixel_lanes(row + (place->start + k) * 3) * weight_at(place, k);
    }
    u8x4 level = settled(sums);
    memcpy(target, &level, 4);
    return 1;
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

/* Row `made` of the crop, at the width of the stretch, into `into`. */
KERNEL int row_across(const resampling *it, size_t made, uint8_t *into, work_watch *watch) {
    size_t row = it->top + made;
    const uint8_t *from = it->picture.samples + (row * it->picture.width + it->left) * 3;
    if (!it->layout.is_across) {
        if (!work_watch_goes_on(watch, it->width * 3)) return 0;
        memcpy(into, from + it->first * 3, it->width * 3);
        return 1;
    }
    if (!it->layout.keeps_across) return across_place(from, into, &it->place, watch);
    if (!work_watch_goes_on(watch, it->width * 8 + it->taken * 4)) return 0;
    if (row + 1 < it->picture.height)
        across_row(from, into, it->width, it, 0);
    else
        across_row(from, into, it->width, it, 1);
    return 1;
}

/* The rows that a row of the target needs are kept in a ring. */
KERNEL int down_by_ring(const resampling *it, pixel_kernels_target target, work_watch *watch) {
    size_t stride = it->width * 3, padded = stride + 32, ring = it->layout.ring;
    int64_t made = 0;
    for (size_t y = 0; y < target.height; y++) {
        place_weights place;
        if (!weigh(&it->down, y, &place, watch)) return 0;
        for (int64_t k = 0; k < place.count; k++) it->down_values[k] = weight_at(&place, k);
        if (made < place.start) made = place.start;
        for (; made < place.start + place.count; made++)
            if (!row_across(it, (size_t)made, it->rows + (size_t)made % ring * padded, watch)) return 0;
        uint8_t *out = target.samples + (y * target.width + it->first) * 3;
        uint8_t done[32];
        for (size_t at = 0; at < stride; at += 32) {
            if (!work_watch_goes_on(watch, 8 + 8 * (size_t)place.count)) return 0;
            down_block(it->rows, ring, padded, it->down_values, (size_t)place.start, (size_t)place.count, at, done);
            size_t rest = stride - at;
            /* Of a length that is known it is two instructions, not a call. */
            if (rest < 32)
                memcpy(out + at, done, rest);
            else
                memcpy(out + at, done, 32);
        }
    }
    return 1;
}

/* Where the ring would be large, each row is made for every row of the target that needs it, two or three times, and added
   up. */
KERNEL int down_by_sums(const resampling *it, pixel_kernels_target target, work_watch *watch) {
    size_t stride = it->width * 3;
    for (size_t y = 0; y < target.height; y++) {
        place_weights place;
        if (!weigh(&it->down, y, &place, watch)) return 0;
        for (size_t i = 0; i < stride; i++) it->sums[i] = 1 << (weight_bits - 1);
        for (int64_t k = 0; k < place.count; k++) {
            if (!row_across(it, (size_t)(place.start + k), it->rows, watch)) return 0;
            if (!work_watch_goes_on(watch, 8 + stride)) return 0;
            int32_t weight = weight_at(&place, k);
            for (size_t i = 0; i < stride; i++) it->sums[i] += it->rows[i] * weight;
        }
        uint8_t *out = target.samples + (y * target.width + it->first) * 3;
        for (size_t i = 0; i < stride; i++) {
            int32_t level = it->sums[i] >> weight_bits;
            out[i] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
    }
    return 1;
}

KERNEL int only_across(const resampling *it, pixel_kernels_target target, work_watch *watch) {
    for (size_t y = 0; y < target.height; y++) {
        if (!row_across(it, y, it->rows, watch)) return 0;
        memcpy(target.samples + (y * target.width + it->first) * 3, it->rows, it->width * 3);
    }
    return 1;
}

/* The target in stretches of columns, so that no weights need be kept for all of them. */
static int resample(
    pixel_kernels_picture picture, size_t left, size_t top, pixel_kernels_target target, pixel_kernels_axis across,
    pixel_kernels_axis down, uint8_t *scratch, work_watch *watch) {
    resampling it = {.picture = picture, .left = left, .top = top, .layout = lay_out(across, down)};
    it.across = weighted(across);
    it.down = weighted(down);
    divide(&it, scratch);
    for (it.first = 0; it.first < target.width; it.first += it.layout.stretch) {
        size_t rest = target.width - it.first;
        it.width = rest < it.layout.stretch ? rest : it.layout.stretch;
        if (!weigh_stretch(&it, watch)) return 0;
        int is_done = !it.layout.is_down  ? only_across(&it, target, watch)
                      : it.layout.ring > 0 ? down_by_ring(&it, target, watch)
                                           : down_by_sums(&it, target, watch);
        if (!is_done) return 0;
    }
    return 1;
}
