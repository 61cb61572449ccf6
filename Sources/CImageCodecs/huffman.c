#include "huffman.h"

#include <stdlib.h>
#include <string.h>

typedef struct leaf {
    uint32_t weight;
    uint16_t symbol;
} leaf;

static int by_weight(const void *left, const void *right) {
    const leaf *a = left, *b = right;
    if (a->weight != b->weight) return a->weight < b->weight ? -1 : 1;
    return (int)a->symbol - (int)b->symbol;
}

/* Huffman's tree by two queues over leaves in ascending order; how many leaves lie at each depth. */
static void count_depths(const leaf *leaves, int count, int depths[huffman_most_symbols]) {
    uint32_t weights[huffman_most_symbols];
    int parents[2 * huffman_most_symbols], next_leaf = 0, next_node = 0;
    for (int made = 0; made < count - 1; made++) {
        uint32_t sum = 0;
        for (int child = 0; child < 2; child++) {
            int takes_leaf = next_leaf < count
                && (next_node >= made || leaves[next_leaf].weight <= weights[next_node]);
            sum += takes_leaf ? leaves[next_leaf].weight : weights[next_node];
            parents[takes_leaf ? next_leaf++ : count + next_node++] = made;
        }
        weights[made] = sum;
    }
    int depth_of[huffman_most_symbols];
    depth_of[count - 2] = 0;
    for (int node = count - 3; node >= 0; node--) depth_of[node] = depth_of[parents[count + node]] + 1;
    for (int i = 0; i < count; i++) depths[depth_of[parents[i]] + 1]++;
}

/* Leaves that are too deep move up to `longest`. The code space for that comes from leaves above, each made a bit longer. */
static void enforce_longest(int depths[huffman_most_symbols], int longest) {
    uint32_t room = 0;
    for (int depth = longest + 1; depth < huffman_most_symbols; depth++) {
        depths[longest] += depths[depth];
        depths[depth] = 0;
    }
    for (int depth = 1; depth <= longest; depth++) room += (uint32_t)depths[depth] << (longest - depth);
    for (; room > 1u << longest; room--) {
        depths[longest]--;
        int depth = longest - 1;
        while (depths[depth] == 0) depth--;
        depths[depth]--;
        depths[depth + 1] += 2;
    }
}

static uint16_t reversed(uint32_t code, int length) {
    uint32_t result = 0;
    for (int bit = 0; bit < length; bit++) result |= (code >> bit & 1) << (length - 1 - bit);
    return (uint16_t)result;
}

void huffman_build(huffman_code *code, const uint32_t *frequencies, int count, int longest) {
    leaf leaves[huffman_most_symbols];
    int depths[huffman_most_symbols] = {0}, used = 0;
    memset(code, 0, sizeof *code);
    for (int symbol = 0; symbol < count; symbol++)
        if (frequencies[symbol]) leaves[used++] = (leaf){frequencies[symbol], (uint16_t)symbol};
    if (used == 0) return;
    if (used == 1) {
        code->lengths[leaves[0].symbol] = 1;
        return;
    }
    qsort(leaves, (size_t)used, sizeof leaves[0], by_weight);
    count_depths(leaves, used, depths);
    enforce_longest(depths, longest);
    /* The heaviest leaves get the shortest codes. */
    int at = used;
    for (int depth = 1; depth <= longest; depth++)
        for (int i = 0; i < depths[depth]; i++) code->lengths[leaves[--at].symbol] = (uint8_t)depth;
    uint32_t next = 0;
    for (int length = 1; length <= longest; length++, next <<= 1)
        for (int symbol = 0; symbol < count; symbol++)
            if (code->lengths[symbol] == length) code->codes[symbol] = reversed(next++, length);
}
