/* Included by each table of kernels: pixels of the result eight at a time, where all eight come from the picture's inside.
   Others are left to sample.h, one by one. */

/* A stretch of one result row. */
enum { span = 64 };

/* Where it comes from. */
typedef struct positions {
    double x[span], y[span];
} positions;

/* The same as whole pixels, and shares of the next one. Of eights that don't all come from inside nothing is said. */
typedef struct spots {
    uint32_t offsets[span]; /* of bytes */
    float across[span], down[span];
    uint8_t are_inside[span / lanes];
} spots;

/* Whether 32 bits count every byte. */
KERNEL int has_short_offsets(pixel_kernels_picture picture) { return picture.width * picture.height <= INT32_MAX / 3; }

KERNEL i32x8 joined(i32x4 low, i32x4 high) { return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7); }

KERNEL f64x4 four_of(const double *values) {
    f64x4 four;
    memcpy(&four, values, sizeof four);
    return four;
}

/* Written so that NaN lies outside too. */
KERNEL i64x4 lies_in(f64x4 position, double end) { return (position >= 0) & (position < end); }

/* The whole parts of eight positions below 2^31, and their shares. */
KERNEL i32x8 divided(f64x4 low, f64x4 high, float *shares) {
    i32x4 low_whole = __builtin_convertvector(low, i32x4), high_whole = __builtin_convertvector(high, i32x4);
    f32x4 both[2] = {
        __builtin_convertvector(low - __builtin_convertvector(low_whole, f64x4), f32x4),
        __builtin_convertvector(high - __builtin_convertvector(high_whole, f64x4), f32x4)};
    memcpy(shares, both, sizeof both);
    return joined(low_whole, high_whole);
}

/* Counted from pixels' centres. The last two rows are left out because pairs of pixels are read as eight bytes. */
KERNEL void find_spots(pixel_kernels_picture picture, const positions *at, size_t count, spots *it) {
    double columns = (double)picture.width - 1, rows = (double)picture.height - 2;
    for (size_t i = 0; i + lanes <= count; i += lanes) {
        f64x4 x = four_of(at->x + i) - 0.5, next_x = four_of(at->x + i + 4) - 0.5;
        f64x4 y = four_of(at->y + i) - 0.5, next_y = four_of(at->y + i + 4) - 0.5;
        i64x4 fits = lies_in(x, columns) & lies_in(next_x, columns) & lies_in(y, rows) & lies_in(next_y, rows);
        it->are_inside[i / lanes] = __builtin_reduce_and(fits) != 0;
        if (!it->are_inside[i / lanes]) continue;
        i32x8 column = divided(x, next_x, it->across + i), row = divided(y, next_y, it->down + i);
        i32x8 places = row * (int32_t)(picture.width * 3) + column * 3;
        memcpy(it->offsets + i, &places, sizeof places);
    }
}

/* Counted from pixels' corners. In the last row no fourth byte could be read. */
KERNEL void find_pixels(pixel_kernels_picture picture, const positions *at, size_t count, spots *it) {
    double columns = (double)picture.width, rows = (double)picture.height - 1;
    for (size_t i = 0; i + lanes <= count; i += lanes) {
        f64x4 x = four_of(at->x + i), next_x = four_of(at->x + i + 4);
        f64x4 y = four_of(at->y + i), next_y = four_of(at->y + i + 4);
        i64x4 fits = lies_in(x, columns) & lies_in(next_x, columns) & lies_in(y, rows) & lies_in(next_y, rows);
        it->are_inside[i / lanes] = __builtin_reduce_and(fits) != 0;
        if (!it->are_inside[i / lanes]) continue;
        i32x8 column = joined(__builtin_convertvector(x, i32x4), __builtin_convertvector(next_x, i32x4));
        i32x8 row = joined(__builtin_convertvector(y, i32x4), __builtin_convertvector(next_y, i32x4));
        i32x8 places = row * (int32_t)(picture.width * 3) + column * 3;
        memcpy(it->offsets + i, &places, sizeof places);
    }
}

