#include "run_deflate.h"

#include <string.h>

#include "huffman.h"

enum {
    end_of_block = 256,
    literal_symbols = 286,
    /* Four literals of this length fit the bit buffer together with what it may hold before. */
    longest_literal = 13,
    shortest_run = 4,
    longest_run = 258,
    most_stored = 65535
};

typedef struct run {
    uint32_t start, length;
} run;

/* Runs are found by groups of eight equal bytes: one shorter than fifteen may be missed. */
enum { most_runs = run_deflate_block / 8 };

typedef struct plan {
    run runs[most_runs];
    size_t run_count;
    uint32_t frequencies[literal_symbols];
    huffman_code literals;
} plan;

static uint64_t load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* RFC 1951 §3.2.5: the symbol of a match length, and the bits that follow it. */
static int length_symbol(uint32_t length, uint32_t *extra, int *extra_bits) {
    static const uint16_t bases[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                       31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    int index = 28;
    while (bases[index] > length) index--;
    *extra = length - bases[index];
    *extra_bits = bits[index];
    return 257 + index;
}

/* The length of the next match in a run. It never leaves less than a match needs. */
static uint32_t next_match(uint32_t left) {
    if (left <= longest_run) return left;
    return left < longest_run + shortest_run ? left - shortest_run : longest_run;
}

/* Adds up the whole block. Eight tables, because increments of one place wait for one another, and in filtered rows
   neighbours are often equal. */
static void count_literals(plan *it, const uint8_t *bytes, size_t count) {
    uint32_t tables[8][256];
    memset(tables, 0, sizeof tables);
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word = load(bytes + i);
        for (int k = 0; k < 8; k++) tables[k][word >> (8 * k) & 0xFF]++;
    }
    for (; i < count; i++) tables[0][bytes[i]]++;
    for (int symbol = 0; symbol < 256; symbol++)
        for (int k = 0; k < 8; k++) it->frequencies[symbol] += tables[k][symbol];
}

static void count_run(plan *it, uint32_t left) {
    while (left > 0) {
        uint32_t length = next_match(left), extra;
        int extra_bits;
        it->frequencies[length_symbol(length, &extra, &extra_bits)]++;
        left -= length;
    }
}

/* A run's first byte stays a literal: the match copies it from one byte before. */
static void find_runs(plan *it, const uint8_t *bytes, size_t count) {
    size_t i = 0, done = 0;
    it->run_count = 0;
    while (i + 8 <= count) {
        if (load(bytes + i) != bytes[i] * 0x0101010101010101u) {
            i += 8;
            continue;
        }
        size_t start = i, end = i + 8;
        while (start > done && bytes[start - 1] == bytes[i]) start--;
        while (end + 8 <= count && load(bytes + end) == load(bytes + i)) end += 8;
        while (end < count && bytes[end] == bytes[i]) end++;
        it->runs[it->run_count++] = (run){(uint32_t)start + 1, (uint32_t)(end - start - 1)};
        done = i = end;
    }
}

static void make_plan(plan *it, const uint8_t *bytes, size_t count) {
    memset(it->frequencies, 0, sizeof it->frequencies);
    find_runs(it, bytes, count);
    /* Many literals between few runs are counted at once, and the bytes of the runs are subtracted. */
    count_literals(it, bytes, count);
    for (size_t r = 0; r < it->run_count; r++) {
        it->frequencies[bytes[it->runs[r].start]] -= it->runs[r].length;
        count_run(it, it->runs[r].length);
    }
    it->frequencies[end_of_block] = 1;
    huffman_build(&it->literals, it->frequencies, literal_symbols, longest_literal);
}

static inline void put(run_deflate *state, uint32_t bits, int count) {
    state->bits |= (uint64_t)bits << state->bit_count;
    state->bit_count += count;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "deflate fills bytes from their lowest bit");

/* Needs eight bytes of space and holds at most 63 bits. Leaves fewer than eight. */
static inline void flush(run_deflate *state) {
    memcpy(state->out, &state->bits, 8);
    int whole = state->bit_count >> 3;
    state->out += whole;
    state->bits >>= whole * 8;
    state->bit_count &= 7;
}

static void align(run_deflate *state) {
    state->bit_count = (state->bit_count + 7) & ~7;
    flush(state);
}

