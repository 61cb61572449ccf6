"""The heat map: self-contained, harmless, and telling the truth about numbers."""

import html.parser
import re

import numpy as np
import pytest

from perception_client import Score
from perception_client.heatmap import MOST_TOKENS, fragment, page


def scored(**arrays):
    return Score(arrays={k: np.atleast_2d(v) for k, v in arrays.items()}, scalars={"loss": 0.5, "diagnostics": {"tokens": 4}})


@pytest.fixture
def score():
    return scored(
        delta_entropy=np.array([2.0, -1.0, 0.0, 0.5], "f4"), perception_score=np.array([0.9, 0, 0, 0.1], "f4"),
        mask=np.array([1, 0, 0, 0], "u1"), token_loss=np.array([0.7, 0.1, 0, 0.2], "f4"),
    )  # fmt: skip


class Reader(html.parser.HTMLParser):
    """Every tag with its attributes, and the text in spans."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.spans, self.inside = [], [], 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "span":
            self.spans.append("")
            self.inside += 1

    def handle_endtag(self, tag):
        self.inside -= tag == "span"

    def handle_data(self, data):
        if self.inside:
            self.spans[-1] += data


def test_tokens_have_their_numbers_and_colours(score):
    read = Reader(fragment(score, ["The", " cat", " ", "\n"]))
    assert read.spans == ["The", " cat", "␣", "⏎\n"]
    spans = [a for t, a in read.tags if t == "span"]
    assert spans[0]["title"] == "0: ΔH 2, score 0.9, mask 1, loss 0.7"
    assert "--delta_entropy:rgba(225,70,40,0.75)" in spans[0]["style"]
    assert "--delta_entropy:rgba(40,110,225,0.38)" in spans[1]["style"], "what falls is blue"
    assert spans[2]["style"] == ""


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(score):
    text = page(score, ["a", "b", "c", "d"])
    assert text.startswith("<!doctype html>") and "charset" in text
    assert not re.search(r"<(script|link|img|iframe|object|embed)|https?:|url\(|@import|\son\w+=", text)


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "</span></div><h1>",
    "&lt;b&gt;", "</style><script>", "\x00\x1b[31m", "\u202egnp", "--c:url(javascript:x)", "<!--", "]]>",
]  # fmt: skip


@pytest.mark.parametrize("token", HOSTILE)
def test_markup_in_tokens_is_shown_and_not_obeyed(score, token):
    plain, hostile = Reader(page(score, ["a", "b", "c", "d"])), Reader(page(score, [token, "b", "c", "d"]))
    assert [t for t, _ in hostile.tags] == [t for t, _ in plain.tags]
    assert [a.keys() for _, a in hostile.tags] == [a.keys() for _, a in plain.tags]
    if token.isprintable():
        assert hostile.spans[0] == token


def test_two_maps_on_one_page_do_not_share_their_buttons(score):
    ids = [a["id"] for t, a in Reader(fragment(score) + fragment(score)).tags if t == "input"]
    assert len(ids) == len(set(ids)) == 8


def test_the_first_colouring_can_be_chosen(score):
    checked = [a["id"] for t, a in Reader(fragment(score, color="token_loss")).tags if "checked" in a]
    assert len(checked) == 1 and checked[0].endswith("token_loss")
    with pytest.raises(ValueError, match="expected one of delta_entropy"):
        fragment(score, color="red")


def test_without_texts_positions_are_shown_and_padding_is_not():
    read = Reader(fragment(scored(mask=np.array([[1, 0, 1, 0, 0, 0]], "u1"))))
    assert read.spans == ["0", "1", "2"]


def test_several_sequences_need_as_many_lists():
    two = scored(mask=np.ones((2, 3), "u1"))
    assert Reader(fragment(two, [["a", "b", "c"], ["d"]])).spans == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="expected 2 lists, found 3"):
        fragment(two, ["a", "b", "c"])
    with pytest.raises(ValueError, match="at most 3 in a sequence, found 4"):
        fragment(two, [["a"] * 4, []])


def test_a_long_batch_says_that_it_is_cut():
    text = fragment(scored(mask=np.ones((3, MOST_TOKENS // 2), "u1")))
    assert len(Reader(text).spans) == MOST_TOKENS and "the rest is left out" in text


def test_nothing_to_show_says_so():
    assert "no tokens" in fragment(Score())
    assert "no tokens" in fragment(scored(mask=np.zeros((0, 4), "u1")))
    skipped = Score(skipped=True, error=ValueError("<b>away</b>"))
    assert "&lt;b&gt;away" in fragment(skipped)


def test_notebooks_show_a_result(client, batch):
    score = client.score(**batch)
    assert "ΔH" in score._repr_html_() and "cppo-verl" in score._repr_html_()
    assert score.show(tokens=[["t"] * 48] * 4)._repr_html_().count("<span") == 4 * 48
    assert score.to_html().startswith("<!doctype html>")
