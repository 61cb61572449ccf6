"""What the policy says of each token under each view, with the graph that leads back to what the client sent."""

from batch import log_softmax
from divergence import divergence, sampled_divergence


class Policy:
    """Leaves are the tensors of the request; `known` names the views whose realised log-probability was asked for."""

    def __init__(self, batch, o):
        self.batch, self.o = batch, o
        self.logits = {v: t.clone().requires_grad_() for v, t in batch.logits.items()}
        self.given = {v: t.clone().requires_grad_() for v, t in batch.log_probs.items()}
        self.known, self.realised_tensors = set(), {}
        self.clamped_distances = []

    def realised(self, view):
        """Log-probability of the realised token: as given, or from the view's logits."""
        if view not in self.realised_tensors:
            if view in self.given:
                self.realised_tensors[view] = self.given[view]
            else:
                rows = log_softmax(self.logits[view] / self.o["temperature"])
                self.realised_tensors[view] = rows.gather(-1, self.batch.ids.unsqueeze(-1)).squeeze(-1)
        self.known.add(view)
        return self.realised_tensors[view]

    def vocabulary(self, view):
        return log_softmax(self.logits[view] / self.o["temperature"])

    def distance(self, anchor, reference):
        """D(anchor ‖ reference) with the request's estimator, and where a clamp acts. Stopped views are constants."""
        read = self.vocabulary if self.o["full"] else self.realised
        sides = [read(v).detach() if v in self.o["stop_gradient"] else read(v) for v in (anchor, reference)]
        if self.o["full"]:
            value = divergence(*sides, self.o | {"clamp_result": None})[0]
        else:
            value = sampled_divergence(*sides, self.o | {"clamp_result": None})[0]
            self.remember((sides[0] - sides[1]).detach(), self.o["clamp_input"])
        self.remember(value.detach(), self.o["clamp_result"])
        return (divergence if self.o["full"] else sampled_divergence)(*sides, self.o)

    def remember(self, values, limit):
        """How near to its limit each token came, for those who ask whether a clamp acts by rounding alone."""
        if limit is not None:
            self.clamped_distances += [(abs(float(v)), limit) for v in values[self.batch.viewed]]

    def dependency(self):
        """D(old or original ‖ removing), detached."""
        anchor = "old" if "old" in self.given else "original"
        return self.distance(anchor, "removing")[0].detach()
