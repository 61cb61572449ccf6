/* All inner loops, for the instruction set that the including file describes. The order matters: each builds on those
   above it. */
#include "lanes.h"
#include "exponential.h"
#include "terms.h"
#include "extent.h"
#include "statistics.h"
#include "maximum.h"
#include "statistics_table.h"
#include "wide.h"
#include "bfloat16.h"
#include "contrast.h"
#include "contrast_gradients.h"
#include "contrast_table.h"
