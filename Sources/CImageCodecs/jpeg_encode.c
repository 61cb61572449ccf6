#include <jerror.h>

#include "jpeg_errors.h"

/* A row of blocks, with halved chroma too. */
enum { rows_at_once = 16 };

typedef struct encoding {
    struct jpeg_compress_struct info;
    struct jpeg_destination_mgr destination;
    jpeg_exit exit;
    image_codecs_file *file;
    work_watch *watch;
} encoding;

static void begin_file(j_compress_ptr info) {
    encoding *state = (encoding *)info->client_data;
    state->destination.next_output_byte = state->file->bytes;
    state->destination.free_in_buffer = state->file->capacity;
}

static boolean refuse_more(j_compress_ptr info) {
    ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
    return FALSE;
}

static void end_file(j_compress_ptr info) {
    encoding *state = (encoding *)info->client_data;
    state->file->count = state->file->capacity - state->destination.free_in_buffer;
}

/* Measured of samples that are 0 or 255 at random, of each channel for itself and in pairs, and a tenth more. */
size_t image_codecs_jpeg_bound(uint32_t width, uint32_t height, int quality, int halved_chroma) {
    size_t side = halved_chroma ? 16 : 8;
    size_t padded = (width + side - 1) / side * side * ((height + side - 1) / side * side);
    size_t samples = halved_chroma ? padded * 3 / 2 : padded * 3;
    static const struct {
        int above;
        size_t sixteenths; /* of a byte for each sample */
    } most[] = {{99, 28}, {97, 25}, {95, 20}, {92, 17}, {90, 15}, {80, 14}, {0, 11}};
    size_t i = 0;
    while (i + 1 < sizeof most / sizeof most[0] && quality <= most[i].above) i++;
    return samples / 16 * most[i].sixteenths + 4096;
}

size_t image_codecs_jpeg_encoder_bytes(uint32_t width, int halved_chroma) {
    return (size_t)(width + 64) * (halved_chroma ? 32 : 29) + (32 << 10);
}

static void write_all(encoding *state, const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int halved) {
    j_compress_ptr info = &state->info;
    jpeg_create_compress(info);
    info->client_data = state;
    state->destination.init_destination = begin_file;
    state->destination.empty_output_buffer = refuse_more;
    state->destination.term_destination = end_file;
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
        if (!work_watch_goes_on(state->watch, work_watch_operations)) {
            report_unwanted(state->exit.report);
            longjmp(state->exit.barrier, 1);
        }
        JSAMPROW rows[rows_at_once];
        JDIMENSION left = info->image_height - info->next_scanline, count = left < rows_at_once ? left : rows_at_once;
        /* libjpeg never writes to its input rows; its row type just isn't const. */
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = (JSAMPROW)(uintptr_t)(rgb + (size_t)(info->next_scanline + i) * width * 3);
        (void)jpeg_write_scanlines(info, rows, count);
    }
    jpeg_finish_compress(info);
}

void image_codecs_jpeg_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, int halved_chroma, image_codecs_file *file,
    work_watch *watch, image_codecs_report *report) {
    encoding state;
    memset(&state, 0, sizeof state);
    report_begin(report);
    state.file = file;
    state.watch = watch;
    state.info.err = jpeg_exit_prepare(&state.exit, report);
    if (setjmp(state.exit.barrier) == 0) write_all(&state, rgb, width, height, quality, halved_chroma);
    jpeg_destroy_compress(&state.info);
}
