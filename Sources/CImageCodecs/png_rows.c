#include "png_rows.h"

#include <string.h>

/* Which mode Pillow opens a file in decides what becomes of its depth and alpha; each kind below names that mode. Qwen's
   loader pastes mode RGBA on white and drops the alpha of every other; the processors of transformers make RGBA of
   everything that has an alpha channel or tRNS, and composite that on white. */

/* Pillow's BLEND(mask, 255, value): (255 * (255 - a) + v * a + 128) / 255, the division as (t + (t >> 8)) >> 8. Its
   alpha_composite on opaque white gives the same for every value and alpha. */
static uint8_t on_white(int value, int alpha) {
    int sum = 255 * (255 - alpha) + value * alpha + 128;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

static void put_gray(uint8_t *rgb, uint8_t value) { rgb[0] = rgb[1] = rgb[2] = value; }

static int gray_scale(const png_layout *it) { return it->depth == 1 ? 255 : it->depth == 2 ? 85 : it->depth == 4 ? 17 : 1; }

/* Modes 1 and L: scaled to 0 ... 255. The transparent level is of the scaled ones, as in Pillow. */
static void gray(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    int scale = gray_scale(it);
    for (size_t x = 0; x < it->width; x++) {
        uint8_t value = (uint8_t)(raw[x] * scale);
        put_gray(rgb + 3 * x, it->has_key && value == it->key[0] ? 255 : value);
    }
}

/* Mode I;16, whose conversion to RGB saturates at 255 instead of scaling, or the high bytes. */
static void gray_16(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    for (size_t x = 0; x < it->width; x++, raw += 2) {
        uint8_t clipped = raw[0] ? 255 : raw[1];
        uint16_t compared = it->colors.scale_gray16 ? (uint16_t)(raw[0] << 8 | raw[1]) : clipped;
        uint8_t value = it->colors.scale_gray16 ? raw[0] : clipped;
        put_gray(rgb + 3 * x, it->has_key && compared == it->key[0] ? 255 : value);
    }
}

/* Mode P. A palette shorter than an index is black there. */
static void indexed(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    static const png_color black = {0, 0, 0};
    int composited = it->colors.alpha == IMAGE_CODECS_ALPHA_WHITE;
    for (size_t x = 0; x < it->width; x++, rgb += 3) {
        png_color color = raw[x] < it->palette_count ? it->palette[raw[x]] : black;
        int alpha = composited ? it->alphas[raw[x]] : 255;
        rgb[0] = on_white(color.red, alpha);
        rgb[1] = on_white(color.green, alpha);
        rgb[2] = on_white(color.blue, alpha);
    }
}

/* Mode LA. */
static void gray_alpha(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    int composited = it->colors.alpha == IMAGE_CODECS_ALPHA_WHITE;
    for (size_t x = 0; x < it->width; x++, raw += 2)
        put_gray(rgb + 3 * x, composited ? on_white(raw[0], raw[1]) : raw[0]);
}

/* Mode RGBA: the high bytes. */
static void gray_alpha_16(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    int composited = it->colors.alpha != IMAGE_CODECS_ALPHA_DROP;
    for (size_t x = 0; x < it->width; x++, raw += 4)
        put_gray(rgb + 3 * x, composited ? on_white(raw[0], raw[2]) : raw[0]);
}

/* Mode RGB: the high bytes of 16. The transparent color is compared with them, as in Pillow. */
static void color(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    if (it->depth == 8) {
        memcpy(rgb, raw, it->width * 3);
    } else {
        for (size_t i = 0; i < it->width * 3; i++) rgb[i] = raw[2 * i];
    }
    for (size_t x = 0; it->has_key && x < it->width; x++, rgb += 3)
        if (rgb[0] == it->key[0] && rgb[1] == it->key[1] && rgb[2] == it->key[2]) memset(rgb, 255, 3);
}

/* Mode RGBA: the high bytes of 16. */
static void color_alpha(const png_layout *it, const uint8_t *raw, uint8_t *rgb) {
    size_t step = it->depth == 16 ? 2 : 1;
    int composited = it->colors.alpha != IMAGE_CODECS_ALPHA_DROP;
    for (size_t x = 0; x < it->width; x++, raw += 4 * step, rgb += 3) {
        for (size_t c = 0; c < 3; c++)
            rgb[c] = composited ? on_white(raw[c * step], raw[3 * step]) : raw[c * step];
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

int png_wide_row_to_rgb(const png_layout *layout, const uint8_t *raw, uint8_t *rgb, work_watch *watch) {
    enum { piece = 1 << 13 };
    size_t step = png_channels(layout->color) * (layout->depth == 16 ? 2 : 1);
    png_layout part = *layout;
    for (size_t done = 0; done < layout->width; done += piece) {
        if (!work_watch_goes_on(watch, work_watch_operations / 4)) return 0;
        part.width = layout->width - done < piece ? layout->width - done : piece;
        png_row_to_rgb(&part, raw + done * step, rgb + done * 3);
    }
    return 1;
}

/* Pillow keeps the low byte of a transparent level or channel, compares it with 8-bit samples, and reads any number but
   zero as white in mode 1. Without Pillow's saturation a gray level of 16 bits is compared whole. */
void png_take_transparency(png_layout *layout, png_bytes chunk) {
    memset(layout->alphas, 255, sizeof layout->alphas);
    layout->has_key = 0;
    if (layout->colors.alpha != IMAGE_CODECS_ALPHA_WHITE) return;
    if (layout->color == PNG_COLOR_TYPE_PALETTE && chunk.count > 0)
        memcpy(layout->alphas, chunk.start, chunk.count < 256 ? chunk.count : 256);
    size_t channels = layout->color == PNG_COLOR_TYPE_GRAY ? 1 : layout->color == PNG_COLOR_TYPE_RGB ? 3 : 0;
    if (channels == 0 || chunk.count < 2 * channels) return;
    layout->has_key = 1;
    for (size_t c = 0; c < channels; c++) layout->key[c] = chunk.start[2 * c + 1];
    if (layout->color == PNG_COLOR_TYPE_GRAY && layout->depth == 1)
        layout->key[0] = chunk.start[0] || chunk.start[1] ? 255 : 0;
    if (layout->color == PNG_COLOR_TYPE_GRAY && layout->depth == 16 && layout->colors.scale_gray16)
        layout->key[0] = (uint16_t)(chunk.start[0] << 8 | chunk.start[1]);
}
