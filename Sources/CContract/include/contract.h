#ifndef PERCEPTION_CONTRACT_H
#define PERCEPTION_CONTRACT_H

#include <stddef.h>

/* The contract, compiled in so that the binary needs no files beside it. */
typedef struct contract_document {
    const unsigned char *bytes;
    size_t count;
} contract_document;

contract_document contract_openapi_yaml(void);

#endif
