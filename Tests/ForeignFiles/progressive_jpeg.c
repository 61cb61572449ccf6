#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "foreign_files.h"

typedef struct writing {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf barrier;
    uint8_t *file;
    size_t capacity;
} writing;

static void leave(j_common_ptr info) { longjmp(((writing *)info->client_data)->barrier, 1); }

static void begin(j_compress_ptr info) {
    writing *state = (writing *)info->client_data;
    state->destination.next_output_byte = state->file;
    state->destination.free_in_buffer = state->capacity;
}

static boolean refuse_more(j_compress_ptr info) {
    leave((j_common_ptr)info);
    return FALSE;
}

static void end(j_compress_ptr info) { (void)info; }

static void write_all(writing *state, const uint8_t *rgb, uint32_t width, uint32_t height, int scans) {
    enum { components = 3, frequencies = 64, most_scans = 1 + components * (frequencies - 1) };
    jpeg_scan_info script[most_scans];
    memset(script, 0, sizeof script);
    j_compress_ptr info = &state->info;
    info->image_width = width;
    info->image_height = height;
    info->input_components = components;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, 90, TRUE);
    script[0] = (jpeg_scan_info){components, {0, 1, 2}, 0, 0, 0, 0};
    for (int scan = 1; scan < scans; scan++) {
        int at = (scan - 1) % (frequencies - 1) + 1;
        script[scan] = (jpeg_scan_info){1, {(scan - 1) / (frequencies - 1)}, at, at, 0, 0};
    }
    info->scan_info = script;
    info->num_scans = scans;
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(rgb + (size_t)info->next_scanline * width * components);
        (void)jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

size_t foreign_progressive_jpeg(
    const uint8_t *rgb, uint32_t width, uint32_t height, int scans, uint8_t *file, size_t capacity) {
    writing state;
    memset(&state, 0, sizeof state);
    state.file = file;
    state.capacity = capacity;
    state.info.err = jpeg_std_error(&state.errors);
    state.errors.error_exit = leave;
    state.info.client_data = &state;
    state.destination = (struct jpeg_destination_mgr){NULL, 0, begin, refuse_more, end};
    size_t count = 0;
    if (setjmp(state.barrier) == 0) {
        jpeg_create_compress(&state.info);
        state.info.client_data = &state;
        state.info.dest = &state.destination;
        write_all(&state, rgb, width, height, scans);
        count = capacity - state.destination.free_in_buffer;
    }
    jpeg_destroy_compress(&state.info);
    return count;
}
