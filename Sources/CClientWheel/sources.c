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
#embed "../perception-client/perception_client/results.py" suffix(,)
    0};
static const unsigned char file_37[] = {
#embed "../perception-client/perception_client/retrying.py" suffix(,)
    0};
static const unsigned char file_38[] = {
#embed "../perception-client/perception_client/runs.py" suffix(,)
    0};
static const unsigned char file_39[] = {
#embed "../perception-client/perception_client/safetensors_file.py" suffix(,)
    0};
static const unsigned char file_40[] = {
#embed "../perception-client/perception_client/settings.py" suffix(,)
    0};
static const unsigned char file_41[] = {
#embed "../perception-client/perception_client/shared_files.py" suffix(,)
    0};
static const unsigned char file_42[] = {
#embed "../perception-client/perception_client/sheets.py" suffix(,)
    0};
static const unsigned char file_43[] = {
#embed "../perception-client/perception_client/torch_arrays.py" suffix(,)
    0};
static const unsigned char file_44[] = {
#embed "../perception-client/perception_client/torch_loss.py" suffix(,)
    0};
static const unsigned char file_45[] = {
#embed "../perception-client/perception_client/transport.py" suffix(,)
    0};
static const unsigned char file_46[] = {
#embed "../perception-client/perception_client/versions.py" suffix(,)
    0};
static const unsigned char file_47[] = {
#embed "../perception-client/perception_client/views.py" suffix(,)
    0};
static const unsigned char file_48[] = {
#embed "../perception-client/perception_client/workers.py" suffix(,)
    0};
static const unsigned char readme[] = {
#embed "../perception-client/README.md" suffix(,)
    0};

static const client_file files[] = {
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
    {"perception_client/results.py", file_36, sizeof file_36 - 1},
    {"perception_client/retrying.py", file_37, sizeof file_37 - 1},
    {"perception_client/runs.py", file_38, sizeof file_38 - 1},
    {"perception_client/safetensors_file.py", file_39, sizeof file_39 - 1},
    {"perception_client/settings.py", file_40, sizeof file_40 - 1},
    {"perception_client/shared_files.py", file_41, sizeof file_41 - 1},
    {"perception_client/sheets.py", file_42, sizeof file_42 - 1},
    {"perception_client/torch_arrays.py", file_43, sizeof file_43 - 1},
    {"perception_client/torch_loss.py", file_44, sizeof file_44 - 1},
    {"perception_client/transport.py", file_45, sizeof file_45 - 1},
    {"perception_client/versions.py", file_46, sizeof file_46 - 1},
    {"perception_client/views.py", file_47, sizeof file_47 - 1},
    {"perception_client/workers.py", file_48, sizeof file_48 - 1},
};

static const char fields[] =
    "Metadata-Version: 2.1\n"
    "Name: perception-client\n"
    "Version: 0.1.0\n"
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
    "perception = perception_client.command:main\n";

const client_sources client_wheel_sources = {
    .version = "0.1.0",
    .files = files,
    .count = sizeof files / sizeof *files,
    .metadata_fields = {fields, sizeof fields - 1},
    .readme = {(const char *)readme, sizeof readme - 1},
    .entry_points = {entry_points, sizeof entry_points - 1},
};
