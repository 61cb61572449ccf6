#include <zlib.h>

#include "png_encode_fast.h"
#include "png_filter.h"
#include "report.h"
#include "run_deflate.h"

static void put_word(uint8_t *bytes, uint32_t word) {
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

/* Gives a chunk whose content already stands 8 bytes behind the file's end its length, name and checksum. */
static void close_chunk(perception_codec_file *file, const char name[4], size_t count) {
    uint8_t *chunk = file->bytes + file->count;
    put_word(chunk, (uint32_t)count);
    memcpy(chunk + 4, name, 4);
    put_word(chunk + 8 + count, (uint32_t)crc32_z(crc32_z(0, NULL, 0), chunk + 4, count + 4));
    file->count += count + 12;
}

static int put_header(perception_codec_file *file, uint32_t width, uint32_t height) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    uint8_t *room = file_room(file, sizeof signature + 25);
    if (!room) return 0;
    memcpy(room, signature, sizeof signature);
    file->count += sizeof signature;
    uint8_t *content = room + sizeof signature + 8;
    put_word(content, width);
    put_word(content + 4, height);
    memcpy(content + 8, "\x08\x02\0\0", 5); /* 8 bits, RGB, no interlacing */
    close_chunk(file, "IHDR", 13);
    return 1;
}

typedef struct stream {
    run_deflate deflate;
    uint32_t adler;
    int is_open;
} stream;

/* One IDAT chunk for one block. */
static int put_block(perception_codec_file *file, stream *it, const uint8_t *bytes, size_t count, int is_last) {
    uint8_t *room = file_room(file, 12 + 2 + run_deflate_bound(count) + 4);
    if (!room) return 0;
    it->deflate.out = room + 8;
    if (!it->is_open) {
        it->is_open = 1;
        it->adler = (uint32_t)adler32_z(0, NULL, 0);
        /* Deflate with a window of 32 KiB, made by the fastest algorithm. */
        *it->deflate.out++ = 0x78;
        *it->deflate.out++ = 0x01;
    }
    run_deflate_write(&it->deflate, bytes, count, is_last);
    it->adler = (uint32_t)adler32_z(it->adler, bytes, count);
    if (is_last) {
        put_word(it->deflate.out, it->adler);
        it->deflate.out += 4;
    }
    close_chunk(file, "IDAT", (size_t)(it->deflate.out - room) - 8);
    return 1;
}

/* Finding the best filter takes three of them; neighbouring rows share it. */
enum { rows_per_choice = 8 };

static int put_rows(
    perception_codec_file *file, const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *buffer, size_t rows,
    work_watch *watch) {
    size_t stride = (size_t)width * 3;
    uint8_t *trial = buffer + rows * (stride + 1);
    stream it = {0};
    int filter = 1;
    for (size_t start = 0; start < height; start += rows) {
        size_t end = start + rows < height ? start + rows : height, filtered = 0;
        for (size_t y = start; y < end; y++, filtered += stride + 1) {
            const uint8_t *row = rgb + y * stride;
            if (y % rows_per_choice == 1) filter = png_filter_best(row, row - stride, stride, trial, watch);
            png_filter_row(filter, row, row - stride, stride, buffer + filtered, watch);
        }
        for (size_t done = 0; done < filtered; done += run_deflate_block) {
            if (!work_goes_on(watch, work_watch_operations)) return 0;
            size_t left = filtered - done, count = left < run_deflate_block ? left : run_deflate_block;
            if (!put_block(file, &it, buffer + done, count, end == height && count == left)) return 0;
        }
    }
    return 1;
}

static size_t rows_of_block(uint32_t width) {
    size_t rows = run_deflate_block / ((size_t)width * 3 + 1);
    return rows < 1 ? 1 : rows;
}

size_t png_encode_fast_bound(uint32_t width, uint32_t height) {
    size_t stride = (size_t)width * 3, rows = rows_of_block(width), most = rows < height ? rows : height;
    size_t blocks = (height + rows - 1) / rows * ((most * (stride + 1) + run_deflate_block - 1) / run_deflate_block);
    /* Chunk, stored blocks or a table of codes; of the last one the room that is asked for beforehand. */
    return height * (stride + 1) + blocks * 256 + 2048;
}

size_t png_encode_fast_bytes(uint32_t width, uint32_t height) {
    size_t stride = (size_t)width * 3, rows = rows_of_block(width);
    return (rows < height ? rows : height) * (stride + 1) + stride + 4160;
}

int png_encode_fast(
    const uint8_t *rgb, uint32_t width, uint32_t height, perception_codec_file *file, work_watch *watch) {
    size_t stride = (size_t)width * 3, rows = rows_of_block(width);
    uint8_t *buffer = malloc((rows < height ? rows : height) * (stride + 1) + stride);
    int is_done = buffer && put_header(file, width, height)
        && put_rows(file, rgb, width, height, buffer, rows < height ? rows : height, watch) && file_room(file, 12);
    if (is_done) close_chunk(file, "IEND", 0);
    free(buffer);
    return is_done;
}
