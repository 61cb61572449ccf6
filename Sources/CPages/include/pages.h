#ifndef PERCEPTION_PAGES_H
#define PERCEPTION_PAGES_H

#include <stddef.h>

/* A file of the browser pages, compiled in so that the binary needs no files beside it. Nothing here is ever freed. */
typedef struct perception_asset {
    /* Such as assets/style/base.css. */
    const char *path;
    const unsigned char *bytes;
    size_t count;
} perception_asset;

typedef struct perception_assets {
    const perception_asset *files;
    size_t count;
} perception_assets;

perception_assets perception_page_assets(void);

#endif
