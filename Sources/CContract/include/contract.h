#ifndef PERCEPTION_CONTRACT_H
#define PERCEPTION_CONTRACT_H

#include <stddef.h>

/* The contract, compiled in so that the binary needs no files beside it. */
typedef struct perception_document {
    const unsigned char *bytes;
    size_t count;
} perception_document;

perception_document perception_openapi_yaml(void);

#endif
