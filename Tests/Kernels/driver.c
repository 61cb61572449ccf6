/* Runs the kernels of one instruction set over rows from standard input and writes what they say to standard output, so
   that they can be tried where no Swift runs: under an emulator of another processor, or built with sanitizers.

   usage: driver SET <cases >answers        ends with 3 where this machine has no such set

   A case is a `header`, then its rows one after the other. The answer to one row is a `row_answer`, that to three rows a
   `contrast_answer` and then the gradients of every divergence and the softmax of the anchor: [10, count] Floats. All
   numbers are the processor's own, little-endian everywhere that this runs. Every row stands in memory of its own, at an
   odd address and without a byte to spare, so that an address sanitizer sees what is read beside it. */

#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory(size_t size) {
    void *found = malloc(size ? size : 1);
    if (!found) abort();
    return found;
}

static void receive(void *to, size_t size) {
    if (fread(to, 1, size, stdin) != size) {
        fputs("the input ends within a case\n", stderr);
        exit(2);
    }
}

static void send(const void *from, size_t size) {
    if (fwrite(from, 1, size, stdout) != size) exit(2);
}

static int set_named(const char *name) {
    static const char *const names[] = {
        [LOGIT_KERNELS_PORTABLE] = "portable", [LOGIT_KERNELS_NEON] = "neon", [LOGIT_KERNELS_AVX2] = "avx2",
        [LOGIT_KERNELS_AVX512] = "avx512"};
    for (size_t set = 0; set < sizeof names / sizeof *names; set++)
        if (strcmp(names[set], name) == 0) return (int)set;
    return -1;
}

static void answer(const header *header, logit_kernels_instruction_set set) {
    size_t count = header->count, size = header->element == LOGIT_KERNELS_F32 ? 4 : 2;
    unsigned char *all[LOGIT_KERNELS_ROWS];
    const unsigned char *rows[LOGIT_KERNELS_ROWS];
    for (uint32_t row = 0; row < header->rows; row++) {
        all[row] = memory(1 + count * size);
        receive(all[row] + 1, count * size);
        rows[row] = all[row] + 1;
    }
    if (header->rows == 1) {
        row_answer found = statistics_of(
            logit_kernels_for(set), rows[0], count, (logit_kernels_element)header->element, header->temperature);
        send(&found, sizeof found);
    } else {
        float *gradients = memory(GRADIENTS * count * sizeof *gradients);
        uint16_t *brains = memory(GRADIENTS * count * sizeof *brains);
        contrast_answer found = contrast_of(
            logit_kernels_contrast_for(set), rows, count, (logit_kernels_element)header->element,
            header->temperature, gradients, brains);
        send(&found, sizeof found);
        send(gradients, GRADIENTS * count * sizeof *gradients);
        free(gradients);
        free(brains);
    }
    for (uint32_t row = 0; row < header->rows; row++) free(all[row]);
}

int main(int count, char **arguments) {
    int set = count == 2 ? set_named(arguments[1]) : -1;
    if (set < 0) {
        fputs("usage: driver portable|neon|avx2|avx512 <cases >answers\n", stderr);
        return 2;
    }
    if (!logit_kernels_for((logit_kernels_instruction_set)set)) return 3;
    header header;
    while (fread(&header, sizeof header, 1, stdin) == 1) {
        if (header.rows != 1 && header.rows != LOGIT_KERNELS_ROWS) return 2;
        answer(&header, (logit_kernels_instruction_set)set);
    }
    return fflush(stdout) ? 2 : 0;
}
