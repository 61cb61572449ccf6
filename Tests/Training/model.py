"""A vision–language model of 0.3 million parameters: an encoder of patches, and a causal decoder that looks at them.

P pictures, G answers for each picture, T words, M patches, D width, V words of the vocabulary. Answers to one picture share
its encoding: it costs once what a batch of answers would cost G times.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import language
from pictures import SIDE

PATCH = 14  # pixels
WIDTH, HEADS = 80, 4
ENCODER_LAYERS, DECODER_LAYERS = 2, 2


class Attention(nn.Module):
    """Multi-head attention; `source` is what keys and values are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.source = nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values [B,HEADS,S,D/HEADS] of [B,S,D]."""
        keys, values = self.source(source).chunk(2, -1)
        return _heads(keys), _heads(values)

    def forward(self, x: Tensor, known: tuple[Tensor, Tensor], causal: bool = False) -> Tensor:
        """Return [B,T,D]."""
        seen = F.scaled_dot_product_attention(_heads(self.query(x)), *known, is_causal=causal)
        return self.out(seen.transpose(1, 2).flatten(2))


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)


def _perceptron() -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))


class EncoderLayer(nn.Module):
    """Attention among patches."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.perceptron = _perceptron()

    def forward(self, x: Tensor) -> Tensor:
        """Return [P,M,D]."""
        normed = self.norm(x)
        x = x + self.attention(normed, self.attention.keys_values(normed))
        return x + self.perceptron(x)


class DecoderLayer(nn.Module):
    """Attention to earlier words, then to the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.norm_before_picture = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.words, self.picture = Attention(), Attention()
        self.perceptron = _perceptron()

    def forward(self, x: Tensor, seen: tuple[Tensor, Tensor], past: list[Tensor] | None = None) -> Tensor:
        """Return [P,G,T,D]. `past` holds the keys and values of earlier words, and takes those of these."""
        pictures, group, length, _ = x.shape
        normed = self.norm(x).flatten(0, 1)
        known = self.words.keys_values(normed)
        if past is not None:
            if past:
                known = tuple(torch.cat([old, new], 2) for old, new in zip(past, known, strict=True))
            past[:] = known
        x = x + self.words(normed, known, causal=length > 1).view_as(x)
        queries = self.norm_before_picture(x).reshape(pictures, group * length, WIDTH)
        x = x + self.picture(queries, seen).view_as(x)
        return x + self.perceptron(x)


class Model(nn.Module):
    """Says what word comes next, of a picture, a question and the answer so far."""

    def __init__(self) -> None:
        super().__init__()
        patches = (SIDE // PATCH) ** 2
        self.patch = nn.Linear(PATCH * PATCH * 3, WIDTH)
        self.place = nn.Parameter(torch.randn(patches, WIDTH) * 0.1)
        self.encoder = nn.Sequential(*(EncoderLayer() for _ in range(ENCODER_LAYERS)), nn.LayerNorm(WIDTH))
        self.word = nn.Embedding(len(language.WORDS), WIDTH)
        self.position = nn.Parameter(torch.randn(language.QUESTION + language.LONGEST, WIDTH) * 0.1)
        self.decoder = nn.ModuleList(DecoderLayer() for _ in range(DECODER_LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.out = nn.Linear(WIDTH, len(language.WORDS))

    def look(self, pictures: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Encode pictures [P,SIDE,SIDE,3] U8: keys and values of the patches for each layer of the decoder."""
        cells = SIDE // PATCH
        pixels = pictures.to(self.place.dtype) / 127.5 - 1
        patches = pixels.view(-1, cells, PATCH, cells, PATCH, 3).transpose(2, 3).flatten(1, 2).flatten(2)
        encoded = self.encoder(self.patch(patches) + self.place)
        return [layer.picture.keys_values(encoded) for layer in self.decoder]

    def logits(self, seen: list[tuple[Tensor, Tensor]], questions: Tensor, words: Tensor) -> Tensor:
        """Return the logits [P,G,T,V] of each word of answers [P,G,T] to questions [P,QUESTION]."""
        before = questions[:, None].expand(-1, words.shape[1], -1)
        whole = torch.cat([before, words[..., :-1]], -1)
        x = self.word(whole) + self.position[: whole.shape[-1]]
        for layer, known in zip(self.decoder, seen, strict=True):
            x = layer(x, known)
        return self.out(self.norm(x[:, :, language.QUESTION - 1 :]))

    @torch.no_grad()
    def answers(self, pictures: Tensor, questions: Tensor, group: int = 1, draw: torch.Generator | None = None) -> Tensor:
        """Write `group` answers [P,G,T] to each question: the likeliest words, or with `draw` sampled ones."""
        seen = self.look(pictures)
        past: list[list[Tensor]] = [[] for _ in self.decoder]
        following = questions[:, None].expand(-1, group, -1)
        ended = torch.zeros(following.shape[:2], dtype=torch.bool)
        written = []
        start = 0
        for _ in range(language.LONGEST):
            x = self.word(following) + self.position[start : start + following.shape[-1]]
            start += following.shape[-1]
            for layer, known, before in zip(self.decoder, seen, past, strict=True):
                x = layer(x, known, before)
            logits = self.out(self.norm(x[:, :, -1]))
            if draw is None:
                word = logits.argmax(-1)
            else:
                odds = logits.softmax(-1).flatten(0, 1)
                word = torch.multinomial(odds, 1, generator=draw).view(ended.shape)
            word = word.masked_fill(ended, language.PAD)
            ended |= word == language.END
            written.append(word)
            following = word[..., None]
        return torch.stack(written, -1)
