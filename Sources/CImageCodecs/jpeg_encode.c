#include <jerror.h>

#include "jpeg_errors.h"

/* A row of blocks, with halved chroma too. */
enum { rows_at_once = 16 };

typedef struct encoding {
    struct jpeg_compress_struct info;
    struct jpeg_destination_mgr destination;
    jpeg_exit exit;
    perception_codec_file *file;
    JOCTET buffer[65536];
} encoding;

static void rewind_buffer(j_compress_ptr info) {
    encoding *state = (encoding *)info->client_data;
    state->destination.next_output_byte = state->buffer;
    state->destination.free_in_buffer = sizeof state->buffer;
}

static void keep(j_compress_ptr info, size_t count) {
    encoding *state = (encoding *)info->client_data;
    if (!file_append(state->file, state->buffer, count)) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
}

static boolean empty_buffer(j_compress_ptr info) {
    keep(info, sizeof((encoding *)info->client_data)->buffer);
    rewind_buffer(info);
    return TRUE;
}

static void keep_rest(j_compress_ptr info) {
    encoding *state = (encoding *)info->client_data;
    keep(info, sizeof state->buffer - state->destination.free_in_buffer);
}

static void write_all(encoding *state, const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int halved) {
    j_compress_ptr info = &state->info;
    jpeg_create_compress(info);
    info->client_data = state;
    state->destination.init_destination = rewind_buffer;
    state->destination.empty_output_buffer = empty_buffer;
    state->destination.term_destination = keep_rest;
    info->dest = &state->destination;
    info->image_width = width;
    info->image_height = height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    info->comp_info[0].h_samp_factor = halved ? 2 : 1;
    info->comp_info[0].v_samp_factor = halved ? 2 : 1;
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW rows[rows_at_once];
        JDIMENSION left = info->image_height - info->next_scanline, count = left < rows_at_once ? left : rows_at_once;
        /* libjpeg never writes to its input rows; its row type just isn't const. */
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = (JSAMPROW)(uintptr_t)(rgb + (size_t)(info->next_scanline + i) * width * 3);
        (void)jpeg_write_scanlines(info, rows, count);
    }
    jpeg_finish_compress(info);
}

void perception_jpeg_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int halved_chroma, perception_codec_file *file,
    perception_codec_report *report) {
    report_begin(report);
    memset(file, 0, sizeof *file);
    encoding *state = calloc(1, sizeof *state);
    if (!state) {
        report_fail(report, PERCEPTION_CODEC_OUT_OF_MEMORY, 0, "no memory for the encoder");
        return;
    }
    state->file = file;
    state->info.err = jpeg_exit_prepare(&state->exit, report);
    if (setjmp(state->exit.barrier) == 0) write_all(state, rgb, width, height, quality, halved_chroma);
    jpeg_destroy_compress(&state->info);
    free(state);
}
