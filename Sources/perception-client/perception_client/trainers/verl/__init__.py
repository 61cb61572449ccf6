"""The adapter for verl: `pip install` beside verl, and three lines of verl's configuration.

    +ray_kwargs.ray_init.runtime_env.env_vars.VERL_ENGINE_VENDOR=perception
    +ray_kwargs.ray_init.runtime_env.env_vars.PERCEPTION_URL=http://HOST:8080
    +ray_kwargs.ray_init.runtime_env.env_vars.PERCEPTION_PRESET=cppo-verl

| module | in which of verl's processes | what |
|---|---|---|
| `plugin` | all, by the entry-point group `verl.plugins` | checks versions and settings, then waits for verl's modules |
| `rollouts` | agent loop workers | makes each prompt's views while the engine generates |
| `rows` | both | how views travel: as further keys of `multi_modal_inputs` |
| `engine` | training workers | the FSDP engine that runs the model under each view |
| `aggregation` | training workers | the loss's divisor, as verl's `agg_loss` has it |
| `reporting` | training workers | numbers for verl's loggers, heat maps as files |

Without VERL_ENGINE_VENDOR=perception nothing of verl is touched.
"""
