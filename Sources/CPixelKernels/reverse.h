/* Included by each table of kernels. */

/* `count` pixels, the last first. Five at a time: sixteen bytes of which fifteen are theirs, as long as another pixel
   lies beside them on either side. */
static void reverse(const uint8_t *pixels, size_t count, uint8_t *out) {
    const uint8_t *behind = pixels + count * 3;
    for (; count > 5; count -= 5, behind -= 15, out += 15) {
        u8x16 bytes;
        memcpy(&bytes, behind - 16, sizeof bytes);
        bytes = __builtin_shufflevector(bytes, bytes, 13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0);
        memcpy(out, &bytes, sizeof bytes);
    }
    for (; count > 0; count--, behind -= 3, out += 3) memcpy(out, behind - 3, 3);
}
