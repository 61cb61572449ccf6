#include <limits.h>
#include <zlib.h>

#include "image_codecs.h"

ptrdiff_t image_codecs_inflate(const uint8_t *bytes, size_t count, uint8_t *text, size_t capacity) {
    z_stream stream = {0};
    if (count > UINT_MAX || capacity > UINT_MAX || inflateInit(&stream) != Z_OK) return -1;
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = text;
    stream.avail_out = (uInt)capacity;
    int state = inflate(&stream, Z_NO_FLUSH);
    size_t written = capacity - stream.avail_out;
    int is_whole = state == Z_STREAM_END || (stream.avail_in == 0 && (state == Z_OK || state == Z_BUF_ERROR));
    inflateEnd(&stream);
    return is_whole ? (ptrdiff_t)written : -1;
}
