#include "read.h"
#include "widths.h"

struct number_text_reading number_text_read_baseline(
    const uint8_t *text, size_t length, size_t position, const uint64_t *powers, double *values, size_t room) {
    return read_list(text, length, position, powers, values, room);
}
