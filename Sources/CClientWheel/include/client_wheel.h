#ifndef PERCEPTION_CLIENT_WHEEL_H
#define PERCEPTION_CLIENT_WHEEL_H

#include <stddef.h>
#include <stdint.h>

/* What the Python client's wheel is made of, compiled in so that the binary needs no files beside it. Nothing here is ever
   freed. */
typedef struct client_wheel_file {
    /* Within the wheel, such as perception_client/__init__.py. */
    const char *path;
    const unsigned char *bytes;
    size_t count;
} client_wheel_file;

typedef struct client_wheel_text {
    const char *bytes;
    size_t count;
} client_wheel_text;

typedef struct client_wheel_contents {
    const char *version;
    /* Of the package, sorted by path as bytes. */
    const client_wheel_file *files;
    size_t count;
    /* METADATA up to its blank line, with it; the README follows as the description. */
    client_wheel_text metadata_fields;
    client_wheel_text readme;
    client_wheel_text entry_points;
} client_wheel_contents;

extern const client_wheel_contents client_wheel_sources;

/* CRC-32 of a ZIP member (APPNOTE 4.4.7), by zlib. */
uint32_t client_wheel_crc32(const uint8_t *bytes, size_t count);

/* SHA-256 by GnuTLS, which libmicrohttpd brings with it. 0, or GnuTLS's error. */
int client_wheel_sha256(const uint8_t *bytes, size_t count, uint8_t digest[32]);

#endif
