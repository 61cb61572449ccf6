#include "contract.h"

/* #embed (C23) reads the one openapi.yaml at the top of the repository: there is no second copy to fall behind. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi_yaml[] = {
#embed "../../openapi.yaml"
};

perception_document perception_openapi_yaml(void) {
    return (perception_document){openapi_yaml, sizeof openapi_yaml};
}
