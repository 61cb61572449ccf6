#ifndef NUMBER_TEXT_WIDTHS_H
#define NUMBER_TEXT_WIDTHS_H

#include "number_text.h"

typedef struct number_text_reading number_text_reader(
    const uint8_t *text, size_t length, size_t position, const uint64_t *powers, double *values, size_t room);

number_text_reader number_text_read_baseline, number_text_read_256;

#endif
