#include "contract.h"

// #embed (C23) reads the one openapi.yaml at the top of the repository: there is no second copy to fall behind.
#pragma clang diagnostic ignored "-Wc23-extensions"

const unsigned char perception_openapi_yaml[] = {
#embed "../../openapi.yaml"
};
const size_t perception_openapi_yaml_count = sizeof perception_openapi_yaml;

const unsigned char perception_docs_html[] = {
#embed "docs.html"
};
const size_t perception_docs_html_count = sizeof perception_docs_html;
