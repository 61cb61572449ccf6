#include "jpeg_errors.h"

#include <jerror.h>

static size_t position(j_common_ptr info) {
    if (!info->is_decompressor) return 0;
    j_decompress_ptr decompressor = (j_decompress_ptr)info;
    image_codecs_report *report = ((jpeg_exit *)info->err)->report;
    /* report->byte holds the file's length while decoding. */
    size_t left = ((jpeg_exit *)info->err)->unread;
    if (decompressor->src) left += decompressor->src->bytes_in_buffer;
    return report->byte > left ? report->byte - left : 0;
}

static image_codecs_status classify(const jpeg_exit *exit) {
    switch (exit->base.msg_code) {
        case JERR_OUT_OF_MEMORY:
            return IMAGE_CODECS_OUT_OF_MEMORY;
        case JERR_NO_BACKING_STORE:
            return IMAGE_CODECS_MEMORY_LIMIT;
        case JERR_IMAGE_TOO_BIG:
        case JERR_BAD_PRECISION:
        case JERR_ARITH_NOTIMPL:
        case JERR_CONVERSION_NOTIMPL:
        case JERR_CCIR601_NOTIMPL:
        case JERR_FRACT_SAMPLE_NOTIMPL:
        case JERR_NOT_COMPILED:
        case JERR_COMPONENT_COUNT:
            return IMAGE_CODECS_UNSUPPORTED;
        case JERR_SOF_UNSUPPORTED:
            return exit->has_header ? IMAGE_CODECS_DAMAGED : IMAGE_CODECS_UNSUPPORTED;
        default:
            return exit->ended_early  ? IMAGE_CODECS_TRUNCATED
                : exit->has_header ? IMAGE_CODECS_DAMAGED
                                   : IMAGE_CODECS_MALFORMED;
    }
}

static void leave(j_common_ptr info, image_codecs_status status) {
    jpeg_exit *exit = (jpeg_exit *)info->err;
    char words[JMSG_LENGTH_MAX];
    (*info->err->format_message)(info, words);
    exit->report->salvageable = exit->has_header;
    report_fail(exit->report, status, position(info), words);
    longjmp(exit->barrier, 1);
}

static void error_exit(j_common_ptr info) { leave(info, classify((jpeg_exit *)info->err)); }

/* Zero bytes after the data of a scan are padding, because lost codes would hardly have left them. libjpeg has just skipped
   `count` bytes and is positioned after them. */
static int is_padding(j_decompress_ptr info, size_t count) {
    size_t before = position((j_common_ptr)info);
    const JOCTET *byte = info->src->next_input_byte;
    for (size_t i = 0; i < count && i < before; i++)
        if (*--byte != 0) return 0;
    return 1;
}

/* A scan is complete if its codes end where its data end. Anything else is damage, because pixels are then missing, invented
   or misplaced: invalid codes, data that end early or continue (libjpeg reads up to eight bytes ahead and does not miss
   those), restart markers out of order. Bytes before the first scan, odd Adobe or JFIF fields, and repeated scans do not
   affect the pixels. */
static int is_damage(j_common_ptr common) {
    switch (common->err->msg_code) {
        case JWRN_JPEG_EOF:
        case JWRN_HIT_MARKER:
        case JWRN_HUFF_BAD_CODE:
        case JWRN_ARITH_BAD_CODE:
        case JWRN_MUST_RESYNC:
        case JWRN_NOT_SEQUENTIAL:
            return 1;
        case JWRN_EXTRANEOUS_DATA:
            return ((jpeg_exit *)common->err)->has_header
                && !is_padding((j_decompress_ptr)common, (size_t)common->err->msg_parm.i[0]);
        default:
            return 0;
    }
}

static void emit_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    info->err->num_warnings++;
    jpeg_exit *exit = (jpeg_exit *)info->err;
    if (exit->damage_is_error && is_damage(info))
        leave(info, info->err->msg_code == JWRN_JPEG_EOF ? IMAGE_CODECS_TRUNCATED : IMAGE_CODECS_DAMAGED);
}

static void output_nothing(j_common_ptr info) { (void)info; }

struct jpeg_error_mgr *jpeg_exit_prepare(jpeg_exit *exit, image_codecs_report *report) {
    struct jpeg_error_mgr *base = jpeg_std_error(&exit->base);
    base->error_exit = error_exit;
    base->emit_message = emit_message;
    base->output_message = output_nothing;
    exit->report = report;
    exit->damage_is_error = 0;
    exit->ended_early = 0;
    exit->unread = 0;
    exit->has_header = 0;
    return base;
}
