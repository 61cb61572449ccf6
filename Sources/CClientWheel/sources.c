/* Written by Tests/PerceptionClient/wheel.py --sources from pyproject.toml and the folder: do not edit. */
#include "client_wheel.h"

/* #embed (C23) reads the client's own files: there is no second copy to fall behind. A zero ends each, as an array has
   at least one element and a file may have none. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_0[] = {
#embed "../perception-client/perception_client/__init__.py" suffix(,)
    0};
static const unsigned char file_1[] = {
#embed "../perception-client/perception_client/__main__.py" suffix(,)
    0};
static const unsigned char file_2[] = {
#embed "../perception-client/perception_client/addresses.py" suffix(,)
    0};
static const unsigned char file_3[] = {
#embed "../perception-client/perception_client/arrays.py" suffix(,)
    0};
static const unsigned char file_4[] = {
#embed "../perception-client/perception_client/async_transport.py" suffix(,)
    0};
static const unsigned char file_5[] = {
#embed "../perception-client/perception_client/asynchronous.py" suffix(,)
    0};
static const unsigned char file_6[] = {
#embed "../perception-client/perception_client/autograd.py" suffix(,)
    0};
static const unsigned char file_7[] = {
#embed "../perception-client/perception_client/batches.py" suffix(,)
    0};
static const unsigned char file_8[] = {
#embed "../perception-client/perception_client/calls.py" suffix(,)
    0};
static const unsigned char file_9[] = {
#embed "../perception-client/perception_client/catalogue.py" suffix(,)
    0};
static const unsigned char file_10[] = {
#embed "../perception-client/perception_client/client.py" suffix(,)
    0};
static const unsigned char file_11[] = {
#embed "../perception-client/perception_client/command/__init__.py" suffix(,)
    0};
static const unsigned char file_12[] = {
#embed "../perception-client/perception_client/command/files.py" suffix(,)
    0};
static const unsigned char file_13[] = {
#embed "../perception-client/perception_client/command/heatmap.py" suffix(,)
    0};
static const unsigned char file_14[] = {
#embed "../perception-client/perception_client/command/info.py" suffix(,)
    0};
static const unsigned char file_15[] = {
#embed "../perception-client/perception_client/command/score.py" suffix(,)
    0};
static const unsigned char file_16[] = {
#embed "../perception-client/perception_client/command/views.py" suffix(,)
    0};
static const unsigned char file_17[] = {
#embed "../perception-client/perception_client/connections.py" suffix(,)
    0};
static const unsigned char file_18[] = {
#embed "../perception-client/perception_client/engines/__init__.py" suffix(,)
    0};
static const unsigned char file_19[] = {
#embed "../perception-client/perception_client/engines/engine.py" suffix(,)
    0};
static const unsigned char file_20[] = {
#embed "../perception-client/perception_client/engines/perceiving.py" suffix(,)
    0};
static const unsigned char file_21[] = {
#embed "../perception-client/perception_client/engines/sglang.py" suffix(,)
    0};
static const unsigned char file_22[] = {
#embed "../perception-client/perception_client/engines/vllm.py" suffix(,)
    0};
static const unsigned char file_23[] = {
#embed "../perception-client/perception_client/errors.py" suffix(,)
    0};
static const unsigned char file_24[] = {
#embed "../perception-client/perception_client/from_logits.py" suffix(,)
    0};
static const unsigned char file_25[] = {
#embed "../perception-client/perception_client/heatmap.py" suffix(,)
    0};
static const unsigned char file_26[] = {
#embed "../perception-client/perception_client/jax_loss.py" suffix(,)
    0};
static const unsigned char file_27[] = {
#embed "../perception-client/perception_client/local_server.py" suffix(,)
    0};
static const unsigned char file_28[] = {
#embed "../perception-client/perception_client/losses.py" suffix(,)
    0};
static const unsigned char file_29[] = {
#embed "../perception-client/perception_client/multipart.py" suffix(,)
    0};
static const unsigned char file_30[] = {
#embed "../perception-client/perception_client/normalising.py" suffix(,)
    0};
static const unsigned char file_31[] = {
#embed "../perception-client/perception_client/numbers.py" suffix(,)
    0};
static const unsigned char file_32[] = {
#embed "../perception-client/perception_client/options.py" suffix(,)
    0};
static const unsigned char file_33[] = {
#embed "../perception-client/perception_client/perturbing.py" suffix(,)
    0};
static const unsigned char file_34[] = {
#embed "../perception-client/perception_client/pictures.py" suffix(,)
    0};
static const unsigned char file_35[] = {
#embed "../perception-client/perception_client/py.typed" suffix(,)
    0};
static const unsigned char file_36[] = {
#embed "../perception-client/perception_client/reply_memory.py" suffix(,)
    0};
static const unsigned char file_37[] = {
#embed "../perception-client/perception_client/results.py" suffix(,)
    0};
static const unsigned char file_38[] = {
#embed "../perception-client/perception_client/retrying.py" suffix(,)
    0};
static const unsigned char file_39[] = {
#embed "../perception-client/perception_client/runs.py" suffix(,)
    0};
static const unsigned char file_40[] = {
#embed "../perception-client/perception_client/safetensors_file.py" suffix(,)
    0};
static const unsigned char file_41[] = {
#embed "../perception-client/perception_client/settings.py" suffix(,)
    0};
static const unsigned char file_42[] = {
#embed "../perception-client/perception_client/shared_files.py" suffix(,)
    0};
static const unsigned char file_43[] = {
#embed "../perception-client/perception_client/sheets.py" suffix(,)
    0};
static const unsigned char file_44[] = {
#embed "../perception-client/perception_client/torch_arrays.py" suffix(,)
    0};
static const unsigned char file_45[] = {
#embed "../perception-client/perception_client/torch_loss.py" suffix(,)
    0};
static const unsigned char file_46[] = {
#embed "../perception-client/perception_client/trainers/__init__.py" suffix(,)
    0};
static const unsigned char file_47[] = {
#embed "../perception-client/perception_client/trainers/after_import.py" suffix(,)
    0};
static const unsigned char file_48[] = {
#embed "../perception-client/perception_client/trainers/areal/__init__.py" suffix(,)
    0};
static const unsigned char file_49[] = {
#embed "../perception-client/perception_client/trainers/areal/advantages.py" suffix(,)
    0};
static const unsigned char file_50[] = {
#embed "../perception-client/perception_client/trainers/areal/columns.py" suffix(,)
    0};
static const unsigned char file_51[] = {
#embed "../perception-client/perception_client/trainers/areal/engine.py" suffix(,)
    0};
static const unsigned char file_52[] = {
#embed "../perception-client/perception_client/trainers/areal/packing.py" suffix(,)
    0};
static const unsigned char file_53[] = {
#embed "../perception-client/perception_client/trainers/areal/trainer.py" suffix(,)
    0};
static const unsigned char file_54[] = {
#embed "../perception-client/perception_client/trainers/areal/versions.py" suffix(,)
    0};
static const unsigned char file_55[] = {
#embed "../perception-client/perception_client/trainers/areal/workflow.py" suffix(,)
    0};
static const unsigned char file_56[] = {
#embed "../perception-client/perception_client/trainers/group_views.py" suffix(,)
    0};
static const unsigned char file_57[] = {
#embed "../perception-client/perception_client/trainers/known.py" suffix(,)
    0};
static const unsigned char file_58[] = {
#embed "../perception-client/perception_client/trainers/modes.py" suffix(,)
    0};
static const unsigned char file_59[] = {
#embed "../perception-client/perception_client/trainers/needs.py" suffix(,)
    0};
static const unsigned char file_60[] = {
#embed "../perception-client/perception_client/trainers/nemo_rl/__init__.py" suffix(,)
    0};
static const unsigned char file_61[] = {
#embed "../perception-client/perception_client/trainers/nemo_rl/loss.py" suffix(,)
    0};
static const unsigned char file_62[] = {
#embed "../perception-client/perception_client/trainers/nemo_rl/mixed.py" suffix(,)
    0};
static const unsigned char file_63[] = {
#embed "../perception-client/perception_client/trainers/nemo_rl/pictures.py" suffix(,)
    0};
static const unsigned char file_64[] = {
#embed "../perception-client/perception_client/trainers/nemo_rl/policy.py" suffix(,)
    0};
static const unsigned char file_65[] = {
#embed "../perception-client/perception_client/trainers/openrlhf/__init__.py" suffix(,)
    0};
static const unsigned char file_66[] = {
#embed "../perception-client/perception_client/trainers/openrlhf/advantages.py" suffix(,)
    0};
static const unsigned char file_67[] = {
#embed "../perception-client/perception_client/trainers/openrlhf/installing.py" suffix(,)
    0};
static const unsigned char file_68[] = {
#embed "../perception-client/perception_client/trainers/openrlhf/rollouts.py" suffix(,)
    0};
static const unsigned char file_69[] = {
#embed "../perception-client/perception_client/trainers/openrlhf/training.py" suffix(,)
    0};
static const unsigned char file_70[] = {
#embed "../perception-client/perception_client/trainers/openrlhf/views.py" suffix(,)
    0};
static const unsigned char file_71[] = {
#embed "../perception-client/perception_client/trainers/prompt_views.py" suffix(,)
    0};
static const unsigned char file_72[] = {
#embed "../perception-client/perception_client/trainers/ranks.py" suffix(,)
    0};
static const unsigned char file_73[] = {
#embed "../perception-client/perception_client/trainers/reporting.py" suffix(,)
    0};
static const unsigned char file_74[] = {
#embed "../perception-client/perception_client/trainers/resizing.py" suffix(,)
    0};
static const unsigned char file_75[] = {
#embed "../perception-client/perception_client/trainers/settings.py" suffix(,)
    0};
static const unsigned char file_76[] = {
#embed "../perception-client/perception_client/trainers/shaping.py" suffix(,)
    0};
static const unsigned char file_77[] = {
#embed "../perception-client/perception_client/trainers/slime/__init__.py" suffix(,)
    0};
static const unsigned char file_78[] = {
#embed "../perception-client/perception_client/trainers/slime/gathering.py" suffix(,)
    0};
static const unsigned char file_79[] = {
#embed "../perception-client/perception_client/trainers/slime/marks.py" suffix(,)
    0};
static const unsigned char file_80[] = {
#embed "../perception-client/perception_client/trainers/slime/rollouts.py" suffix(,)
    0};
static const unsigned char file_81[] = {
#embed "../perception-client/perception_client/trainers/slime/state.py" suffix(,)
    0};
static const unsigned char file_82[] = {
#embed "../perception-client/perception_client/trainers/slime/training.py" suffix(,)
    0};
static const unsigned char file_83[] = {
#embed "../perception-client/perception_client/trainers/swift/__init__.py" suffix(,)
    0};
static const unsigned char file_84[] = {
#embed "../perception-client/perception_client/trainers/swift/__main__.py" suffix(,)
    0};
static const unsigned char file_85[] = {
#embed "../perception-client/perception_client/trainers/swift/plugin/perception.py" suffix(,)
    0};
static const unsigned char file_86[] = {
#embed "../perception-client/perception_client/trainers/swift/template_views.py" suffix(,)
    0};
static const unsigned char file_87[] = {
#embed "../perception-client/perception_client/trainers/swift/trainer.py" suffix(,)
    0};
static const unsigned char file_88[] = {
#embed "../perception-client/perception_client/trainers/tinker/__init__.py" suffix(,)
    0};
static const unsigned char file_89[] = {
#embed "../perception-client/perception_client/trainers/tinker/adding.py" suffix(,)
    0};
static const unsigned char file_90[] = {
#embed "../perception-client/perception_client/trainers/tinker/batch.py" suffix(,)
    0};
static const unsigned char file_91[] = {
#embed "../perception-client/perception_client/trainers/tinker/rollouts.py" suffix(,)
    0};
static const unsigned char file_92[] = {
#embed "../perception-client/perception_client/trainers/tinker/sending.py" suffix(,)
    0};
static const unsigned char file_93[] = {
#embed "../perception-client/perception_client/trainers/trl.py" suffix(,)
    0};
static const unsigned char file_94[] = {
#embed "../perception-client/perception_client/trainers/trl_rows.py" suffix(,)
    0};
static const unsigned char file_95[] = {
#embed "../perception-client/perception_client/trainers/trl_steps.py" suffix(,)
    0};
static const unsigned char file_96[] = {
#embed "../perception-client/perception_client/trainers/trl_watch.py" suffix(,)
    0};
static const unsigned char file_97[] = {
#embed "../perception-client/perception_client/trainers/verl/__init__.py" suffix(,)
    0};
static const unsigned char file_98[] = {
#embed "../perception-client/perception_client/trainers/verl/advantages.py" suffix(,)
    0};
static const unsigned char file_99[] = {
#embed "../perception-client/perception_client/trainers/verl/aggregation.py" suffix(,)
    0};
static const unsigned char file_100[] = {
#embed "../perception-client/perception_client/trainers/verl/engine.py" suffix(,)
    0};
static const unsigned char file_101[] = {
#embed "../perception-client/perception_client/trainers/verl/objective.py" suffix(,)
    0};
static const unsigned char file_102[] = {
#embed "../perception-client/perception_client/trainers/verl/plugin.py" suffix(,)
    0};
static const unsigned char file_103[] = {
#embed "../perception-client/perception_client/trainers/verl/reporting.py" suffix(,)
    0};
static const unsigned char file_104[] = {
#embed "../perception-client/perception_client/trainers/verl/rollouts.py" suffix(,)
    0};
static const unsigned char file_105[] = {
#embed "../perception-client/perception_client/trainers/verl/rows.py" suffix(,)
    0};
static const unsigned char file_106[] = {
#embed "../perception-client/perception_client/trainers/versions.py" suffix(,)
    0};
static const unsigned char file_107[] = {
#embed "../perception-client/perception_client/transport.py" suffix(,)
    0};
static const unsigned char file_108[] = {
#embed "../perception-client/perception_client/versions.py" suffix(,)
    0};
static const unsigned char file_109[] = {
#embed "../perception-client/perception_client/views.py" suffix(,)
    0};
static const unsigned char file_110[] = {
#embed "../perception-client/perception_client/workers.py" suffix(,)
    0};
static const unsigned char readme[] = {
#embed "../perception-client/README.md" suffix(,)
    0};

static const client_wheel_file files[] = {
    {"perception_client/__init__.py", file_0, sizeof file_0 - 1},
    {"perception_client/__main__.py", file_1, sizeof file_1 - 1},
    {"perception_client/addresses.py", file_2, sizeof file_2 - 1},
    {"perception_client/arrays.py", file_3, sizeof file_3 - 1},
    {"perception_client/async_transport.py", file_4, sizeof file_4 - 1},
    {"perception_client/asynchronous.py", file_5, sizeof file_5 - 1},
    {"perception_client/autograd.py", file_6, sizeof file_6 - 1},
    {"perception_client/batches.py", file_7, sizeof file_7 - 1},
    {"perception_client/calls.py", file_8, sizeof file_8 - 1},
    {"perception_client/catalogue.py", file_9, sizeof file_9 - 1},
    {"perception_client/client.py", file_10, sizeof file_10 - 1},
    {"perception_client/command/__init__.py", file_11, sizeof file_11 - 1},
    {"perception_client/command/files.py", file_12, sizeof file_12 - 1},
    {"perception_client/command/heatmap.py", file_13, sizeof file_13 - 1},
    {"perception_client/command/info.py", file_14, sizeof file_14 - 1},
    {"perception_client/command/score.py", file_15, sizeof file_15 - 1},
    {"perception_client/command/views.py", file_16, sizeof file_16 - 1},
    {"perception_client/connections.py", file_17, sizeof file_17 - 1},
    {"perception_client/engines/__init__.py", file_18, sizeof file_18 - 1},
    {"perception_client/engines/engine.py", file_19, sizeof file_19 - 1},
    {"perception_client/engines/perceiving.py", file_20, sizeof file_20 - 1},
    {"perception_client/engines/sglang.py", file_21, sizeof file_21 - 1},
    {"perception_client/engines/vllm.py", file_22, sizeof file_22 - 1},
    {"perception_client/errors.py", file_23, sizeof file_23 - 1},
    {"perception_client/from_logits.py", file_24, sizeof file_24 - 1},
    {"perception_client/heatmap.py", file_25, sizeof file_25 - 1},
    {"perception_client/jax_loss.py", file_26, sizeof file_26 - 1},
    {"perception_client/local_server.py", file_27, sizeof file_27 - 1},
    {"perception_client/losses.py", file_28, sizeof file_28 - 1},
    {"perception_client/multipart.py", file_29, sizeof file_29 - 1},
    {"perception_client/normalising.py", file_30, sizeof file_30 - 1},
    {"perception_client/numbers.py", file_31, sizeof file_31 - 1},
    {"perception_client/options.py", file_32, sizeof file_32 - 1},
    {"perception_client/perturbing.py", file_33, sizeof file_33 - 1},
    {"perception_client/pictures.py", file_34, sizeof file_34 - 1},
    {"perception_client/py.typed", file_35, sizeof file_35 - 1},
    {"perception_client/reply_memory.py", file_36, sizeof file_36 - 1},
    {"perception_client/results.py", file_37, sizeof file_37 - 1},
    {"perception_client/retrying.py", file_38, sizeof file_38 - 1},
    {"perception_client/runs.py", file_39, sizeof file_39 - 1},
    {"perception_client/safetensors_file.py", file_40, sizeof file_40 - 1},
    {"perception_client/settings.py", file_41, sizeof file_41 - 1},
    {"perception_client/shared_files.py", file_42, sizeof file_42 - 1},
    {"perception_client/sheets.py", file_43, sizeof file_43 - 1},
    {"perception_client/torch_arrays.py", file_44, sizeof file_44 - 1},
    {"perception_client/torch_loss.py", file_45, sizeof file_45 - 1},
    {"perception_client/trainers/__init__.py", file_46, sizeof file_46 - 1},
    {"perception_client/trainers/after_import.py", file_47, sizeof file_47 - 1},
    {"perception_client/trainers/areal/__init__.py", file_48, sizeof file_48 - 1},
    {"perception_client/trainers/areal/advantages.py", file_49, sizeof file_49 - 1},
    {"perception_client/trainers/areal/columns.py", file_50, sizeof file_50 - 1},
    {"perception_client/trainers/areal/engine.py", file_51, sizeof file_51 - 1},
    {"perception_client/trainers/areal/packing.py", file_52, sizeof file_52 - 1},
    {"perception_client/trainers/areal/trainer.py", file_53, sizeof file_53 - 1},
    {"perception_client/trainers/areal/versions.py", file_54, sizeof file_54 - 1},
    {"perception_client/trainers/areal/workflow.py", file_55, sizeof file_55 - 1},
    {"perception_client/trainers/group_views.py", file_56, sizeof file_56 - 1},
    {"perception_client/trainers/known.py", file_57, sizeof file_57 - 1},
    {"perception_client/trainers/modes.py", file_58, sizeof file_58 - 1},
    {"perception_client/trainers/needs.py", file_59, sizeof file_59 - 1},
    {"perception_client/trainers/nemo_rl/__init__.py", file_60, sizeof file_60 - 1},
    {"perception_client/trainers/nemo_rl/loss.py", file_61, sizeof file_61 - 1},
    {"perception_client/trainers/nemo_rl/mixed.py", file_62, sizeof file_62 - 1},
    {"perception_client/trainers/nemo_rl/pictures.py", file_63, sizeof file_63 - 1},
    {"perception_client/trainers/nemo_rl/policy.py", file_64, sizeof file_64 - 1},
    {"perception_client/trainers/openrlhf/__init__.py", file_65, sizeof file_65 - 1},
    {"perception_client/trainers/openrlhf/advantages.py", file_66, sizeof file_66 - 1},
    {"perception_client/trainers/openrlhf/installing.py", file_67, sizeof file_67 - 1},
    {"perception_client/trainers/openrlhf/rollouts.py", file_68, sizeof file_68 - 1},
    {"perception_client/trainers/openrlhf/training.py", file_69, sizeof file_69 - 1},
    {"perception_client/trainers/openrlhf/views.py", file_70, sizeof file_70 - 1},
    {"perception_client/trainers/prompt_views.py", file_71, sizeof file_71 - 1},
    {"perception_client/trainers/ranks.py", file_72, sizeof file_72 - 1},
    {"perception_client/trainers/reporting.py", file_73, sizeof file_73 - 1},
    {"perception_client/trainers/resizing.py", file_74, sizeof file_74 - 1},
    {"perception_client/trainers/settings.py", file_75, sizeof file_75 - 1},
    {"perception_client/trainers/shaping.py", file_76, sizeof file_76 - 1},
    {"perception_client/trainers/slime/__init__.py", file_77, sizeof file_77 - 1},
    {"perception_client/trainers/slime/gathering.py", file_78, sizeof file_78 - 1},
    {"perception_client/trainers/slime/marks.py", file_79, sizeof file_79 - 1},
    {"perception_client/trainers/slime/rollouts.py", file_80, sizeof file_80 - 1},
    {"perception_client/trainers/slime/state.py", file_81, sizeof file_81 - 1},
    {"perception_client/trainers/slime/training.py", file_82, sizeof file_82 - 1},
    {"perception_client/trainers/swift/__init__.py", file_83, sizeof file_83 - 1},
    {"perception_client/trainers/swift/__main__.py", file_84, sizeof file_84 - 1},
    {"perception_client/trainers/swift/plugin/perception.py", file_85, sizeof file_85 - 1},
    {"perception_client/trainers/swift/template_views.py", file_86, sizeof file_86 - 1},
    {"perception_client/trainers/swift/trainer.py", file_87, sizeof file_87 - 1},
    {"perception_client/trainers/tinker/__init__.py", file_88, sizeof file_88 - 1},
    {"perception_client/trainers/tinker/adding.py", file_89, sizeof file_89 - 1},
    {"perception_client/trainers/tinker/batch.py", file_90, sizeof file_90 - 1},
    {"perception_client/trainers/tinker/rollouts.py", file_91, sizeof file_91 - 1},
    {"perception_client/trainers/tinker/sending.py", file_92, sizeof file_92 - 1},
    {"perception_client/trainers/trl.py", file_93, sizeof file_93 - 1},
    {"perception_client/trainers/trl_rows.py", file_94, sizeof file_94 - 1},
    {"perception_client/trainers/trl_steps.py", file_95, sizeof file_95 - 1},
    {"perception_client/trainers/trl_watch.py", file_96, sizeof file_96 - 1},
    {"perception_client/trainers/verl/__init__.py", file_97, sizeof file_97 - 1},
    {"perception_client/trainers/verl/advantages.py", file_98, sizeof file_98 - 1},
    {"perception_client/trainers/verl/aggregation.py", file_99, sizeof file_99 - 1},
    {"perception_client/trainers/verl/engine.py", file_100, sizeof file_100 - 1},
    {"perception_client/trainers/verl/objective.py", file_101, sizeof file_101 - 1},
    {"perception_client/trainers/verl/plugin.py", file_102, sizeof file_102 - 1},
    {"perception_client/trainers/verl/reporting.py", file_103, sizeof file_103 - 1},
    {"perception_client/trainers/verl/rollouts.py", file_104, sizeof file_104 - 1},
    {"perception_client/trainers/verl/rows.py", file_105, sizeof file_105 - 1},
    {"perception_client/trainers/versions.py", file_106, sizeof file_106 - 1},
    {"perception_client/transport.py", file_107, sizeof file_107 - 1},
    {"perception_client/versions.py", file_108, sizeof file_108 - 1},
    {"perception_client/views.py", file_109, sizeof file_109 - 1},
    {"perception_client/workers.py", file_110, sizeof file_110 - 1},
};

static const char fields[] =
    "Metadata-Version: 2.1\n"
    "Name: perception-client\n"
    "Version: 0.2.0\n"
    "Summary: Client of Perception Server: image views and contrastive perception losses with gradients, for trainers of vision-language models.\n"
    "Requires-Python: >=3.10\n"
    "Requires-Dist: httpx>=0.27\n"
    "Requires-Dist: numpy>=1.24\n"
    "Provides-Extra: images\n"
    "Requires-Dist: pillow>=10; extra == 'images'\n"
    "Provides-Extra: jax\n"
    "Requires-Dist: jax>=0.4.30; extra == 'jax'\n"
    "Provides-Extra: torch\n"
    "Requires-Dist: torch>=2.1; extra == 'torch'\n"
    "Description-Content-Type: text/markdown\n"
    "\n";

static const char entry_points[] =
    "[console_scripts]\n"
    "perception = perception_client.command:main\n"
    "\n"
    "[verl.plugins]\n"
    "perception = perception_client.trainers.verl.plugin\n";

const client_wheel_contents client_wheel_sources = {
    .version = "0.2.0",
    .files = files,
    .count = sizeof files / sizeof *files,
    .metadata_fields = {fields, sizeof fields - 1},
    .readme = {(const char *)readme, sizeof readme - 1},
    .entry_points = {entry_points, sizeof entry_points - 1},
};
