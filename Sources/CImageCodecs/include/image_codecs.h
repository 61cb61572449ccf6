#ifndef PERCEPTION_IMAGE_CODECS_H
#define PERCEPTION_IMAGE_CODECS_H

/* libjpeg and libpng report errors by longjmp. Each function here catches them with its own setjmp, so that no frame of
   another language is ever skipped, and keeps both libraries from writing to stderr. */

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

typedef enum image_codecs_status {
    IMAGE_CODECS_OK = 0,
    IMAGE_CODECS_TRUNCATED,    /* the file ends early */
    IMAGE_CODECS_DAMAGED,      /* the pixels are incomplete: a wrong checksum, or invalid compressed data */
    IMAGE_CODECS_MALFORMED,    /* the file violates its format */
    IMAGE_CODECS_UNSUPPORTED,  /* a valid file of a kind that the library cannot read or write */
    IMAGE_CODECS_SCAN_LIMIT,   /* more scans than max_scans */
    IMAGE_CODECS_MEMORY_LIMIT, /* more decoder memory than max_decoder_bytes */
    IMAGE_CODECS_OUT_OF_MEMORY,
    IMAGE_CODECS_UNWANTED /* the watch says that the result is no longer wanted */
} image_codecs_status;

typedef struct image_codecs_report {
    image_codecs_status status;
    size_t byte;          /* where reading stopped */
    uint32_t width;       /* as declared by the header; 0 if it was not reached */
    uint32_t height;
    size_t decoder_bytes; /* an upper bound on what decoding needs in addition to the result */
    int is_in_scans;      /* the coefficients of a JPEG are spread over several scans and held */
    int salvageable;      /* allow_truncated would decode what is left of the picture */
    char detail[256];     /* the library's message, NUL-terminated */
} image_codecs_report;

typedef struct image_codecs_limits {
    int max_scans;
    size_t max_decoder_bytes;
    int allow_truncated;
} image_codecs_limits;

/* The treatment of transparency in a PNG; see png_rows.c. */
typedef enum image_codecs_alpha {
    IMAGE_CODECS_ALPHA_DROP = 0,
    IMAGE_CODECS_ALPHA_WHITE_IF_RGBA, /* on white if Pillow's mode would be RGBA */
    IMAGE_CODECS_ALPHA_WHITE          /* on white, alpha channels and tRNS alike */
} image_codecs_alpha;

typedef struct image_codecs_colors {
    image_codecs_alpha alpha;
    int scale_gray16; /* 16-bit gray to its high byte instead of saturating at 255 */
} image_codecs_colors;

/* The file being written: at most `capacity` bytes. A larger file is an out-of-memory error. */
typedef struct image_codecs_file {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
} image_codecs_file;

/* Returns the pages after the end of the file to the system. They may have been allocated earlier without having been
   written to. */
void image_codecs_give_back(const image_codecs_file *file);

/* The apparent number of scans of a JPEG, at most `most`: counts its markers, wherever they are. Linear in its bytes. */
int image_codecs_jpeg_scans(const uint8_t *bytes, size_t count, int most);

/* Reads only the header, into width, height and decoder_bytes of the report. */
void image_codecs_jpeg_probe(const uint8_t *bytes, size_t count, image_codecs_report *report);

/* rgb holds exactly width * height * 3 bytes as declared by the same header. Any other size is refused. */
void image_codecs_jpeg_decode(
    const uint8_t *bytes, size_t count, const image_codecs_limits *limits, uint8_t *rgb, size_t capacity,
    work_watch *watch, image_codecs_report *report);

/* quality 1 ... 100; halved_chroma: 4:2:0, otherwise 4:4:4. */
void image_codecs_jpeg_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int halved_chroma, image_codecs_file *file,
    work_watch *watch, image_codecs_report *report);

/* Upper bounds on the file's size, and on the encoder's memory in addition to it.

   By Parseval's theorem the 64 coefficients of a block cannot all be large. Therefore samples that are randomly 0 or 255
   make the largest files: 1.6 bytes a sample at quality 100, 1 at 95. A larger file is refused, not written. */
size_t image_codecs_jpeg_bound(uint32_t width, uint32_t height, int quality, int halved_chroma);
size_t image_codecs_jpeg_encoder_bytes(uint32_t width, int halved_chroma);

/* rgb as in image_codecs_jpeg_decode. With allow_truncated every row that the file still contains is decoded. The
   others are samples of zero in the picture's mode. */
void image_codecs_png_decode(
    const uint8_t *bytes, size_t count, const image_codecs_limits *limits, const image_codecs_colors *colors,
    uint8_t *rgb, size_t capacity, work_watch *watch, image_codecs_report *report);

/* An upper bound on the decoder's memory in addition to the result, for any header. It is far too high for too many pixels. */
size_t image_codecs_png_decoder_bytes(
    uint32_t width, uint32_t height, int depth, int color, int is_interlaced, int allow_truncated);

/* The bits of a pixel's samples; an arbitrary number for an invalid header. */
int image_codecs_png_pixel_bits(int depth, int color);

/* level 0: stored; 1: the fast encoder (png_encode_fast.h); 2 ... 9: zlib's levels. */
void image_codecs_png_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int level, image_codecs_file *file,
    work_watch *watch, image_codecs_report *report);

/* Upper bounds on the file's size, which is that of stored samples with the overhead of chunks and blocks, and on the
   encoder's memory in addition to it. */
size_t image_codecs_png_bound(uint32_t width, uint32_t height, int level);
size_t image_codecs_png_encoder_bytes(uint32_t width, uint32_t height, int level);

/* Inflates a zlib stream, which may end early, into at most capacity bytes. Returns their number, or -1 if the
   bytes are not a zlib stream or inflate to more. */
ptrdiff_t image_codecs_inflate(const uint8_t *bytes, size_t count, uint8_t *text, size_t capacity);

/* Static strings. */
const char *image_codecs_png_version(void);
const char *image_codecs_jpeg_version(void);

#endif
