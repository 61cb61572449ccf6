#ifndef PERCEPTION_MICROHTTPD_SHIM_H
#define PERCEPTION_MICROHTTPD_SHIM_H

#include <microhttpd.h>

#endif
