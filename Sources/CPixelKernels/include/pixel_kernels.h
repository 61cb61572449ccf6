#ifndef PERCEPTION_PIXEL_KERNELS_H
#define PERCEPTION_PIXEL_KERNELS_H

/* The inner loops over 8-bit RGB samples. C, because one source can be compiled for several instruction sets with a
   choice at run time, and because widening bytes to vectors of numbers is what this compiler does well.

   Samples have the shape [H, W, 3] without padding. Every table of kernels gives the same bytes: integers, and Float32
   or Double operations that are each rounded on their own (no fused multiply-add). */

#include <stddef.h>
#include <stdint.h>

#include "work_watch.h"

/* One axis of a resampling, from `input` positions to `output`. If they are equal, the axis is only copied. */
typedef struct pixel_kernels_axis {
    size_t input, output;
} pixel_kernels_axis;

typedef struct pixel_kernels_picture {
    const uint8_t *samples;
    size_t width, height;
} pixel_kernels_picture;

typedef struct pixel_kernels_target {
    uint8_t *samples;
    size_t width, height;
    uint8_t fill[3]; /* for pixels without a source */
} pixel_kernels_target;

typedef struct pixel_kernels {
    /* level + factor * (v - level) in Float32, truncated and clipped; Pillow's Image.blend with one gray level. */
    void (*blend_level)(uint8_t *samples, size_t count, float factor, uint8_t level);

    /* The same with each pixel's own luma. */
    void (*blend_luma)(uint8_t *pixels, size_t count, float factor);

    /* Sum of (19595 R + 38470 G + 7471 B + 32768) >> 16 over `count` pixels. */
    uint64_t (*luma_sum)(const uint8_t *pixels, size_t count);

    /* Down, then across, in Float32. With `unit`, levels mean v / 255, results are 255 x truncated, and zeros lie
       beyond the edge. Otherwise levels mean v, results are rounded half to even, and the picture is mirrored at the edge.
       scratch holds pixel_kernels_convolve_scratch floats. Returns 0 if the result is no longer wanted, as do the others. */
    int (*convolve)(
        pixel_kernels_picture picture, uint8_t *target, const float *weights, size_t taps, int unit, float *scratch,
        work_watch *watch);

    /* A crop of `picture` at (left, top) at the target's size: across, then down, with Pillow's bilinear weights in fixed
       point with 22 fractional bits. scratch holds pixel_kernels_resample_scratch bytes, aligned to eight. */
    int (*resample)(
        pixel_kernels_picture picture, size_t left, size_t top, pixel_kernels_target target, pixel_kernels_axis across,
        pixel_kernels_axis down, uint8_t *scratch, work_watch *watch);

    /* Copies `count` pixels in reverse order. */
    void (*reverse)(const uint8_t *pixels, size_t count, uint8_t *out);

    /* (x, y) of the result comes from (m0 x + m1 y + m2, m3 x + m4 y + m5), Pillow's Transform.AFFINE. */
    int (*affine_bilinear)(
        pixel_kernels_picture picture, pixel_kernels_target target, const double map[6], work_watch *watch);
    int (*affine_nearest)(
        pixel_kernels_picture picture, pixel_kernels_target target, const double map[6], work_watch *watch);

    /* The same in 16.16 fixed point: step[0], step[1] per column, step[2], step[3] per row, from step[4], step[5]. */
    int (*affine_fixed)(
        pixel_kernels_picture picture, pixel_kernels_target target, const int32_t step[6], work_watch *watch);

    /* Both divided by (m6 x + m7 y + 1), Pillow's Transform.PERSPECTIVE. */
    int (*perspective_bilinear)(
        pixel_kernels_picture picture, pixel_kernels_target target, const double map[8], work_watch *watch);
    int (*perspective_nearest)(
        pixel_kernels_picture picture, pixel_kernels_target target, const double map[8], work_watch *watch);

    /* Converts to Pillow's 8-bit HSV, moves the hue by `shift` of 256 values, and converts back. */
    void (*turn_hue)(uint8_t *pixels, size_t count, uint8_t shift);
} pixel_kernels;

/* Flips and turns: pixel (x, y) of the target is the one at first + (x * across + y * down) pixels. */
int pixel_kernels_rearrange(
    const uint8_t *first, ptrdiff_t across, ptrdiff_t down, uint8_t *target, size_t width, size_t height,
    work_watch *watch);

/* Cell i of the target, counted row by row, is cell order[i] of the picture. Cells are squares of `side` pixels. The rest at
   the right and at the bottom is copied. The target has the size of `picture`. */
int pixel_kernels_shuffle(
    pixel_kernels_picture picture, uint8_t *target, size_t side, const uint32_t *order, work_watch *watch);

/* The number of floats in the scratch memory of `convolve`. Wide pictures are processed in stretches of columns. */
size_t pixel_kernels_convolve_scratch(size_t width, size_t taps);

/* The bytes of the scratch memory of `resample`: below 3 MiB for every picture. */
size_t pixel_kernels_resample_scratch(pixel_kernels_axis across, pixel_kernels_axis down);

/* The kernels for every machine. */
const pixel_kernels *pixel_kernels_portable_table(void);

/* The kernels for this machine: AVX2 if the processor has it. Never NULL. */
const pixel_kernels *pixel_kernels_best(void);

#endif
