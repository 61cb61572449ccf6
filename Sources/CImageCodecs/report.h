#ifndef PERCEPTION_CODEC_REPORT_H
#define PERCEPTION_CODEC_REPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_codecs.h"

static inline void report_begin(image_codecs_report *report) { memset(report, 0, sizeof *report); }

static inline void report_fail(
    image_codecs_report *report, image_codecs_status status, size_t byte, const char *detail) {
    report->status = status;
    report->byte = byte;
    snprintf(report->detail, sizeof report->detail, "%s", detail);
}

static inline void report_unwanted(image_codecs_report *report) {
    report_fail(report, IMAGE_CODECS_UNWANTED, 0, "the result is no longer wanted");
}

/* Space for this number of bytes after the file's end, not yet counted. NULL if there is less. */
uint8_t *file_room(image_codecs_file *file, size_t count);

#endif
