#ifndef PERCEPTION_CONTRACT_H
#define PERCEPTION_CONTRACT_H

#include <stddef.h>

// The repository's own files that the server serves, compiled in so that the binary needs no files beside it.
extern const unsigned char perception_openapi_yaml[];
extern const size_t perception_openapi_yaml_count;
extern const unsigned char perception_docs_html[];
extern const size_t perception_docs_html_count;

#endif
