"""A random Qwen2.5-VL of 0.2 million parameters with the real processor, a data set, and a reward: what trainers train here.

`save(folder)` writes model and processor for trainers that load from a path. Nothing comes from a hub. Tokens are bytes.
"""

import pathlib
import random

import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLVideoProcessor,
)
from transformers.models.qwen2_vl import image_processing_qwen2_vl

# What AutoProcessor takes is torchvision's processor, which had a name of its own in earlier releases.
ImageProcessor = image_processing_qwen2_vl.Qwen2VLImageProcessor
if "TorchvisionBackend" not in vars(image_processing_qwen2_vl):
    ImageProcessor = getattr(transformers, "Qwen2VLImageProcessorFast", ImageProcessor)

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
END, PAD = "<|im_end|>", "<|endoftext|>"
SPECIAL = [PAD, "<|im_start|>", END, "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
# Qwen2.5-VL's turns, written for content that is text or a list of parts.
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.content is string %}{{ m.content }}"
    "{% else %}{% for part in m.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokenizer(vocabulary=0, numbers=None):
    """Bytes and Qwen's special tokens.

    Args:
        vocabulary: at least so many entries, for trainers that insist on Qwen's numbers of the special tokens.
        numbers: the number of each special token; absent, 0 … 6.
    """
    numbers = numbers or {token: i for i, token in enumerate(SPECIAL)}
    taken = set(numbers.values())
    free = iter(i for i in range(10**9) if i not in taken)
    entries = numbers | {byte: next(free) for byte in sorted(pre_tokenizers.ByteLevel.alphabet())}
    entries |= {f"<|unused{i}|>": next(free) for i in range(vocabulary - len(entries))}
    inner = Tokenizer(models.BPE(vocab=entries, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(SPECIAL)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token=END, pad_token=PAD, padding_side="left", extra_special_tokens=SPECIAL,
        chat_template=TEMPLATE)


def processor(max_pixels=28 * 28 * 24, **setting):
    """The real processor of Qwen2.5-VL; pictures are resized to 6 … 24 image tokens. `setting` goes to `tokenizer`."""
    words = tokenizer(**setting)
    images = ImageProcessor(min_pixels=28 * 28 * 6, max_pixels=max_pixels)
    return Qwen2_5_VLProcessor(images, words, Qwen2VLVideoProcessor(), chat_template=TEMPLATE)


def model(words, seed=0, spread=3.0, vision=None, **text):
    """The model with random weights, float32.

    Args:
        words: the tokenizer.
        seed: of the weights.
        spread: factor of the weights: at 1 a random model is so sure of nothing that pictures hardly matter.
        vision: settings of the vision encoder that differ, such as `hidden_size`.
        text: further settings of the language model, such as `num_hidden_layers`.
    """
    torch.manual_seed(seed)
    number = words.convert_tokens_to_ids
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0}
    config = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "vocab_size": len(words), "max_position_embeddings": 2048, "rope_theta": 10_000.0,
            "rope_scaling": rope, "bos_token_id": None, "eos_token_id": number(END), "pad_token_id": number(PAD),
        } | text,
        vision_config={
            "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 14, "window_size": 112,
            "out_hidden_size": text.get("hidden_size", 64), "spatial_merge_size": 2, "temporal_patch_size": 2,
            "fullatt_block_indexes": [1],
        } | (vision or {}),
        image_token_id=number("<|image_pad|>"), video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"), vision_end_token_id=number("<|vision_end|>"))
    made = Qwen2_5_VLForConditionalGeneration(config).float()
    for parameter in made.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(spread)
    made.generation_config.eos_token_id = number(END)
    made.generation_config.pad_token_id = number(PAD)
    made.generation_config.suppress_tokens = never_sampled(words)
    return made


def never_sampled(words):
    """Tokens that a random model would sample, and that no model writes: pictures among them, which would have no pixels."""
    return [words.convert_tokens_to_ids(token) for token in SPECIAL if token != END]


def save(folder, seed=0, **setting):
    """Write model and processor to a folder, and return it."""
    words = processor(**setting)
    words.save_pretrained(folder)
    model(words.tokenizer, seed).save_pretrained(folder)
    return pathlib.Path(folder)


def pictures(count, seed=0, sizes=((120, 200), (90, 160))):
    """Cuts of the photograph and the page, of width and height within `sizes`."""
    draw = random.Random(seed)
    whole = [Image.open(FIXTURES / name).convert("RGB") for name in ("photograph.jpg", "page.png")]
    found = []
    for i in range(count):
        source = whole[i % 2]
        width, height = (draw.randrange(*span) for span in sizes)
        left, top = draw.randrange(source.width - width), draw.randrange(source.height - height)
        found.append(source.crop((left, top, left + width, top + height)))
    return found


def rows(count=8, pictures_of_row=1, seed=0):
    """Prompts with pictures: dictionaries `prompt` (a conversation) and `images`.

    Args:
        count: how many.
        pictures_of_row: one number for all, or a number for each row in turn: `(1, 0, 2)`.
        seed: of the pictures.
    """
    counts = [pictures_of_row] if isinstance(pictures_of_row, int) else list(pictures_of_row)
    wanted = [counts[i % len(counts)] for i in range(count)]
    found = iter(pictures(sum(wanted), seed))
    return [
        {"prompt": [{"role": "user", "content": f"What is this? {i}"}], "images": [next(found) for _ in range(n)]}
        for i, n in enumerate(wanted)
    ]


def lower_case(texts):
    """A reward: the share of lower-case letters, so that completions differ and a tiny model can get better."""
    return [sum(c.islower() for c in text) / max(1, len(text)) for text in texts]


def parameters(trained):
    """All parameters as one vector [N], float64."""
    return torch.cat([p.detach().double().reshape(-1) for p in trained.parameters()])
