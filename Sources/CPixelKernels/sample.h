/* Included by each table of kernels. Pillow's libImaging/Geometry.c: positions count from the picture's corner, in
   Double; bilinear levels are truncated, pixels beyond the edge repeat it; what lies outside becomes the fill. */

KERNEL void affine_positions(const double m[6], size_t row, size_t column, size_t count, positions *at) {
    double down = (double)row + 0.5, offset_x = m[1] * down, offset_y = m[4] * down;
    for (size_t i = 0; i < count; i++) {
        double across = (double)(int32_t)(column + i) + 0.5;
        at->x[i] = m[0] * across + offset_x + m[2];
        at->y[i] = m[3] * across + offset_y + m[5];
    }
}

KERNEL void perspective_positions(const double m[8], size_t row, size_t column, size_t count, positions *at) {
    double down = (double)row + 0.5;
    double offset_x = m[1] * down, offset_y = m[4] * down, offset_depth = m[7] * down;
    for (size_t i = 0; i < count; i++) {
        double across = (double)(int32_t)(column + i) + 0.5;
        double depth = m[6] * across + offset_depth + 1;
        at->x[i] = (m[0] * across + offset_x + m[2]) / depth;
        at->y[i] = (m[3] * across + offset_y + m[5]) / depth;
    }
}

/* A copy of three bytes. */
KERNEL void put(uint8_t *out, const uint8_t *pixel) {
    memcpy(out, pixel, 2);
    out[2] = pixel[2];
}

KERNEL f64x4 channels(const uint8_t *pixel) {
    return __builtin_convertvector(pixel_lanes(pixel), f64x4);
}

/* At the rim: neighbours are repeated, and no byte beyond a pixel is read. */
KERNEL void rim_bilinear(
    pixel_kernels_picture picture, ptrdiff_t left, ptrdiff_t top, double across, double down, uint8_t *out) {
    ptrdiff_t last_column = (ptrdiff_t)picture.width - 1, last_row = (ptrdiff_t)picture.height - 1;
    ptrdiff_t columns[2] = {left < 0 ? 0 : left, left + 1 > last_column ? last_column : left + 1};
    ptrdiff_t rows[2] = {top < 0 ? 0 : top, top + 1 > last_row ? last_row : top + 1};
    const uint8_t *upper = picture.samples + (size_t)rows[0] * picture.width * 3;
    const uint8_t *lower = picture.samples + (size_t)rows[1] * picture.width * 3;
    for (ptrdiff_t c = 0; c < 3; c++) {
        int first = upper[columns[0] * 3 + c], second = upper[columns[1] * 3 + c];
        double above = (double)first + (double)(second - first) * across;
        first = lower[columns[0] * 3 + c];
        second = lower[columns[1] * 3 + c];
        double below = (double)first + (double)(second - first) * across;
        out[c] = (uint8_t)(above + (below - above) * down);
    }
}

KERNEL void bilinear_pixels(
    pixel_kernels_picture picture, const double *xs, const double *ys, size_t count, const uint8_t *fill, uint8_t *out) {
    double width = (double)picture.width, height = (double)picture.height;
    size_t stride = picture.width * 3;
    ptrdiff_t inner_columns = (ptrdiff_t)picture.width - 1, inner_rows = (ptrdiff_t)picture.height - 2;
    for (size_t i = 0; i < count; i++, out += 3) {
        double x = xs[i], y = ys[i];
        /* Written so that NaN lies outside too. */
        if (!(x >= 0 && x < width && y >= 0 && y < height)) {
            put(out, fill);
            continue;
        }
        x -= 0.5;
        y -= 0.5;
        ptrdiff_t left = x < 0 ? -1 : (ptrdiff_t)x, top = y < 0 ? -1 : (ptrdiff_t)y;
        double across = x - (double)left, down = y - (double)top;
        if (left < 0 || top < 0 || left >= inner_columns || top >= inner_rows) {
            rim_bilinear(picture, left, top, across, down, out);
            continue;
        }
        const uint8_t *pixel = picture.samples + (size_t)top * stride + (size_t)left * 3;
        f64x4 above = channels(pixel), below = channels(pixel + stride);
        above += (channels(pixel + 3) - above) * across;
        below += (channels(pixel + stride + 3) - below) * across;
        u8x4 level = __builtin_convertvector(
            __builtin_convertvector(above + (below - above) * down, i32x4), u8x4);
        put(out, (const uint8_t *)&level);
    }
}

KERNEL void bilinear_span(pixel_kernels_picture picture, const positions *at, size_t count, const uint8_t *fill, uint8_t *out) {
    size_t i = 0;
    if (has_short_offsets(picture)) {
        spots it;
        find_spots(picture, at, count, &it);
        for (; i + lanes <= count; i += lanes) {
            if (!it.are_inside[i / lanes] || !put_bilinear(picture, &it, i, out + i * 3))
                bilinear_pixels(picture, at->x + i, at->y + i, lanes, fill, out + i * 3);
        }
    }
    bilinear_pixels(picture, at->x + i, at->y + i, count - i, fill, out + i * 3);
}

