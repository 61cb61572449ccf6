#ifndef PERCEPTION_PAGES_H
#define PERCEPTION_PAGES_H

#include <stddef.h>

/* A file of the browser pages, compiled in so that the binary needs no files beside it. Nothing here is ever freed. */
typedef struct pages_asset {
    /* Such as assets/style/base.css. */
    const char *path;
    const unsigned char *bytes;
    size_t count;
} pages_asset;

typedef struct pages_assets {
    const pages_asset *files;
    size_t count;
} pages_assets;

pages_assets pages_all(void);

#endif
