#include "contract.h"

/* #embed (C23) reads the one openapi.yaml at the top of the repository: there is no second copy to fall behind. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi_yaml[] = {
#embed "../../openapi.yaml"
};

static const unsigned char docs_html[] = {
#embed "docs.html"
};

perception_document perception_openapi_yaml(void) {
    return (perception_document){openapi_yaml, sizeof openapi_yaml};
}

perception_document perception_docs_html(void) { return (perception_document){docs_html, sizeof docs_html}; }
