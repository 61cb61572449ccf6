#include "png_file.h"

#include <zlib.h>

#include "report.h"

void png_put_word(uint8_t *bytes, uint32_t word) {
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

void png_file_close_chunk(image_codecs_file *file, const char name[4], size_t count) {
    uint8_t *chunk = file->bytes + file->count;
    png_put_word(chunk, (uint32_t)count);
    memcpy(chunk + 4, name, 4);
    png_put_word(chunk + png_chunk_head + count, (uint32_t)crc32_z(crc32_z(0, NULL, 0), chunk + 4, count + 4));
    file->count += count + png_chunk_frame;
}

int png_file_begin(image_codecs_file *file, uint32_t width, uint32_t height) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    uint8_t *room = file_room(file, sizeof signature + png_chunk_frame + 13);
    if (!room) return 0;
    memcpy(room, signature, sizeof signature);
    file->count += sizeof signature;
    uint8_t *content = room + sizeof signature + png_chunk_head;
    png_put_word(content, width);
    png_put_word(content + 4, height);
    memcpy(content + 8, "\x08\x02\0\0", 5); /* 8 bits, RGB, no interlacing */
    png_file_close_chunk(file, "IHDR", 13);
    return 1;
}

int png_file_end(image_codecs_file *file) {
    if (!file_room(file, png_chunk_frame)) return 0;
    png_file_close_chunk(file, "IEND", 0);
    return 1;
}
