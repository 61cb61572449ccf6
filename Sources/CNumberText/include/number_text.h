#ifndef NUMBER_TEXT_H
#define NUMBER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inner loops between numbers and their text in JSON (RFC 8259). They decide what nearly all numbers are, and leave the
 * rest, and every error, to the caller.
 *
 * `powers` are the leading 128 bits of 5^q for q from NUMBER_TEXT_LEAST_POWER on, the upper half of each first. */
enum { NUMBER_TEXT_LEAST_POWER = -342, NUMBER_TEXT_LARGEST_POWER = 308 };

/* Bytes that one number takes at most with its comma, and bytes behind the last that writing it may touch. */
enum { NUMBER_TEXT_LONGEST = 16, NUMBER_TEXT_SLACK = 32 };

/* Writes finite floats as the shortest decimals that read back as them, the nearest among those, in the words of Swift's
 * `Float.description` (0 and -0 as 0), a comma behind each.
 * Source: R. Giulietti, "The Schubfach way to render doubles" (2021), section 9, its numbers for binary32.
 * Returns the bytes written; 0 where one is not finite. */
size_t number_text_write(const float *values, size_t count, const uint64_t *powers, char *text);

/* Writes numbers below 10, a comma behind each: two bytes for each number. */
void number_text_write_digits(const uint8_t *digits, size_t count, char *text);

/* Bytes that must follow for a number to be read here. */
enum { NUMBER_TEXT_MARGIN = 64 };

struct number_text_reading {
    /* Where the next element begins that is not read here, or stands the bracket that closes the list. */
    size_t position;
    /* How many were read. */
    size_t count;
    bool is_closed;
};

/* Reads elements of a list of numbers from `position` on, where one must begin: at most `room`.
 * Source: D. Lemire, "Number parsing at a gigabyte per second" (2021). */
struct number_text_reading number_text_read(
    const uint8_t *text, size_t length, size_t position, const uint64_t *powers, double *values, size_t room);

/* Widths of vector registers that reading has code for: what the compiler's target has in any case, and AVX2 with BMI2. */
enum number_text_width { number_text_width_baseline, number_text_width_256 };

/* Uses no wider registers than these, nor any that the processor lacks; how wide they are. For the whole process. The
 * numbers are the same bits. */
enum number_text_width number_text_limit(enum number_text_width width);

#endif
