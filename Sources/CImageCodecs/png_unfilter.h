#ifndef PERCEPTION_PNG_UNFILTER_H
#define PERCEPTION_PNG_UNFILTER_H

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

/* Undoes a row's filter (W3C PNG §9.2) where it stands. `previous` is the row above, zeros over the first; a pixel has so many
   bytes, or fractions of one. Returns 0 for an unknown filter, and once the result is no longer wanted. */
int png_unfilter(
    int filter, uint8_t *row, const uint8_t *previous, size_t count, size_t pixel, work_watch *watch);

#endif
