/* Included by each table of kernels: what each place of one output axis takes from the input axis, as Pillow's bilinear
   `resize` (libImaging/Resample.c) weighs it: triangles of half width max(1, scale) about (i + 1/2) * scale, cut at the
   ends and normalised in Double. A strip's weights would take many times its pixels: of many places only a stretch is
   kept, and of a place that takes very many they are computed again each time. */

enum { weight_bits = 32 - 8 - 2 };

typedef struct weighted_axis {
    size_t input;
    double scale, support;
    size_t most; /* places of the input that one of the output may take */
} weighted_axis;

/* What one place takes. */
typedef struct place_weights {
    int64_t start, count;
    double centre, inverse, sum;
} place_weights;

KERNEL weighted_axis weighted(pixel_kernels_axis axis) {
    weighted_axis it = {.input = axis.input};
    it.scale = (double)(float)axis.input / (double)axis.output;
    it.support = it.scale > 1 ? it.scale : 1;
    size_t whole = (size_t)it.support;
    it.most = 2 * (whole + ((double)whole < it.support)) + 1;
    return it;
}

KERNEL double triangle_at(const place_weights *place, int64_t index) {
    double distance = __builtin_fabs(((double)(index + place->start) - place->centre + 0.5) * place->inverse);
    return distance < 1 ? 1 - distance : 0;
}

KERNEL int32_t weight_at(const place_weights *place, int64_t index) {
    double share = triangle_at(place, index);
    if (place->sum != 0) share /= place->sum;
    return (int32_t)(0.5 + share * (double)(1 << weight_bits));
}

KERNEL int weigh(const weighted_axis *axis, size_t index, place_weights *place, work_watch *watch) {
    double centre = ((double)index + 0.5) * axis->scale;
    int64_t start = (int64_t)(centre - axis->support + 0.5), end = (int64_t)(centre + axis->support + 0.5);
    place->start = start < 0 ? 0 : start;
    place->count = (end < (int64_t)axis->input ? end : (int64_t)axis->input) - place->start;
    place->centre = centre;
    place->inverse = 1 / axis->support;
    place->sum = 0;
    for (int64_t k = 0; k < place->count; k++) {
        if (!work_watch_goes_on(watch, 4)) return 0;
        place->sum += triangle_at(place, k);
    }
    return 1;
}

enum {
    most_columns = 1 << 14, /* of a stretch */
    most_weights = 1 << 16, /* that are kept */
    most_ring = 1 << 20     /* bytes of rows that are kept */
};

/* How much is made at a time, and what is kept for that. */
typedef struct resampling_layout {
    int is_across, is_down;
    int keeps_across; /* the weights of a stretch; otherwise it is one column */
    size_t stretch;   /* columns of the target */
    size_t ring;      /* rows; 0 for none */
    size_t bytes;
} resampling_layout;

KERNEL size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

KERNEL resampling_layout lay_out(pixel_kernels_axis across, pixel_kernels_axis down) {
    resampling_layout it = {.is_across = across.input != across.output, .is_down = down.input != down.output};
    size_t columns = weighted(across).most, rows = weighted(down).most;
    it.keeps_across = it.is_across && columns <= most_weights;
    it.stretch = smaller(across.output, most_columns);
    if (it.is_across) it.stretch = smaller(it.stretch, it.keeps_across ? most_weights / columns : 1);
    size_t padded = it.stretch * 3 + 32, weights = 0, sums = 0;
    /* The ring's slots follow one another, so that it has as many as a place may take. */
    if (it.is_down && rows * padded <= most_ring) {
        it.ring = rows;
        weights = rows;
    } else if (it.is_down) {
        sums = it.stretch * 3;
    }
    if (it.keeps_across) weights += it.stretch * columns;
    it.bytes = (it.keeps_across ? it.stretch * 16 : 0) + (weights + sums) * 4 + (it.ring > 0 ? it.ring : 1) * padded;
    return it;
}

/* All that a resampling holds. */
typedef struct resampling {
    pixel_kernels_picture picture;
    size_t left, top;
    resampling_layout layout;
    weighted_axis across, down;
    size_t first, width; /* the stretch of columns */
    size_t taken;        /* places of a row's input that it takes, counted as often as it takes them */
    int64_t *starts, *counts;
    int32_t *values, *down_values, *sums;
    uint8_t *rows;
    place_weights place; /* of a stretch of one column */
} resampling;

/* Of scratch. */
KERNEL void divide(resampling *it, uint8_t *scratch) {
    size_t columns = it->layout.keeps_across ? it->layout.stretch : 0;
    it->starts = (int64_t *)(void *)scratch;
    it->counts = it->starts + columns;
    it->values = (int32_t *)(void *)(it->counts + columns);
    it->down_values = it->values + columns * it->across.most;
    it->sums = it->down_values + it->layout.ring;
    size_t sums = it->layout.is_down && it->layout.ring == 0 ? it->layout.stretch * 3 : 0;
    it->rows = (uint8_t *)(it->sums + sums);
}

/* What the stretch's columns take. */
KERNEL int weigh_stretch(resampling *it, work_watch *watch) {
    it->taken = 0;
    if (!it->layout.is_across) return 1;
    if (!it->layout.keeps_across) return weigh(&it->across, it->first, &it->place, watch);
    for (size_t column = 0; column < it->width; column++) {
        place_weights place;
        if (!weigh(&it->across, it->first + column, &place, watch)) return 0;
        it->starts[column] = place.start;
        it->counts[column] = place.count;
        it->taken += (size_t)place.count;
        int32_t *values = it->values + column * it->across.most;
        for (int64_t k = 0; k < place.count; k++) values[k] = weight_at(&place, k);
    }
    return 1;
}
