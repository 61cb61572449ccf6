#include <zlib.h>

#include "png_encode_fast.h"
#include "png_file.h"
#include "png_filter.h"
#include "report.h"
#include "run_deflate.h"

typedef struct stream {
    run_deflate deflate;
    uint32_t adler;
    int is_open;
} stream;

/* One IDAT chunk for one block. */
static int put_block(image_codecs_file *file, stream *it, const uint8_t *bytes, size_t count, int is_last) {
    uint8_t *room = file_room(file, png_chunk_frame + 2 + run_deflate_bound(count) + 4);
    if (!room) return 0;
    it->deflate.out = room + png_chunk_head;
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
        png_put_word(it->deflate.out, it->adler);
        it->deflate.out += 4;
    }
    png_file_close_chunk(file, "IDAT", (size_t)(it->deflate.out - room) - png_chunk_head);
    return 1;
}

/* Finding the best filter takes three of them; neighbouring rows share it. */
enum { rows_per_choice = 8, choice = 1 << PNG_FILTER_IS_SUB | 1 << PNG_FILTER_IS_UP | 1 << PNG_FILTER_IS_PAETH };

/* Writes the filter's number and the filtered row. Returns 0 once the result is no longer wanted. */
static int put_row(
    png_filter filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out, work_watch *watch) {
    out[0] = (uint8_t)filter;
    for (size_t start = 0; start < count; start += png_filter_piece) {
        size_t end = count - start < png_filter_piece ? count : start + png_filter_piece;
        if (!work_watch_goes_on(watch, end - start)) return 0;
        png_filter_write(filter, row, above, start, end, out + 1 + start);
    }
    return 1;
}

static int put_rows(
    image_codecs_file *file, const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *buffer, size_t rows,
    work_watch *watch) {
    size_t stride = (size_t)width * 3;
    uint8_t *trial = buffer + rows * (stride + 1);
    stream it = {0};
    png_filter filter = PNG_FILTER_IS_SUB;
    for (size_t start = 0; start < height; start += rows) {
        size_t end = start + rows < height ? start + rows : height, filtered = 0;
        for (size_t y = start; y < end; y++, filtered += stride + 1) {
            const uint8_t *row = rgb + y * stride, *above = y > 0 ? row - stride : NULL;
            if (y % rows_per_choice == 1) filter = png_filter_best(row, above, stride, choice, trial, watch);
            if (!put_row(filter, row, above, stride, buffer + filtered, watch)) return 0;
        }
        for (size_t done = 0; done < filtered; done += run_deflate_block) {
            if (!work_watch_goes_on(watch, work_watch_operations)) return 0;
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
    /* The chunk, and stored blocks or a table of codes. For the last block, the space that is requested beforehand. */
    return height * (stride + 1) + blocks * 256 + 2048;
}

size_t png_encode_fast_bytes(uint32_t width, uint32_t height) {
    size_t stride = (size_t)width * 3, rows = rows_of_block(width);
    return (rows < height ? rows : height) * (stride + 1) + png_filter_piece + 4160;
}

int png_encode_fast(
    const uint8_t *rgb, uint32_t width, uint32_t height, image_codecs_file *file, work_watch *watch) {
    size_t stride = (size_t)width * 3, rows = rows_of_block(width);
    uint8_t *buffer = malloc((rows < height ? rows : height) * (stride + 1) + png_filter_piece);
    int is_done = buffer && png_file_begin(file, width, height)
        && put_rows(file, rgb, width, height, buffer, rows < height ? rows : height, watch) && png_file_end(file);
    free(buffer);
    return is_done;
}
