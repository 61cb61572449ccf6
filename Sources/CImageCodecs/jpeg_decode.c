#include <jerror.h>

#include "jpeg_errors.h"

/* The whole state of a decoder. It is in the caller's frame, so that assignments after setjmp survive a longjmp. */
typedef struct decoding {
    struct jpeg_decompress_struct info;
    struct jpeg_source_mgr source;
    const JOCTET *handed_out; /* up to here; libjpeg tells what it has taken only now and then */
    struct jpeg_progress_mgr progress;
    jpeg_exit exit;
    int max_scans;
    work_watch *watch;
    uint8_t *row; /* one CMYK row */
} decoding;

static void nothing(j_decompress_ptr info) { (void)info; }

/* The file has ended: reports that once, then supplies an end-of-image marker as T.81 decoders do, which ends any scan. */
static boolean fill_after_end(j_decompress_ptr info) {
    static const JOCTET end_of_image[2] = {0xFF, JPEG_EOI};
    ((jpeg_exit *)info->err)->ended_early = 1;
    info->src->next_input_byte = end_of_image;
    info->src->bytes_in_buffer = 2;
    WARNMS(info, JWRN_JPEG_EOF);
    return TRUE;
}

static void leave_unwanted(decoding *state) {
    report_unwanted(state->exit.report);
    longjmp(state->exit.barrier, 1);
}

/* The file is supplied in pieces, so that the watch is checked in headers of any length and in scans of wide pictures. */
enum { piece_of_file = 1 << 16 };

static void hand_out(decoding *state, const JOCTET *next, size_t left) {
    size_t count = left < piece_of_file ? left : piece_of_file;
    state->source.next_input_byte = next;
    state->source.bytes_in_buffer = count;
    state->handed_out = next + count;
    state->exit.unread = left - count;
}

/* The next piece; libjpeg has taken all of the last one. */
static boolean fill(j_decompress_ptr info) {
    decoding *state = (decoding *)info->client_data;
    if (state->exit.unread == 0) return fill_after_end(info);
    if (state->watch && !work_watch_goes_on(state->watch, work_watch_operations)) leave_unwanted(state);
    hand_out(state, state->handed_out, state->exit.unread);
    return TRUE;
}

static void skip(j_decompress_ptr info, long count) {
    decoding *state = (decoding *)info->client_data;
    size_t left = info->src->bytes_in_buffer + state->exit.unread;
    if (count <= 0) return;
    if ((size_t)count > left) {
        state->exit.unread = 0;
        (void)fill_after_end(info);
        return;
    }
    hand_out(state, info->src->next_input_byte + count, left - (size_t)count);
}

/* libjpeg calls this for each row of blocks that it reads, and for each row of pixels that it returns. */
static void watch_scans(j_common_ptr common) {
    j_decompress_ptr info = (j_decompress_ptr)common;
    decoding *state = (decoding *)info->client_data;
    if (!work_watch_goes_on(state->watch, work_watch_operations)) leave_unwanted(state);
    if (info->input_scan_number <= state->max_scans) return;
    report_fail(state->exit.report, IMAGE_CODECS_SCAN_LIMIT, 0, "too many scans");
    longjmp(state->exit.barrier, 1);
}

/* Blocks of a side, as many as make whole units of all components. */
static size_t whole_units(size_t blocks, int factor) {
    return (blocks + (size_t)factor - 1) / (size_t)factor * (size_t)factor;
}

/* A row of blocks of each component, some rows more where chroma is spread over neighbouring rows, and rows of pixels.
   Coefficients are kept for the whole picture when it comes in several scans: 64 of 2 bytes each per block. */
static size_t working_bytes(j_decompress_ptr info) {
    size_t total = 96 << 10;
    int whole = jpeg_has_multiple_scans(info);
    for (int i = 0; i < info->num_components; i++) {
        const jpeg_component_info *component = &info->comp_info[i];
        size_t columns = component->width_in_blocks + (size_t)component->h_samp_factor;
        int is_spread = component->v_samp_factor < info->max_v_samp_factor;
        if (whole) total += whole_units(component->width_in_blocks, component->h_samp_factor)
            * whole_units(component->height_in_blocks, component->v_samp_factor) * 128;
        total += columns * 8 * (size_t)component->v_samp_factor * 8;
        total += (size_t)info->image_width * (is_spread ? 8 : 2);
    }
    return total;
}

static void open_and_read_header(decoding *state, const uint8_t *bytes, size_t count) {
    j_decompress_ptr info = &state->info;
    image_codecs_report *report = state->exit.report;
    jpeg_create_decompress(info);
    info->client_data = state;
    hand_out(state, bytes, count);
    state->source.init_source = nothing;
    state->source.fill_input_buffer = fill;
    state->source.skip_input_data = skip;
    state->source.resync_to_restart = jpeg_resync_to_restart;
    state->source.term_source = nothing;
    info->src = &state->source;
    report->byte = count;
    (void)jpeg_read_header(info, TRUE);
    state->exit.has_header = 1;
    report->width = info->image_width;
    report->height = info->image_height;
    report->decoder_bytes = working_bytes(info);
    report->is_in_scans = jpeg_has_multiple_scans(info);
}

/* Records the size in a header that was not read to its end. A later header is an error and declares nothing. */
static void remember_declared(decoding *state) {
    if (state->exit.has_header) return;
    state->exit.report->width = state->info.image_width;
    state->exit.report->height = state->info.image_height;
}

