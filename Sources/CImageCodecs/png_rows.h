#ifndef PERCEPTION_PNG_ROWS_H
#define PERCEPTION_PNG_ROWS_H

#include <png.h>
#include <stddef.h>
#include <stdint.h>

/* How the samples of a PNG lie in its rows, once libpng has undone compression, filters and interlacing. */
typedef struct png_layout {
    size_t width, height;
    int depth, color, on_white;
    png_colorp palette;
    int palette_count;
} png_layout;

/* One row of samples as stored (one byte per sample below 16 bits, two big-endian bytes at 16) to RGB. */
void png_row_to_rgb(const png_layout *layout, const uint8_t *raw, uint8_t *rgb);

#endif
