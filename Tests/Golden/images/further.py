"""Writes the golden files of what generate.py has not: orientations wherever Pillow finds them, transparency as the
processors of transformers see it, deep gray, and damaged files.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy && V/bin/python further.py

further.txt is as cases.txt, with gray16 and allow_truncated beside the options there; further_files.bin and
further_samples.bin are as files.bin and samples.bin. A file that Pillow refuses is no case.
"""

import damaged_jpeg
import damaged_png
import jpeg_orientations
import png_orientations
import transparency
from further_cases import COLLECTION

# In this order the random samples are those of the committed files.
for kind in (transparency, jpeg_orientations, png_orientations, damaged_png, damaged_jpeg):
    kind.add_cases()
COLLECTION.write("further.txt", prefix="further_")
