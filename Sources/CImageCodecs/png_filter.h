#ifndef PERCEPTION_PNG_FILTER_H
#define PERCEPTION_PNG_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

/* Filters of RGB rows (W3C PNG §9.2), left as they are once nobody wants them: 1 Sub, 2 Up, 4 Paeth; the latter two need the row above. */

/* The filter that leaves the smallest sum of absolute values. `trial` has room for count bytes. */
int png_filter_best(
    const uint8_t *row, const uint8_t *above, size_t count, uint8_t *trial, work_watch *watch);

/* Writes the filter's number and the filtered row: count + 1 bytes. */
void png_filter_row(
    int filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *filtered, work_watch *watch);

#endif
