#ifndef PERCEPTION_FOREIGN_FILES_H
#define PERCEPTION_FOREIGN_FILES_H

/* Files of kinds that the server reads and does not write, made by libjpeg and libpng. */

#include <stddef.h>
#include <stdint.h>

/* A progressive JPEG of rgb [height, width, 3] in so many scans (1 ... 99): the averages of all blocks first, then frequency
   after frequency of one component after the other. `file` has room for `capacity` bytes. How many there are; 0 when they do
   not fit. */
size_t foreign_progressive_jpeg(
    const uint8_t *rgb, uint32_t width, uint32_t height, int scans, uint8_t *file, size_t capacity);

/* A PNG of rgb, with an opaque alpha channel and 16 bits a sample where asked for, interlaced (Adam7) or not. */
size_t foreign_png(
    const uint8_t *rgb, uint32_t width, uint32_t height, int has_alpha, int depth, int is_interlaced, uint8_t *file,
    size_t capacity);

#endif
