#ifndef PERCEPTION_HUFFMAN_H
#define PERCEPTION_HUFFMAN_H

#include <stdint.h>

enum { huffman_most_symbols = 288 };

/* A canonical prefix code as deflate stores it (RFC 1951 §3.2.2): codes are bit-reversed, ready to be written. */
typedef struct huffman_code {
    uint16_t codes[huffman_most_symbols];
    uint8_t lengths[huffman_most_symbols]; /* 0: the symbol doesn't occur */
} huffman_code;

/* The best code for these frequencies with lengths of at most `longest`. count <= 2^longest. A single symbol gets one bit. */
void huffman_build(huffman_code *code, const uint32_t *frequencies, int count, int longest);

#endif
