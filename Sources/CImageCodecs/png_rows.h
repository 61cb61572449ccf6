#ifndef PERCEPTION_PNG_ROWS_H
#define PERCEPTION_PNG_ROWS_H

#include <png.h>
#include <stddef.h>
#include <stdint.h>

#include "image_codecs.h"
#include "png_chunks.h"

/* The layout of samples in the rows of a PNG after compression, filters and interlacing are undone, and their conversion. */
typedef struct png_layout {
    size_t width, height;
    int depth, color;
    image_codecs_colors colors;
    png_const_colorp palette;
    int palette_count;
    uint8_t alphas[256]; /* of the palette's entries */
    int has_key;         /* one color is transparent */
    uint16_t key[3];     /* red, green, blue, or gray in all */
} png_layout;

/* Samples of a pixel; of a color there is not as many as of any. */
static inline size_t png_channels(int color) {
    static const size_t channels_of[7] = {1, 4, 3, 1, 2, 4, 4};
    return color >= 0 && color < 7 ? channels_of[color] : 4;
}

/* Reads a tRNS chunk for the layout's depth and color, as Pillow does. Only for IMAGE_CODECS_ALPHA_WHITE. */
void png_take_transparency(png_layout *layout, png_bytes chunk);

/* One row of samples as stored (one byte per sample below 16 bits, two big-endian bytes at 16) to RGB. */
void png_row_to_rgb(const png_layout *layout, const uint8_t *raw, uint8_t *rgb);

/* The same piece by piece, for rows of any width. Returns 0 once the result is no longer wanted. */
int png_wide_row_to_rgb(const png_layout *layout, const uint8_t *raw, uint8_t *rgb, work_watch *watch);

#endif