void image_codecs_jpeg_probe(const uint8_t *bytes, size_t count, image_codecs_report *report) {
    decoding state;
    memset(&state, 0, sizeof state);
    report_begin(report);
    state.info.err = jpeg_exit_prepare(&state.exit, report);
    if (setjmp(state.exit.barrier) == 0) {
        open_and_read_header(&state, bytes, count);
        report->byte = 0;
    } else {
        remember_declared(&state);
    }
    jpeg_destroy_decompress(&state.info);
}

int image_codecs_jpeg_scans(const uint8_t *bytes, size_t count, int most) {
    const uint8_t *end = bytes + count;
    int scans = 0;
    while (scans < most && end - bytes >= 2) {
        bytes = memchr(bytes, 0xFF, (size_t)(end - bytes - 1));
        if (!bytes) break;
        scans += *++bytes == 0xDA;
    }
    return scans;
}

/* Pillow's reading of four-component files: always inverted, as Adobe writes them, then CMYK to RGB with
   x * y / 255 rounded as (t + (t >> 8)) >> 8, t = x * y + 128. */
static void inverted_cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, size_t width) {
    for (size_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        int light = cmyk[3];
        for (int c = 0; c < 3; c++) {
            int product = (255 - cmyk[c]) * light + 128;
            int value = light - ((product + (product >> 8)) >> 8);
            rgb[c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

static int has_four_inks(j_decompress_ptr info) {
    return info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
}

static void decode_rows(decoding *state, uint8_t *rgb) {
    j_decompress_ptr info = &state->info;
    size_t width = info->image_width;
    int four = has_four_inks(info);
    info->out_color_space = four ? JCS_CMYK : JCS_RGB;
    (void)jpeg_start_decompress(info);
    if (four) {
        state->row = malloc(width * 4);
        if (!state->row) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
    }
    while (info->output_scanline < info->output_height) {
        uint8_t *target = rgb + (size_t)info->output_scanline * width * 3;
        JSAMPROW row = four ? state->row : target;
        if (jpeg_read_scanlines(info, &row, 1) == 1 && four) inverted_cmyk_to_rgb(state->row, target, width);
    }
    (void)jpeg_finish_decompress(info);
}

static void decode(
    decoding *state, const uint8_t *bytes, size_t count, const image_codecs_limits *limits, uint8_t *rgb,
    size_t capacity, work_watch *watch, image_codecs_report *report) {
    memset(state, 0, sizeof *state);
    state->watch = watch;
    report_begin(report);
    state->max_scans = limits->max_scans;
    state->info.err = jpeg_exit_prepare(&state->exit, report);
    state->exit.damage_is_error = !limits->allow_truncated;
    if (setjmp(state->exit.barrier) == 0) {
        open_and_read_header(state, bytes, count);
        state->progress.progress_monitor = watch_scans;
        state->info.progress = &state->progress;
        state->info.mem->max_memory_to_use = (long)limits->max_decoder_bytes;
        if ((size_t)report->width * report->height * 3 != capacity) {
            report_fail(report, IMAGE_CODECS_MALFORMED, 0, "the header changed its dimensions");
        } else {
            decode_rows(state, rgb);
            report->byte = 0;
        }
    } else {
        remember_declared(state);
    }
    free(state->row);
    state->row = NULL;
}

/* Where the last segment or scan before `end` begins; 0 when there is none. */
static size_t last_marker(const uint8_t *bytes, size_t end) {
    for (size_t at = end; at-- > 2;) {
        int name = at + 1 < end ? bytes[at + 1] : 0;
        int is_in_scan = name == 0 || name == 0xFF || (name >= JPEG_RST0 && name < JPEG_RST0 + 8);
        if (bytes[at] == 0xFF && !is_in_scan) return at;
    }
    return 0;
}

/* What libjpeg gives up on it has decoded up to there: the rows it has handed out, of a single scan, and of several those
   before the segment it does not understand, which are decoded once more as if the file ended there. Rows that never came
   are what Pillow leaves of them: samples of zero, which is black, or no ink. */
static void salvage(
    decoding *state, const uint8_t *bytes, size_t count, const image_codecs_limits *limits, uint8_t *rgb,
    size_t capacity, image_codecs_report *report) {
    enum { most_attempts = 4 };
    size_t fault = report->byte + 2 < count ? report->byte + 2 : count;
    for (int attempt = 0;; attempt++) {
        size_t done = state->info.output_scanline, stride = (size_t)report->width * 3;
        int is_left = report->salvageable
            && (report->status == IMAGE_CODECS_DAMAGED || report->status == IMAGE_CODECS_TRUNCATED);
        if (!is_left) return;
        if (done > 0) {
            memset(rgb + done * stride, has_four_inks(&state->info) ? 255 : 0, capacity - done * stride);
            report_begin(report);
            return;
        }
        fault = last_marker(bytes, fault);
        if (fault == 0 || attempt == most_attempts) return;
        jpeg_destroy_decompress(&state->info);
        decode(state, bytes, fault, limits, rgb, capacity, state->watch, report);
    }
}

void image_codecs_jpeg_decode(
    const uint8_t *bytes, size_t count, const image_codecs_limits *limits, uint8_t *rgb, size_t capacity,
    work_watch *watch, image_codecs_report *report) {
    decoding state;
    decode(&state, bytes, count, limits, rgb, capacity, watch, report);
    if (limits->allow_truncated) salvage(&state, bytes, count, limits, rgb, capacity, report);
    jpeg_destroy_decompress(&state.info);
}
