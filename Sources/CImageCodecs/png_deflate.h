#ifndef PERCEPTION_PNG_DEFLATE_H
#define PERCEPTION_PNG_DEFLATE_H

#include <zlib.h>

#include "png_file.h"

/* zlib's stream, written in place as IDAT chunks. */
typedef struct png_deflate {
    z_stream zlib;
    image_codecs_file *file;
    size_t chunk;    /* bytes that the open chunk may hold, all of them in the file; 0 when none is open */
    work_watch *watch;
} png_deflate;

typedef enum png_deflate_outcome {
    PNG_DEFLATE_GOES_ON = 0,
    PNG_DEFLATE_HAS_NO_ROOM,
    PNG_DEFLATE_IS_UNWANTED
} png_deflate_outcome;

/* For so many bytes; the more, the larger is zlib's window. Filtered ones look different to zlib. 0 when there is no
   memory. */
int png_deflate_begin(
    png_deflate *it, image_codecs_file *file, size_t bytes, int level, int is_filtered, work_watch *watch);

/* The memory that zlib holds meanwhile. */
size_t png_deflate_bytes(size_t bytes);

/* Compresses any number of bytes. */
png_deflate_outcome png_deflate_write(png_deflate *it, const uint8_t *bytes, size_t count);

/* Writes the rest and the last chunk. */
png_deflate_outcome png_deflate_finish(png_deflate *it);

/* Gives zlib's memory back; after png_deflate_begin, whatever came of it. */
void png_deflate_end(png_deflate *it);

#endif
