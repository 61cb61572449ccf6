#include "png_deflate.h"

#include "report.h"

enum {
    most_of_chunk = 1 << 16,
    /* Between two looks. Where many places match a little, zlib's level 9 takes some microseconds for a byte. */
    most_at_once = 1 << 11
};

/* A smaller window makes zlib's tables smaller, and a picture that fits it loses nothing: RFC 1950 leaves room for 262 bytes
   more. */
static int window_bits(size_t bytes) {
    int bits = 15;
    while (bits > 9 && bytes + 262 <= (size_t)1 << (bits - 1)) bits--;
    return bits;
}

size_t png_deflate_bytes(size_t bytes) {
    /* As zconf.h has it; its state, and what it aligns. */
    return ((size_t)1 << (window_bits(bytes) + 2)) + ((size_t)1 << (8 + 9)) + (7 << 10);
}

int png_deflate_begin(
    png_deflate *it, image_codecs_file *file, size_t bytes, int level, int is_filtered, work_watch *watch) {
    memset(it, 0, sizeof *it);
    it->file = file;
    it->watch = watch;
    int strategy = is_filtered ? Z_FILTERED : Z_DEFAULT_STRATEGY;
    return deflateInit2(&it->zlib, level, Z_DEFLATED, window_bits(bytes), 8, strategy) == Z_OK;
}

static int open_chunk(png_deflate *it) {
    image_codecs_file *file = it->file;
    size_t left = file->capacity - file->count;
    if (left <= png_chunk_frame) return 0;
    left -= png_chunk_frame;
    it->chunk = left < most_of_chunk ? left : most_of_chunk;
    it->zlib.next_out = file->bytes + file->count + png_chunk_head;
    it->zlib.avail_out = (uInt)it->chunk;
    return 1;
}

static void close_chunk(png_deflate *it) {
    size_t count = it->chunk - it->zlib.avail_out;
    if (count > 0) png_file_close_chunk(it->file, "IDAT", count);
    it->chunk = 0;
    it->zlib.avail_out = 0;
}

/* Until zlib has taken all of its input, or with Z_FINISH until it has written all of its output. */
static png_deflate_outcome run(png_deflate *it, int flush) {
    for (;;) {
        if (!work_watch_goes_on(it->watch, work_watch_operations)) return PNG_DEFLATE_IS_UNWANTED;
        if (it->zlib.avail_out == 0) {
            if (it->chunk > 0) close_chunk(it);
            if (!open_chunk(it)) return PNG_DEFLATE_HAS_NO_ROOM;
        }
        int state = deflate(&it->zlib, flush);
        int is_over = flush == Z_FINISH ? state == Z_STREAM_END : it->zlib.avail_in == 0;
        if (is_over) return PNG_DEFLATE_GOES_ON;
    }
}

png_deflate_outcome png_deflate_write(png_deflate *it, const uint8_t *bytes, size_t count) {
    for (size_t done = 0; done < count; done += most_at_once) {
        it->zlib.next_in = (Bytef *)(uintptr_t)(bytes + done);
        it->zlib.avail_in = (uInt)(count - done < most_at_once ? count - done : most_at_once);
        png_deflate_outcome outcome = run(it, Z_NO_FLUSH);
        if (outcome != PNG_DEFLATE_GOES_ON) return outcome;
    }
    return PNG_DEFLATE_GOES_ON;
}

png_deflate_outcome png_deflate_finish(png_deflate *it) {
    png_deflate_outcome outcome = run(it, Z_FINISH);
    if (outcome == PNG_DEFLATE_GOES_ON) close_chunk(it);
    return outcome;
}

void png_deflate_end(png_deflate *it) { (void)deflateEnd(&it->zlib); }
