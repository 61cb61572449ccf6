#include "report.h"

uint8_t *file_room(perception_codec_file *file, size_t count) {
    return count > file->capacity - file->count ? NULL : file->bytes + file->count;
}

int file_append(perception_codec_file *file, const uint8_t *bytes, size_t count) {
    uint8_t *room = file_room(file, count);
    if (!room) return 0;
    memcpy(room, bytes, count);
    file->count += count;
    return 1;
}
