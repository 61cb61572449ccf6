#include "report.h"

int file_append(perception_codec_file *file, const uint8_t *bytes, size_t count) {
    if (count > SIZE_MAX / 2 - file->count) return 0;
    size_t needed = file->count + count;
    if (needed > file->capacity) {
        size_t capacity = file->capacity > 0 ? file->capacity : 65536;
        while (capacity < needed) capacity *= 2;
        uint8_t *grown = realloc(file->bytes, capacity);
        if (!grown) return 0;
        file->bytes = grown;
        file->capacity = capacity;
    }
    memcpy(file->bytes + file->count, bytes, count);
    file->count = needed;
    return 1;
}

void perception_codec_release(perception_codec_file *file) {
    free(file->bytes);
    memset(file, 0, sizeof *file);
}
