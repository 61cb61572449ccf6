#ifndef PERCEPTION_PNG_FILTER_H
#define PERCEPTION_PNG_FILTER_H

#include <stddef.h>
#include <stdint.h>

/* Writes the filter's number and one filtered RGB row (W3C PNG §9.2), count + 1 bytes: of Sub, Up and Paeth the one with
   the smallest sum of absolute values. `above` is the row before, NULL for the first. `trial` has room for count bytes. */
void png_filter_row(const uint8_t *row, const uint8_t *above, size_t count, uint8_t *filtered, uint8_t *trial);

#endif
