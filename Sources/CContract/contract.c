#include "contract.h"

/* #embed (C23) reads the one openapi.yaml at the top of the repository: there is no second copy to fall behind. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi_yaml[] = {
#embed "../../openapi.yaml"
};

contract_document contract_openapi_yaml(void) {
    return (contract_document){openapi_yaml, sizeof openapi_yaml};
}
