#include "png_chunks.h"

#include <string.h>
#include <zlib.h>

uint32_t png_word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Upper case (W3C PNG 5.4). */
static int is_critical(const uint8_t *name) { return (name[0] & 0x20) == 0; }

static int has_right_checksum(const uint8_t *name, size_t length) {
    uLong sum = crc32(crc32(0, Z_NULL, 0), name, 4);
    return crc32_z(sum, name + 4, length) == png_word(name + 4 + length);
}

/* The combinations of W3C PNG table 11.1, and the only defined methods. */
static int is_readable(png_bytes header) {
    static const uint8_t depths[7] = {1 | 2 | 4 | 8 | 16, 0, 8 | 16, 1 | 2 | 4 | 8, 8 | 16, 0, 8 | 16};
    if (header.count != 13) return 0;
    const uint8_t *it = header.start;
    int is_known_depth = it[8] && (it[8] & (it[8] - 1)) == 0;
    return png_word(it) >= 1 && png_word(it) <= 0x7FFFFFFF && png_word(it + 4) >= 1 && png_word(it + 4) <= 0x7FFFFFFF
        && it[9] <= 6 && is_known_depth && (depths[it[9]] & it[8]) && it[10] == 0 && it[11] == 0 && it[12] <= 1;
}

int png_chunks_find(const uint8_t *bytes, size_t count, png_chunks *chunks) {
    memset(chunks, 0, sizeof *chunks);
    for (size_t at = 8; at + 8 <= count;) {
        const uint8_t *name = bytes + at + 4;
        size_t length = png_word(bytes + at), left = count - at - 8;
        if (memcmp(name, "IDAT", 4) == 0) {
            chunks->pixels = at;
            int is_indexed = is_readable(chunks->header) && chunks->header.start[9] == 3;
            return is_readable(chunks->header) && (!is_indexed || chunks->palette.count >= 3);
        }
        if (length > left || left - length < 4) return 0;
        if (is_critical(name) && !has_right_checksum(name, length)) return 0;
        png_bytes data = {name + 4, length};
        if (memcmp(name, "IHDR", 4) == 0) chunks->header = data;
        if (memcmp(name, "PLTE", 4) == 0) chunks->palette = data;
        if (memcmp(name, "tRNS", 4) == 0) chunks->transparency = data;
        if (memcmp(name, "IEND", 4) == 0) return 0;
        at += 12 + length;
    }
    return 0;
}

/* Of letters (W3C PNG 5.4); of the critical ones those that there are. */
static int is_sound(const uint8_t *name) {
    static const char known[4][5] = {"IHDR", "PLTE", "IDAT", "IEND"};
    int is_known = !is_critical(name);
    for (int i = 0; i < 4; i++) {
        uint8_t letter = name[i] & 0xDF;
        if (letter < 'A' || letter > 'Z') return 0;
        is_known |= memcmp(name, known[i], 4) == 0;
    }
    return is_known;
}

/* Returns 0 once the result is no longer wanted. */
static int checksum(const uint8_t *bytes, size_t count, uint32_t *sum, work_watch *watch) {
    uLong state = crc32(0, Z_NULL, 0);
    for (size_t done = 0; done < count; done += work_watch_operations) {
        if (!work_watch_goes_on(watch, work_watch_operations)) return 0;
        size_t left = count - done;
        state = crc32_z(state, bytes + done, left < work_watch_operations ? left : work_watch_operations);
    }
    *sum = (uint32_t)state;
    return 1;
}

png_chunks_state png_chunks_check(const uint8_t *bytes, size_t count, size_t *at, work_watch *watch) {
    for (;;) {
        const uint8_t *name = bytes + *at + 4;
        uint32_t sum = 0;
        if (count - *at < 12) return PNG_CHUNKS_END_EARLY;
        size_t length = png_word(bytes + *at);
        if (length > 0x7FFFFFFF || !is_sound(name)) return PNG_CHUNKS_ARE_DAMAGED;
        if (length > count - *at - 12) return PNG_CHUNKS_END_EARLY;
        if (!checksum(name, length + 4, &sum, watch)) return PNG_CHUNKS_ARE_UNWANTED;
        if (sum != png_word(name + 4 + length)) return PNG_CHUNKS_ARE_DAMAGED;
        if (memcmp(name, "IEND", 4) == 0) return PNG_CHUNKS_ARE_WHOLE;
        *at += 12 + length;
    }
}