KERNEL u64x4 four_pairs(const uint8_t *samples, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    uint64_t pairs[4];
    memcpy(pairs, samples + a, 8);
    memcpy(pairs + 1, samples + b, 8);
    memcpy(pairs + 2, samples + c, 8);
    memcpy(pairs + 3, samples + d, 8);
    return (u64x4){pairs[0], pairs[1], pairs[2], pairs[3]};
}

/* Eight pixels of the picture, each with its right neighbour: R G B R' in one word, G' B' in the other. */
typedef struct pairs {
    i32x8 front, back;
} pairs;

KERNEL pairs pairs_at(const uint8_t *samples, const uint32_t *o) {
    i32x8 some = (i32x8)four_pairs(samples, o[0], o[1], o[4], o[5]);
    i32x8 others = (i32x8)four_pairs(samples, o[2], o[3], o[6], o[7]);
    return (pairs){
        .front = __builtin_shufflevector(some, others, 0, 2, 8, 10, 4, 6, 12, 14),
        .back = __builtin_shufflevector(some, others, 1, 3, 9, 11, 5, 7, 13, 15)};
}

/* Levels of one channel. */
KERNEL f32x8 left_levels(pairs pixels, int channel) {
    return __builtin_convertvector((pixels.front >> (8 * channel)) & 255, f32x8);
}

KERNEL f32x8 right_levels(pairs pixels, int channel) {
    if (channel == 0) return __builtin_convertvector((i32x8)((u32x8)pixels.front >> 24), f32x8);
    return __builtin_convertvector((pixels.back >> (8 * (channel - 1))) & 255, f32x8);
}

/* R, G, B and a byte that is left out, eight times. */
KERNEL void put_words(uint8_t *out, i32x8 words) {
    u8x32 bytes = (u8x32)words;
    bytes = __builtin_shufflevector(
        bytes, bytes, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30, 3, 7, 11, 15,
        19, 23, 27, 31);
    memcpy(out, &bytes, 3 * lanes);
}

/* Levels in Float32 instead of Double. They are off by less than 7 * 2^-17: two shares are rounded, which levels that
   differ by less than 2^8 make 2^-17 each, and so are products, sums and differences of less than 2^8. Truncated they are
   the same where neither 2^-13 more nor less gives another whole number, and where four equal levels leave nothing to round.
   Returns 0 where some level could be another in Double. */
KERNEL int put_bilinear(pixel_kernels_picture picture, const spots *it, size_t i, uint8_t *out) {
    const i32x8 doubt = (i32x8)((f32x8){0} + 0x1p-13f);
    pairs upper = pairs_at(picture.samples, it->offsets + i);
    pairs lower = pairs_at(picture.samples + picture.width * 3, it->offsets + i);
    f32x8 across, down;
    memcpy(&across, it->across + i, sizeof across);
    memcpy(&down, it->down + i, sizeof down);
    i32x8 words = {0}, doubtful = {0};
    for (int channel = 0; channel < 3; channel++) {
        f32x8 above = left_levels(upper, channel), below = left_levels(lower, channel);
        f32x8 rise = right_levels(upper, channel) - above, low_rise = right_levels(lower, channel) - below;
        above += rise * across;
        below += low_rise * across;
        f32x8 fall = below - above, level = above + fall * down;
        f32x8 most = (f32x8)(doubt & (((i32x8)rise | (i32x8)low_rise | (i32x8)fall) != 0));
        i32x8 least = __builtin_convertvector(level - most, i32x8);
        doubtful |= least ^ __builtin_convertvector(level + most, i32x8);
        words |= least << (8 * channel);
    }
    if (__builtin_reduce_or(doubtful) != 0) return 0;
    put_words(out, words);
    return 1;
}

/* A fourth byte is read behind each pixel. */
KERNEL void put_copies(pixel_kernels_picture picture, const spots *it, size_t i, uint8_t *out) {
    int32_t words[lanes];
    for (size_t k = 0; k < lanes; k++) memcpy(words + k, picture.samples + it->offsets[i + k], 4);
    i32x8 all;
    memcpy(&all, words, sizeof all);
    put_words(out, all);
}
