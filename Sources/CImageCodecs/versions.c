#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "image_codecs.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *image_codecs_png_version(void) { return png_get_libpng_ver(NULL); }

/* libjpeg has no function for its version; this is the one it was built with. */
#ifdef LIBJPEG_TURBO_VERSION
const char *image_codecs_jpeg_version(void) { return TEXT(LIBJPEG_TURBO_VERSION); }
#else
const char *image_codecs_jpeg_version(void) { return TEXT(JPEG_LIB_VERSION); }
#endif
