"""The service's numbers in NumPy float64 with gradients in closed form: what a reply is compared with.

Inputs are dictionaries of arrays by wire name. It is checked against the golden files, which come from autograd.
"""

from .advantages import advantages, groups_without_spread
from .options import FULL_VOCABULARY, PRESETS, VIEWS, resolve
from .scoring import produced, score
from .selection import select
from .statistics import statistics
