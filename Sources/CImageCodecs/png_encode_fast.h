#ifndef PERCEPTION_PNG_ENCODE_FAST_H
#define PERCEPTION_PNG_ENCODE_FAST_H

#include "image_codecs.h"

/* Writes a PNG with one cheap filter for each row and Huffman codes, without a search for repetitions. Returns 0 if memory
   runs out. */
int png_encode_fast(
    const uint8_t *rgb, uint32_t width, uint32_t height, image_codecs_file *file, work_watch *watch);

/* Its space in the file, and its memory in addition. */
size_t png_encode_fast_bound(uint32_t width, uint32_t height);
size_t png_encode_fast_bytes(uint32_t width, uint32_t height);

#endif
