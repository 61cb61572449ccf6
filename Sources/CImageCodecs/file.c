#include "report.h"

uint8_t *file_room(perception_codec_file *file, size_t count) {
    if (count > SIZE_MAX / 2 - file->count) return NULL;
    size_t needed = file->count + count;
    if (needed > file->capacity) {
        size_t capacity = file->capacity > 0 ? file->capacity : 65536;
        while (capacity < needed) capacity *= 2;
        uint8_t *grown = realloc(file->bytes, capacity);
        if (!grown) return NULL;
        file->bytes = grown;
        file->capacity = capacity;
    }
    return file->bytes + file->count;
}

int file_append(perception_codec_file *file, const uint8_t *bytes, size_t count) {
    uint8_t *room = file_room(file, count);
    if (!room) return 0;
    memcpy(room, bytes, count);
    file->count += count;
    return 1;
}

void perception_codec_release(perception_codec_file *file) {
    free(file->bytes);
    memset(file, 0, sizeof *file);
}
