#ifndef PERCEPTION_RUN_DEFLATE_H
#define PERCEPTION_RUN_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

/* Deflate (RFC 1951) for filtered pictures: Huffman codes made for each block and runs of one byte, no search for
   other matches, which in photographs are rare. About ten times as fast as zlib's level 1. */
typedef struct run_deflate {
    uint8_t *out; /* has space for run_deflate_bound of every block */
    uint64_t bits;
    int bit_count;
} run_deflate;

/* The largest number of bytes in a block. */
enum { run_deflate_block = 1 << 17 };

/* The largest size of a block of `count` bytes, including the end of the stream. */
size_t run_deflate_bound(size_t count);

/* Writes one block, the last one up to a byte boundary; `state.out` is behind the last whole byte then. */
void run_deflate_write(run_deflate *state, const uint8_t *bytes, size_t count, int is_last);

#endif
