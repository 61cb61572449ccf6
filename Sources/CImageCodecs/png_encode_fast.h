#ifndef PERCEPTION_PNG_ENCODE_FAST_H
#define PERCEPTION_PNG_ENCODE_FAST_H

#include "image_codecs.h"

/* A PNG by one cheap filter a row and Huffman codes without a search for repetitions. 0 when there is no memory. */
int png_encode_fast(
    const uint8_t *rgb, uint32_t width, uint32_t height, image_codecs_file *file, work_watch *watch);

/* What it needs of the file, and beside it. */
size_t png_encode_fast_bound(uint32_t width, uint32_t height);
size_t png_encode_fast_bytes(uint32_t width, uint32_t height);

#endif
