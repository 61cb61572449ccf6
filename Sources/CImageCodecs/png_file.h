#ifndef PERCEPTION_PNG_FILE_H
#define PERCEPTION_PNG_FILE_H

#include "image_codecs.h"

/* The frame of a PNG (W3C PNG §5): everything around the data of its pixels. */

enum {
    png_chunk_head = 8, /* length and name, in front of a chunk's content */
    png_chunk_frame = 12 /* with the checksum behind it */
};

/* The signature, and IHDR of a picture in RGB without interlacing. 0 if there is no space. */
int png_file_begin(image_codecs_file *file, uint32_t width, uint32_t height);

/* Adds length, name and checksum to a chunk whose content is already written png_chunk_head bytes after the file's end. */
void png_file_close_chunk(image_codecs_file *file, const char name[4], size_t count);

/* IEND. 0 if there is no space. */
int png_file_end(image_codecs_file *file);

/* Big-endian. */
void png_put_word(uint8_t *bytes, uint32_t word);

#endif
