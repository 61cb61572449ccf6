#ifndef PERCEPTION_PNG_STREAM_H
#define PERCEPTION_PNG_STREAM_H

#include "png_rows.h"

/* Decodes pixels without libpng, which takes a row at a time and stops at the first fault:
   - what a damaged file still holds, as Pillow does with LOAD_TRUNCATED_IMAGES: no checksum of the pixels counts, the data of
     all IDAT chunks in a row are one stream, and every row that comes out of it whole is there; the others are what samples of
     zero are in the picture's mode (Pillow loses a row more where an error follows it at once);
   - rows that are too wide to check the watch between them. */

typedef enum png_stream_outcome {
    PNG_STREAM_IS_WHOLE = 0,
    PNG_STREAM_HAS_PART,
    PNG_STREAM_HAS_NO_MEMORY
} png_stream_outcome;

/* Decodes only some rows if the result is no longer wanted, which the watch records. rgb is [height, width, 3]. Linear in
   pixels and bytes. */
png_stream_outcome png_stream_decode(
    const png_chunks *chunks, const uint8_t *bytes, size_t count, png_layout *layout, uint8_t *rgb,
    work_watch *watch);

/* The memory needed in addition to the result. */
size_t png_stream_bytes(uint32_t width, int depth, int color, int is_interlaced);

#endif