static void put_stored(run_deflate *state, const uint8_t *bytes, size_t count, int is_last) {
    do {
        size_t part = count < most_stored ? count : most_stored;
        put(state, is_last && part == count, 3);
        align(state);
        put(state, (uint32_t)part, 16);
        put(state, (uint32_t)(part ^ 0xFFFF), 16);
        flush(state);
        memcpy(state->out, bytes, part);
        state->out += part;
        bytes += part;
        count -= part;
    } while (count > 0);
}

/* RFC 1951 §3.2.7. One distance code, for distance 1. Lengths are written one by one but for runs of zeros. */
static void put_header(run_deflate *state, const huffman_code *literals, int is_last) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t symbols[literal_symbols + 1], repeats[literal_symbols + 1];
    uint32_t frequencies[19] = {0};
    int count = literal_symbols, written = 0;
    while (count > 257 && literals->lengths[count - 1] == 0) count--;
    for (int i = 0; i <= count;) {
        int length = i < count ? literals->lengths[i] : 1, zeros = 0;
        while (i + zeros < count && literals->lengths[i + zeros] == 0 && zeros < 138) zeros++;
        int is_run = zeros >= 3;
        symbols[written] = (uint8_t)(!is_run ? length : zeros > 10 ? 18 : 17);
        repeats[written] = (uint8_t)(!is_run ? 0 : zeros > 10 ? zeros - 11 : zeros - 3);
        frequencies[symbols[written++]]++;
        i += is_run ? zeros : 1;
    }
    huffman_code code;
    huffman_build(&code, frequencies, 19, 7);
    int listed = 19;
    while (listed > 4 && code.lengths[order[listed - 1]] == 0) listed--;
    put(state, 4 + (is_last ? 1 : 0), 3);
    put(state, (uint32_t)(count - 257), 5);
    put(state, 0, 5);
    put(state, (uint32_t)(listed - 4), 4);
    flush(state);
    for (int i = 0; i < listed; i++) {
        put(state, code.lengths[order[i]], 3);
        flush(state);
    }
    for (int i = 0; i < written; i++) {
        put(state, code.codes[symbols[i]], code.lengths[symbols[i]]);
        if (symbols[i] >= 17) put(state, repeats[i], symbols[i] == 17 ? 3 : 7);
        flush(state);
    }
}

static void put_literals(run_deflate *state, const huffman_code *code, const uint8_t *bytes, size_t count) {
    run_deflate local = *state;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (int k = 0; k < 4; k++) put(&local, code->codes[bytes[i + k]], code->lengths[bytes[i + k]]);
        flush(&local);
    }
    for (; i < count; i++) {
        put(&local, code->codes[bytes[i]], code->lengths[bytes[i]]);
        flush(&local);
    }
    *state = local;
}

static void put_run(run_deflate *state, const huffman_code *code, uint32_t left) {
    while (left > 0) {
        uint32_t length = next_match(left), extra;
        int extra_bits, symbol = length_symbol(length, &extra, &extra_bits);
        put(state, code->codes[symbol], code->lengths[symbol]);
        /* The distance's one code is the bit 0. */
        put(state, extra, extra_bits + 1);
        flush(state);
        left -= length;
    }
}

static size_t coded_bytes(const plan *it) {
    size_t bits = 0;
    for (int symbol = 0; symbol < literal_symbols; symbol++)
        bits += (size_t)it->frequencies[symbol] * (it->literals.lengths[symbol] + (symbol > end_of_block ? 6 : 0));
    return bits / 8;
}

size_t run_deflate_bound(size_t count) { return count + (count / most_stored + 1) * 5 + 1024; }

void run_deflate_write(run_deflate *state, const uint8_t *bytes, size_t count, int is_last) {
    plan it;
    make_plan(&it, bytes, count);
    if (coded_bytes(&it) + 64 >= count) {
        put_stored(state, bytes, count, is_last);
    } else {
        put_header(state, &it.literals, is_last);
        size_t done = 0;
        for (size_t r = 0; r < it.run_count; r++) {
            put_literals(state, &it.literals, bytes + done, it.runs[r].start - done);
            put_run(state, &it.literals, it.runs[r].length);
            done = it.runs[r].start + it.runs[r].length;
        }
        put_literals(state, &it.literals, bytes + done, count - done);
        put(state, it.literals.codes[end_of_block], it.literals.lengths[end_of_block]);
        flush(state);
    }
    if (is_last) align(state);
}
