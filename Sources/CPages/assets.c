#include "pages.h"

/* #embed (C23) reads the files under assets/. A new file needs two lines here, in the order of the paths; a test compares
   this list with the folder. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const perception_asset files[] = {
#define ASSET "assets/docs.html"
#include "asset.inc"
#define ASSET "assets/index.html"
#include "asset.inc"
#define ASSET "assets/live.html"
#include "asset.inc"
};

perception_assets perception_page_assets(void) {
    return (perception_assets){files, sizeof files / sizeof files[0]};
}
