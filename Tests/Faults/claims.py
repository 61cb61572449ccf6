"""What a fault run claims, with the evidence for each; the table is made of these."""


class Claims:
    def __init__(self):
        self.rows, self.notes, self.skips = [], [], []

    def claim(self, what, truth, evidence=""):
        self.rows.append({"claim": what, "held": bool(truth), "evidence": str(evidence)})
        print(f"{'ok  ' if truth else 'FAIL'} {what}{f': {evidence}' if evidence != '' else ''}", flush=True)
        return bool(truth)

    def note(self, what):
        """A fact that is neither good nor bad."""
        self.notes.append(what)
        print(f"     {what}", flush=True)

    def skip(self, what, why):
        self.skips.append(f"{what}: {why}")
        print(f"skip {what}: {why}", flush=True)

    def as_row(self, fault, injected, seconds):
        failed = [r for r in self.rows if not r["held"]]
        state = "failed" if failed or not (self.rows or self.skips) else "survived" if self.rows else "skipped"
        return {
            "fault": fault, "injected": injected, "result": state, "seconds": round(seconds), "claims": self.rows,
            "notes": self.notes, "skipped": self.skips}


def percentile(numbers, share):
    """The smallest of them that at least `share` of all do not exceed."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def megabytes(count):
    return f"{count / 2**20:.1f} MiB"


def table(rows):
    lines = ["| fault | injected | result | evidence |", "|---|---|---|---|"]
    for row in rows:
        failed = [f"**{r['claim']}** {r['evidence']}" for r in row["claims"] if not r["held"]]
        held = [r["claim"] + (f" ({r['evidence']})" if r["evidence"] else "") for r in row["claims"] if r["held"]]
        words = failed + held + row["notes"] + [f"skipped {s}" for s in row["skipped"]]
        lines.append(f"| {row['fault']} | {row['injected']} | {row['result']} | {'; '.join(words).replace('|', '/')} |")
    return "\n".join(lines) + "\n"
