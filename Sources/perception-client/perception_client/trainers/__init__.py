"""Adapters that add the perception loss to trainers' own loops.

Each adapter is one module (`trainers.trl`, …) that imports its trainer. They share these modules:

| module | what |
|---|---|
| `modes` | four ways to get the loss's gradients into the model: `direct`, `grad_cache`, `detached`, `rows` |
| `known` | the server's answer, which joins a graph later |
| `needs` | which views, entropies and rewards a preset with its options needs |
| `prompt_views` | views of each prompt's pictures after the trainer's own resize, made while the trainer generates |
| `group_views` | the same for trainers that run each rollout separately; pictures of later turns |
| `resizing` | a picture as the model's processor has resized it |
| `shaping` | presets that change the policy loss itself |
| `settings` | what a user may configure, by arguments or by PERCEPTION_… variables |
| `ranks` | what ranks must agree on |
| `after_import` | changes a trainer's module in workers that import it for themselves |
| `reporting` | numbers and heat maps for the trainer's log |
| `versions` | which releases of a trainer an adapter was tested with |
"""
