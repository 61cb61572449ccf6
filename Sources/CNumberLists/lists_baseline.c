#define LANES 8
#include "lists.h"

const struct number_kernels number_kernels_baseline = NUMBER_KERNELS;
