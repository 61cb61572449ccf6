#ifndef PERCEPTION_PNG_FILTER_H
#define PERCEPTION_PNG_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

/* Filters of RGB rows (W3C PNG §9.2), piece by piece, so that rows may be of any width. */

typedef enum png_filter {
    PNG_FILTER_IS_NONE = 0,
    PNG_FILTER_IS_SUB,
    PNG_FILTER_IS_UP,
    PNG_FILTER_IS_AVERAGE,
    PNG_FILTER_IS_PAETH
} png_filter;

enum {
    png_filters = 5,
    /* The largest piece of a row: some microseconds of work, and whole pixels. */
    png_filter_piece = 3 << 12
};

/* Bytes start ..< end of the filtered row, at most png_filter_piece of them. `above` is NULL over the first row, as if zeros
   were there; `start` is a multiple of png_filter_piece. */
void png_filter_write(
    png_filter filter, const uint8_t *row, const uint8_t *above, size_t start, size_t end, uint8_t *out);

/* The first filter, of those whose bits are set, that leaves the smallest sum of absolute values, as libpng chooses. `trial`
   holds png_filter_piece bytes. Returns any of them once the result is no longer wanted. */
png_filter png_filter_best(
    const uint8_t *row, const uint8_t *above, size_t count, unsigned filters, uint8_t *trial, work_watch *watch);

#endif
