#include "number_text.h"

#include <stdatomic.h>

#include "widths.h"

/* Null until it is first asked for; whoever asks at the same time finds the same. */
static _Atomic(number_text_reader *) reader_in_use;

enum number_text_width number_text_limit(enum number_text_width width) {
    enum number_text_width used = number_text_width_baseline;
    number_text_reader *reader = number_text_read_baseline;
#if defined(__x86_64__)
    bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
        && __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("popcnt");
    if (width >= number_text_width_256 && has) used = number_text_width_256, reader = number_text_read_256;
#else
    (void)width;
#endif
    atomic_store_explicit(&reader_in_use, reader, memory_order_relaxed);
    return used;
}

struct number_text_reading number_text_read(
    const uint8_t *text, size_t length, size_t position, const uint64_t *powers, double *values, size_t room) {
    number_text_reader *reader = atomic_load_explicit(&reader_in_use, memory_order_relaxed);
    if (!reader) {
        number_text_limit(number_text_width_256);
        reader = atomic_load_explicit(&reader_in_use, memory_order_relaxed);
    }
    return reader(text, length, position, powers, values, room);
}
