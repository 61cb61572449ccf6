"""A plugin for ms-swift: a reward, and the tiny model's number of the picture's token in place of the one of Qwen's own.

ms-swift has Qwen's token numbers written into its template; the tiny model's vocabulary does not reach that far.
"""

from swift.rewards import ORM, orms
from swift.template.templates.qwen import Qwen2VLTemplate

import tiny_model


class LowerCase(ORM):
    """The share of lower-case letters."""

    called = ()

    def __call__(self, completions, **_):
        for function in self.called:
            function()
        return tiny_model.lower_case(completions)


orms["lower_case"] = LowerCase
Qwen2VLTemplate.image_token_id = tiny_model.SPECIAL.index("<|image_pad|>")
Qwen2VLTemplate.video_token_id = tiny_model.SPECIAL.index("<|video_pad|>")
