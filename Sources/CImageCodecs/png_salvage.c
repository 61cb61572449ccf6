#include "png_salvage.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The stream of all IDAT chunks, and the row that comes out of it. */
typedef struct salvage {
    const uint8_t *bytes;
    size_t count;
    size_t next; /* where the chunk after the present one begins */
    z_stream stream;
    int is_over;
    work_watch *watch;
    uint8_t *row, *previous; /* the filter's name, then the row's bytes */
} salvage;

/* The next IDAT chunk's data, as far as the file goes. 0 when there is none. */
static int open_chunk(salvage *it) {
    if (it->count < 8 || it->next > it->count - 8 || memcmp(it->bytes + it->next + 4, "IDAT", 4) != 0) return 0;
    size_t length = png_word(it->bytes + it->next), left = it->count - it->next - 8;
    it->stream.next_in = (Bytef *)(it->bytes + it->next + 8);
    it->stream.avail_in = (uInt)(length < left ? length : left);
    it->next += 12 + length;
    return 1;
}

/* 0 when the stream does not hold so many more bytes. */
static int read_bytes(salvage *it, uint8_t *target, size_t count) {
    it->stream.next_out = target;
    while (count > 0 && !it->is_over) {
        uInt piece = count < 1u << 16 ? (uInt)count : 1u << 16;
        if (!work_goes_on(it->watch, piece)) return 0;
        it->stream.avail_out = piece;
        if (it->stream.avail_in == 0 && !open_chunk(it)) break;
        int state = inflate(&it->stream, Z_NO_FLUSH);
        count -= piece - it->stream.avail_out;
        it->is_over = state != Z_OK && state != Z_BUF_ERROR;
    }
    return count == 0;
}

static uint8_t paeth(int left, int above, int corner) {
    int to_left = abs(above - corner), to_above = abs(left - corner), to_corner = abs(left + above - 2 * corner);
    if (to_left <= to_above && to_left <= to_corner) return (uint8_t)left;
    return (uint8_t)(to_above <= to_corner ? above : corner);
}

/* W3C PNG 9.2. 0 for a filter there is not, and once nobody wants it. */
static int unfilter(uint8_t *row, const uint8_t *previous, size_t count, size_t pixel, work_watch *watch) {
    if (row[0] > 4) return 0;
    for (size_t i = 1; i <= count; i++) {
        if (!work_goes_on(watch, 8)) return 0;
        int left = i > pixel ? row[i - pixel] : 0, above = previous[i], corner = i > pixel ? previous[i - pixel] : 0;
        int predicted[5] = {0, left, above, (left + above) / 2, 0};
        row[i] += row[0] == 4 ? paeth(left, above, corner) : (uint8_t)predicted[row[0]];
    }
    return 1;
}

/* One byte for each sample. */
static void unpack(const uint8_t *packed, size_t samples, int depth, uint8_t *raw) {
    for (size_t i = 0; i < samples; i++) {
        size_t bit = i * (size_t)depth;
        raw[i] = (uint8_t)(packed[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1));
    }
}

/* Every pixel as samples of zero are. */
static void fill(const png_layout *layout, uint8_t *rgb, work_watch *watch) {
    static const uint8_t zeros[8] = {0};
    png_layout one = *layout;
    one.width = 1;
    png_row_to_rgb(&one, zeros, rgb);
    for (size_t i = 1; i < layout->width * layout->height && work_goes_on(watch, 4); i++) memcpy(rgb + 3 * i, rgb, 3);
}

/* Where the rows of a pass lie in the picture: (x + column · across, y + row · down). */
typedef struct pass {
    size_t x, y, across, down;
} pass;

/* 0 when the stream is at its end. */
static int read_pass(salvage *it, const png_layout *layout, pass at, size_t channels, uint8_t *raw, uint8_t *rgb) {
    png_layout part = *layout;
    if (at.x >= layout->width || at.y >= layout->height) return 1;
    part.width = (layout->width - at.x + at.across - 1) / at.across;
    size_t bits = channels * (size_t)layout->depth, bytes = (part.width * bits + 7) / 8;
    uint8_t *line = raw + part.width * 8;
    memset(it->previous, 0, bytes + 1);
    for (size_t y = at.y; y < layout->height; y += at.down) {
        if (!read_bytes(it, it->row, bytes + 1) || !unfilter(it->row, it->previous, bytes, bits < 8 ? 1 : bits / 8, it->watch))
            return 0;
        if (layout->depth < 8) unpack(it->row + 1, part.width, layout->depth, raw);
        if (!png_wide_row_to_rgb(&part, layout->depth < 8 ? raw : it->row + 1, line, it->watch)) return 0;
        for (size_t x = 0; x < part.width; x++)
            memcpy(rgb + ((y * layout->width) + at.x + x * at.across) * 3, line + 3 * x, 3);
        uint8_t *done = it->row;
        it->row = it->previous;
        it->previous = done;
    }
    return 1;
}

int png_salvage(
    const png_chunks *chunks, const uint8_t *bytes, size_t count, png_layout *layout, uint8_t *rgb, work_watch *watch) {
    static const pass whole[1] = {{0, 0, 1, 1}};
    static const pass adam7[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                  {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    static const size_t channels_of[7] = {1, 0, 3, 1, 2, 0, 4};
    const uint8_t *header = chunks->header.start;
    layout->width = png_word(header);
    layout->height = png_word(header + 4);
    layout->depth = header[8];
    layout->color = header[9];
    layout->palette = (png_const_colorp)chunks->palette.start;
    layout->palette_count = (int)(chunks->palette.count / 3 < 256 ? chunks->palette.count / 3 : 256);
    png_take_transparency(layout, chunks->transparency);
    fill(layout, rgb, watch);

    /* Two filtered rows of at most 8 bytes a pixel; one unpacked and one in RGB behind it. */
    size_t room = layout->width * 8 + 1;
    salvage it = {.bytes = bytes, .count = count, .next = chunks->pixels, .watch = watch};
    uint8_t *rows = calloc(2, room), *raw = malloc(layout->width * 11);
    int has_memory = rows && raw && inflateInit(&it.stream) == Z_OK;
    if (has_memory) {
        it.row = rows;
        it.previous = rows + room;
        const pass *passes = header[12] ? adam7 : whole;
        for (size_t i = 0; i < (header[12] ? 7 : 1); i++)
            if (!read_pass(&it, layout, passes[i], channels_of[layout->color], raw, rgb)) break;
        inflateEnd(&it.stream);
    }
    free(rows);
    free(raw);
    return has_memory;
}
