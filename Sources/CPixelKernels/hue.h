/* Included by each table of kernels: Pillow's 8-bit HSV and back (libImaging/Convert.c), whose mixture of Float32 and Double
   decides levels. What is done otherwise than there was held against all 2^24 colours in either direction. */

typedef struct colours {
    i32x8 red, green, blue;
} colours;

KERNEL i32x8 either(i32x8 condition, i32x8 yes, i32x8 no) { return (condition & yes) | (~condition & no); }

KERNEL f32x8 either_share(i32x8 condition, f32x8 yes, f32x8 no) {
    return (f32x8)either(condition, (i32x8)yes, (i32x8)no);
}

KERNEL i32x8 largest(i32x8 a, i32x8 b) { return __builtin_elementwise_max(a, b); }

KERNEL i32x8 smallest(i32x8 a, i32x8 b) { return __builtin_elementwise_min(a, b); }

KERNEL f32x8 as_shares(i32x8 values) { return __builtin_convertvector(values, f32x8); }

KERNEL f64x4 half_of(f32x8 values, int second) {
    f32x4 low = __builtin_shufflevector(values, values, 0, 1, 2, 3), high = __builtin_shufflevector(values, values, 4, 5, 6, 7);
    return __builtin_convertvector(second ? high : low, f64x4);
}

/* (base + p - q) / 6 of a full turn, in 255 steps. */
KERNEL i32x4 turn_of(f64x4 base, f64x4 p, f64x4 q) {
    f64x4 sextant = __builtin_convertvector(__builtin_convertvector(base + p - q, f32x4), f64x4);
    f64x4 turned = sextant / 6.0 + 1.0;
    turned -= __builtin_convertvector(__builtin_convertvector(turned, i32x4), f64x4);
    turned = __builtin_convertvector(__builtin_convertvector(turned, f32x4), f64x4);
    return __builtin_convertvector(turned * 255.0, i32x4);
}

/* Half away from zero; levels, halves and all, are exact here. */
KERNEL i32x4 rounded(f64x4 levels) { return __builtin_convertvector(levels + 0.5, i32x4); }

KERNEL int32_t word_at(const uint8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

KERNEL colours turned_hue(colours in, int32_t shift) {
    i32x8 value = largest(in.red, largest(in.green, in.blue));
    i32x8 range = value - smallest(in.red, smallest(in.green, in.blue)), one = (i32x8){0} + 1;
    f32x8 divisor = as_shares(largest(range, one));
    f32x8 from_red = as_shares(value - in.red) / divisor, from_green = as_shares(value - in.green) / divisor;
    f32x8 from_blue = as_shares(value - in.blue) / divisor;
    i32x8 is_red = in.red == value, is_green = ~is_red & (in.green == value);
    f32x8 p = either_share(is_red, from_blue, either_share(is_green, from_red, from_green));
    f32x8 q = either_share(is_red, from_green, either_share(is_green, from_blue, from_red));
    f32x8 base = as_shares(either(is_red, one - 1, either(is_green, one + 1, one + 3)));
    i32x8 hue = joined(
        turn_of(half_of(base, 0), half_of(p, 0), half_of(q, 0)), turn_of(half_of(base, 1), half_of(p, 1), half_of(q, 1)));
    f32x8 saturated = as_shares(range) / as_shares(largest(value, one));
    i32x8 saturation = joined(
        __builtin_convertvector(half_of(saturated, 0) * 255.0, i32x4),
        __builtin_convertvector(half_of(saturated, 1) * 255.0, i32x4));
    /* A grey has the hue 0, which no level depends on. */
    hue = (hue + shift) & 255;

    /* 6 / 255 of a full turn are a sextant: 6 * hue = 255 * sextant + rest, all of it below 2^11. */
    i32x8 sixfold = hue * 6, sextant = (sixfold * 257 + 257) >> 16, rest = sixfold - sextant * 255;
    f32x8 share = as_shares(saturation) / 255.0f, fraction = as_shares(rest) / 255.0f;
    f32x8 falling_share = share * fraction, level = as_shares(value);
    i32x4 falling[2], rising[2], low[2];
    for (int half = 0; half < 2; half++) {
        f64x4 most = half_of(level, half), whole = half_of(share, half);
        low[half] = rounded(most * (1.0 - whole));
        falling[half] = rounded(most * (1.0 - half_of(falling_share, half)));
        rising[half] = rounded(most * (1.0 - whole * (1.0 - half_of(fraction, half))));
    }
    i32x8 least = joined(low[0], low[1]), sinking = joined(falling[0], falling[1]), growing = joined(rising[0], rising[1]);
    /* A whole turn. */
    sextant &= ~(sextant == 6);
    i32x8 between = either((sextant & 1) == 0, growing, sinking);
    i32x8 is_0 = sextant == 0, is_1 = sextant == 1, is_2 = sextant == 2, is_3 = sextant == 3, is_4 = sextant == 4;
    i32x8 is_5 = sextant == 5;
    return (colours){
        .red = either(is_0 | is_5, value, either(is_1 | is_4, between, least)),
        .green = either(is_1 | is_2, value, either(is_0 | is_3, between, least)),
        .blue = either(is_3 | is_4, value, either(is_2 | is_5, between, least))};
}

KERNEL void turn_lanes(const uint8_t *pixels, int32_t shift, uint8_t *out) {
    const uint8_t *p = pixels;
    i32x4 low = {word_at(p), word_at(p + 3), word_at(p + 6), word_at(p + 9)};
    i32x4 high = {word_at(p + 12), word_at(p + 15), word_at(p + 18), word_at(p + 21)};
    i32x8 all = joined(low, high);
    colours made = turned_hue((colours){all & 255, (all >> 8) & 255, (all >> 16) & 255}, shift);
    put_words(out, made.red | made.green << 8 | made.blue << 16);
}

static void turn_hue(uint8_t *pixels, size_t count, uint8_t shift) {
    /* A fourth byte is read of each. */
    for (; count > lanes; count -= lanes, pixels += 3 * lanes) turn_lanes(pixels, shift, pixels);
    uint8_t last[3 * lanes + 1] = {0};
    memcpy(last, pixels, 3 * count);
    turn_lanes(last, shift, last);
    memcpy(pixels, last, 3 * count);
}
