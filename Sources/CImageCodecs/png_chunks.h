#ifndef PERCEPTION_PNG_CHUNKS_H
#define PERCEPTION_PNG_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

typedef struct png_bytes {
    const uint8_t *start;
    size_t count;
} png_bytes;

/* The chunks before the pixels of a PNG, read as Pillow does if damage is tolerated: critical chunks must be complete, and
   the checksums of all others are ignored. */
typedef struct png_chunks {
    png_bytes header;       /* IHDR's 13 bytes */
    png_bytes palette;      /* of the last PLTE; empty without one */
    png_bytes transparency; /* of the last tRNS; empty without one */
    size_t pixels;          /* where the first IDAT chunk begins */
} png_chunks;

/* Returns 0 if there is no readable header followed by pixels. Linear in the bytes before the pixels. */
int png_chunks_find(const uint8_t *bytes, size_t count, png_chunks *chunks);

typedef enum png_chunks_state {
    PNG_CHUNKS_ARE_WHOLE = 0,
    PNG_CHUNKS_END_EARLY,
    PNG_CHUNKS_ARE_DAMAGED,
    PNG_CHUNKS_ARE_UNWANTED
} png_chunks_state;

/* Whether all chunks from `at` to the file's end have sound names and checksums, as libpng wants them, critical or not; where
   they don't, `at` is there. Linear in these bytes. */
png_chunks_state png_chunks_check(const uint8_t *bytes, size_t count, size_t *at, work_watch *watch);

/* Big-endian. */
uint32_t png_word(const uint8_t *bytes);

#endif
