#include "png_rows.h"

#include <string.h>

/* Which mode Pillow opens a file in decides what becomes of its depth and alpha; each kind below names that mode. */

/* Pillow's BLEND(mask, 255, value): (255 * (255 - a) + v * a + 128) / 255, the division as (t + (t >> 8)) >> 8. */
static uint8_t on_white(int value, int alpha) {
    int sum = 255 * (255 - alpha) + value * alpha + 128;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

static void put_gray(uint8_t *rgb, uint8_t value) { rgb[0] = rgb[1] = rgb[2] = value; }

/* Modes 1 and L: scaled to 0 ... 255. */
static void gray(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    int scale = it->depth == 1 ? 255 : it->depth == 2 ? 85 : it->depth == 4 ? 17 : 1;
    for (size_t x = 0; x < it->width; x++) put_gray(rgb + 3 * x, (uint8_t)(raw[x] * scale));
}

/* Mode I;16, whose conversion to RGB saturates at 255 instead of scaling. */
static void gray_16(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    for (size_t x = 0; x < it->width; x++) put_gray(rgb + 3 * x, raw[2 * x] ? 255 : raw[2 * x + 1]);
}

/* Mode P. A palette shorter than an index is black there. */
static void indexed(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    static const png_color black = {0, 0, 0};
    for (size_t x = 0; x < it->width; x++, rgb += 3) {
        png_color color = raw[x] < it->palette_count ? it->palette[raw[x]] : black;
        rgb[0] = color.red;
        rgb[1] = color.green;
        rgb[2] = color.blue;
    }
}

/* Mode LA, whose alpha Qwen's loader drops as convert("RGB") does. */
static void gray_alpha(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    for (size_t x = 0; x < it->width; x++) put_gray(rgb + 3 * x, raw[2 * x]);
}

/* Mode RGBA: the high bytes. */
static void gray_alpha_16(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    for (size_t x = 0; x < it->width; x++, raw += 4)
        put_gray(rgb + 3 * x, it->on_white ? on_white(raw[0], raw[2]) : raw[0]);
}

/* Mode RGB: the high bytes of 16. */
static void color(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    if (it->depth == 8) {
        memcpy(rgb, raw, it->width * 3);
    } else {
        for (size_t i = 0; i < it->width * 3; i++) rgb[i] = raw[2 * i];
    }
}

/* Mode RGBA: the high bytes of 16. */
static void color_alpha(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    size_t step = it->depth == 16 ? 2 : 1;
    for (size_t x = 0; x < it->width; x++, raw += 4 * step, rgb += 3) {
        for (size_t c = 0; c < 3; c++)
            rgb[c] = it->on_white ? on_white(raw[c * step], raw[3 * step]) : raw[c * step];
    }
}

void png_row_to_rgb(const png_layout *layout, const uint8_t *raw, uint8_t *rgb) {
    int deep = layout->depth == 16;
    switch (layout->color) {
        case PNG_COLOR_TYPE_GRAY:
            return (deep ? gray_16 : gray)(layout, raw, rgb);
        case PNG_COLOR_TYPE_PALETTE:
            return indexed(layout, raw, rgb);
        case PNG_COLOR_TYPE_GRAY_ALPHA:
            return (deep ? gray_alpha_16 : gray_alpha)(layout, raw, rgb);
        case PNG_COLOR_TYPE_RGB:
            return color(layout, raw, rgb);
        default:
            return color_alpha(layout, raw, rgb);
    }
}
