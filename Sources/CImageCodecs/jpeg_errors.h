#ifndef PERCEPTION_JPEG_ERRORS_H
#define PERCEPTION_JPEG_ERRORS_H

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#include "report.h"

/* libjpeg's error manager with a way out. `base` must stay the first member, because libjpeg knows only it. */
typedef struct jpeg_exit {
    struct jpeg_error_mgr base;
    jmp_buf barrier;
    image_codecs_report *report;
    int damage_is_error; /* decoding only: damaged or missing data ends the decoding */
    int ended_early;     /* the source ran dry */
    size_t unread;       /* bytes of the file behind those that the source has handed out */
    int has_header;      /* everything before the first scan's data was read */
} jpeg_exit;

/* Initializes `exit` so that every error of the library jumps to its barrier and nothing is printed. */
struct jpeg_error_mgr *jpeg_exit_prepare(jpeg_exit *exit, image_codecs_report *report);

#endif
