"""The requests of the golden files: {name: (tensors, options)}. A name is what the case is about."""

CASES = {}


def case(name, tensors, **options):
    assert name not in CASES, name
    CASES[name] = (tensors, options)
