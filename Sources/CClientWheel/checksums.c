#include "client_wheel.h"

#include <gnutls/crypto.h>
#include <zlib.h>

uint32_t client_wheel_crc32(const uint8_t *bytes, size_t count) {
    return (uint32_t)crc32_z(crc32_z(0, Z_NULL, 0), bytes, count);
}

int client_wheel_sha256(const uint8_t *bytes, size_t count, uint8_t digest[32]) {
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, count, digest);
}
