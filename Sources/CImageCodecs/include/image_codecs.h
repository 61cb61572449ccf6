#ifndef PERCEPTION_IMAGE_CODECS_H
#define PERCEPTION_IMAGE_CODECS_H

/* libjpeg and libpng report errors by longjmp. Each function here catches them with a setjmp of its own, so that no
   frame of another language is ever jumped over, and keeps both libraries from writing to stderr. */

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

typedef enum image_codecs_status {
    IMAGE_CODECS_OK = 0,
    IMAGE_CODECS_TRUNCATED,    /* the file ends early */
    IMAGE_CODECS_DAMAGED,      /* its pixels are there in part: a wrong checksum, or compressed data that make no sense */
    IMAGE_CODECS_MALFORMED,    /* the file breaks its format's rules */
    IMAGE_CODECS_UNSUPPORTED,  /* a legal file of a kind the library doesn't read, or can't write */
    IMAGE_CODECS_SCAN_LIMIT,   /* more scans than max_scans */
    IMAGE_CODECS_MEMORY_LIMIT, /* more decoder memory than max_decoder_bytes */
    IMAGE_CODECS_OUT_OF_MEMORY,
    IMAGE_CODECS_UNWANTED /* the watch said that nobody waits for it */
} image_codecs_status;

typedef struct image_codecs_report {
    image_codecs_status status;
    size_t byte;          /* where reading stopped */
    uint32_t width;       /* as the header declares, 0 when it wasn't reached */
    uint32_t height;
    size_t decoder_bytes; /* what decoding will need beside the result, an upper bound */
    int is_in_scans;      /* a JPEG's coefficients are spread over several, and held */
    int salvageable;      /* allow_truncated would decode what there is of the picture */
    char detail[256];     /* the library's own words, NUL-terminated */
} image_codecs_report;

typedef struct image_codecs_limits {
    int max_scans;
    size_t max_decoder_bytes;
    int allow_truncated;
} image_codecs_limits;

/* What becomes of a PNG's transparency; see png_rows.c. */
typedef enum image_codecs_alpha {
    IMAGE_CODECS_ALPHA_DROP = 0,
    IMAGE_CODECS_ALPHA_WHITE_IF_RGBA, /* on white where Pillow's mode would be RGBA */
    IMAGE_CODECS_ALPHA_WHITE          /* on white, alpha channels and tRNS alike */
} image_codecs_alpha;

typedef struct image_codecs_colors {
    image_codecs_alpha alpha;
    int scale_gray16; /* 16-bit gray to its high byte instead of saturating at 255 */
} image_codecs_colors;

/* Where a file goes: never more than `capacity` bytes. What does not fit is out of memory. */
typedef struct image_codecs_file {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
} image_codecs_file;

/* The room behind the file's end is used no more: its pages go back to the system. They may be there from before, though nothing
   was written to them. */
void image_codecs_give_back(const image_codecs_file *file);

/* How many scans a JPEG seems to have, `most` at most: its markers are counted, wherever they stand. Linear in its bytes. */
int image_codecs_jpeg_scans(const uint8_t *bytes, size_t count, int most);

/* Reads the header only: width, height and decoder_bytes of the report. */
void image_codecs_jpeg_probe(const uint8_t *bytes, size_t count, image_codecs_report *report);

/* rgb has room for exactly width * height * 3 bytes, from the same header; any other size is refused. */
void image_codecs_jpeg_decode(
    const uint8_t *bytes, size_t count, const image_codecs_limits *limits, uint8_t *rgb, size_t capacity,
    work_watch *watch, image_codecs_report *report);

/* quality 1 ... 100; halved_chroma: 4:2:0, otherwise 4:4:4. */
void image_codecs_jpeg_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int halved_chroma, image_codecs_file *file,
    work_watch *watch, image_codecs_report *report);

/* What such a file takes at most, and what its encoder takes beside it.

   By Parseval's theorem the 64 coefficients of a block can't all be large. So samples that are 0 or 255 at random make the
   largest files: 1.6 bytes a sample at quality 100, 1 at 95. A larger one is refused, not written. */
size_t image_codecs_jpeg_bound(uint32_t width, uint32_t height, int quality, int halved_chroma);
size_t image_codecs_jpeg_encoder_bytes(uint32_t width, int halved_chroma);

/* rgb as in image_codecs_jpeg_decode. With allow_truncated every row that the file still holds is decoded, and the others
   are what samples of zero are in the picture's mode. */
void image_codecs_png_decode(
    const uint8_t *bytes, size_t count, const image_codecs_limits *limits, const image_codecs_colors *colors,
    uint8_t *rgb, size_t capacity, work_watch *watch, image_codecs_report *report);

/* What that takes beside the result, whatever the header's numbers are; far too much where there are too many pixels. */
size_t image_codecs_png_decoder_bytes(
    uint32_t width, uint32_t height, int depth, int color, int is_interlaced, int allow_truncated);

/* Of a pixel's samples; of an illegal header some number. */
int image_codecs_png_pixel_bits(int depth, int color);

/* level 0 ... 9: stored, the fast encoder (png_encode_fast.h), zlib's levels. */
void image_codecs_png_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int level, image_codecs_file *file,
    work_watch *watch, image_codecs_report *report);

/* What such a file takes at most, its samples stored and the overhead of chunks and blocks, and what its encoder takes beside
   it. */
size_t image_codecs_png_bound(uint32_t width, uint32_t height, int level);
size_t image_codecs_png_encoder_bytes(uint32_t width, uint32_t height, int level);

/* Inflates a zlib stream, which may end early, into at most capacity bytes. How many there are; -1 when it is no zlib
   stream, or one of more bytes. */
ptrdiff_t image_codecs_inflate(const uint8_t *bytes, size_t count, uint8_t *text, size_t capacity);

/* Static strings. */
const char *image_codecs_png_version(void);
const char *image_codecs_jpeg_version(void);

#endif