KERNEL void nearest_pixels(
    pixel_kernels_picture picture, const double *xs, const double *ys, size_t count, const uint8_t *fill, uint8_t *out) {
    double width = (double)picture.width, height = (double)picture.height;
    for (size_t i = 0; i < count; i++, out += 3) {
        double x = xs[i], y = ys[i];
        int is_inside = x >= 0 && x < width && y >= 0 && y < height;
        put(out, is_inside ? picture.samples + ((size_t)y * picture.width + (size_t)x) * 3 : fill);
    }
}

KERNEL void nearest_span(pixel_kernels_picture picture, const positions *at, size_t count, const uint8_t *fill, uint8_t *out) {
    size_t i = 0;
    if (has_short_offsets(picture)) {
        spots it;
        find_pixels(picture, at, count, &it);
        for (; i + lanes <= count; i += lanes) {
            if (it.are_inside[i / lanes])
                put_copies(picture, &it, i, out + i * 3);
            else
                nearest_pixels(picture, at->x + i, at->y + i, lanes, fill, out + i * 3);
        }
    }
    nearest_pixels(picture, at->x + i, at->y + i, count - i, fill, out + i * 3);
}

#define SAMPLED(name, coefficients, positions_of, write)                                                     \
    static int name(pixel_kernels_picture picture, pixel_kernels_target target, const double map[coefficients], work_watch *watch) { \
        positions at;                                                                                        \
        for (size_t row = 0; row < target.height; row++) {                                                   \
            uint8_t *out = target.samples + row * target.width * 3;                                          \
            for (size_t column = 0; column < target.width; column += span) {                                 \
                size_t count = target.width - column < span ? target.width - column : span;                  \
                if (!work_watch_goes_on(watch, 16 * count)) return 0;                                              \
                positions_of(map, row, column, count, &at);                                                  \
                write(picture, &at, count, target.fill, out + column * 3);                                   \
            }                                                                                                \
        }                                                                                                    \
        return 1;                                                                                            \
    }

SAMPLED(affine_bilinear, 6, affine_positions, bilinear_span)
SAMPLED(perspective_bilinear, 8, perspective_positions, bilinear_span)
SAMPLED(perspective_nearest, 8, perspective_positions, nearest_span)

/* Pillow's ImagingTransformAffine for large pictures, which adds up instead of multiplying. */
static int affine_nearest(pixel_kernels_picture picture, pixel_kernels_target target, const double m[6], work_watch *watch) {
    double start_x = m[2] + m[1] * 0.5 + m[0] * 0.5, start_y = m[5] + m[4] * 0.5 + m[3] * 0.5;
    positions at;
    for (size_t row = 0; row < target.height; row++, start_x += m[1], start_y += m[4]) {
        double x = start_x, y = start_y;
        uint8_t *out = target.samples + row * target.width * 3;
        for (size_t column = 0; column < target.width; column += span) {
            size_t count = target.width - column < span ? target.width - column : span;
            if (!work_watch_goes_on(watch, 16 * count)) return 0;
            for (size_t i = 0; i < count; i++, x += m[0], y += m[3]) {
                at.x[i] = x;
                at.y[i] = y;
            }
            nearest_span(picture, &at, count, target.fill, out + column * 3);
        }
    }
    return 1;
}

/* The integers' highest bits are those of the place; below zero they become huge. */
KERNEL size_t fixed_place(uint32_t position) { return (size_t)(ptrdiff_t)((int32_t)position >> 16); }

/* Pillow's affine_fixed. */
static int affine_fixed(pixel_kernels_picture picture, pixel_kernels_target target, const int32_t step[6], work_watch *watch) {
    uint32_t across = (uint32_t)step[0], down = (uint32_t)step[1];
    uint32_t start_x = (uint32_t)step[4], start_y = (uint32_t)step[5];
    size_t width = picture.width, height = picture.height;
    for (size_t row = 0; row < target.height; row++) {
        uint32_t x = start_x, y = start_y;
        uint8_t *out = target.samples + row * target.width * 3;
        for (size_t start = 0; start < target.width; start += span) {
            size_t count = target.width - start < span ? target.width - start : span;
            if (!work_watch_goes_on(watch, 16 * count)) return 0;
            uint32_t last_x = x + (uint32_t)(count - 1) * across, last_y = y + (uint32_t)(count - 1) * down;
            /* Between two ends inside all are inside: positions don't overflow within a span. */
            int is_inside = fixed_place(x) < width && fixed_place(last_x) < width && fixed_place(y) < height - 1 &&
                            fixed_place(last_y) < height - 1 && start + span < target.width;
            for (size_t i = 0; is_inside && i < count; i++, out += 3, x += across, y += down) {
                /* Four bytes each; the fourth is overwritten by the next pixel. */
                memcpy(out, picture.samples + (fixed_place(y) * width + fixed_place(x)) * 3, 4);
            }
            for (size_t i = 0; !is_inside && i < count; i++, out += 3, x += across, y += down) {
                size_t column = fixed_place(x), line = fixed_place(y);
                put(out, column < width && line < height ? picture.samples + (line * width + column) * 3 : target.fill);
            }
        }
        start_x += (uint32_t)step[2];
        start_y += (uint32_t)step[3];
    }
    return 1;
}
