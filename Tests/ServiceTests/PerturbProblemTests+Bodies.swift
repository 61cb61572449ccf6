import Service

/// JSON bodies that are wrong, and what is said of each.
extension PerturbProblemTests {
    static let wrongBodies: [(Problem.Kind, String?, String)] = [
        (.missingField, "views", #"{"images":[]}"#),
        (.missingField, "images", #"{"views":[{"name":"v","steps":[]}]}"#),
        (.invalidValue, "views", #"{"images":[],"views":[]}"#),
        (.invalidType, "views", #"{"images":[],"views":{}}"#),
        (.invalidType, "views[0]", #"{"images":[],"views":[1]}"#),
        (.invalidType, nil, #"{"images":{},"views":[]}"#),
        (.missingField, "views[0].name", #"{"images":[],"views":[{"steps":[]}]}"#),
        (.invalidType, "views[0].name", #"{"images":[],"views":[{"name":1,"steps":[]}]}"#),
        (.invalidValue, "views[0].name", #"{"images":[],"views":[{"name":"","steps":[]}]}"#),
        (.invalidValue, "views[0].name", #"{"images":[],"views":[{"name":"a.b","steps":[]}]}"#),
        (
            .duplicateID, "views[1].name",
            #"{"images":[],"views":[{"name":"v","steps":[]},{"name":"v","steps":[]}]}"#
        ),
        (.missingField, "views[0].recipe", #"{"images":[],"views":[{"name":"v"}]}"#),
        (
            .conflictingFields, "views[0].recipe",
            #"{"images":[],"views":[{"name":"v","steps":[],"recipe":"cppo-removing"}]}"#
        ),
        (
            .conflictingFields, "views[0].seed",
            #"{"images":[],"views":[{"name":"v","steps":[],"seed":0}]}"#
        ),
        (
            .conflictingFields, "views[0].always",
            #"{"images":[],"views":[{"name":"v","steps":[],"always":true}]}"#
        ),
        (.unknownRecipe, "views[0].recipe", #"{"images":[],"views":[{"name":"v","recipe":"cppo-remove"}]}"#),
        (.invalidType, "views[0].recipe", #"{"images":[],"views":[{"name":"v","recipe":1}]}"#),
        (
            .invalidOption, "views[0].seed",
            #"{"images":[],"views":[{"name":"v","recipe":"cppo-removing","seed":-1}]}"#
        ),
        (
            .invalidType, "views[0].seed",
            #"{"images":[],"views":[{"name":"v","recipe":"cppo-removing","seed":"1"}]}"#
        ),
        (
            .invalidType, "views[0].always",
            #"{"images":[],"views":[{"name":"v","recipe":"cppo-removing","always":1}]}"#
        ),
        (
            .unknownField, "views[0].sede",
            #"{"images":[],"views":[{"name":"v","recipe":"cppo-removing","sede":1}]}"#
        ),
        (.unknownField, "formt", #"{"images":[],"views":[{"name":"v","steps":[]}],"formt":"png"}"#),
        (.invalidOption, "format", #"{"images":[],"views":[{"name":"v","steps":[]}],"format":"gif"}"#),
        (.invalidOption, "variants", #"{"images":[],"views":[{"name":"v","steps":[]}],"variants":257}"#),
        (.invalidOption, "quality", #"{"images":[],"views":[{"name":"v","steps":[]}],"quality":0}"#),
        (
            .invalidType, "allow_truncated",
            #"{"images":[],"views":[{"name":"v","steps":[]}],"allow_truncated":"yes"}"#
        ),
        (.invalidStep, "views[0].steps", #"{"images":[],"views":[{"name":"v","steps":{}}]}"#),
        (.invalidStep, "views[0].steps[0]", #"{"images":[],"views":[{"name":"v","steps":[1]}]}"#),
        (.invalidStep, nil, #"{"images":[],"views":[{"name":"v","steps":[{"step":"rotate","degrees":1}]}]}"#),
        (.invalidStep, nil, #"{"images":[],"views":[{"name":"v","steps":[{"step":"rotation"}]}]}"#),
        (
            .invalidStep, nil,
            #"{"images":[],"views":[{"name":"v","steps":[{"step":"rotation","degrees":361}]}]}"#
        ),
        (.missingField, "images[0].data", #"{"images":[{}],"views":[{"name":"v","steps":[]}]}"#),
        (
            .unknownField, "images[0].dat",
            #"{"images":[{"data":"","dat":""}],"views":[{"name":"v","steps":[]}]}"#
        ),
        (
            .invalidValue, "images[0].id",
            #"{"images":[{"id":"","data":""}],"views":[{"name":"v","steps":[]}]}"#
        ),
        (
            .invalidValue, "images[0].id",
            #"{"images":[{"id":"a\r\nb","data":""}],"views":[{"name":"v","steps":[]}]}"#
        ),
        (
            .duplicateID, "images[1].id",
            #"{"images":[{"id":"1","data":""},{"data":""}],"views":[{"name":"v","steps":[]}]}"#
        ),
        (.malformedImage, "images[0]", #"{"images":[{"data":""}],"views":[{"name":"v","steps":[]}]}"#),
        (
            .unsupportedImage, "images[0]",
            #"{"images":[{"data":"R0lGODlhAQABAAAAACw="}],"views":[{"name":"v","steps":[]}]}"#
        ),
    ]
}
