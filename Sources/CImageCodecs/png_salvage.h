#ifndef PERCEPTION_PNG_SALVAGE_H
#define PERCEPTION_PNG_SALVAGE_H

#include "png_rows.h"

/* Decodes what a damaged PNG still holds, as Pillow does with LOAD_TRUNCATED_IMAGES: no checksum of the pixels counts, the
   data of all IDAT chunks in a row are one stream, and every row that comes out of it whole is there. The rows that don't
   are what samples of zero are in the picture's mode. (Pillow loses a row more where an error follows it at once.)

   0 when there is no memory. Left as it is once nobody wants it, which the watch remembers. rgb is [height, width, 3]. Linear in pixels and bytes. */
int png_salvage(
    const png_chunks *chunks, const uint8_t *bytes, size_t count, png_layout *layout, uint8_t *rgb,
    work_watch *watch);

#endif
