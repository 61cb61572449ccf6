#include "jpeg_errors.h"

#include <jerror.h>

static size_t position(j_common_ptr info) {
    if (!info->is_decompressor) return 0;
    j_decompress_ptr decompressor = (j_decompress_ptr)info;
    perception_codec_report *report = ((jpeg_exit *)info->err)->report;
    /* report->byte holds the file's length while decoding. */
    size_t left = decompressor->src ? decompressor->src->bytes_in_buffer : 0;
    return report->byte > left ? report->byte - left : 0;
}

static perception_codec_status classify(const jpeg_exit *exit) {
    switch (exit->base.msg_code) {
        case JERR_OUT_OF_MEMORY:
            return PERCEPTION_CODEC_OUT_OF_MEMORY;
        case JERR_NO_BACKING_STORE:
            return PERCEPTION_CODEC_MEMORY_LIMIT;
        case JERR_IMAGE_TOO_BIG:
        case JERR_BAD_PRECISION:
        case JERR_SOF_UNSUPPORTED:
        case JERR_ARITH_NOTIMPL:
        case JERR_CONVERSION_NOTIMPL:
        case JERR_CCIR601_NOTIMPL:
        case JERR_FRACT_SAMPLE_NOTIMPL:
        case JERR_NOT_COMPILED:
        case JERR_COMPONENT_COUNT:
            return PERCEPTION_CODEC_UNSUPPORTED;
        default:
            return exit->ended_early ? PERCEPTION_CODEC_TRUNCATED : PERCEPTION_CODEC_MALFORMED;
    }
}

static void leave(j_common_ptr info, perception_codec_status status) {
    jpeg_exit *exit = (jpeg_exit *)info->err;
    char words[JMSG_LENGTH_MAX];
    (*info->err->format_message)(info, words);
    report_fail(exit->report, status, position(info), words);
    longjmp(exit->barrier, 1);
}

static void error_exit(j_common_ptr info) { leave(info, classify((jpeg_exit *)info->err)); }

/* Warnings that mean pixels are missing or invented. The others (bytes between markers, odd Adobe or JFIF fields)
   leave the picture whole. */
static int is_damage(int code) {
    switch (code) {
        case JWRN_JPEG_EOF:
        case JWRN_HIT_MARKER:
        case JWRN_HUFF_BAD_CODE:
        case JWRN_ARITH_BAD_CODE:
        case JWRN_MUST_RESYNC:
        case JWRN_NOT_SEQUENTIAL:
            return 1;
        default:
            return 0;
    }
}

static void emit_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    info->err->num_warnings++;
    jpeg_exit *exit = (jpeg_exit *)info->err;
    if (exit->damage_is_error && is_damage(info->err->msg_code)) leave(info, PERCEPTION_CODEC_TRUNCATED);
}

static void output_nothing(j_common_ptr info) { (void)info; }

struct jpeg_error_mgr *jpeg_exit_prepare(jpeg_exit *exit, perception_codec_report *report) {
    struct jpeg_error_mgr *base = jpeg_std_error(&exit->base);
    base->error_exit = error_exit;
    base->emit_message = emit_message;
    base->output_message = output_nothing;
    exit->report = report;
    exit->damage_is_error = 0;
    exit->ended_early = 0;
    return base;
}
